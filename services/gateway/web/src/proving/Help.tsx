import { Anchor } from "@mantine/core";
import { Link, useLocation } from "react-router";
import { useConfig } from "../../brand";
import type { Attempt } from "../../api/types";
import { useWantedTarget } from "../../lib/flow";
import { withTarget } from "../../lib/target";
import classes from "./Verify.module.css";

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

/** Goes back to the form, with the address still in it. */
function ChangeAddress({ onChange }: { onChange: () => void }) {
  return (
    <button type="button" className={classes.linkButton} onClick={onChange}>
      Use another address
    </button>
  );
}

interface HelpProps {
  attempt: Attempt;
  onChangeAddress: () => void;
}

/** What to try when no code comes. The same for every address: it must not tell who has an account. */
export function Help({ attempt, onChangeAddress }: HelpProps) {
  const config = useConfig();
  const wanted = useWantedTarget();
  const { inBrowser, to } = useViaLink();
  return (
    <details className={classes.help}>
      <summary>Did not get it?</summary>
      <ul>
        <li>Give it a minute, and look in your spam folder.</li>
        <li>Sent more than one? Only the newest code works.</li>
        <li>
          Is there a slip in the address? <ChangeAddress onChange={onChangeAddress} />
        </li>
        {attempt.kind === "sign_in" ? (
          <li>
            No account with this address yet?{" "}
            <Anchor component={Link} to={withTarget("/sign-up", wanted)}>
              Create an account
            </Anchor>
          </li>
        ) : null}
        {config.features.sdk_sign_in && attempt.sdk ? (
          <li>
            <Anchor component={Link} to={to} replace>
              {inBrowser ? "Use the code that we sent" : "Verify in this browser"}
            </Anchor>
          </li>
        ) : null}
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
