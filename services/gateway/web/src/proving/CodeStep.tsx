import { useId, useRef, type ReactNode, type SubmitEvent } from "react";
import { ActionButton } from "@look/ActionButton";
import { CodeField } from "../components/CodeField";
import { Frame } from "../components/Frame";
import { Notice } from "../components/Notice";
import { triesLeft } from "../words";
import { Expiry } from "./Expiry";
import classes from "./Proving.module.css";
import { Resend } from "./Resend";
import { useCodeEntry, type StepResult } from "./useCodeEntry";

interface CodeStepProps {
  lead: ReactNode;
  expiresAt: string;
  /** Null when no more codes can be sent; undefined when none ever are: an app makes them. */
  resendAt: string | null | undefined;
  /** Unknown where the browser asks Authsignal itself. */
  attemptsLeft?: number | undefined;
  check: (code: string) => Promise<StepResult>;
  resend: () => Promise<StepResult>;
  help?: ReactNode;
  aside?: ReactNode;
}

function Tries({ left }: { left: number }) {
  return left <= 2 ? <strong>{triesLeft(left)}</strong> : triesLeft(left);
}

/** Asks for a code. Which way it is checked is the caller's business. */
export function CodeStep({ lead, expiresAt, resendAt, attemptsLeft, check, resend, help, aside }: CodeStepProps) {
  const leadId = useId();
  const field = useRef<HTMLInputElement>(null);
  const entry = useCodeEntry(field, check, resend);
  const { code, busy, result } = entry;
  const said = entry.sentAgain ? "A new code is on its way. The old one no longer works." : "";
  return (
    <Frame title="Enter your code" lead={<span id={leadId}>{lead}</span>} focus={field} focusOnTouch aside={aside}>
      {"notice" in result ? (
        <Notice tone="danger" title={result.notice.title}>
          <p>{result.notice.text}</p>
        </Notice>
      ) : null}
      <form
        className={classes.form}
        noValidate
        onSubmit={(event: SubmitEvent) => {
          event.preventDefault();
          entry.submit(code);
        }}
      >
        <CodeField
          ref={field}
          value={code}
          error={entry.error}
          describedBy={leadId}
          onChange={entry.type}
          onComplete={entry.submit}
        />
        <div className={classes.facts}>
          <span role="status">{attemptsLeft === undefined ? null : <Tries left={attemptsLeft} />}</span>
          <Expiry expiresAt={expiresAt} label={resendAt === undefined ? "Time left" : "Expires in"} />
        </div>
        <ActionButton type="submit" fullWidth pending={busy === "check"} pendingLabel="Checking">
          Continue
        </ActionButton>
        {resendAt === null ? (
          <p className={classes.spent}>
            That was the last code that we can send this time. If none comes, use another address or start again.
          </p>
        ) : null}
        {resendAt ? (
          <Resend what="a new code" resendAt={resendAt} pending={busy === "resend"} onPress={entry.resend} />
        ) : null}
        <p role="status" className={classes.said}>
          {"wait" in result ? "That was a little too soon. Wait for the count to end." : said}
        </p>
      </form>
      {help}
    </Frame>
  );
}
