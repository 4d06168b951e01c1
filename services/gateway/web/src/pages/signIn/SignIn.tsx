import { Anchor, TextInput } from "@mantine/core";
import { IconFingerprint } from "@tabler/icons-react";
import { useRef, useState, type SubmitEvent } from "react";
import { Link } from "react-router";
import { api } from "../../api/client";
import { isProblem } from "../../api/problem";
import { useBrand, useConfig } from "../../brand";
import { ActionButton } from "@look/ActionButton";
import { Dialog, DialogBody } from "@look/Dialog";
import formClasses from "../../components/Form.module.css";
import { Notice, ProblemNotice, SdkNotice } from "../../components/Notice";
import { Page } from "../../components/Page";
import { TextButton } from "../../components/TextButton";
import { WayButton, WayList } from "../../components/Ways";
import { typedAddress } from "../../lib/attempt";
import { device } from "../../lib/authsignal";
import { addressMistake } from "../../lib/fields";
import { useFlash, type Flash } from "../../lib/flash";
import { useStart, useWantedTarget } from "../../lib/flow";
import { withTarget } from "../../lib/target";
import { usualWay } from "../../lib/way";
import { canSign } from "../../lib/webauthn";
import { METHODS, SIGNED_METHODS, wordsOfMethod } from "../../methods";
import classes from "./SignIn.module.css";
import { usePasskey } from "./usePasskey";

const FLASHES: Record<Flash, { title: string; text?: string }> = {
  signed_out: { title: "You are signed out" },
  signed_out_everywhere: { title: "You are signed out", text: "Here and on every other device." },
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

/** The passkey's part: a line between, and one button. */
function PasskeyButton({ passkey }: { passkey: ReturnType<typeof usePasskey> }) {
  if (!passkey.isOffered) return null;
  return (
    <>
      <p className={classes.or}>or</p>
      <ActionButton
        variant="default"
        fullWidth
        leftSection={<IconFingerprint size={20} stroke={1.7} aria-hidden="true" />}
        pending={passkey.pending}
        pendingLabel="Waiting for your browser"
        onClick={passkey.press}
      >
        Sign in with a passkey
      </ActionButton>
    </>
  );
}

interface OtherWaysDialogProps {
  ways: string[];
  onChoose: (method: string) => void;
  onClose: () => void;
}

/** Every way that this deployment has: whose account has which, nobody is told at the door. */
function OtherWaysDialog({ ways, onChoose, onClose }: OtherWaysDialogProps) {
  return (
    <Dialog onClose={onClose} isLight>
      <DialogBody title="Other ways to sign in" lead="Choose one that you have set up for your account.">
        <WayList label="Ways to sign in">
          {ways.map((method) => {
            const { Icon, choice, hint } = wordsOfMethod(method);
            return <WayButton key={method} Icon={Icon} title={choice} hint={hint} onPress={() => onChoose(method)} />;
          })}
        </WayList>
      </DialogBody>
    </Dialog>
  );
}

function Trouble({ start, passkey }: { start: Error | null; passkey: Error | null }) {
  if (start) return <ProblemNotice error={start} />;
  return passkey ? <SdkNotice error={passkey} /> : <FlashNotice />;
}

export function SignIn() {
  const brand = useBrand();
  const { methods } = useConfig();
  const wanted = useWantedTarget();
  const field = useRef<HTMLInputElement>(null);
  const [address, setAddress] = useState(typedAddress);
  const [mistake, setMistake] = useState<string | null>(null);
  const [way, setWay] = useState(() => usualWay(methods));
  const [choosing, setChoosing] = useState(false);
  const ways = Object.keys(METHODS).filter(
    (method) => methods.includes(method) && (canSign() || !SIGNED_METHODS.includes(method)),
  );
  const start = useStart(api.signIn, (body) => body.identifier);
  const passkey = usePasskey();
  const refused = isProblem(start.error) ? start.error.fieldMessage("identifier") : undefined;

  function go(method: string | null) {
    const found = addressMistake(address);
    setMistake(found);
    if (found) field.current?.focus();
    else if (!start.isPending) start.mutate({ identifier: address.trim(), ...(method ? { method } : {}), ...device() });
  }

  /** With the address there already, choosing is enough; else it is the next thing to type. */
  function choose(method: string) {
    setWay(method);
    setChoosing(false);
    // After the dialog has given the focus back to the button that opened it.
    if (address.trim() === "") setTimeout(() => field.current?.focus());
    else go(method);
  }

  return (
    <Page
      title="Sign in"
      lead={
        way
          ? `Enter your e-mail address, then go on with ${wordsOfMethod(way).phrase}.`
          : `Enter your e-mail address. ${brand.name} sends you a code, so there is no password to remember.`
      }
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
      <Trouble start={refused ? null : start.error} passkey={passkey.error} />
      <form
        className={formClasses.form}
        noValidate
        onSubmit={(event: SubmitEvent) => {
          event.preventDefault();
          go(way);
        }}
      >
        <TextInput
          ref={field}
          label="E-mail address"
          name="username"
          type="email"
          inputMode="email"
          // The browser offers passkeys here too, beside addresses.
          autoComplete="username webauthn"
          autoCapitalize="none"
          spellCheck={false}
          value={address}
          error={mistake ?? refused}
          onChange={(event) => {
            setAddress(event.currentTarget.value);
            setMistake(null);
          }}
        />
        <ActionButton
          type="submit"
          fullWidth
          pending={start.isPending}
          pendingLabel={way ? "One moment" : "Sending a code"}
        >
          Continue
        </ActionButton>
      </form>
      <PasskeyButton passkey={passkey} />
      {ways.length > 1 ? (
        <p className={classes.other}>
          <TextButton onClick={() => setChoosing(true)}>Other ways to sign in</TextButton>
        </p>
      ) : null}
      {choosing ? <OtherWaysDialog ways={ways} onChoose={choose} onClose={() => setChoosing(false)} /> : null}
    </Page>
  );
}
