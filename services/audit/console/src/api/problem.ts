/** A refusal of the service, as it stands in its answer (RFC 9457). Everything but `status` and `code` may be missing. */
export interface ProblemBody {
  status: number;
  code: string;
  title?: string;
  detail?: string;
  request_id?: string;
  retry_after?: number;
  position?: number;
  errors?: { field: string; message: string }[];
}

/** A request that did not do what was asked. `code` is stable and decides the words and the next step. */
export class Problem extends Error {
  readonly body: ProblemBody;

  constructor(body: ProblemBody) {
    super(`${body.code} (${String(body.status)})`);
    this.name = "Problem";
    this.body = body;
  }

  get code(): string {
    return this.body.code;
  }

  get status(): number {
    return this.body.status;
  }
}

export function isProblem(error: unknown, ...codes: string[]): error is Problem {
  return error instanceof Problem && (codes.length === 0 || codes.includes(error.code));
}

/** Reads a refusal, whatever its body is: a proxy on the way may answer with a page of its own. */
export function problemFrom(status: number, text: string): Problem {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null && "code" in body && typeof body.code === "string")
      return new Problem({ ...(body as unknown as ProblemBody), status });
  } catch {
    // No JSON: the status alone names the problem.
  }
  return new Problem({ status, code: codeFor(status) });
}

function codeFor(status: number): string {
  if (status === 401) return "session_required";
  if (status === 403) return "forbidden";
  if (status === 404) return "not_found";
  return status >= 502 ? "provider_busy" : "internal";
}

export interface Words {
  title: string;
  text: string;
}

const NO_SUCH = "It is not in the log. Check the address or the identifier.";
const WORDS: Record<string, Words> = {
  unreachable: {
    title: "The gateway does not answer",
    text: "Check your connection. The console goes on by itself as soon as an answer comes.",
  },
  unanswered: {
    title: "No answer came",
    text: "It may have been done: look before you try again.",
  },
  session_required: { title: "You are signed out", text: "Sign in again; you come back to this page." },
  session_expired: { title: "Your session has ended", text: "Sign in again; you come back to this page." },
  unauthorized: {
    title: "The audit service did not accept this session",
    text: "Sign in through the gateway, then open the console there.",
  },
  forbidden: {
    title: "You are not an auditor",
    text: "Reading the log needs the group security-auditors. Ask your administrator to add you, then sign in again.",
  },
  not_found: { title: "There is no such thing", text: NO_SUCH },
  audit_unavailable: {
    title: "Nothing is shown right now",
    text: "Every read is recorded first, and that is not possible at the moment. Try again in a few seconds.",
  },
  search_too_broad: {
    title: "This search takes too long",
    text: "Narrow it: a shorter time, a subject, an address or an event type.",
  },
  not_sealed_yet: { title: "Not sealed yet", text: "It is a matter of a second. Try again." },
  log_damaged: {
    title: "What is stored no longer gives a proof",
    text: "Do not change anything. Raise the alarm, and keep the database as it is.",
  },
  dropped_by_retention: {
    title: "Its month was dropped from the database",
    text: "Its hash is in the tree, its bytes are in the archive. Verify it with countersign audit verify --archive.",
  },
  legal_hold: { title: "A legal hold stands in the way", text: "Release the hold first, if you may." },
  provider_busy: { title: "The audit service does not answer", text: "Try again in a moment. Nothing is lost." },
  step_up_required: { title: "Confirm that it is you", text: "This needs a proof of the last five minutes." },
};

const UNKNOWN: Words = { title: "That did not work", text: "Try again. If it stays, look at the service's log." };

/** What happened, and what to do next. `thing` is what was asked for, when it was one thing: "session". */
export function wordsFor(error: unknown, thing?: string): Words {
  // A method that the service does not know is a fault of the console's: nothing that a reader could mend.
  if (!isProblem(error) || error.status === 405) return UNKNOWN;
  if (thing && isMissing(error)) return { title: `There is no such ${thing}`, text: NO_SUCH };
  const { title, detail, errors } = error.body;
  if (error.code === "invalid_request")
    return {
      title: "The service did not understand this",
      text: errors?.map(({ field, message }) => `${field}: ${message}`).join(" ") ?? detail ?? UNKNOWN.text,
    };
  return WORDS[error.code] ?? (title ? { title, text: detail ?? UNKNOWN.text } : UNKNOWN);
}

/** The same of a change. Where it could not be recorded, the service alone knows whether it was made. */
export function wordsForChange(error: unknown, thing?: string): Words {
  if (isProblem(error, "audit_unavailable") && error.body.title)
    return { title: error.body.title, text: error.body.detail ?? UNKNOWN.text };
  return wordsFor(error, thing);
}

/** Whether nobody answers this path: a service that is older than the console, or a part that is not in use. */
export function isMissing(error: unknown): boolean {
  return isProblem(error, "not_found");
}
