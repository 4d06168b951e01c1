import type { ProblemBody } from "./types";

/** Codes that this page makes up itself, for when no gateway answered. */
export const OFFLINE = "offline";
export const UNREACHABLE = "unreachable";

/**
 * A request that did not do what was asked.
 *
 * `code` is stable and decides the words and the next step; `answered` is false when nothing came back, so that
 * it is not known whether the request was carried out.
 */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly body: ProblemBody;
  readonly answered: boolean;

  constructor(body: ProblemBody, answered = true) {
    super(`${body.code} (${String(body.status)})`);
    this.name = "Problem";
    this.code = body.code;
    this.status = body.status;
    this.body = body;
    this.answered = answered;
  }

  /** The gateway's message for one field of the form, if it sent one. */
  fieldMessage(...names: string[]): string | undefined {
    return this.body.errors?.find((error) => names.includes(error.field))?.message;
  }
}

/** Nothing answered: the device is offline, or the gateway cannot be reached. */
export function silence(): Problem {
  return new Problem({ status: 0, code: navigator.onLine ? UNREACHABLE : OFFLINE }, false);
}

/**
 * Reads a refusal, whatever its body is.
 *
 * A proxy in front of the gateway may answer with HTML of its own: the status alone then names the problem.
 */
export function problemFrom(status: number, body: unknown, headers: Headers): Problem {
  const known = isRecord(body) && typeof body.code === "string" ? (body as unknown as ProblemBody) : undefined;
  const seconds = Number(headers.get("Retry-After"));
  const retryAfter = known?.retry_after ?? (Number.isFinite(seconds) && seconds > 0 ? seconds : undefined);
  return new Problem({
    ...known,
    status,
    code: known?.code ?? codeFor(status),
    ...(retryAfter ? { retry_after: retryAfter } : {}),
  });
}

export function isProblem(error: unknown, ...codes: string[]): error is Problem {
  return error instanceof Problem && (codes.length === 0 || codes.includes(error.code));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function codeFor(status: number): string {
  if (status === 404) return "not_found";
  if (status === 429) return "too_many_attempts";
  if (status === 502 || status === 503 || status === 504) return "provider_busy";
  return status >= 500 ? "internal" : "invalid_request";
}
