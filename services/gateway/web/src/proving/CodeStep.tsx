import { Button, VisuallyHidden } from "@mantine/core";
import { useId, useRef, useState, type SubmitEvent, type ReactNode } from "react";
import { ActionButton } from "../../components/ActionButton";
import { CODE_LENGTH, CodeField } from "../../components/CodeField";
import { Notice } from "../../components/Notice";
import { Page } from "../../components/Page";
import { minutesAndSeconds, secondsUntil, useNow } from "../../lib/clock";
import { triesLeft, type Words } from "../../words";
import { useCoolDown } from "./useCoolDown";
import { InboxLink } from "./Help";
import classes from "./Verify.module.css";

/** What checking or sending came to: fine, not yet, a line under the code, or a notice above it. */
export type StepResult =
  { ok: true } | { ok: false; wait: true } | { ok: false; code: string } | { ok: false; notice: Words };

interface CodeStepProps {
  destination: string;
  expiresAt: string;
  /** Null when no more codes can be sent. */
  resendAt: string | null;
  /** Unknown where the browser asks Authsignal itself. */
  attemptsLeft?: number | undefined;
  check: (code: string) => Promise<StepResult>;
  resend: () => Promise<StepResult>;
  help: ReactNode;
}

function Expiry({ expiresAt }: { expiresAt: string }) {
  const seconds = secondsUntil(expiresAt, useNow(500));
  const text = `Expires in ${minutesAndSeconds(seconds)}`;
  return (
    <>
      <span role="timer">{seconds <= 60 ? <strong>{text}</strong> : text}</span>
      <VisuallyHidden role="status">
        {seconds > 0 && seconds <= 60 ? "Less than a minute left for this code." : ""}
      </VisuallyHidden>
    </>
  );
}

function Tries({ left }: { left: number }) {
  return left <= 2 ? <strong>{triesLeft(left)}</strong> : triesLeft(left);
}

interface ResendProps {
  resendAt: string;
  pending: boolean;
  onPress: () => void;
}

function Resend({ resendAt, pending, onPress }: ResendProps) {
  const { seconds, said } = useCoolDown(resendAt);
  return (
    <>
      {seconds > 0 ? (
        // Not `disabled`: the focus would be lost, and a screen reader would pass over the reason.
        <Button
          className={`${classes.resend ?? ""} ${classes.waiting ?? ""}`}
          fullWidth
          variant="default"
          type="button"
          aria-disabled
        >
          Send a new code in {minutesAndSeconds(seconds)}
        </Button>
      ) : (
        <ActionButton
          className={classes.resend}
          fullWidth
          variant="default"
          type="button"
          pending={pending}
          pendingLabel="Sending a new code"
          onClick={onPress}
        >
          Send a new code
        </ActionButton>
      )}
      <VisuallyHidden role="status">{said}</VisuallyHidden>
    </>
  );
}

/** Asks for the code that was sent. Which way it is checked is the caller's business. */
export function CodeStep({ destination, expiresAt, resendAt, attemptsLeft, check, resend, help }: CodeStepProps) {
  const field = useRef<HTMLInputElement>(null);
  const leadId = useId();
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState<"check" | "resend" | null>(null);
  const [result, setResult] = useState<StepResult>({ ok: true });
  const [sentAgain, setSentAgain] = useState(false);

  /** Runs one action at a time; afterwards the code stands selected, so that typing replaces it. */
  async function run(what: "check" | "resend", action: () => Promise<StepResult>) {
    if (busy) return;
    setBusy(what);
    setSentAgain(false);
    const outcome = await action();
    setBusy(null);
    setResult(outcome);
    if (what === "resend" && outcome.ok) {
      setCode("");
      setSentAgain(true);
    }
    field.current?.focus();
    field.current?.select();
  }

  function submit(digits: string) {
    if (digits.length < CODE_LENGTH) {
      setResult({ ok: false, code: "Enter all six digits of the code." });
      field.current?.focus();
      return;
    }
    void run("check", () => check(digits));
  }

  const codeError = "code" in result ? result.code : undefined;
  const said = sentAgain ? "A new code is on its way. The old one no longer works." : "";
  return (
    <Page
      title="Enter your code"
      lead={
        <span id={leadId}>
          We sent it to <span className={classes.destination}>{destination}</span>. It is checked as soon as all six
          digits are in.
        </span>
      }
      focus={field}
      focusOnTouch
      aside={<InboxLink />}
    >
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
          submit(code);
        }}
      >
        <CodeField
          ref={field}
          value={code}
          error={codeError}
          describedBy={leadId}
          onChange={(digits) => {
            setCode(digits);
            if (codeError) setResult({ ok: true });
          }}
          onComplete={submit}
        />
        <div className={classes.facts}>
          <span role="status">{attemptsLeft === undefined ? null : <Tries left={attemptsLeft} />}</span>
          <Expiry expiresAt={expiresAt} />
        </div>
        <ActionButton type="submit" fullWidth pending={busy === "check"} pendingLabel="Checking">
          Continue
        </ActionButton>
        {resendAt === null ? (
          <p className={classes.spent}>
            That was the last code that we can send this time. If none comes, use another address or start again.
          </p>
        ) : (
          <Resend resendAt={resendAt} pending={busy === "resend"} onPress={() => void run("resend", resend)} />
        )}
        <p role="status" className={classes.said}>
          {"wait" in result ? "That was a little too soon. Wait for the count to end." : said}
        </p>
      </form>
      {help}
    </Page>
  );
}
