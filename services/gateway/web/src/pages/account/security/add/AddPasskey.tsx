import { useMutation } from "@tanstack/react-query";
import { useRef } from "react";
import { ActionButton } from "@look/ActionButton";
import { DialogBody } from "@look/Dialog";
import { SdkNotice } from "../../../../components/Notice";
import { addPasskey } from "../../../../lib/keys";
import { rememberOffer } from "../../../../lib/passkeyOffer";
import type { AddProps } from "./AddDialog";
import { useFinish } from "./useFinish";

/** The browser makes the passkey: on this device, on a phone, in a password manager. */
export function AddPasskey({ enrolment, session, onDone }: AddProps) {
  const finish = useFinish(enrolment);
  const { sub, email, display_name } = session.subject;
  const made = useRef(false);
  const create = useMutation({
    mutationFn: async () => {
      if (!made.current) {
        await addPasskey(enrolment.sdk, { username: email, displayName: display_name ?? email, thisDevice: false });
      }
      made.current = true;
      await finish();
    },
    onSuccess: () => {
      rememberOffer(sub);
      onDone("Your passkey is added. We sent you a mail about it.");
    },
  });
  return (
    <DialogBody
      title="Create a passkey"
      lead="Your browser asks where to keep it: on this device, on your phone or in your password manager."
    >
      {create.error ? <SdkNotice error={create.error} /> : null}
      <ActionButton
        fullWidth
        pending={create.isPending}
        pendingLabel="Waiting for your browser"
        onClick={() => create.mutate()}
      >
        {create.error ? "Try again" : "Create a passkey"}
      </ActionButton>
    </DialogBody>
  );
}
