import { TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useRef, useState, type SubmitEvent } from "react";
import { ActionButton } from "@look/ActionButton";
import { DialogBody } from "@look/Dialog";
import formClasses from "../../../../components/Form.module.css";
import { ProblemNotice } from "../../../../components/Notice";
import { TextButton } from "../../../../components/TextButton";
import { addNumber, confirmNumber } from "../../../../lib/codes";
import { numberMistake, plainNumber } from "../../../../lib/fields";
import { useCodeEntry } from "../../../../proving/useCodeEntry";
import { WRONG_CODE } from "../../../../words";
import type { AddProps } from "./AddDialog";
import { checked, CodeForm } from "./CodeForm";
import { useFinish } from "./useFinish";

/** Shows with a code that messages arrive. */
function Confirm({ number, onBack, ...props }: AddProps & { number: string; onBack: () => void }) {
  const { enrolment, onDone } = props;
  const finish = useFinish(enrolment);
  const field = useRef<HTMLInputElement>(null);
  const confirmed = useRef(false);
  const entry = useCodeEntry(field, (code) =>
    checked(async () => {
      if (!confirmed.current) await confirmNumber(enrolment.sdk, code);
      confirmed.current = true;
      await finish();
      onDone("Your number is added. We sent you a mail about it.");
    }, WRONG_CODE),
  );
  return (
    <DialogBody title="Enter the code" lead={`We sent a text message to ${number}.`} focus={field}>
      <CodeForm field={field} entry={entry} label="Add the number" />
      <p>
        <TextButton onClick={onBack}>Use another number, or send it again</TextButton>
      </p>
    </DialogBody>
  );
}

/** A number first, then the code that went there. */
export function AddNumber(props: AddProps) {
  const field = useRef<HTMLInputElement>(null);
  const [number, setNumber] = useState("");
  const [mistake, setMistake] = useState<string | null>(null);
  const [isSent, setSent] = useState(false);
  const send = useMutation({
    mutationFn: () => addNumber(props.enrolment.sdk, plainNumber(number)),
    onSuccess: () => setSent(true),
  });

  function submit(event: SubmitEvent) {
    event.preventDefault();
    const found = numberMistake(number);
    setMistake(found);
    if (found) field.current?.focus();
    else if (!send.isPending) send.mutate();
  }

  if (isSent) return <Confirm {...props} number={plainNumber(number)} onBack={() => setSent(false)} />;
  return (
    <DialogBody title="Add your phone number" lead="We send a code to it, to see that it is yours." focus={field}>
      {send.error ? <ProblemNotice error={send.error} /> : null}
      <form className={formClasses.form} noValidate onSubmit={submit}>
        <TextInput
          ref={field}
          label="Phone number"
          description="With the country code, such as +44 7911 123456."
          type="tel"
          inputMode="tel"
          autoComplete="tel"
          value={number}
          error={mistake}
          onChange={(event) => {
            setNumber(event.currentTarget.value);
            setMistake(null);
          }}
        />
        <ActionButton type="submit" fullWidth pending={send.isPending} pendingLabel="Sending a code">
          Send a code
        </ActionButton>
      </form>
    </DialogBody>
  );
}
