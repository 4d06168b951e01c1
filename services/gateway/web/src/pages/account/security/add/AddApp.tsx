import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { useBrand } from "../../../../brand";
import { ActionButton } from "@look/ActionButton";
import { CopyId } from "@look/CopyId";
import { DialogBody } from "@look/Dialog";
import { ProblemNotice } from "../../../../components/Notice";
import { QrCode } from "../../../../components/QrCode";
import { Waiting } from "../../../../components/Waiting";
import { addApp, confirmApp } from "../../../../lib/codes";
import { useCodeEntry } from "../../../../proving/useCodeEntry";
import classes from "../Security.module.css";
import type { AddProps } from "./AddDialog";
import { checked, CodeForm } from "./CodeForm";
import { useFinish } from "./useFinish";

const WRONG = "That code did not work. Wait for the app to show the next one, then type that.";

/** "JBSW Y3DP EHPK 3PXP": what people can read to themselves without losing their place. */
export function inFours(secret: string): string {
  return secret.match(/.{1,4}/g)?.join(" ") ?? secret;
}

/** Scan or type the secret, then show with a code that it arrived. */
export function AddApp({ enrolment, onDone }: AddProps) {
  const brand = useBrand();
  const finish = useFinish(enrolment);
  const field = useRef<HTMLInputElement>(null);
  const confirmed = useRef(false);
  // Asked for once per dialog, and forgotten with it: it is a secret.
  const secret = useQuery({
    queryKey: ["app-secret", enrolment.id],
    queryFn: () => addApp(enrolment.sdk),
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
  });
  const entry = useCodeEntry(field, (code) =>
    checked(async () => {
      if (!confirmed.current) await confirmApp(enrolment.sdk, code);
      confirmed.current = true;
      await finish();
      onDone("Your authenticator app is added. We sent you a mail about it.");
    }, WRONG),
  );

  return (
    <DialogBody
      title="Add an authenticator app"
      lead={`Scan this with the app. It then shows six digits for ${brand.name}: type them below.`}
    >
      {secret.data ? (
        <>
          <QrCode content={secret.data.uri} label="QR code for the authenticator app" />
          <div className={classes.secret}>
            <p>Cannot scan it? Type this into the app:</p>
            <CopyId value={inFours(secret.data.secret)} copied={secret.data.secret} what="secret" />
          </div>
          <CodeForm field={field} entry={entry} label="Add the app" />
        </>
      ) : null}
      {secret.error ? (
        <>
          <ProblemNotice error={secret.error} />
          <ActionButton
            fullWidth
            pending={secret.isFetching}
            pendingLabel="Trying again"
            onClick={() => void secret.refetch()}
          >
            Try again
          </ActionButton>
        </>
      ) : null}
      {secret.isPending ? <Waiting label="Making a secret" /> : null}
    </DialogBody>
  );
}
