import type { Authsignal } from "@authsignal/browser";

export interface Tenant {
  tenant_id: string;
  base_url: string;
}

let sdk: Promise<Authsignal> | null = null;

/** Authsignal's Web SDK, loaded once and only when needed: it is heavier than the rest of the sign-in page. */
export function loadAuthsignal(tenant: Tenant): Promise<Authsignal> {
  sdk ??= import("@authsignal/browser").then(
    (module) => new module.Authsignal({ tenantId: tenant.tenant_id, baseUrl: tenant.base_url }),
    (error: unknown) => {
      sdk = null; // A failed download must not be remembered for ever.
      throw error;
    },
  );
  return sdk;
}

/**
 * Lets the SDK make its device cookie while the person is still typing, so that the first request can carry it.
 * Without it sign-in works just as well: the rules then know one thing less.
 */
export function prepareDevice(tenant: Tenant): void {
  const load = () => void loadAuthsignal(tenant).catch(() => undefined);
  if ("requestIdleCallback" in window) window.requestIdleCallback(load, { timeout: 1500 });
  else setTimeout(load, 300);
}

/** The SDK's id for this browser (cookie `__as_aid`), as a member for request bodies. */
export function device(): { device_id?: string } {
  const id = /(?:^|;\s*)__as_aid=([^;]+)/.exec(document.cookie)?.[1];
  return id ? { device_id: decodeURIComponent(id) } : {};
}

/** `dismissed`: the person closed the browser's own dialog, or let its time run out. `known`: this device is added already. */
export type SdkFailure =
  "wrong_code" | "too_many_attempts" | "expired" | "unavailable" | "dismissed" | "known" | "no_such_passkey";

/** The SDK's way of failing, in the few kinds that this page treats differently. */
export class SdkRefused extends Error {
  readonly failure: SdkFailure;

  constructor(failure: SdkFailure) {
    super(failure);
    this.name = "SdkRefused";
    this.failure = failure;
  }
}

const FAILURES: Record<string, SdkFailure> = {
  CODE_INVALID_OR_EXPIRED: "wrong_code",
  invalid_credential: "no_such_passkey",
  unknown_credential: "no_such_passkey",
  MAX_ATTEMPTS_EXCEEDED: "too_many_attempts",
  too_many_requests: "too_many_attempts",
  expired_token: "expired",
};

export function refusal(reason: string | undefined): SdkRefused {
  return new SdkRefused(FAILURES[reason ?? ""] ?? "unavailable");
}

/** What the browser said about a passkey or a security key (WebAuthn Level 3), itself or wrapped by the SDK. */
function failureOf(error: unknown): SdkFailure {
  const names = [error, error instanceof Error ? error.cause : undefined].map((one) =>
    one instanceof Error ? one.name : "",
  );
  if (names.some((name) => name === "NotAllowedError" || name === "AbortError")) return "dismissed";
  return names.includes("InvalidStateError") ? "known" : "unavailable";
}

/** The SDK returns refusals, and throws when the network or the browser fails: both become `SdkRefused`. */
export async function attempted<T>(call: Promise<{ data?: T; errorCode?: string; error?: string }>): Promise<T> {
  let answer;
  try {
    answer = await call;
  } catch (error) {
    throw new SdkRefused(failureOf(error));
  }
  if (answer.data === undefined) throw refusal(answer.errorCode ?? answer.error);
  return answer.data;
}

export interface SdkAccess extends Tenant {
  token: string;
}

/** Runs `call` with the attempt's token set, and takes the token out of the SDK again whatever happens. */
export async function withToken<T>(access: SdkAccess, call: (sdk: Authsignal) => Promise<T>): Promise<T> {
  const authsignal = await loaded(access);
  authsignal.setToken(access.token);
  try {
    return await call(authsignal);
  } finally {
    authsignal.setToken("");
  }
}

export function loaded(tenant: Tenant): Promise<Authsignal> {
  return loadAuthsignal(tenant).catch(() => {
    throw new SdkRefused("unavailable");
  });
}

interface Checked {
  isVerified: boolean;
  token?: string;
  failureReason?: string;
}

/** The token of a proof that held. Throws `SdkRefused` for one that did not. */
export function tokenOf(proof: Checked): string {
  if (!proof.isVerified || !proof.token) throw refusal(proof.failureReason ?? "CODE_INVALID_OR_EXPIRED");
  return proof.token;
}
