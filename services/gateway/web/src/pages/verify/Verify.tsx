import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearchParams } from "react-router";
import { api } from "../../api/client";
import { isProblem, type Problem } from "../../api/problem";
import { attemptQuery } from "../../api/queries";
import type { Attempt } from "../../api/types";
import { useConfig } from "../../brand";
import { GoOn } from "../../components/Guards";
import { LoadFailed } from "../../components/LoadFailed";
import { Waiting } from "../../components/Waiting";
import { currentAttempt, forgetAttempt } from "../../lib/attempt";
import { secondsUntil, useNow } from "../../lib/clock";
import { useWantedTarget } from "../../lib/flow";
import { withTarget } from "../../lib/target";
import { Ended, type Ending } from "./Ended";
import { FirstSend } from "./FirstSend";
import { GatewayCode } from "./GatewayCode";
import { SdkCode } from "./SdkCode";

/** How an attempt has ended, judged by what the gateway said and by its clock; null while it can still succeed. */
export function endingOf(attempt: Attempt, now: number): Ending | null {
  if (attempt.status === "completed") return null;
  if (attempt.status !== "challenge_required") return attempt.status;
  if (secondsUntil(attempt.expires_at, now) === 0) return "expired";
  return attempt.attempts_left <= 0 ? "failed" : null;
}

function LiveAttempt({ attempt }: { attempt: Attempt }) {
  const config = useConfig();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [query] = useSearchParams();
  const wanted = useWantedTarget();
  const ending = endingOf(attempt, useNow(1000));

  // Refused for good or only this once? The gateway knows: its next answer decides what is drawn.
  const onRefused = (problem: Problem) => {
    if (problem.code !== "invalid_request")
      void queries.invalidateQueries({ queryKey: attemptQuery(attempt.id).queryKey });
  };

  function onChangeAddress() {
    // Giving the attempt up is a courtesy: left alone it expires by itself.
    api.cancel(attempt.id, crypto.randomUUID()).catch(() => undefined);
    forgetAttempt();
    void navigate(withTarget(attempt.kind === "sign_up" ? "/sign-up" : "/sign-in", wanted));
  }

  if (attempt.status === "completed") return <GoOn />;
  if (ending) return <Ended ending={ending} kind={attempt.kind} />;
  const common = { attempt, onChangeAddress, onRefused };
  if (query.get("via") === "sdk" && attempt.sdk && config.features.sdk_sign_in) {
    return <SdkCode {...common} access={attempt.sdk} />;
  }
  if (!attempt.delivery || !attempt.method) return <FirstSend attempt={attempt} />;
  return <GatewayCode {...common} method={attempt.method} />;
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
