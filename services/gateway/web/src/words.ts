import { isProblem, type Problem } from "./api/problem";
import { SdkRefused, type SdkFailure } from "./lib/authsignal";
import { NotConfirmed, type Unconfirmed } from "./lib/confirmed";
import { UnderReview } from "./lib/review";

export interface Words {
  title: string;
  text: string;
}

/** What to tell a person about each problem: what happened, and what to do next. */
const WORDS: Record<string, Words> = {
  offline: {
    title: "You are offline",
    text: "Check your connection, then try again. Nothing you typed is lost.",
  },
  unreachable: {
    title: "We cannot be reached right now",
    text: "Nothing came back from us. Check your connection, or try again in a moment.",
  },
  invalid_request: { title: "Something in the form needs a change", text: "Check what you typed, then try again." },
  attempt_failed: { title: "That did not work", text: "Start again to get a new code." },
  attempt_expired: {
    title: "This took too long",
    text: "For your safety, codes work for a short time. Start again to get a new one.",
  },
  session_required: { title: "You are not signed in", text: "Sign in to go on." },
  session_expired: { title: "You were signed out", text: "Your session came to its end. Sign in again to go on." },
  step_up_required: { title: "Confirm that it is you", text: "Then try once more." },
  last_authenticator: {
    title: "This is your only way in",
    text: "Add another way to sign in first. Then you can remove this one.",
  },
  already_enrolled: { title: "You have this already", text: "It is in the list of your ways to sign in." },
  action_blocked: {
    title: "This was stopped",
    text: "Our safety rules do not allow this from here. If this is you, ask for help.",
  },
  text_refused: {
    title: "We cannot send you a text",
    text: "Texts to your number are not possible right now. Choose another way.",
  },
  origin_rejected: {
    title: "This page cannot be used from here",
    text: "Open the sign-in page directly and start again.",
  },
  not_found: { title: "We could not find that", text: "It may have ended already. Start again." },
  conflict: { title: "That changed in the meantime", text: "Reload the page and try again." },
  idempotency_mismatch: { title: "That was sent twice", text: "Try again." },
  too_many_attempts: { title: "Too many tries", text: "Wait a little before you try again." },
  provider_busy: { title: "We are very busy", text: "Nothing was lost. Try again in a moment." },
  provider_error: {
    title: "We could not finish that",
    text: "A service that we rely on is not answering. Try again in a moment.",
  },
  audit_unavailable: {
    title: "We are not able to sign people in right now",
    text: "Nothing was changed. Try again in a moment.",
  },
  internal: { title: "Something went wrong on our side", text: "Try again. If it keeps happening, ask for help." },
};

const UNKNOWN = WORDS.internal as Words;

/** What Authsignal's Web SDK, or the browser behind it, had to say. */
const SDK_WORDS: Record<SdkFailure, Words> = {
  wrong_code: { title: "That code did not work", text: "Check it, or send a new one." },
  too_many_attempts: { title: "Too many tries", text: "Wait a little, then send a new code." },
  expired: { title: "This took too long", text: "Start again to get a new code." },
  unavailable: {
    title: "The verification service did not answer",
    text: "Try again in a moment, or choose another way.",
  },
  dismissed: {
    title: "Nothing was confirmed",
    text: "You closed it, or it took too long. Try again when you are ready.",
  },
  known: { title: "This device has one already", text: "You can use it to sign in. There is nothing more to do." },
  no_such_passkey: {
    title: "That one is not known here",
    text: "It may have been removed from your account. Choose another way.",
  },
};

/** Of a passkey alone: a sign-in by code waits on its page for whoever looks at it. */
const UNDER_REVIEW: Words = {
  title: "We want to take a look first",
  text: "You are not signed in yet. Sign in with your e-mail address instead: a person checks it then.",
};

/** Why an action that needed a confirmation was not done. */
const NOT_CONFIRMED: Record<Unconfirmed, Words> = {
  failed: { title: "That was not confirmed", text: "Nothing was changed. Try once more." },
  expired: { title: "The confirmation took too long", text: "Nothing was changed. Try once more." },
  review: {
    title: "We want to take a look first",
    text: "Nothing was changed. A person checks this; try again later.",
  },
  blocked: {
    title: "This was stopped",
    text: "Our safety rules do not allow it from here. Nothing was changed.",
  },
};

/** "in 45 seconds", "in 3 minutes". */
export function inTime(seconds: number): string {
  if (seconds < 90) return `in ${String(seconds)} ${seconds === 1 ? "second" : "seconds"}`;
  return `in ${String(Math.ceil(seconds / 60))} minutes`;
}

export function wordsFor(error: unknown): Words {
  if (error instanceof UnderReview) return UNDER_REVIEW;
  if (error instanceof SdkRefused) return SDK_WORDS[error.failure];
  if (error instanceof NotConfirmed) return NOT_CONFIRMED[error.status];
  if (!isProblem(error)) return UNKNOWN;
  const words = WORDS[error.code] ?? fromServer(error);
  const wait = error.body.retry_after;
  return error.code === "too_many_attempts" && wait ? { ...words, text: `You can try again ${inTime(wait)}.` } : words;
}

/** A code that is newer than this page: the gateway's own public words. */
function fromServer(problem: Problem): Words {
  const { title, detail } = problem.body;
  return title ? { title, text: detail ?? UNKNOWN.text } : UNKNOWN;
}

/** The line under a code that was not right. The tries that are left stand beside the time, on their own. */
export const WRONG_CODE = "That code did not work. Check it, or send a new one.";

export function triesLeft(count: number): string {
  return count === 1 ? "1 try left" : `${String(count)} tries left`;
}
