import { TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type SubmitEvent } from "react";
import { api } from "../../../../api/client";
import { authenticatorsQuery } from "../../../../api/queries";
import { ActionButton } from "@look/ActionButton";
import { DialogBody } from "@look/Dialog";
import formClasses from "../../../../components/Form.module.css";
import { SdkNotice } from "../../../../components/Notice";
import { NAME_LENGTH_MAX } from "../../../../lib/fields";
import { addSecurityKey } from "../../../../lib/keys";
import type { AddProps } from "./AddDialog";
import { useFinish } from "./useFinish";

/** A key looks like the next one, so it gets a name at once. */
export function AddSecurityKey({ enrolment, onDone }: AddProps) {
  const field = useRef<HTMLInputElement>(null);
  const queries = useQueryClient();
  const finish = useFinish(enrolment);
  const [name, setName] = useState("");
  const made = useRef(false);
  const add = useMutation({
    mutationFn: async () => {
      if (!made.current) await addSecurityKey(enrolment.sdk);
      made.current = true;
      const added = await finish();
      const chosen = name.trim();
      if (!added || chosen === "") return;
      // The key works whether or not the name is kept: that can be mended in the list.
      await api
        .nameAuthenticator(added.id, chosen, crypto.randomUUID())
        .then((list) => queries.setQueryData(authenticatorsQuery.queryKey, list))
        .catch(() => undefined);
    },
    onSuccess: () => onDone("Your security key is added. We sent you a mail about it."),
  });
  return (
    <DialogBody
      title="Add a security key"
      lead="Have it at hand. Your browser tells you when to touch it."
      focus={field}
    >
      {add.error ? <SdkNotice error={add.error} /> : null}
      <form
        className={formClasses.form}
        onSubmit={(event: SubmitEvent) => {
          event.preventDefault();
          if (!add.isPending) add.mutate();
        }}
      >
        <TextInput
          ref={field}
          label="Name of the key (optional)"
          description="Such as “Blue key on my ring”."
          autoComplete="off"
          maxLength={NAME_LENGTH_MAX}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <ActionButton type="submit" fullWidth pending={add.isPending} pendingLabel="Waiting for your browser">
          {add.error ? "Try again" : "Add the key"}
        </ActionButton>
      </form>
    </DialogBody>
  );
}
