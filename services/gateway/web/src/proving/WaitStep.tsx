import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { isProblem } from "../api/problem";
import { Awaiting } from "../components/Awaiting";
import { Frame } from "../components/Frame";
import { Notice, ProblemNotice } from "../components/Notice";
import { wordsOfMethod } from "../methods";
import { Expiry } from "./Expiry";
import { Help, InboxLink, PhoneLink } from "./Help";
import type { Proving } from "./model";
import { OtherWays } from "./OtherWays";
import classes from "./Proving.module.css";
import { Resend } from "./Resend";
import { useAwaited } from "./useAwaited";

interface WaitWords {
  title: string;
  lead: ReactNode;
  awaited: string;
  again: string;
}

function wordsOf({ challenge, purpose }: Proving): WaitWords {
  const to = <span className={classes.destination}>{challenge.delivery?.destination ?? "your address"}</span>;
  if (challenge.method === "EMAIL_MAGIC_LINK") {
    return {
      title: "Check your e-mail",
      lead: <>We sent a link to {to}. Open it on any device, then come back: this page goes on by itself.</>,
      awaited: "Waiting for you to open the link",
      again: "a new link",
    };
  }
  const what = purpose === "step_up" ? "Approve it" : "Approve the sign-in";
  return {
    title: "Check your phone",
    lead: `We sent a request to the app on your phone. ${what} there; this page goes on by itself.`,
    awaited: "Waiting for your answer",
    again: "a new request",
  };
}

/** Says when looking for news fails; it goes on trying. */
export function NoNews({ failing }: { failing: boolean }) {
  if (!failing) return null;
  return (
    <Notice tone="warn" title="We cannot be reached right now">
      <p>Leave this page open. We keep trying, and go on as soon as it works.</p>
    </Notice>
  );
}

/** Something is to happen elsewhere: in the mail, or on the phone. */
export function WaitStep({ proving, onOther }: { proving: Proving; onOther: (() => void) | undefined }) {
  const failing = useAwaited(proving);
  const { challenge } = proving;
  const { title, lead, awaited, again } = wordsOf(proving);
  const method = challenge.method ?? "PUSH";
  const isMail = challenge.delivery?.channel === "email";
  const send = useMutation({
    mutationFn: () => proving.send(method),
    onError: (error) => isProblem(error) && proving.refused(error),
  });
  return (
    <Frame title={title} lead={lead} aside={isMail ? <InboxLink /> : <PhoneLink />}>
      <NoNews failing={failing} />
      {send.error && !failing ? <ProblemNotice error={send.error} /> : null}
      <Awaiting Icon={wordsOfMethod(method).Icon} label={awaited} />
      <div className={classes.facts}>
        <span role="status">{send.isSuccess ? `We sent ${again}.` : null}</span>
        <Expiry expiresAt={challenge.expires_at} label="Time left" />
      </div>
      {challenge.resend_at ? (
        <Resend what={again} resendAt={challenge.resend_at} pending={send.isPending} onPress={() => send.mutate()} />
      ) : null}
      <OtherWays onPress={onOther} />
      {isMail ? <Help proving={proving} /> : null}
    </Frame>
  );
}
