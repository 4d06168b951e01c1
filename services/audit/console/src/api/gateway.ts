import { queryOptions } from "@tanstack/react-query";
import { DEFAULT_BRAND, type Brand } from "@look/theme";
import { BASE, BASENAME } from "../lib/base";
import { Problem, problemFrom } from "./problem";

/** What the console asks of the gateway that it stands behind. Without one in front there is nobody to ask. */

export const AUDITORS = "security-auditors";

export interface Session {
  subject: { sub: string; email: string; display_name: string | null };
  groups: string[];
}

const gatewayUrl = (path: string) => new URL(`..${path}`, BASE).href;

async function ask<T>(path: string): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(gatewayUrl(path), { credentials: "same-origin", headers: { Accept: "application/json" } });
  } catch {
    throw new Problem({ status: 0, code: "unreachable" });
  }
  const text = await answer.text();
  if (!answer.ok) throw problemFrom(answer.status, text);
  return JSON.parse(text) as T;
}

export const brandQuery = queryOptions({
  queryKey: ["brand"],
  queryFn: async () => (BASENAME ? (await ask<{ brand: Brand }>("/v1/config")).brand : DEFAULT_BRAND),
  staleTime: Infinity,
});

/** Who is signed in; null where no gateway stands in front. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async () => (BASENAME ? ask<Session>("/v1/session") : null),
  staleTime: 60_000,
});

/** Whether the log may be asked: also where no gateway stands in front, and not before it is known who reads. */
export function isAuditor(session: Session | null | undefined): boolean {
  return session === null || (session?.groups.includes(AUDITORS) ?? false);
}

/** The page of the sign-in app that asks for one more proof, and comes back to this very view. */
export function confirmUrl(): string {
  const here = window.location.pathname + window.location.search;
  return `${gatewayUrl("/confirm")}?${new URLSearchParams({ to: here }).toString()}`;
}

export function signInUrl(): string {
  const here = window.location.pathname + window.location.search;
  return `${gatewayUrl("/sign-in")}?${new URLSearchParams({ to: here }).toString()}`;
}
