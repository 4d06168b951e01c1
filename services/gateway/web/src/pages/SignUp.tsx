import { Anchor, TextInput } from "@mantine/core";
import { useRef, useState, type SubmitEvent } from "react";
import { Link } from "react-router";
import { api } from "../api/client";
import { isProblem } from "../api/problem";
import { useBrand } from "../brand";
import { ActionButton } from "@look/ActionButton";
import { ErrorSummary, type FieldMistake } from "../components/ErrorSummary";
import formClasses from "../components/Form.module.css";
import { ProblemNotice } from "../components/Notice";
import { Page } from "../components/Page";
import { typedAddress } from "../lib/attempt";
import { device } from "../lib/authsignal";
import { addressMistake, nameMistake } from "../lib/fields";
import { useStart, useWantedTarget } from "../lib/flow";
import { withTarget } from "../lib/target";

const EMAIL_ID = "sign-up-email";
const NAME_ID = "sign-up-name";

function mistakesIn(email: string, name: string): FieldMistake[] {
  const found = [
    { inputId: EMAIL_ID, message: addressMistake(email) },
    { inputId: NAME_ID, message: nameMistake(name) },
  ];
  return found.filter((mistake): mistake is FieldMistake => mistake.message !== null);
}

/** The gateway's own findings, in the same form as ours. */
function refusedFields(error: unknown): FieldMistake[] {
  if (!isProblem(error)) return [];
  const found = [
    { inputId: EMAIL_ID, message: error.fieldMessage("email") },
    { inputId: NAME_ID, message: error.fieldMessage("display_name") },
  ];
  return found.filter((mistake): mistake is FieldMistake => mistake.message !== undefined);
}

export function SignUp() {
  const brand = useBrand();
  const wanted = useWantedTarget();
  const emailField = useRef<HTMLInputElement>(null);
  const [email, setEmail] = useState(typedAddress);
  const [name, setName] = useState("");
  const [own, setOwn] = useState<FieldMistake[]>([]);
  const start = useStart(api.signUp, (body) => body.email);
  const refused = refusedFields(start.error);
  const mistakes = own.length > 0 ? own : refused;
  const mistakeAt = (id: string) => mistakes.find((mistake) => mistake.inputId === id)?.message;

  function submit(event: SubmitEvent) {
    event.preventDefault();
    const found = mistakesIn(email, name);
    setOwn(found);
    if (found.length > 0 || start.isPending) return;
    const chosen = name.trim();
    start.mutate({ email: email.trim(), ...(chosen ? { display_name: chosen } : {}), ...device() });
  }

  return (
    <Page
      title="Create an account"
      lead={`${brand.name} sends a code to your address, to see that it is yours. There is no password to choose.`}
      focus={emailField}
      aside={
        <>
          Have an account?{" "}
          <Anchor component={Link} to={withTarget("/sign-in", wanted)}>
            Sign in
          </Anchor>
        </>
      }
    >
      <ErrorSummary mistakes={mistakes} />
      {start.error && refused.length === 0 ? <ProblemNotice error={start.error} /> : null}
      <form className={formClasses.form} noValidate onSubmit={submit}>
        <TextInput
          ref={emailField}
          id={EMAIL_ID}
          label="E-mail address"
          name="email"
          type="email"
          inputMode="email"
          autoComplete="email"
          autoCapitalize="none"
          spellCheck={false}
          value={email}
          error={mistakeAt(EMAIL_ID)}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <TextInput
          id={NAME_ID}
          label="Your name (optional)"
          description="Shown on your account page. Change it at any time."
          name="name"
          autoComplete="name"
          value={name}
          error={mistakeAt(NAME_ID)}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <ActionButton type="submit" fullWidth pending={start.isPending} pendingLabel="Sending a code">
          Continue
        </ActionButton>
      </form>
    </Page>
  );
}
