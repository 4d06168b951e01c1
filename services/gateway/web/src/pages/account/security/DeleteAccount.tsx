import { Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useRef, useState, type SubmitEvent } from "react";
import { api } from "../../../api/client";
import { useIntent } from "../../../api/intent";
import type { Session } from "../../../api/types";
import { ActionButton } from "@look/ActionButton";
import { Dialog, DialogBody } from "@look/Dialog";
import formClasses from "../../../components/Form.module.css";
import { ProblemNotice } from "../../../components/Notice";
import { Declined } from "../../../lib/confirmed";
import { useConfirmed } from "../../../proving/useConfirmed";
import { useLeave } from "../AccountFrame";
import { Section } from "../Section";
import classes from "./Security.module.css";

const DELETE = { action: "deleteAccount", about: "Before your account is deleted, confirm that it is you." };

interface DeleteProps {
  /** Whose account it is. The address must be typed: so that nobody deletes the wrong one, or by a slip. */
  subject: Session["subject"];
}

function isSame(typed: string, address: string): boolean {
  return typed.trim().toLowerCase() === address.toLowerCase();
}

function DeleteDialog({ subject: { sub, email: address }, onClose }: DeleteProps & { onClose: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState("");
  const [mistake, setMistake] = useState<string | null>(null);
  const confirmed = useConfirmed(DELETE);
  const intent = useIntent();
  const leave = useLeave();
  const remove = useMutation({
    mutationFn: () => confirmed(() => intent({ sub }, (key) => api.deleteMe(sub, key))),
    onSuccess: () => leave("deleted"),
  });

  function submit(event: SubmitEvent) {
    event.preventDefault();
    const found = isSame(typed, address) ? null : `Type ${address} to confirm.`;
    setMistake(found);
    if (found) field.current?.focus();
    else if (!remove.isPending) remove.mutate();
  }

  return (
    <Dialog onClose={onClose}>
      <DialogBody
        title="Delete your account?"
        lead="It is gone at once, with every way to sign in. Nobody can bring it back."
        focus={field}
      >
        {remove.error && !(remove.error instanceof Declined) ? <ProblemNotice error={remove.error} /> : null}
        <form className={formClasses.form} noValidate onSubmit={submit}>
          <TextInput
            ref={field}
            label="Your e-mail address"
            description={`Type ${address} to confirm.`}
            type="email"
            inputMode="email"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            value={typed}
            error={mistake}
            onChange={(event) => {
              setTyped(event.currentTarget.value);
              setMistake(null);
            }}
          />
          <div className={classes.choices}>
            <ActionButton
              type="submit"
              color="danger"
              className={classes.remove}
              pending={remove.isPending}
              pendingLabel="Deleting"
            >
              Delete my account
            </ActionButton>
            <Button variant="default" onClick={onClose}>
              Keep it
            </Button>
          </div>
        </form>
      </DialogBody>
    </Dialog>
  );
}

/** The way out for good. */
export function DeleteSection({ subject }: DeleteProps) {
  const [asking, setAsking] = useState(false);
  return (
    <Section
      title="Delete my account"
      lead="Ends every session and removes your account and all ways to sign in to it. Nobody can bring it back."
    >
      <div className={classes.foot}>
        <Button variant="default" onClick={() => setAsking(true)}>
          Delete my account
        </Button>
      </div>
      {asking ? <DeleteDialog subject={subject} onClose={() => setAsking(false)} /> : null}
    </Section>
  );
}
