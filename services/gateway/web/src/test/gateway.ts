import { vi } from "vitest";
import type { Attempt, Authenticator, Config, Profile, Session, StepUp } from "../api/types";

/** One request as the network saw it. */
export interface Seen {
  method: string;
  path: string;
  headers: Headers;
  body: unknown;
}

export interface Reply {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

type Answer = Reply | Error | ((seen: Seen) => Reply | Promise<Reply>);

export const ok = (body: unknown, status = 200): Reply => ({ status, body });

export function problem(status: number, code: string, more: Record<string, unknown> = {}): Reply {
  return {
    status,
    body: { type: `/problems/${code}`, title: code, status, detail: "", code, request_id: "r-1", ...more },
  };
}

/** Puts a network in place that knows these answers (`"GET /v1/me"`), and returns what was asked of it. */
export function network(answers: Record<string, Answer>): { seen: Seen[]; answers: Record<string, Answer> } {
  const known: Record<string, Answer> = {
    "GET /v1/config": ok(CONFIG),
    "GET /v1/session": problem(401, "session_required"),
    ...answers,
  };
  const seen: Seen[] = [];
  vi.stubGlobal("fetch", async (input: Request | string, init?: RequestInit) => {
    const request = new Request(input, init);
    const { pathname } = new URL(request.url);
    const text = await request.text();
    const asked = {
      method: request.method,
      path: pathname,
      headers: request.headers,
      body: text ? (JSON.parse(text) as unknown) : undefined,
    };
    seen.push(asked);
    const answer = known[`${asked.method} ${asked.path}`];
    if (!answer) throw new TypeError(`nobody answers ${asked.method} ${asked.path}`);
    if (answer instanceof Error) throw answer;
    const reply = typeof answer === "function" ? await answer(asked) : answer;
    const body = reply.body === undefined ? null : JSON.stringify(reply.body);
    return new Response(body, {
      status: reply.status,
      headers: { "Content-Type": "application/json", ...reply.headers },
    });
  });
  return { seen, answers: known };
}

export const CONFIG: Config = {
  brand: { name: "Example", logo_url: null, accent: null },
  methods: ["EMAIL_OTP"],
  authsignal: { tenant_id: "tenant", base_url: "http://localhost:8100/v1" },
  actions: { sign_in: "signIn" },
  features: { sdk_sign_in: true, demo_checkout: true },
  dev_inbox_url: null,
};

const soon = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();

export function anAttempt(changes: Partial<Attempt> = {}): Attempt {
  return {
    id: "att_1",
    kind: "sign_in",
    status: "challenge_required",
    methods: ["EMAIL_OTP"],
    method: "EMAIL_OTP",
    delivery: { channel: "email", destination: "a***@example.test" },
    attempts_left: 5,
    resend_at: soon(30),
    expires_at: soon(600),
    sdk: null,
    next: "code",
    qr: null,
    ...changes,
  };
}

export const SESSION: Session = {
  id: "ses_1",
  subject: { sub: "sub-1", email: "ada@example.test", display_name: "Ada" },
  groups: [],
  methods: ["EMAIL_OTP"],
  authenticated_at: soon(-60),
  last_seen_at: soon(0),
  expires_at: soon(43_200),
  idle_expires_at: soon(1800),
};

export function aStepUp(changes: Partial<StepUp> = {}): StepUp {
  const { methods, method, delivery, attempts_left, resend_at, expires_at, sdk, next, qr } = anAttempt();
  return {
    ...{ methods, method, delivery, attempts_left, resend_at, expires_at, sdk, next, qr },
    id: "stp_1",
    action: "manageAuthenticators",
    status: "challenge_required",
    context: {},
    grant: null,
    ...changes,
  };
}

export function aWay(changes: Partial<Authenticator> = {}): Authenticator {
  return {
    id: "way_1",
    method: "EMAIL_OTP",
    name: null,
    detail: "a***@example.test",
    created_at: soon(-86_400),
    last_used_at: null,
    is_default: true,
    icon_light: null,
    icon_dark: null,
    ...changes,
  };
}

export const PROFILE: Profile = {
  sub: "sub-1",
  email: "ada@example.test",
  email_verified: true,
  display_name: "Ada",
  created_at: "2026-01-02T03:04:05Z",
};
