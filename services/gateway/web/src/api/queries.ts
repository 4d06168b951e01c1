import { QueryClient, queryOptions } from "@tanstack/react-query";
import { api } from "./client";
import { isProblem } from "./problem";

/** Reads are tried again only when that can help; a refusal is an answer. */
function retryRead(failures: number, error: unknown): boolean {
  return failures < 2 && isProblem(error) && (!error.answered || error.status >= 500);
}

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      // "always": the browser's own idea of being online is often wrong; the request itself tells.
      queries: { networkMode: "always", retry: retryRead, retryDelay: (n) => 400 * 2 ** n, staleTime: 10_000 },
      mutations: { networkMode: "always", retry: false },
    },
  });
}

export const configQuery = queryOptions({ queryKey: ["config"], queryFn: api.config, staleTime: Infinity });
export const sessionQuery = queryOptions({ queryKey: ["session"], queryFn: api.session });
export const meQuery = queryOptions({ queryKey: ["me"], queryFn: api.me });
export const authenticatorsQuery = queryOptions({ queryKey: ["authenticators"], queryFn: api.authenticators });
export const sessionsQuery = queryOptions({ queryKey: ["sessions"], queryFn: api.sessions });

export function activityQuery(limit: number) {
  return queryOptions({ queryKey: ["activity", limit], queryFn: () => api.activity(limit) });
}

/** Everything that belongs to whoever is signed in, the session apart. */
const PERSONAL = ["me", "authenticators", "sessions", "activity", "step-up"];

export function forgetPerson(queries: QueryClient): void {
  for (const key of PERSONAL) queries.removeQueries({ queryKey: [key] });
}

export function stepUpQuery(id: string) {
  return queryOptions({ queryKey: ["step-up", id], queryFn: () => api.stepUp(id), staleTime: 5_000 });
}

export function attemptQuery(id: string) {
  return queryOptions({ queryKey: ["attempt", id], queryFn: () => api.attempt(id), staleTime: 5_000 });
}
