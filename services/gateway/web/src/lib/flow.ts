import { useMutation, useQueryClient, type QueryClient, type UseMutationResult } from "@tanstack/react-query";
import { useNavigate, useSearchParams } from "react-router";
import { useIntent } from "../api/intent";
import { attemptQuery, authenticatorsQuery, configQuery, forgetPerson, sessionQuery } from "../api/queries";
import type { Attempt, Session } from "../api/types";
import { isSession, type Outcome } from "../api/client";
import { forgetAddress, forgetAttempt, rememberAttempt } from "./attempt";
import { wasOffered } from "./passkeyOffer";
import { isOurs, safeTarget, withTarget } from "./target";
import { rememberWay } from "./way";
import { hasOwnLock } from "./webauthn";

/** The `to` of the address bar: where the person wanted to go before signing in. */
export function useWantedTarget(): string | null {
  return useSearchParams()[0].get("to");
}

/** Starts an attempt, then goes where it is carried on. `address` is what was typed, for a later correction. */
export function useStart<Body extends object>(
  send: (body: Body, key: string) => Promise<Attempt>,
  address: (body: Body) => string,
): UseMutationResult<Attempt, Error, Body> {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const wanted = useWantedTarget();
  const intent = useIntent();
  return useMutation({
    mutationFn: (body: Body) => intent(body, (key) => send(body, key)),
    onSuccess: (attempt, body) => {
      rememberAttempt(attempt.id, address(body));
      queries.setQueryData(attemptQuery(attempt.id).queryKey, attempt);
      void navigate(withTarget("/verify", wanted));
    },
  });
}

/** Whether to offer this person a passkey on the way in: once, where the device can keep one and they have none. */
async function isPasskeyDue(session: Session, queries: QueryClient): Promise<boolean> {
  if (session.methods.includes("PASSKEY") || wasOffered(session.subject.sub) || !(await hasOwnLock())) return false;
  const config = queries.getQueryData(configQuery.queryKey);
  if (!config?.methods.includes("PASSKEY")) return false;
  const { authenticators } = await queries.query(authenticatorsQuery).catch(() => ({ authenticators: null }));
  return authenticators !== null && !authenticators.some((one) => one.method === "PASSKEY");
}

/** What happens with a new session: on to the wanted page, past the offer of a passkey when one is due. */
export function useArrival(): (session: Session) => Promise<void> {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const wanted = useWantedTarget();

  return async (session) => {
    forgetPerson(queries);
    rememberWay(session.methods);
    const offer = await isPasskeyDue(session, queries);
    queries.setQueryData(sessionQuery.queryKey, session);
    forgetAttempt();
    forgetAddress();
    const target = safeTarget(wanted);
    if (offer) void navigate(withTarget("/create-passkey", wanted), { replace: true });
    else if (isOurs(target)) void navigate(target, { replace: true });
    else window.location.assign(target);
  };
}

/** What happens after a proof: a session, or the next step of the same attempt. */
export function useOutcome(attemptId: string): (outcome: Outcome) => Promise<void> {
  const queries = useQueryClient();
  const arrive = useArrival();

  return async (outcome) => {
    if (isSession(outcome)) await arrive(outcome);
    else queries.setQueryData(attemptQuery(attemptId).queryKey, outcome);
  };
}
