import { useQueryClient } from "@tanstack/react-query";
import { api } from "../../api/client";
import { useIntent } from "../../api/intent";
import { isProblem, type Problem } from "../../api/problem";
import { attemptQuery } from "../../api/queries";
import type { Attempt } from "../../api/types";
import { useOutcome } from "../../lib/flow";
import { WRONG_CODE, wordsFor } from "../../words";
import { CodeStep, type StepResult } from "./CodeStep";
import { Help } from "./Help";

interface GatewayCodeProps {
  attempt: Attempt;
  method: string;
  onChangeAddress: () => void;
  /** The attempt may have come to its end: ask the gateway how it stands. */
  onRefused: (problem: Problem) => void;
}

/** The code goes to the gateway, which checks it. */
export function GatewayCode({ attempt, method, onChangeAddress, onRefused }: GatewayCodeProps) {
  const queries = useQueryClient();
  const intent = useIntent();
  const proceed = useOutcome(attempt.id);
  const { queryKey } = attemptQuery(attempt.id);

  /** The page's own copy follows what the refusal said, so that tries and cool-down are right at once. */
  function learn(problem: Problem) {
    const { attempts_left, resend_at } = problem.body;
    queries.setQueryData(
      queryKey,
      (known: Attempt | undefined) =>
        known && {
          ...known,
          ...(attempts_left === undefined ? {} : { attempts_left }),
          ...(resend_at === undefined ? {} : { resend_at }),
        },
    );
  }

  async function check(code: string): Promise<StepResult> {
    try {
      proceed(await intent({ code }, (key) => api.verify(attempt.id, code, key)));
      return { ok: true };
    } catch (error) {
      if (!isProblem(error)) return { ok: false, notice: wordsFor(error) };
      learn(error);
      if (error.code === "invalid_code") {
        if (error.body.attempts_left === 0) onRefused(error);
        return { ok: false, code: WRONG_CODE };
      }
      if (error.code === "invalid_request") {
        return { ok: false, code: error.fieldMessage("code") ?? "Enter the six digits of the code." };
      }
      if (error.answered && error.status < 500) onRefused(error);
      return { ok: false, notice: wordsFor(error) };
    }
  }

  async function resend(): Promise<StepResult> {
    try {
      queries.setQueryData(queryKey, await intent({ method }, (key) => api.challenge(attempt.id, method, key)));
      return { ok: true };
    } catch (error) {
      if (!isProblem(error)) return { ok: false, notice: wordsFor(error) };
      learn(error);
      // Our clock ran ahead of the gateway's: nothing is wrong, and the count goes on from what it said.
      if (error.code === "too_many_attempts" && error.body.resend_at !== undefined) return { ok: false, wait: true };
      if (error.answered && error.status < 500) onRefused(error);
      return { ok: false, notice: wordsFor(error) };
    }
  }

  return (
    <CodeStep
      destination={attempt.delivery?.destination ?? "your address"}
      expiresAt={attempt.expires_at}
      resendAt={attempt.resend_at}
      attemptsLeft={attempt.attempts_left}
      check={check}
      resend={resend}
      help={<Help attempt={attempt} onChangeAddress={onChangeAddress} />}
    />
  );
}
