import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "../../../api/client";
import { useIntent } from "../../../api/intent";
import { authenticatorsQuery } from "../../../api/queries";
import type { Authenticator } from "../../../api/types";
import { ActionButton } from "@look/ActionButton";
import { Dialog, DialogBody } from "@look/Dialog";
import { ProblemNotice } from "../../../components/Notice";
import { Declined } from "../../../lib/confirmed";
import { useConfirmed } from "../../../proving/useConfirmed";
import classes from "./Security.module.css";
import { nameOf } from "./WayItem";

const LEADS: Record<string, string> = {
  PASSKEY:
    "It will no longer sign you in. Delete it in your password manager too, or your browser goes on suggesting it.",
};

interface RemoveDialogProps {
  way: Authenticator;
  onClose: () => void;
  onDone: (words: string) => void;
}

/** Asks once more before a way to sign in is taken away. */
export function RemoveDialog({ way, onClose, onDone }: RemoveDialogProps) {
  const queries = useQueryClient();
  const confirmed = useConfirmed();
  const intent = useIntent();
  const name = nameOf(way);
  const remove = useMutation({
    mutationFn: () => confirmed(() => intent({}, (key) => api.removeAuthenticator(way.id, key))),
    onSuccess: (list) => {
      onDone(`${name} is removed. We sent you a mail about it.`);
      queries.setQueryData(authenticatorsQuery.queryKey, list);
    },
  });
  return (
    <Dialog onClose={onClose} isLight>
      <DialogBody title={`Remove “${name}”?`} lead={LEADS[way.method] ?? "It will no longer sign you in."}>
        {remove.error && !(remove.error instanceof Declined) ? <ProblemNotice error={remove.error} /> : null}
        <div className={classes.choices}>
          <ActionButton
            color="danger"
            className={classes.remove}
            pending={remove.isPending}
            pendingLabel="Removing"
            onClick={() => remove.mutate()}
          >
            Remove
          </ActionButton>
          <Button variant="default" onClick={onClose}>
            Keep it
          </Button>
        </div>
      </DialogBody>
    </Dialog>
  );
}
