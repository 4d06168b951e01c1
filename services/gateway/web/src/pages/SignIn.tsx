import { Anchor, TextInput } from "@mantine/core";
import { useRef, useState, type SubmitEvent } from "react";
import { Link } from "react-router";
import { api } from "../api/client";
import { isProblem } from "../api/problem";
import { useBrand } from "../brand";
import { ActionButton } from "../components/ActionButton";
import formClasses from "../components/Form.module.css";
import { Notice, ProblemNotice } from "../components/Notice";
import { Page } from "../components/Page";
import { typedAddress } from "../lib/attempt";
import { device } from "../lib/authsignal";
import { addressMistake } from "../lib/fields";
import { useFlash, type Flash } from "../lib/flash";
import { useStart, useWantedTarget } from "../lib/flow";
import { withTarget } from "../lib/target";

const FLASHES: Record<Flash, { title: string; text?: string }> = {
  signed_out: { title: "You are signed out" },
  session_expired: { title: "You were signed out", text: "Your session came to its end. Sign in again to go on." },
};

function FlashNotice() {
  const flash = useFlash();
  if (!flash) return null;
  const { title, text } = FLASHES[flash];
  return (
    <Notice tone="info" title={title}>
      {text ? <p>{text}</p> : null}
    </Notice>
  );
}

export function SignIn() {
  const brand = useBrand();
  const wanted = useWantedTarget();
  const field = useRef<HTMLInputElement>(null);
  const [address, setAddress] = useState(typedAddress);
  const [mistake, setMistake] = useState<string | null>(null);
  const start = useStart(api.signIn, (body) => body.identifier);
  const refused = isProblem(start.error) ? start.error.fieldMessage("identifier") : undefined;

  function submit(event: SubmitEvent) {
    event.preventDefault();
    const found = addressMistake(address);
    setMistake(found);
    if (found) field.current?.focus();
    else if (!start.isPending) start.mutate({ identifier: address.trim(), ...device() });
  }

  return (
    <Page
      title="Sign in"
      lead={`Enter your e-mail address. ${brand.name} sends you a code, so there is no password to remember.`}
      focus={field}
      aside={
        <>
          New here?{" "}
          <Anchor component={Link} to={withTarget("/sign-up", wanted)}>
            Create an account
          </Anchor>
        </>
      }
    >
      {start.error && !refused ? <ProblemNotice error={start.error} /> : <FlashNotice />}
      <form className={formClasses.form} noValidate onSubmit={submit}>
        <TextInput
          ref={field}
          label="E-mail address"
          name="username"
          type="email"
          inputMode="email"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          value={address}
          error={mistake ?? refused}
          onChange={(event) => {
            setAddress(event.currentTarget.value);
            setMistake(null);
          }}
        />
        <ActionButton type="submit" fullWidth pending={start.isPending} pendingLabel="Sending a code">
          Continue
        </ActionButton>
      </form>
    </Page>
  );
}
