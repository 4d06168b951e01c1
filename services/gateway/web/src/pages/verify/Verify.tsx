import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { api } from "../../api/client";
import { isProblem } from "../../api/problem";
import { attemptQuery } from "../../api/queries";
import type { Attempt } from "../../api/types";
import { GoOn } from "../../components/Guards";
import { LoadFailed } from "../../components/LoadFailed";
import { Waiting } from "../../components/Waiting";
import { currentAttempt, forgetAttempt } from "../../lib/attempt";
import { secondsUntil, useNow } from "@look/clock";
import { useWantedTarget } from "../../lib/flow";
import { withTarget } from "../../lib/target";
import { AwaitReview } from "../../proving/AwaitReview";
import { Steps } from "../../proving/Steps";
import { useAttemptProving } from "../../proving/useAttemptProving";
import { Ended, type Ending } from "./Ended";

/** Methods that somebody can turn down elsewhere: their attempts fail by a "no", not by wrong codes. */
const DECLINABLE = ["PUSH", "QR_CODE"];

/** How an attempt has ended, judged by what the gateway said and by its clock; null while it can still succeed. */
export function endingOf(attempt: Attempt, now: number): Ending | null {
  const { status, method, attempts_left } = attempt;
  if (status === "completed" || status === "verified") return null;
  if (status === "failed") return attempts_left > 0 && DECLINABLE.includes(method ?? "") ? "declined" : "failed";
  if (status === "review") return attempt.kind === "sign_in" ? "reviewing" : "review";
  if (status === "expired" || status === "blocked") return status;
  if (secondsUntil(attempt.expires_at, now) === 0) return "expired";
  return attempts_left <= 0 ? "failed" : null;
}

function LiveAttempt({ attempt }: { attempt: Attempt }) {
  const navigate = useNavigate();
  const wanted = useWantedTarget();
  const ending = endingOf(attempt, useNow(1000));

  const proving = useAttemptProving(attempt, () => {
    // Giving the attempt up is a courtesy: left alone it expires by itself.
    api.cancel(attempt.id, crypto.randomUUID()).catch(() => undefined);
    forgetAttempt();
    void navigate(withTarget(attempt.kind === "sign_up" ? "/sign-up" : "/sign-in", wanted));
  });

  if (attempt.status === "completed") return <GoOn />;
  if (ending === "reviewing") {
    return (
      <Ended ending={ending} kind={attempt.kind}>
        <AwaitReview proving={proving} />
      </Ended>
    );
  }
  if (ending) return <Ended ending={ending} kind={attempt.kind} />;
  return <Steps proving={proving} />;
}

function Restored({ id }: { id: string }) {
  const { data, error, refetch, isFetching } = useQuery(attemptQuery(id));
  if (isProblem(error, "attempt_expired")) return <Ended ending="expired" kind={data?.kind ?? "sign_in"} />;
  if (isProblem(error, "not_found", "attempt_failed"))
    return <Ended ending={data ? "failed" : "missing"} kind={data?.kind ?? "sign_in"} />;
  if (data) return <LiveAttempt attempt={data} />;
  if (error) return <LoadFailed error={error} retry={() => void refetch()} retrying={isFetching} />;
  return <Waiting label="Finding where you were" />;
}

/** Carries an attempt on, also after a reload. The gateway says where it stands; this draws it. */
export function Verify() {
  const id = currentAttempt();
  return id ? <Restored id={id} /> : <Ended ending="missing" kind="sign_in" />;
}
