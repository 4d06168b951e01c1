import { useCallback, useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import type { Query } from "../api/client";

/**
 * What a search looks for, in the address bar: every search has a link.
 *
 * The names are the API's own, and `last` beside them: a span that ends now, so that a link shows what is new.
 */
export const FIELDS = [
  "type",
  "outcome",
  "subject",
  "email",
  "ip",
  "session",
  "attempt",
  "request",
  "q",
  "filter",
  "from",
  "to",
] as const;
export type Field = (typeof FIELDS)[number];

export const FIELD_NAMES: Record<Field, string> = {
  type: "Type",
  outcome: "Outcome",
  subject: "Subject",
  email: "E-mail",
  ip: "Address",
  session: "Session",
  attempt: "Attempt",
  request: "Request",
  q: "Text",
  filter: "Expression",
  from: "From",
  to: "To",
};

const REPEATABLE = new Set<Field>(["type", "outcome"]);

export const SPANS = { "15m": 900, "1h": 3600, "24h": 86_400, "7d": 604_800, "30d": 2_592_000 } as const;
export type Span = keyof typeof SPANS;

export interface Chip {
  field: Field;
  value: string;
}

export function isSpan(text: string | null): text is Span {
  return text !== null && text in SPANS;
}

export function chipsOf(search: URLSearchParams): Chip[] {
  return FIELDS.flatMap((field) => search.getAll(field).map((value) => ({ field, value })));
}

/** The address of a search: what was given, with or without a chip. */
export function withChip(search: URLSearchParams, { field, value }: Chip): URLSearchParams {
  const next = new URLSearchParams(search);
  if (!REPEATABLE.has(field)) next.delete(field);
  if (!next.getAll(field).includes(value)) next.append(field, value);
  if (field === "from" || field === "to") next.delete("last");
  return next;
}

export function withoutChip(search: URLSearchParams, { field, value }: Chip): URLSearchParams {
  const next = new URLSearchParams(search);
  next.delete(field);
  for (const one of search.getAll(field)) if (one !== value) next.append(field, one);
  return next;
}

/** Every look at the log is an event of it, and they add up: this leaves them out. */
export const WITHOUT_READS = 'not (event_type eq "audit.query.executed")';

/** The address of the same search with the reads of the log, when they are left out, or without them. */
export function withReadsToggled(search: URLSearchParams): URLSearchParams {
  const given = search.get("filter") ?? "";
  const rest =
    given === WITHOUT_READS ? "" : given.replace(` and ${WITHOUT_READS}`, "").replace(/^\(([^()]*)\)$/, "$1");
  const next = new URLSearchParams(search);
  if (!leavesReadsOut(search)) next.set("filter", given ? `(${given}) and ${WITHOUT_READS}` : WITHOUT_READS);
  else if (rest) next.set("filter", rest);
  else next.delete("filter");
  return next;
}

export function leavesReadsOut(search: URLSearchParams): boolean {
  return (search.get("filter") ?? "").endsWith(WITHOUT_READS);
}

/** The question to the API; `now` in milliseconds is where a span ends. */
export function queryOf(search: URLSearchParams, now: number): Query {
  const query: Record<string, string | string[]> = {};
  for (const field of FIELDS) {
    const values = search.getAll(field).filter(Boolean);
    if (values.length > 0) query[field] = REPEATABLE.has(field) ? values : (values[0] ?? "");
  }
  const last = search.get("last");
  if (isSpan(last) && query.from === undefined) query.from = new Date(now - SPANS[last] * 1000).toISOString();
  return query;
}

const ADDRESS = /^[^\s@:"]+@[^\s@]+\.[^\s@]+$/;
const IP = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:.]*)(?:\/\d{1,3})?$/i;
const TOKEN = /(?:([a-z]+):)?(?:"([^"]*)"|(\S+))/gi;

/** Reads what somebody typed: `type:sign_in. outcome:failure 192.0.2.7 ada@example.test words`. */
export function parseTyped(text: string): Chip[] {
  const chips: Chip[] = [];
  const words: string[] = [];
  for (const [whole, name, quoted, bare] of text.matchAll(TOKEN)) {
    const value = quoted ?? bare ?? "";
    const field = FIELDS.find((one) => one === name?.toLowerCase());
    if (field && value) chips.push({ field, value });
    else if (ADDRESS.test(whole)) chips.push({ field: "email", value: whole });
    else if (IP.test(whole)) chips.push({ field: "ip", value: whole });
    else words.push(name === undefined ? value : whole);
  }
  if (words.length > 0) chips.push({ field: "q", value: words.join(" ") });
  return chips;
}

/** What a search was saved with, as an address. */
export function searchOf(params: Record<string, string | string[]>): URLSearchParams {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params))
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, one);
  return search;
}

export interface Filters {
  search: URLSearchParams;
  chips: Chip[];
  query: Query;
  span: Span | null;
  change: (next: URLSearchParams) => void;
  add: (...chips: Chip[]) => void;
  remove: (chip: Chip) => void;
  setSpan: (span: Span | null) => void;
  /** Looks again; a span then ends now. */
  again: () => void;
}

/** Held to the minute, so that going back asks the same question and finds its pages. */
function thisMinute(): number {
  return Math.floor(Date.now() / 60_000) * 60_000;
}

export function useFilters(): Filters {
  const [search, setSearch] = useSearchParams();
  const [now, setNow] = useState(thisMinute);
  const query = useMemo(() => queryOf(search, now), [search, now]);
  const last = search.get("last");
  const change = useCallback((next: URLSearchParams) => setSearch(next), [setSearch]);
  return {
    search,
    chips: chipsOf(search),
    query,
    span: isSpan(last) ? last : null,
    change,
    add: (...chips) => change(chips.reduce(withChip, search)),
    remove: (chip) => change(withoutChip(search, chip)),
    setSpan: (span) => {
      const next = new URLSearchParams(search);
      for (const name of ["from", "to", "last"]) next.delete(name);
      if (span) next.set("last", span);
      setNow(thisMinute());
      change(next);
    },
    again: () => setNow(thisMinute()),
  };
}
