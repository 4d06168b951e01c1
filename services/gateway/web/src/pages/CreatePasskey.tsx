import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { IconBolt, IconDevices, IconShieldCheck } from "@tabler/icons-react";
import { useState } from "react";
import { api } from "../api/client";
import { useIntent } from "../api/intent";
import { authenticatorsQuery } from "../api/queries";
import type { Session } from "../api/types";
import { ActionButton } from "@look/ActionButton";
import { GoOn, RequireSession } from "../components/Guards";
import { SdkNotice } from "../components/Notice";
import { Page } from "../components/Page";
import { SdkRefused } from "../lib/authsignal";
import { Declined } from "../lib/confirmed";
import { addPasskey } from "../lib/keys";
import { rememberOffer } from "../lib/passkeyOffer";
import { useConfirmed } from "../proving/useConfirmed";
import classes from "./CreatePasskey.module.css";

const REASONS = [
  { Icon: IconBolt, text: "Sign in with your fingerprint, your face or your screen lock. No code to wait for." },
  { Icon: IconShieldCheck, text: "It works on this site only, so no false site can trick you out of it." },
  { Icon: IconDevices, text: "Your other ways to sign in stay. You can remove it at any time." },
];

function Offer({ session }: { session: Session }) {
  const queries = useQueryClient();
  const confirmed = useConfirmed();
  const intent = useIntent();
  const [done, setDone] = useState(false);
  const { sub, email, display_name } = session.subject;

  function leave() {
    rememberOffer(sub);
    setDone(true);
  }

  const create = useMutation({
    mutationFn: async () => {
      const enrolment = await confirmed(() => intent({ type: "PASSKEY" }, (key) => api.enrol("PASSKEY", key)));
      await addPasskey(enrolment.sdk, { username: email, displayName: display_name ?? email, thisDevice: true });
      return intent({ id: enrolment.id }, (key) => api.completeEnrolment(enrolment.id, key));
    },
    onSuccess: (list) => {
      queries.setQueryData(authenticatorsQuery.queryKey, list);
      leave();
    },
    onError: (error) => {
      if (error instanceof SdkRefused && error.failure === "known") leave();
    },
  });

  if (done) return <GoOn />;
  return (
    <Page
      title="Faster next time, with a passkey"
      lead="You are signed in. Would you like to skip the code from now on?"
    >
      {create.error && !(create.error instanceof Declined) ? <SdkNotice error={create.error} /> : null}
      <ul className={classes.reasons}>
        {REASONS.map(({ Icon, text }) => (
          <li key={text}>
            <Icon size={22} stroke={1.7} aria-hidden="true" />
            <span>{text}</span>
          </li>
        ))}
      </ul>
      <div className={classes.buttons}>
        <ActionButton
          fullWidth
          pending={create.isPending}
          pendingLabel="Waiting for your browser"
          onClick={() => create.mutate()}
        >
          Create a passkey
        </ActionButton>
        <Button fullWidth variant="default" onClick={leave}>
          Not now
        </Button>
      </div>
    </Page>
  );
}

/** Offers a passkey on the way in, once per person and browser. */
export function CreatePasskey() {
  return <RequireSession>{(session) => <Offer session={session} />}</RequireSession>;
}
