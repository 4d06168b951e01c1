import { vi } from "vitest";
import { AUDITORS } from "../api/gateway";
import type { AuditEvent, Entry } from "../api/types";
import { ENTRY, EVENT_ID, KEY, LEAF_HASH, PROOF } from "../proof/vectors";

/** One request as the network saw it. */
export interface Seen {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
  headers: Headers;
}

export interface Reply {
  status: number;
  text: string;
}

export const ok = (body: unknown): Reply => ({
  status: 200,
  text: typeof body === "string" ? body : JSON.stringify(body),
});
export const problem = (status: number, code: string, more: object = {}): Reply => ({
  status,
  text: JSON.stringify({ status, code, title: code, ...more }),
});

type Answer = Reply | Error | ((seen: Seen) => Reply | Promise<Reply>);

export const SESSION = { subject: { sub: "s-1", email: "a@example.test", display_name: null }, groups: [AUDITORS] };

/** Puts a service in place that knows these answers (`"GET /v1/events"`); whatever else is asked, it does not have. */
export function service(answers: Record<string, Answer>): Seen[] {
  const known: Record<string, Answer> = {
    "GET /log/keys": ok(`${KEY}\n`),
    "GET /log/checkpoint": ok(PROOF.slice(PROOF.indexOf("\n\n") + 2)),
    ...answers,
  };
  const seen: Seen[] = [];
  vi.stubGlobal("fetch", async (input: string, init?: RequestInit) => {
    const url = new URL(input);
    const asked = {
      method: init?.method ?? "GET",
      path: url.pathname,
      query: url.searchParams,
      body: typeof init?.body === "string" ? (JSON.parse(init.body) as unknown) : undefined,
      headers: new Headers(init?.headers),
    };
    seen.push(asked);
    const answer = known[`${asked.method} ${asked.path}`] ?? problem(404, "not_found");
    if (answer instanceof Error) throw answer;
    const { status, text } = typeof answer === "function" ? await answer(asked) : answer;
    return new Response(text, { status });
  });
  return seen;
}

export function anEvent(changes: Partial<AuditEvent> = {}): AuditEvent {
  return {
    event_id: EVENT_ID,
    schema_version: 1,
    event_type: "sign_in.failed",
    outcome: "failure",
    occurred_at: new Date(Date.now() - 60_000).toISOString(),
    producer: { service: "gateway", instance: "8a0c0000-0000-4000-8000-000000000000", seq: 7 },
    salt: "5d0e",
    client: { ip: "192.0.2.7", country: "DE" },
    ...changes,
  };
}

export function anEntry(changes: Partial<AuditEvent> = {}): Entry {
  return { event: anEvent(changes), leaf_hash: LEAF_HASH, recorded_at: anEvent().occurred_at, leaf_index: 5 };
}

/** An entry as the service shows it: its bytes as they stand, among the rest. */
export function shown(raw: string = ENTRY): string {
  return `{"event":${raw},"leaf_hash":"${LEAF_HASH}","recorded_at":"2026-01-02T03:04:05Z","leaf_index":5}`;
}

/** The lines of server-sent events that are open, and what a test lets come over them. */
export class Line extends EventTarget {
  static readonly CLOSED = 2;
  static open: Line[] = [];
  readyState = 0;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;

  constructor(readonly url: string) {
    super();
    Line.open.push(this);
  }

  close(): void {
    this.readyState = Line.CLOSED;
    Line.open = Line.open.filter((line) => line !== this);
  }

  say(kind: string, data: unknown): void {
    this.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(data) }));
  }
}
