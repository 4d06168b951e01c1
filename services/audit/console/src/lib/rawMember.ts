/**
 * The text of one member of a JSON object, exactly as it stands there, or null.
 *
 * The log's API puts an entry's own bytes into its answer. Parsing and writing them again could change a space or the spelling of a
 * number, and with it the hash; so they are cut out.
 */
export function rawMember(json: string, name: string): string | null {
  let at = skipSpace(json, 0);
  if (json[at] !== "{") return null;
  at = skipSpace(json, at + 1);
  while (at < json.length && json[at] !== "}") {
    const keyEnd = endOfValue(json, at);
    const key = JSON.parse(json.slice(at, keyEnd)) as unknown;
    const start = skipSpace(json, skipSpace(json, keyEnd) + 1);
    const end = endOfValue(json, start);
    if (key === name) return json.slice(start, end);
    at = skipSpace(json, end);
    if (json[at] === ",") at = skipSpace(json, at + 1);
  }
  return null;
}

function skipSpace(json: string, at: number): number {
  while (at < json.length && " \t\r\n".includes(json.charAt(at))) at += 1;
  return at;
}

/** Where the value that begins at `at` ends; the text is taken to be JSON. */
function endOfValue(json: string, at: number): number {
  let depth = 0;
  for (let place = at; place < json.length; place += 1) {
    const char = json.charAt(place);
    if (char === '"') place = endOfString(json, place);
    else if (char === "{" || char === "[") depth += 1;
    else if (char === "}" || char === "]") {
      if (depth === 0) return place;
      depth -= 1;
    } else if (depth === 0 && (char === "," || char === ":")) return trimmed(json, at, place);
    if (depth === 0 && (char === '"' || char === "}" || char === "]")) return place + 1;
  }
  return trimmed(json, at, json.length);
}

function endOfString(json: string, at: number): number {
  for (let place = at + 1; place < json.length; place += 1) {
    if (json[place] === "\\") place += 1;
    else if (json[place] === '"') return place;
  }
  return json.length;
}

function trimmed(json: string, start: number, end: number): number {
  return start + json.slice(start, end).trimEnd().length;
}
