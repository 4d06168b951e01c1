import { useRef, useState } from "react";
import { api } from "../../api/client";
import { useIntent } from "../../api/intent";
import { isProblem, type Problem } from "../../api/problem";
import type { Attempt } from "../../api/types";
import { ActionButton } from "../../components/ActionButton";
import { Notice } from "../../components/Notice";
import { Page } from "../../components/Page";
import { proveEmailCode, SdkRefused, sendEmailCode, type SdkAccess, type SdkFailure } from "../../lib/authsignal";
import { serverNow } from "../../lib/clock";
import { useOutcome } from "../../lib/flow";
import { WRONG_CODE, wordsFor, type Words } from "../../words";
import { CodeStep, type StepResult } from "./CodeStep";
import { Help, InboxLink } from "./Help";
import classes from "./Verify.module.css";

/** Authsignal tells the browser of no cool-down; this one keeps a nervous finger from sending ten mails. */
const RESEND_SECONDS = 30;

const FAILURES: Record<Exclude<SdkFailure, "wrong_code">, Words> = {
  too_many_attempts: { title: "Too many tries", text: "Wait a little, then send a new code." },
  expired: { title: "This took too long", text: "Start again to get a new code." },
  unavailable: {
    title: "The code service did not answer",
    text: "Try again in a moment, or use the code that we sent.",
  },
};

function resultOf(error: unknown): StepResult {
  if (!(error instanceof SdkRefused)) return { ok: false, notice: wordsFor(error) };
  return error.failure === "wrong_code"
    ? { ok: false, code: WRONG_CODE }
    : { ok: false, notice: FAILURES[error.failure] };
}

interface SdkCodeProps {
  attempt: Attempt;
  access: SdkAccess;
  onChangeAddress: () => void;
  onRefused: (problem: Problem) => void;
}

/** The code is sent and checked between this browser and Authsignal; the gateway gets the token that proves it. */
export function SdkCode({ attempt, access, onChangeAddress, onRefused }: SdkCodeProps) {
  const intent = useIntent();
  const proceed = useOutcome(attempt.id);
  const [resendAt, setResendAt] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  // A code can be proven once: if the gateway then stays silent, the token is kept for the next try.
  const proven = useRef<{ code: string; token: string } | null>(null);
  const [failed, setFailed] = useState<StepResult>({ ok: true });
  const destination = attempt.delivery?.destination ?? "your address";
  const help = <Help attempt={attempt} onChangeAddress={onChangeAddress} />;

  async function send(): Promise<StepResult> {
    try {
      await sendEmailCode(access);
      setResendAt(new Date(serverNow() + RESEND_SECONDS * 1000).toISOString());
      return { ok: true };
    } catch (error) {
      return resultOf(error);
    }
  }

  async function check(code: string): Promise<StepResult> {
    try {
      if (proven.current?.code !== code) proven.current = { code, token: await proveEmailCode(access, code) };
      const { token } = proven.current;
      proceed(await intent({ token }, (key) => api.complete(attempt.id, token, key)));
      return { ok: true };
    } catch (error) {
      if (isProblem(error) && error.answered && error.status < 500) onRefused(error);
      return resultOf(error);
    }
  }

  async function sendFirst() {
    if (sending) return;
    setSending(true);
    setFailed(await send());
    setSending(false);
  }

  if (resendAt) {
    return (
      <CodeStep
        destination={destination}
        expiresAt={attempt.expires_at}
        resendAt={resendAt}
        check={check}
        resend={send}
        help={help}
      />
    );
  }
  return (
    <Page
      title="Verify in this browser"
      lead={
        <>
          A new code goes to <span className={classes.destination}>{destination}</span>. This browser checks it with
          Authsignal directly.
        </>
      }
      aside={<InboxLink />}
    >
      {"notice" in failed ? (
        <Notice tone="danger" title={failed.notice.title}>
          <p>{failed.notice.text}</p>
        </Notice>
      ) : null}
      <ActionButton fullWidth pending={sending} pendingLabel="Sending a code" onClick={() => void sendFirst()}>
        Send a code
      </ActionButton>
      {help}
    </Page>
  );
}
