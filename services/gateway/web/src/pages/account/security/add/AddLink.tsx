import { useMutation } from "@tanstack/react-query";
import { IconMailFast } from "@tabler/icons-react";
import { useEffect, useEffectEvent, useState } from "react";
import { ActionButton } from "@look/ActionButton";
import { Awaiting } from "../../../../components/Awaiting";
import { DialogBody } from "@look/Dialog";
import { Notice, ProblemNotice } from "../../../../components/Notice";
import { SdkRefused } from "../../../../lib/authsignal";
import { secondsUntil, serverNow } from "@look/clock";
import { addLink, isLinkOpened } from "../../../../lib/codes";
import { pause } from "../../../../lib/pause";
import { InboxLink } from "../../../../proving/Help";
import type { AddProps } from "./AddDialog";
import { useFinish } from "./useFinish";

const BETWEEN_LOOKS_MS = 3_000;

/** Looks every few seconds whether the link was opened, until it was, the dialog is closed, or the time is up. */
function useOpened(enrolment: AddProps["enrolment"], asked: boolean, opened: () => void): boolean {
  const [over, setOver] = useState(false);
  const found = useEffectEvent(opened);
  useEffect(() => {
    if (!asked) return;
    const left = new AbortController();
    void (async () => {
      while (!left.signal.aborted && secondsUntil(enrolment.expires_at, serverNow()) > 0) {
        try {
          if (await isLinkOpened(enrolment.sdk, left.signal)) return found();
        } catch (error) {
          if (error instanceof SdkRefused && error.failure === "expired") break;
        }
        await pause(BETWEEN_LOOKS_MS, left.signal);
      }
      if (!left.signal.aborted) setOver(true);
    })();
    return () => left.abort();
  }, [asked, enrolment]);
  return over;
}

/** Sends a link to the person's own address, and waits for them to open it. */
export function AddLink({ enrolment, session, onDone }: AddProps) {
  const { email } = session.subject;
  const complete = useFinish(enrolment);
  const send = useMutation({ mutationFn: () => addLink(enrolment.sdk, email) });
  const finish = useMutation({
    mutationFn: complete,
    onSuccess: () => onDone("Sign-in by link is added. We sent you a mail about it."),
  });
  const over = useOpened(enrolment, send.isSuccess, () => finish.mutate());
  const failed = send.error ?? finish.error;

  return (
    <DialogBody
      title="Sign in with a link"
      lead={
        send.isSuccess
          ? `We sent a link to ${email}. Open it on any device; this page goes on by itself.`
          : `Instead of a code you get a link. We send the first one to ${email} now, to see that it works.`
      }
      aside={send.isSuccess ? <InboxLink /> : undefined}
    >
      {failed ? <ProblemNotice error={failed} /> : null}
      {over ? (
        <Notice tone="warn" title="The link was not opened in time">
          <p>Close this and start again to get a new one.</p>
        </Notice>
      ) : null}
      {send.isSuccess && !over ? <Awaiting Icon={IconMailFast} label="Waiting for you to open the link" /> : null}
      {finish.error ? (
        <ActionButton fullWidth pending={finish.isPending} pendingLabel="Trying again" onClick={() => finish.mutate()}>
          Try again
        </ActionButton>
      ) : null}
      {send.isSuccess ? null : (
        <ActionButton fullWidth pending={send.isPending} pendingLabel="Sending a link" onClick={() => send.mutate()}>
          Send the link
        </ActionButton>
      )}
    </DialogBody>
  );
}
