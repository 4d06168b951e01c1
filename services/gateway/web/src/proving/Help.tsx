import { Anchor } from "@mantine/core";
import { Link, useLocation } from "react-router";
import { useConfig } from "../brand";
import { TextButton } from "../components/TextButton";
import { useWantedTarget } from "../lib/flow";
import { withTarget } from "../lib/target";
import type { Proving } from "./model";
import classes from "./Proving.module.css";

/** The same page, with or without `?via=sdk`. */
function useViaLink(): { inBrowser: boolean; to: string } {
  const { pathname, search } = useLocation();
  const query = new URLSearchParams(search);
  const inBrowser = query.get("via") === "sdk";
  if (inBrowser) query.delete("via");
  else query.set("via", "sdk");
  const text = query.toString();
  return { inBrowser, to: text ? `${pathname}?${text}` : pathname };
}

/** Sign-in with the Web SDK alone, where the deployment offers it. */
function ViaLine({ proving }: { proving: Proving }) {
  const config = useConfig();
  const { inBrowser, to } = useViaLink();
  const { challenge, purpose } = proving;
  if (!config.features.sdk_sign_in || !challenge.sdk || purpose === "step_up" || challenge.method !== "EMAIL_OTP")
    return null;
  return (
    <li>
      <Anchor component={Link} to={to} replace>
        {inBrowser ? "Use the code that we sent" : "Verify in this browser"}
      </Anchor>
    </li>
  );
}

/** What to try when nothing comes. The same for every address: it must not tell who has an account. */
export function Help({ proving }: { proving: Proving }) {
  const wanted = useWantedTarget();
  const { challenge, purpose, onChangeAddress } = proving;
  const isMail = challenge.delivery?.channel === "email";
  const what = challenge.method === "EMAIL_MAGIC_LINK" ? "link" : "code";
  return (
    <details className={classes.help}>
      <summary>Did not get it?</summary>
      <ul>
        <li>Give it a minute{isMail ? ", and look in your spam folder" : ""}.</li>
        <li>Sent more than one? Only the newest {what} works.</li>
        {onChangeAddress ? (
          <li>
            Is there a slip in the address? <TextButton onClick={onChangeAddress}>Use another address</TextButton>
          </li>
        ) : null}
        {purpose === "sign_in" ? (
          <li>
            No account with this address yet?{" "}
            <Anchor component={Link} to={withTarget("/sign-up", wanted)}>
              Create an account
            </Anchor>
          </li>
        ) : null}
        <ViaLine proving={proving} />
      </ul>
    </details>
  );
}

/** For development only, when the gateway says where its mail ends up. */
export function InboxLink() {
  const { dev_inbox_url: inbox } = useConfig();
  if (!inbox) return null;
  return (
    <>
      Local stack:{" "}
      <Anchor href={inbox} target="_blank" rel="noreferrer">
        open the mail inbox
      </Anchor>
    </>
  );
}

/** For development only: where the simulator lets a person play the phone. */
export function PhoneLink() {
  const { dev_inbox_url: inbox, authsignal } = useConfig();
  if (!inbox) return null;
  return (
    <>
      Local stack:{" "}
      <Anchor href={`${new URL(authsignal.base_url).origin}/control/ui`} target="_blank" rel="noreferrer">
        play the phone
      </Anchor>
    </>
  );
}
