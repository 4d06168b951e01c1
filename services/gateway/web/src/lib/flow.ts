import { useMutation, useQueryClient, type UseMutationResult } from "@tanstack/react-query";
import { useNavigate, useSearchParams } from "react-router";
import { useIntent } from "../api/intent";
import { attemptQuery, meQuery, sessionQuery } from "../api/queries";
import type { Attempt, Session } from "../api/types";
import { isSession, type Outcome } from "../api/client";
import { forgetAddress, forgetAttempt, rememberAttempt } from "./attempt";
import { isOurs, safeTarget, withTarget } from "./target";

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

/** What happens after a proof: on to the wanted page with a session, or the next step of the same attempt. */
export function useOutcome(attemptId: string): (outcome: Outcome) => void {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const wanted = useWantedTarget();

  function keepSession(session: Session) {
    queries.setQueryData(sessionQuery.queryKey, session);
    queries.removeQueries({ queryKey: meQuery.queryKey });
    forgetAttempt();
    forgetAddress();
    const target = safeTarget(wanted);
    if (isOurs(target)) void navigate(target, { replace: true });
    else window.location.assign(target);
  }

  return (outcome) => {
    if (isSession(outcome)) keepSession(outcome);
    else queries.setQueryData(attemptQuery(attemptId).queryKey, outcome);
  };
}
