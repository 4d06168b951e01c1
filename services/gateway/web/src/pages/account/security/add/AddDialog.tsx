import { useMutation } from "@tanstack/react-query";
import { useState, type ComponentType } from "react";
import { api } from "../../../../api/client";
import { useIntent } from "../../../../api/intent";
import type { Enrolment, Session } from "../../../../api/types";
import { useConfig } from "../../../../brand";
import { Dialog, DialogBody } from "@look/Dialog";
import { ProblemNotice } from "../../../../components/Notice";
import { WayButton, WayList } from "../../../../components/Ways";
import { Declined } from "../../../../lib/confirmed";
import { canSign } from "../../../../lib/webauthn";
import { METHODS, SIGNED_METHODS, wordsOfMethod } from "../../../../methods";
import { useConfirmed } from "../../../../proving/useConfirmed";
import { AddApp } from "./AddApp";
import { AddLink } from "./AddLink";
import { AddMail } from "./AddMail";
import { AddNumber } from "./AddNumber";
import { AddPasskey } from "./AddPasskey";
import { AddPhone } from "./AddPhone";
import { AddSecurityKey } from "./AddSecurityKey";

export interface AddProps {
  enrolment: Enrolment;
  session: Session;
  /** It was added; the words say what. */
  onDone: (words: string) => void;
}

const FLOWS: Record<string, ComponentType<AddProps>> = {
  PASSKEY: AddPasskey,
  SECURITY_KEY: AddSecurityKey,
  PUSH: AddPhone,
  AUTHENTICATOR_APP: AddApp,
  EMAIL_OTP: AddMail,
  EMAIL_MAGIC_LINK: AddLink,
  SMS: AddNumber,
};

/** Of these one can have many; of the rest, one. */
const MANY = ["PASSKEY", "SECURITY_KEY"];

const HINTS: Record<string, string> = {
  PASSKEY: "The easiest and the safest way",
  SECURITY_KEY: "You plug it in, or hold it near",
  PUSH: "You answer a request in the app",
  AUTHENTICATOR_APP: "A new code every 30 seconds",
  EMAIL_OTP: "Six digits to type",
  EMAIL_MAGIC_LINK: "Instead of a code to type",
  SMS: "To any phone, with your usual rates",
};

interface AddDialogProps {
  session: Session;
  /** The methods that the person has already. */
  present: string[];
  onClose: () => void;
  onDone: (words: string) => void;
}

/** Adds a way to sign in: choose which, confirm that it is you if that is long ago, set it up. */
export function AddDialog({ session, present, onClose, onDone }: AddDialogProps) {
  const { methods } = useConfig();
  const confirmed = useConfirmed();
  const intent = useIntent();
  const [enrolment, setEnrolment] = useState<Enrolment | null>(null);
  const begin = useMutation({
    mutationFn: (type: string) => confirmed(() => intent({ type }, (key) => api.enrol(type, key))),
    onSuccess: setEnrolment,
  });
  const Flow = enrolment ? FLOWS[enrolment.type] : undefined;
  const offered = Object.keys(METHODS).filter(
    (method) =>
      method in FLOWS &&
      methods.includes(method) &&
      (MANY.includes(method) || !present.includes(method)) &&
      (canSign() || !SIGNED_METHODS.includes(method)),
  );

  return (
    <Dialog onClose={onClose} isLight={!enrolment}>
      {enrolment && Flow ? (
        <Flow enrolment={enrolment} session={session} onDone={onDone} />
      ) : (
        <DialogBody title="Add a way to sign in" lead="What would you like to use?">
          {begin.error && !(begin.error instanceof Declined) ? <ProblemNotice error={begin.error} /> : null}
          <WayList label="What you can add">
            {offered.map((method) => (
              <WayButton
                key={method}
                Icon={wordsOfMethod(method).Icon}
                title={wordsOfMethod(method).title}
                hint={HINTS[method] ?? ""}
                pending={begin.isPending && begin.variables === method}
                onPress={() => {
                  if (!begin.isPending) begin.mutate(method);
                }}
              />
            ))}
          </WayList>
        </DialogBody>
      )}
    </Dialog>
  );
}
