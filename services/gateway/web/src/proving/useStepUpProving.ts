import { useQueryClient } from "@tanstack/react-query";
import { api } from "../api/client";
import { useIntent } from "../api/intent";
import { stepUpQuery } from "../api/queries";
import type { StepUp } from "../api/types";
import { learned, mayHaveEnded, type Proving } from "./model";

/** The proof that a sensitive action asks for. */
export function useStepUpProving(stepUp: StepUp): Proving {
  const queries = useQueryClient();
  const intent = useIntent();
  const { queryKey } = stepUpQuery(stepUp.id);
  const { id } = stepUp;
  const keep = (next: StepUp) => queries.setQueryData(queryKey, next);

  return {
    challenge: stepUp,
    purpose: "step_up",
    send: async (method) => void keep(await intent({ method }, (key) => api.challengeStepUp(id, method, key))),
    answer: async (code) => void keep(await intent({ code }, (key) => api.verifyStepUp(id, code, key))),
    complete: async (token) => void keep(await intent({ token }, (key) => api.completeStepUp(id, token, key))),
    look: async (leaving) => void keep(await api.awaitStepUp(id, leaving)),
    refused: (problem) => {
      queries.setQueryData(queryKey, (known: StepUp | undefined) => known && { ...known, ...learned(problem) });
      if (mayHaveEnded(problem)) void queries.invalidateQueries({ queryKey });
    },
  };
}
