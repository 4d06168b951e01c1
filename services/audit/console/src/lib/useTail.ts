import { useEffect, useState } from "react";
import { idOf, withQuery, type Query } from "../api/client";
import type { Entry } from "../api/types";
import { serviceUrl } from "./base";

const ENTRIES_MAX = 500;

export type TailState = "off" | "connecting" | "live" | "lost";

export interface Tail {
  state: TailState;
  /** What arrived since, newest first. */
  entries: Entry[];
  /** What the service has to say: that sealing stands still, that the search is too broad. */
  notice: string | null;
}

const NOTHING: Tail = { state: "connecting", entries: [], notice: null };

interface Kept extends Tail {
  /** What was asked for: what arrived for one question is no answer to the next. */
  url: string;
}

/** Follows the log as it grows. `opened` is called each time the line stands, so that nothing falls between it and a search. */
export function useTail(query: Query, enabled: boolean, opened: () => void): Tail {
  const [tail, setTail] = useState<Kept>({ ...NOTHING, url: "" });
  // A tail has no end.
  const url = serviceUrl(withQuery("/v1/events/tail", { ...query, to: undefined }));

  useEffect(() => {
    if (!enabled) return;
    const source = new EventSource(url);
    const change = (next: (tail: Tail) => Partial<Tail>) =>
      setTail((known) => {
        const own = known.url === url ? known : { ...NOTHING, url };
        return { ...own, ...next(own) };
      });
    source.onopen = () => {
      change(() => ({ state: "live" }));
      opened();
    };
    // The browser connects again by itself, from the last event that it saw, unless it was refused.
    source.onerror = () => change(() => ({ state: source.readyState === EventSource.CLOSED ? "lost" : "connecting" }));
    source.addEventListener("entry", (event: MessageEvent<string>) => {
      const entry = JSON.parse(event.data) as Entry;
      change(({ entries }) => ({ entries: arrive(entries, entry) }));
    });
    for (const kind of ["notice", "problem"])
      source.addEventListener(kind, (event: MessageEvent<string>) => {
        const said = JSON.parse(event.data) as { detail: string };
        change(() => ({ notice: said.detail }));
      });
    return () => {
      source.close();
      setTail({ ...NOTHING, url: "" });
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `opened` may be new at every drawing, the line must not be
  }, [url, enabled]);

  if (!enabled) return { ...NOTHING, state: "off" };
  return tail.url === url ? tail : NOTHING;
}

function arrive(entries: Entry[], entry: Entry): Entry[] {
  if (entries.some((known) => idOf(known) === idOf(entry))) return entries;
  return [entry, ...entries].slice(0, ENTRIES_MAX);
}
