import { useRef, useState } from "react";
import { isProblem } from "../api/problem";
import { ActionButton } from "@look/ActionButton";
import { Frame } from "../components/Frame";
import { Notice } from "../components/Notice";
import { SdkRefused, type SdkAccess } from "../lib/authsignal";
import { serverNow } from "@look/clock";
import { proveEmailCode, sendEmailCode } from "../lib/codes";
import { WRONG_CODE, wordsFor } from "../words";
import { CodeStep } from "./CodeStep";
import { Help, InboxLink } from "./Help";
import type { Proving } from "./model";
import classes from "./Proving.module.css";
import type { StepResult } from "./useCodeEntry";

/** Authsignal tells the browser of no cool-down; this one keeps a nervous finger from sending ten mails. */
const RESEND_SECONDS = 30;

function resultOf(error: unknown): StepResult {
  if (error instanceof SdkRefused && error.failure === "wrong_code") return { ok: false, code: WRONG_CODE };
  return { ok: false, notice: wordsFor(error) };
}

/** The code is sent and checked between this browser and Authsignal; the gateway gets the token that proves it. */
export function SdkCode({ proving, access }: { proving: Proving; access: SdkAccess }) {
  const { challenge } = proving;
  const [resendAt, setResendAt] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  // A code can be proven once: if the gateway then stays silent, the token is kept for the next try.
  const proven = useRef<{ code: string; token: string } | null>(null);
  const [failed, setFailed] = useState<StepResult>({ ok: true });
  const destination = <span className={classes.destination}>{challenge.delivery?.destination ?? "your address"}</span>;
  const help = <Help proving={proving} />;

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
      await proving.complete(proven.current.token);
      return { ok: true };
    } catch (error) {
      if (isProblem(error)) proving.refused(error);
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
        lead={<>We sent it to {destination}. It is checked as soon as all six digits are in.</>}
        expiresAt={challenge.expires_at}
        resendAt={resendAt}
        check={check}
        resend={send}
        help={help}
        aside={<InboxLink />}
      />
    );
  }
  return (
    <Frame
      title="Verify in this browser"
      lead={<>A new code goes to {destination}. This browser checks it with Authsignal directly.</>}
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
    </Frame>
  );
}
