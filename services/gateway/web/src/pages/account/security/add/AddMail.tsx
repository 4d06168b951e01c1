import { useMutation } from "@tanstack/react-query";
import { useRef } from "react";
import { ActionButton } from "@look/ActionButton";
import { DialogBody } from "@look/Dialog";
import { ProblemNotice } from "../../../../components/Notice";
import { TextButton } from "../../../../components/TextButton";
import { addMail, confirmMail } from "../../../../lib/codes";
import { InboxLink } from "../../../../proving/Help";
import { useCodeEntry } from "../../../../proving/useCodeEntry";
import { WRONG_CODE } from "../../../../words";
import type { AddProps } from "./AddDialog";
import { checked, CodeForm } from "./CodeForm";
import { useFinish } from "./useFinish";

/** Shows with a code that mail arrives. */
function Confirm({ enrolment, session, onDone, onBack }: AddProps & { onBack: () => void }) {
  const finish = useFinish(enrolment);
  const field = useRef<HTMLInputElement>(null);
  const confirmed = useRef(false);
  const entry = useCodeEntry(field, (code) =>
    checked(async () => {
      if (!confirmed.current) await confirmMail(enrolment.sdk, code);
      confirmed.current = true;
      await finish();
      onDone("Sign-in by code is added. We sent you a mail about it.");
    }, WRONG_CODE),
  );
  return (
    <DialogBody
      title="Enter the code"
      lead={`We sent a code to ${session.subject.email}.`}
      focus={field}
      aside={<InboxLink />}
    >
      <CodeForm field={field} entry={entry} label="Add the code" />
      <p>
        <TextButton onClick={onBack}>Send it again</TextButton>
      </p>
    </DialogBody>
  );
}

/** Codes to the person's own address: the first one shows that they arrive. */
export function AddMail(props: AddProps) {
  const { email } = props.session.subject;
  const send = useMutation({ mutationFn: () => addMail(props.enrolment.sdk, email) });
  if (send.isSuccess) return <Confirm {...props} onBack={() => send.reset()} />;
  return (
    <DialogBody
      title="Sign in with a code by e-mail"
      lead={`We send the first code to ${email} now, to see that it arrives.`}
    >
      {send.error ? <ProblemNotice error={send.error} /> : null}
      <ActionButton fullWidth pending={send.isPending} pendingLabel="Sending a code" onClick={() => send.mutate()}>
        Send a code
      </ActionButton>
    </DialogBody>
  );
}
