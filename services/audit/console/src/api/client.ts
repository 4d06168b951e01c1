import { learnServerTime } from "@look/clock";
import { rawMember } from "../lib/rawMember";
import { serviceUrl } from "../lib/base";
import { Problem, problemFrom } from "./problem";
import type {
  Alert,
  ArchivedDay,
  AuditEvent,
  Bucket,
  Completeness,
  Detections,
  Entry,
  Erasure,
  Export,
  Format,
  Group,
  Hold,
  Page,
  Quarantined,
  Reconciliation,
  Replay,
  SavedSearch,
  SavedSearchInput,
  Stats,
  Story,
  Stream,
  Subject,
  SubjectRead,
  Top,
  TopField,
} from "./types";

const REQUEST_SECONDS_MAX = 30;
// An erasure goes through all of a person's entries, a replay through 100,000 leaves.
const ERASE_SECONDS_MAX = 120;
const REPLAY_SECONDS_MAX = 300;

export type Query = Record<string, string | readonly string[] | number | undefined>;

export function withQuery(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === "") continue;
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [String(value)]) search.append(name, one);
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

/** How a question is asked: what ends it early, and in `meta` whether the console asks by itself, with nobody at the keys. */
export interface Asking {
  signal?: AbortSignal | undefined;
  meta?: { isPoll?: unknown } | undefined;
}

interface Sending extends Asking {
  body?: object | undefined;
  secondsMax?: number | undefined;
}

/**
 * Sends one request and returns the text of its answer.
 *
 * Throws `Problem` for a refusal and for silence: `unreachable` for a read, `unanswered` for a write, which may have been done.
 */
async function send(method: string, path: string, { body, signal, meta, secondsMax }: Sending = {}): Promise<string> {
  const deadline = AbortSignal.timeout((secondsMax ?? REQUEST_SECONDS_MAX) * 1000);
  const isWrite = method !== "GET";
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(serviceUrl(path), {
      method,
      credentials: "same-origin",
      headers: {
        Accept: "application/json, text/plain",
        // The gateway does not count it as use of the session.
        ...(meta?.isPoll ? { "X-Countersign-Poll": "1" } : {}),
        ...(isWrite ? { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() } : {}),
      },
      ...(isWrite && method !== "DELETE" ? { body: JSON.stringify(body ?? {}) } : {}),
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
    text = await answer.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem({ status: 0, code: isWrite ? "unanswered" : "unreachable" });
  }
  learnServerTime(answer.headers.get("Date"));
  // The gateway waited in vain: it does not know either.
  if (isWrite && answer.status === 504) throw new Problem({ status: 504, code: "unanswered" });
  if (!answer.ok) throw problemFrom(answer.status, text);
  return text;
}

async function get<T>(path: string, query: Query = {}, asking: Asking = {}): Promise<T> {
  return JSON.parse(await send("GET", withQuery(path, query), asking)) as T;
}

type Write = "POST" | "PUT" | "DELETE";

async function write<T>(method: Write, path: string, body?: object, secondsMax?: number): Promise<T> {
  const text = await send(method, path, { body, secondsMax });
  return (text ? JSON.parse(text) : undefined) as T;
}

const of = (id: string | number) => encodeURIComponent(String(id));

/** One entry, with its bytes as they stand in the answer: null when they cannot be read. */
export interface RawEntry extends Entry {
  raw: string | null;
}

export function readEntry(text: string): RawEntry {
  const entry = JSON.parse(text) as Entry;
  return { ...entry, raw: entry.event === null ? null : rawMember(text, "event") };
}

export interface Listed {
  next_cursor: string | null;
}

/** Every question that the console asks. */
export const api = {
  events: (query: Query, asking?: Asking) => get<Page>("/v1/events", query, asking),
  event: async (id: string) => readEntry(await send("GET", `/v1/events/${of(id)}`)),
  proof: (id: string) => send("GET", `/v1/events/${of(id)}/proof`),
  stats: (query: Query & { by: Bucket; group: Group }, asking?: Asking) => get<Stats>("/v1/stats", query, asking),
  top: (query: Query & { field: TopField }, asking?: Asking) => get<Top>("/v1/stats/top", query, asking),
  subject: (sub: string) => get<Subject>(`/v1/subjects/${of(sub)}`),
  subjectReads: (sub: string, query: Query) =>
    get<Listed & { reads: SubjectRead[] }>(`/v1/subjects/${of(sub)}/reads`, query),
  story: (kind: "sessions" | "attempts", id: string) => get<Story>(`/v1/${kind}/${of(id)}`),

  searches: () => get<Listed & { searches: SavedSearch[] }>("/v1/searches"),
  saveSearch: (input: SavedSearchInput) => write<SavedSearch>("POST", "/v1/searches", input),
  changeSearch: (id: string, input: SavedSearchInput) => write<SavedSearch>("PUT", `/v1/searches/${of(id)}`, input),
  removeSearch: (id: string) => write<undefined>("DELETE", `/v1/searches/${of(id)}`),

  alerts: (query: Query, asking?: Asking) => get<Listed & { alerts: Alert[] }>("/v1/alerts", query, asking),
  alert: (id: string) => get<Alert>(`/v1/alerts/${of(id)}`),
  closeAlert: (id: string, note: string) => write<Alert>("POST", `/v1/alerts/${of(id)}/close`, { note }),
  detections: (asking?: Asking) => get<Detections>("/v1/detections", {}, asking),
  replay: (first: number, last: number) =>
    write<Replay>("POST", "/v1/detections/replay", { from_leaf: first, to_leaf: last }, REPLAY_SECONDS_MAX),

  reconciliation: () => get<Reconciliation>("/v1/reconciliation"),

  quarantine: (query: Query) => get<Listed & { lines: Quarantined[] }>("/v1/quarantine", query),
  quarantined: (id: string) => get<Quarantined>(`/v1/quarantine/${of(id)}`),
  repair: (id: string, entry: string) => write<Quarantined>("POST", `/v1/quarantine/${of(id)}/repair`, { entry }),

  exports: (query: Query) => get<Listed & { exports: Export[] }>("/v1/exports", query),
  startExport: (format: Format, params: Query) => write<Export>("POST", "/v1/exports", { format, params }),

  streams: () => get<Listed & { streams: Stream[] }>("/v1/streams"),
  archive: (query: Query) => get<Listed & { days: ArchivedDay[] }>("/v1/archive", query),

  erasures: (query: Query) => get<Listed & { erasures: Erasure[] }>("/v1/erasures", query),
  erase: (subject: string, reason: string) =>
    write<Erasure>("POST", "/v1/erasures", { subject, reason }, ERASE_SECONDS_MAX),
  holds: (query: Query) => get<Listed & { holds: Hold[] }>("/v1/holds", query),
  hold: (subject: string, reason: string) => write<Hold>("POST", "/v1/holds", { subject, reason }),
  release: (id: string) => write<undefined>("DELETE", `/v1/holds/${of(id)}`),

  completeness: (query: Query, asking?: Asking) => get<Completeness>("/v1/completeness", query, asking),
  checkpoint: (asking?: Asking) => send("GET", "/log/checkpoint", asking),
  keys: async () => (await send("GET", "/log/keys")).split("\n").filter(Boolean),
};

/** Whether an entry's bytes cannot be read although nobody erased them: damage, never to be shown as an erasure. */
export function isDamaged({ event, erased }: Entry): boolean {
  return event === null && erased !== true;
}

/** What an entry is called, also when it cannot be read. */
export function idOf(entry: Entry): string {
  return entry.event?.event_id ?? entry.event_id ?? "";
}

export type { AuditEvent };
