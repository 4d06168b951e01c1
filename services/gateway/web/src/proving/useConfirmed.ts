import { useCallback } from "react";
import { api } from "../api/client";
import { isProblem } from "../api/problem";
import type { StepUp } from "../api/types";
import { device } from "../lib/authsignal";
import { NotConfirmed } from "../lib/confirmed";
import { useProve } from "./StepUpDialog";

/** What somebody is about to do, as an action, and what the dialog says of it. */
interface Purpose {
  action: string;
  about: string;
}

/** A change of one's ways to sign in. Proving any action keeps the session fresh for five minutes. */
export const MANAGE: Purpose = {
  action: "manageAuthenticators",
  about: "Before you change how you sign in, confirm that it is you.",
};

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
export function useConfirmed(purpose = MANAGE): <T>(send: () => Promise<T>) => Promise<T> {
  const prove = useProve();
  return useCallback(
    async (send) => {
      try {
        return await send();
      } catch (error) {
        if (!isProblem(error, "step_up_required")) throw error;
      }
      const begun = await api.beginStepUp({ action: purpose.action, context: {}, ...device() }, crypto.randomUUID());
      const isOpen = begun.status === "challenge_required";
      requireGranted(isOpen ? await prove(begun, purpose.about) : begun);
      return send();
    },
    [prove, purpose],
  );
}
