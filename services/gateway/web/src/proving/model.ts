import type { Problem } from "../api/problem";
import type { Attempt, StepUp } from "../api/types";

/** What an attempt to sign in and the confirmation of an action have in common: somebody is to prove who they are. */
export type Challenge = Pick<
  Attempt,
  "id" | "method" | "methods" | "next" | "delivery" | "attempts_left" | "resend_at" | "expires_at" | "sdk" | "qr"
>;

/**
 * A proof under way, and what can be done about it. Every step draws one, whatever it is for.
 *
 * The four calls change what is known of the challenge when they return; each throws `Problem`.
 */
export interface Proving {
  challenge: Challenge;
  purpose: Attempt["kind"] | "step_up";
  /** Sends a code, or begins with another method. */
  send: (method: string) => Promise<void>;
  answer: (code: string) => Promise<void>;
  /** With the token that the browser earned; null when the proof was given elsewhere. */
  complete: (token: string | null) => Promise<void>;
  /** Waits, for some seconds at most, until something changes elsewhere. */
  look: (leaving: AbortSignal) => Promise<void>;
  /** Takes in what a refusal said, and asks the gateway how things stand where that may have changed. */
  refused: (problem: Problem) => void;
  onChangeAddress?: () => void;
}

/** What a refusal says about the challenge. */
export function learned(problem: Problem): Partial<Challenge> {
  const { attempts_left, resend_at } = problem.body;
  return {
    ...(attempts_left === undefined ? {} : { attempts_left }),
    ...(resend_at === undefined ? {} : { resend_at }),
  };
}

/** Whether a refusal may be the end: refused for good, or only this once? */
export function mayHaveEnded(problem: Problem): boolean {
  if (!problem.answered || problem.status >= 500 || problem.code === "invalid_request") return false;
  if (problem.code === "invalid_code") return problem.body.attempts_left === 0;
  // Our clock ran ahead of the gateway's: nothing is wrong, and the count goes on from what it said.
  return !(problem.code === "too_many_attempts" && problem.body.resend_at !== undefined);
}

export type Step = "choose" | "code" | "wait" | "scan" | "sign" | "complete";

/** Which step to draw. */
export function stepOf({ method, next, qr }: Challenge): Step {
  if (next === "complete") return "complete";
  if (method === null) return "choose";
  if (next === "sdk") return "sign";
  if (next === "wait") return qr ? "scan" : "wait";
  return "code";
}

export type StepUpStatus = StepUp["status"];
