import { useMutation } from "@tanstack/react-query";
import { ActionButton } from "@look/ActionButton";
import { api } from "../api/client";
import { GoOn, RequireSession } from "../components/Guards";
import { ProblemNotice } from "../components/Notice";
import { Page } from "../components/Page";
import { device } from "../lib/authsignal";
import { Declined } from "../lib/confirmed";
import { useProve } from "../proving/StepUpDialog";
import { MANAGE, requireGranted } from "../proving/useConfirmed";

/**
 * Asks for one more proof for another page of this site, such as the audit console, and goes back there.
 *
 * A proven step-up keeps the session fresh for five minutes; what may be done with that, the gateway decides.
 */
function Ask() {
  const prove = useProve();
  const confirm = useMutation({
    mutationFn: async () => {
      const begun = await api.beginStepUp({ action: MANAGE.action, context: {}, ...device() }, crypto.randomUUID());
      const isOpen = begun.status === "challenge_required";
      requireGranted(
        isOpen ? await prove(begun, "Confirm that it is you, then you go back to where you were.") : begun,
      );
    },
  });

  if (confirm.isSuccess) return <GoOn />;
  return (
    <Page
      title="Confirm that it is you"
      lead="What you are about to do needs a fresh proof. Afterwards you go back to where you were."
    >
      {confirm.error && !(confirm.error instanceof Declined) ? <ProblemNotice error={confirm.error} /> : null}
      <ActionButton
        fullWidth
        pending={confirm.isPending}
        pendingLabel="Waiting for your proof"
        onClick={() => confirm.mutate()}
      >
        Confirm
      </ActionButton>
    </Page>
  );
}

export function Confirm() {
  return <RequireSession>{() => <Ask />}</RequireSession>;
}
