import type { ReactNode } from "react";
import { isProblem } from "../api/problem";
import { useBrand } from "../brand";
import { WRONG_CODE, wordsFor } from "../words";
import { CodeStep } from "./CodeStep";
import { Help, InboxLink } from "./Help";
import type { Proving } from "./model";
import { OtherWays } from "./OtherWays";
import classes from "./Proving.module.css";
import type { StepResult } from "./useCodeEntry";

const CHECKED = "It is checked as soon as all six digits are in.";

function Lead({ proving }: { proving: Proving }): ReactNode {
  const brand = useBrand();
  const { method, delivery } = proving.challenge;
  if (method === "AUTHENTICATOR_APP") {
    return `Open your authenticator app and type the six digits that it shows for ${brand.name}.`;
  }
  const to = <span className={classes.destination}>{delivery?.destination ?? "your address"}</span>;
  if (method === "SMS")
    return (
      <>
        We sent it as a text message to {to}. {CHECKED}
      </>
    );
  if (method === "WHATSAPP")
    return (
      <>
        We sent it by WhatsApp to {to}. {CHECKED}
      </>
    );
  return (
    <>
      We sent it to {to}. {CHECKED}
    </>
  );
}

/** The code goes to the gateway, which checks it. */
export function ProxiedCode({ proving, onOther }: { proving: Proving; onOther: (() => void) | undefined }) {
  const { challenge } = proving;
  const isMade = challenge.method === "AUTHENTICATOR_APP";

  async function check(code: string): Promise<StepResult> {
    try {
      await proving.answer(code);
      return { ok: true };
    } catch (error) {
      if (!isProblem(error)) return { ok: false, notice: wordsFor(error) };
      proving.refused(error);
      if (error.code === "invalid_code") return { ok: false, code: isMade ? WRONG_APP_CODE : WRONG_CODE };
      if (error.code === "invalid_request") {
        return { ok: false, code: error.fieldMessage("code") ?? "Enter the six digits of the code." };
      }
      return { ok: false, notice: wordsFor(error) };
    }
  }

  async function resend(): Promise<StepResult> {
    try {
      await proving.send(challenge.method ?? "EMAIL_OTP");
      return { ok: true };
    } catch (error) {
      if (!isProblem(error)) return { ok: false, notice: wordsFor(error) };
      proving.refused(error);
      if (error.code === "too_many_attempts" && error.body.resend_at !== undefined) return { ok: false, wait: true };
      return { ok: false, notice: wordsFor(error) };
    }
  }

  return (
    <CodeStep
      lead={<Lead proving={proving} />}
      expiresAt={challenge.expires_at}
      resendAt={isMade ? undefined : challenge.resend_at}
      attemptsLeft={challenge.attempts_left}
      check={check}
      resend={resend}
      help={
        <>
          <OtherWays onPress={onOther} />
          {isMade ? null : <Help proving={proving} />}
        </>
      }
      aside={isMade ? undefined : <InboxLink />}
    />
  );
}

const WRONG_APP_CODE = "That code did not work. Wait for the app to show the next one, then type that.";
