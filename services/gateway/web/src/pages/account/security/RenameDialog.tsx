import { TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type SubmitEvent } from "react";
import { api } from "../../../api/client";
import { useIntent } from "../../../api/intent";
import { isProblem } from "../../../api/problem";
import { authenticatorsQuery } from "../../../api/queries";
import type { Authenticator } from "../../../api/types";
import { ActionButton } from "@look/ActionButton";
import { Dialog, DialogBody } from "@look/Dialog";
import formClasses from "../../../components/Form.module.css";
import { ProblemNotice } from "../../../components/Notice";
import { Declined } from "../../../lib/confirmed";
import { nameMistake } from "../../../lib/fields";
import { useConfirmed } from "../../../proving/useConfirmed";
import { nameOf } from "./WayItem";

interface WayDialogProps {
  way: Authenticator;
  onClose: () => void;
  /** It was done; the words say what. */
  onDone: (words: string) => void;
}

/** Gives one way to sign in a name of its owner's own. */
export function RenameDialog({ way, onClose, onDone }: WayDialogProps) {
  const field = useRef<HTMLInputElement>(null);
  const [name, setName] = useState(nameOf(way));
  const [mistake, setMistake] = useState<string | null>(null);
  const queries = useQueryClient();
  const confirmed = useConfirmed();
  const intent = useIntent();
  const rename = useMutation({
    mutationFn: (chosen: string) =>
      confirmed(() => intent({ chosen }, (key) => api.nameAuthenticator(way.id, chosen, key))),
    onSuccess: (list) => {
      queries.setQueryData(authenticatorsQuery.queryKey, list);
      onDone("The new name is saved.");
    },
  });
  const refused = isProblem(rename.error) ? rename.error.fieldMessage("name") : undefined;

  function submit(event: SubmitEvent) {
    event.preventDefault();
    const chosen = name.trim();
    const found = chosen === "" ? "Enter a name." : nameMistake(chosen);
    setMistake(found);
    if (found) field.current?.focus();
    else if (!rename.isPending) rename.mutate(chosen);
  }

  return (
    <Dialog onClose={onClose} isLight>
      <DialogBody title="Give it a name" lead="One that tells you which it is, such as “Work laptop”." focus={field}>
        {rename.error && !refused && !(rename.error instanceof Declined) ? (
          <ProblemNotice error={rename.error} />
        ) : null}
        <form className={formClasses.form} noValidate onSubmit={submit}>
          <TextInput
            ref={field}
            label="Name"
            autoComplete="off"
            value={name}
            error={mistake ?? refused}
            onFocus={(event) => event.currentTarget.select()}
            onChange={(event) => {
              setName(event.currentTarget.value);
              setMistake(null);
            }}
          />
          <ActionButton type="submit" fullWidth pending={rename.isPending} pendingLabel="Saving">
            Save
          </ActionButton>
        </form>
      </DialogBody>
    </Dialog>
  );
}
