import { useCallback } from "react";
import { api } from "../api/client";
import { isProblem } from "../api/problem";
import type { StepUp } from "../api/types";
import { device } from "../lib/authsignal";
import { NotConfirmed } from "../lib/confirmed";
import { useProve } from "./StepUpDialog";

/** The action that a change of one's ways to sign in counts as; proving it keeps the session fresh for five minutes. */
export const MANAGE = "manageAuthenticators";

/** Whether a step-up came out well: by itself, or by a proof. */
export function isGranted({ status }: StepUp): boolean {
  return status === "allowed" || status === "verified";
}

/** Throws `NotConfirmed` unless the step-up came out well. */
export function requireGranted(stepUp: StepUp): void {
  const { status } = stepUp;
  if (isGranted(stepUp)) return;
  throw new NotConfirmed(status === "review" || status === "blocked" || status === "expired" ? status : "failed");
}

/**
 * Returns what does a thing that may need a confirmation first: when the gateway asks for one, so does a dialog, and then it
 * is done. Rejects with `Declined` or `NotConfirmed` when it was not confirmed.
 */
export function useConfirmed(): <T>(send: () => Promise<T>) => Promise<T> {
  const prove = useProve();
  return useCallback(
    async (send) => {
      try {
        return await send();
      } catch (error) {
        if (!isProblem(error, "step_up_required")) throw error;
      }
      const begun = await api.beginStepUp({ action: MANAGE, context: {}, ...device() }, crypto.randomUUID());
      const isOpen = begun.status === "challenge_required";
      requireGranted(isOpen ? await prove(begun, "Before you change how you sign in, confirm that it is you.") : begun);
      return send();
    },
    [prove],
  );
}
