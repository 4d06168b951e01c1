import { useMutation } from "@tanstack/react-query";
import { isProblem } from "../../../../api/problem";
import { useBrand } from "../../../../brand";
import { ActionButton } from "@look/ActionButton";
import { DialogBody } from "@look/Dialog";
import { Notice, ProblemNotice } from "../../../../components/Notice";
import { PhoneLink } from "../../../../proving/Help";
import classes from "../Security.module.css";
import type { AddProps } from "./AddDialog";
import { useFinish } from "./useFinish";

/** The phone's app makes its own key, so what is to be done is done there. */
export function AddPhone({ enrolment, onDone }: AddProps) {
  const brand = useBrand();
  const finish = useFinish(enrolment);
  const look = useMutation({
    mutationFn: finish,
    onSuccess: () => onDone("Your phone is added. We sent you a mail about it."),
  });
  const isEarly = isProblem(look.error, "conflict");
  return (
    <DialogBody title="Add your phone" lead="Do this on the phone:" aside={<PhoneLink />}>
      <ol className={classes.steps}>
        <li>Open the {brand.name} app, and sign in there.</li>
        <li>Switch on approvals in its settings.</li>
        <li>Come back here.</li>
      </ol>
      {isEarly ? (
        <Notice tone="info" title="Your phone is not here yet">
          <p>It can take a moment. Check the app, then try again.</p>
        </Notice>
      ) : null}
      {look.error && !isEarly ? <ProblemNotice error={look.error} /> : null}
      <ActionButton
        fullWidth
        pending={look.isPending}
        pendingLabel="Looking for your phone"
        onClick={() => look.mutate()}
      >
        I have done that
      </ActionButton>
    </DialogBody>
  );
}
