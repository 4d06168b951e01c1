import createClient from "openapi-fetch";
import { learnServerTime } from "@look/clock";
import { problemFrom, silence } from "./problem";
import type { paths } from "./schema";
import type { Activity, Attempt, Authenticators, Config, Enrolment, Profile, Session, Sessions, StepUp } from "./types";

// `Idempotency-Key` goes on by hand below, the same way for every write, whether or not the document lists it.
type WithoutHeaders<Op> = Op extends { parameters: infer P }
  ? Omit<Op, "parameters"> & { parameters: Omit<P, "header"> & { header?: never } }
  : Op;
type Api = { [P in keyof paths]: { [M in keyof paths[P]]: WithoutHeaders<paths[P][M]> } };

const http = createClient<Api>({
  baseUrl: window.location.origin,
  credentials: "same-origin",
  // Looked up at each call, so that a test can put its own network in place.
  fetch: (request) => globalThis.fetch(request),
});

const REQUEST_SECONDS_MAX = 30;
const WAIT_SECONDS = 20;

interface Answer {
  data?: unknown;
  error?: unknown;
  response: Response;
}

/** Waits for an answer and returns its body; throws `Problem` for a refusal and for silence. */
async function answered<T>(request: Promise<Answer>): Promise<T> {
  let answer: Answer;
  try {
    answer = await request;
  } catch {
    throw silence();
  }
  learnServerTime(answer.response.headers.get("Date"));
  if (!answer.response.ok) throw problemFrom(answer.response.status, answer.error, answer.response.headers);
  return answer.data as T;
}

function read() {
  return { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(REQUEST_SECONDS_MAX * 1000) };
}

/** Every write is JSON, also without a body: the gateway refuses what a plain form could have sent. */
function write(key: string) {
  return {
    ...read(),
    headers: { Accept: "application/json", "Content-Type": "application/json", "Idempotency-Key": key },
  };
}

/** A read that the gateway may hold back until something changes, for at most `WAIT_SECONDS`. */
function held(leaving: AbortSignal) {
  const { headers, signal } = read();
  return {
    headers: { ...headers, Prefer: `wait=${String(WAIT_SECONDS)}` },
    signal: AbortSignal.any([leaving, signal]),
  };
}

const of = (id: string) => ({ path: { attempt_id: id } });
const stepUpOf = (id: string) => ({ path: { step_up_id: id } });
const authenticatorOf = (id: string) => ({ path: { authenticator_id: id } });

export interface SignUpInput {
  email: string;
  display_name?: string;
  device_id?: string;
}

export interface SignInInput {
  identifier: string;
  method?: string;
  device_id?: string;
}

export interface PasskeyInput {
  token: string;
  device_id?: string;
}

/** What a sensitive action is about, and what its grant will be bound to. */
export type StepUpContext = Record<string, string | number>;

export interface StepUpInput {
  action: string;
  context: StepUpContext;
  device_id?: string;
}

/** What a proof leads to: a session, or one more step of the same attempt. */
export type Outcome = Session | Attempt;

export function isSession(outcome: Outcome): outcome is Session {
  return "subject" in outcome;
}

export const api = {
  config: () => answered<Config>(http.GET("/v1/config", read())),
  session: () => answered<Session>(http.GET("/v1/session", read())),
  me: () => answered<Profile>(http.GET("/v1/me", read())),
  attempt: (id: string) => answered<Attempt>(http.GET("/v1/attempts/{attempt_id}", { ...read(), params: of(id) })),
  signUp: (body: SignUpInput, key: string) => answered<Attempt>(http.POST("/v1/sign-ups", { ...write(key), body })),
  signIn: (body: SignInInput, key: string) => answered<Attempt>(http.POST("/v1/sign-ins", { ...write(key), body })),
  challenge: (id: string, method: string, key: string) =>
    answered<Attempt>(
      http.POST("/v1/attempts/{attempt_id}/challenges", { ...write(key), params: of(id), body: { method } }),
    ),
  verify: (id: string, code: string, key: string) =>
    answered<Outcome>(
      http.POST("/v1/attempts/{attempt_id}/verifications", { ...write(key), params: of(id), body: { code } }),
    ),
  /** With the Web SDK's token, or without one when the proof was given elsewhere. */
  complete: (id: string, token: string | null, key: string) =>
    answered<Outcome>(
      http.POST("/v1/attempts/{attempt_id}/completions", {
        ...write(key),
        params: of(id),
        body: token === null ? {} : { token },
      }),
    ),
  awaitAttempt: (id: string, leaving: AbortSignal) =>
    answered<Attempt>(http.GET("/v1/attempts/{attempt_id}", { ...held(leaving), params: of(id) })),
  signInWithPasskey: (body: PasskeyInput, key: string) =>
    answered<Outcome>(http.POST("/v1/sign-ins/passkey", { ...write(key), body })),
  cancel: (id: string, key: string) =>
    answered<undefined>(http.DELETE("/v1/attempts/{attempt_id}", { ...write(key), params: of(id) })),
  rename: (displayName: string, key: string) =>
    answered<Profile>(http.PATCH("/v1/me", { ...write(key), body: { display_name: displayName } })),
  /** Of one's own account, whose id must be said. */
  deleteMe: (sub: string, key: string) =>
    answered<undefined>(http.DELETE("/v1/me", { ...write(key), params: { query: { sub } } })),
  signOut: (key: string) => answered<undefined>(http.DELETE("/v1/session", write(key))),

  authenticators: () => answered<Authenticators>(http.GET("/v1/me/authenticators", read())),
  enrol: (type: string, key: string) =>
    answered<Enrolment>(http.POST("/v1/me/authenticators", { ...write(key), body: { type } })),
  completeEnrolment: (id: string, key: string) =>
    answered<Authenticators>(
      http.POST("/v1/me/enrolments/{enrolment_id}/completions", {
        ...write(key),
        params: { path: { enrolment_id: id } },
        body: {},
      }),
    ),
  nameAuthenticator: (id: string, name: string, key: string) =>
    answered<Authenticators>(
      http.PATCH("/v1/me/authenticators/{authenticator_id}", {
        ...write(key),
        params: authenticatorOf(id),
        body: { name },
      }),
    ),
  removeAuthenticator: (id: string, key: string) =>
    answered<Authenticators>(
      http.DELETE("/v1/me/authenticators/{authenticator_id}", { ...write(key), params: authenticatorOf(id) }),
    ),

  sessions: () => answered<Sessions>(http.GET("/v1/sessions", read())),
  endSession: (id: string, key: string) =>
    answered<undefined>(
      http.DELETE("/v1/sessions/{session_id}", { ...write(key), params: { path: { session_id: id } } }),
    ),
  endAllSessions: (key: string) => answered<undefined>(http.DELETE("/v1/sessions", write(key))),
  activity: (limit: number) =>
    answered<Activity>(http.GET("/v1/me/activity", { ...read(), params: { query: { limit } } })),

  beginStepUp: (body: StepUpInput, key: string) => answered<StepUp>(http.POST("/v1/step-ups", { ...write(key), body })),
  stepUp: (id: string) => answered<StepUp>(http.GET("/v1/step-ups/{step_up_id}", { ...read(), params: stepUpOf(id) })),
  awaitStepUp: (id: string, leaving: AbortSignal) =>
    answered<StepUp>(http.GET("/v1/step-ups/{step_up_id}", { ...held(leaving), params: stepUpOf(id) })),
  challengeStepUp: (id: string, method: string, key: string) =>
    answered<StepUp>(
      http.POST("/v1/step-ups/{step_up_id}/challenges", { ...write(key), params: stepUpOf(id), body: { method } }),
    ),
  verifyStepUp: (id: string, code: string, key: string) =>
    answered<StepUp>(
      http.POST("/v1/step-ups/{step_up_id}/verifications", { ...write(key), params: stepUpOf(id), body: { code } }),
    ),
  completeStepUp: (id: string, token: string | null, key: string) =>
    answered<StepUp>(
      http.POST("/v1/step-ups/{step_up_id}/completions", {
        ...write(key),
        params: stepUpOf(id),
        body: token === null ? {} : { token },
      }),
    ),
};
