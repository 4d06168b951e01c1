import { useQuery } from "@tanstack/react-query";
import { createContext, useCallback, useContext, useEffect, useEffectEvent, useState, type ReactNode } from "react";
import { stepUpQuery } from "../api/queries";
import type { StepUp } from "../api/types";
import { Dialog } from "@look/Dialog";
import { DialogFrame } from "../components/Frame";
import { secondsUntil, useNow } from "@look/clock";
import { Declined } from "../lib/confirmed";
import classes from "./Proving.module.css";
import { Steps } from "./Steps";
import { useStepUpProving } from "./useStepUpProving";

/** Whether the gateway has come to a decision, or the time for one is over. */
function isOver(stepUp: StepUp, now: number): boolean {
  if (stepUp.status === "challenge_required") return secondsUntil(stepUp.expires_at, now) === 0;
  return !(stepUp.status === "verified" && stepUp.next === "complete");
}

interface StepUpDialogProps {
  first: StepUp;
  about: ReactNode;
  onOver: (stepUp: StepUp) => void;
  onClose: () => void;
}

/** Asks for one more proof, for one action; what it is for stands above all the while. */
function StepUpDialog({ first, about, onOver, onClose }: StepUpDialogProps) {
  const { data: stepUp } = useQuery({ ...stepUpQuery(first.id), initialData: first });
  const over = isOver(stepUp, useNow(1000));
  const end = useEffectEvent(() =>
    onOver(stepUp.status === "challenge_required" ? { ...stepUp, status: "expired" } : stepUp),
  );
  useEffect(() => {
    if (over) end();
  }, [over]);
  return (
    <Dialog onClose={onClose}>
      <div className={classes.about}>{about}</div>
      <DialogFrame>
        <Steps proving={useStepUpProving(stepUp)} />
      </DialogFrame>
    </Dialog>
  );
}

type Prove = (stepUp: StepUp, about: ReactNode) => Promise<StepUp>;

const ProveContext = createContext<Prove | null>(null);

interface Asked {
  stepUp: StepUp;
  about: ReactNode;
  over: (stepUp: StepUp) => void;
  closed: () => void;
}

/** Lets everything below ask for a confirmation. */
export function StepUpProvider({ children }: { children: ReactNode }) {
  const [asked, setAsked] = useState<Asked | null>(null);

  const prove = useCallback<Prove>(
    (stepUp, about) =>
      new Promise((resolve, reject) => {
        const settle = (then: () => void) => {
          setAsked(null);
          then();
        };
        setAsked({
          stepUp,
          about,
          over: (decided) => settle(() => resolve(decided)),
          closed: () => settle(() => reject(new Declined())),
        });
      }),
    [],
  );

  return (
    <ProveContext value={prove}>
      {children}
      {asked ? (
        <StepUpDialog
          key={asked.stepUp.id}
          first={asked.stepUp}
          about={asked.about}
          onOver={asked.over}
          onClose={asked.closed}
        />
      ) : null}
    </ProveContext>
  );
}

/**
 * Returns what asks for the proof of a step-up that was begun, in a dialog over the page, and returns it decided: allowed,
 * verified, or not. Rejects with `Declined` when the person closes the dialog.
 */
export function useProve(): Prove {
  const prove = useContext(ProveContext);
  if (!prove) throw new Error("useProve needs a StepUpProvider above it");
  return prove;
}
