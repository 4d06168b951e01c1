import { useQueryClient } from "@tanstack/react-query";
import { api } from "../api/client";
import { useIntent } from "../api/intent";
import { attemptQuery } from "../api/queries";
import type { Attempt } from "../api/types";
import { useOutcome } from "../lib/flow";
import { learned, mayHaveEnded, type Proving } from "./model";

/** The proof that an attempt to sign up or in asks for. */
export function useAttemptProving(attempt: Attempt, onChangeAddress: () => void): Proving {
  const queries = useQueryClient();
  const intent = useIntent();
  const proceed = useOutcome(attempt.id);
  const { queryKey } = attemptQuery(attempt.id);
  const { id } = attempt;

  return {
    challenge: attempt,
    purpose: attempt.kind,
    send: async (method) => {
      queries.setQueryData(queryKey, await intent({ method }, (key) => api.challenge(id, method, key)));
    },
    answer: async (code) => proceed(await intent({ code }, (key) => api.verify(id, code, key))),
    complete: async (token) => proceed(await intent({ token }, (key) => api.complete(id, token, key))),
    look: async (leaving) => {
      queries.setQueryData(queryKey, await api.awaitAttempt(id, leaving));
    },
    refused: (problem) => {
      queries.setQueryData(queryKey, (known: Attempt | undefined) => known && { ...known, ...learned(problem) });
      if (mayHaveEnded(problem)) void queries.invalidateQueries({ queryKey });
    },
    onChangeAddress,
  };
}
