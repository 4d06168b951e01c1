import { useMutation } from "@tanstack/react-query";
import { isProblem } from "../api/problem";
import { Frame } from "../components/Frame";
import { Notice, ProblemNotice } from "../components/Notice";
import { TextButton } from "../components/TextButton";
import { WayButton, WayList } from "../components/Ways";
import { minutesAndSeconds, secondsUntil, useNow } from "@look/clock";
import { canSign } from "../lib/webauthn";
import { METHODS, SIGNED_METHODS, wordsOfMethod } from "../methods";
import type { Challenge, Proving } from "./model";
import classes from "./Proving.module.css";

/** Where it arrives: a code and a link by e-mail go to the same mailbox. */
function channelOf(method: string | null): string | null {
  return method?.startsWith("EMAIL_") ? "email" : method;
}

/** The ways that this page and this browser can go, in the order of our own list: the surest first. */
function waysOf({ methods }: Challenge): string[] {
  return Object.keys(METHODS).filter(
    (method) => methods.includes(method) && (canSign() || !SIGNED_METHODS.includes(method)),
  );
}

/** Whether there is any other way than the one under way. */
export function hasOtherWays(challenge: Challenge): boolean {
  return waysOf(challenge).some((method) => method !== challenge.method);
}

interface ChooserProps {
  proving: Proving;
  /** Back to the way that is under way, if one is. */
  onDone: () => void;
}

/** How to prove it: one press each. */
export function Chooser({ proving, onDone }: ChooserProps) {
  const { challenge } = proving;
  const choose = useMutation({
    mutationFn: (method: string) => proving.send(method),
    onSuccess: onDone,
    // Of another channel's cool-down only the notice says how long; what is under way knows its own.
    onError: (error) => isProblem(error) && error.body.resend_at === undefined && proving.refused(error),
  });
  const now = useNow(500);
  // One message at a time and channel: another may be sent when the gateway has cooled down from the last.
  const coolsFor = challenge.method && challenge.resend_at ? secondsUntil(challenge.resend_at, now - 1000) : 0;
  const ways = waysOf(challenge);

  function press(method: string) {
    if (method === challenge.method) onDone();
    else if (!choose.isPending) choose.mutate(method);
  }

  return (
    <Frame title="Choose another way" lead="Use one that you have set up for your account.">
      {choose.error ? <ProblemNotice error={choose.error} /> : null}
      {ways.length === 0 ? (
        <Notice tone="warn" title="This browser cannot ask for your proof">
          <p>Reload the page. If that does not help, sign in from another browser or device.</p>
        </Notice>
      ) : null}
      <WayList label="Ways to show that it is you">
        {ways.map((method) => {
          const { choice, hint, Icon } = wordsOfMethod(method);
          const waits =
            coolsFor > 0 && method !== challenge.method && channelOf(method) === channelOf(challenge.method);
          return (
            <WayButton
              key={method}
              Icon={Icon}
              title={method === challenge.method ? `${wordsOfMethod(method).title}: go on` : choice}
              hint={waits ? `Possible in ${minutesAndSeconds(coolsFor)}` : hint}
              waits={waits}
              pending={choose.isPending && choose.variables === method}
              onPress={() => press(method)}
            />
          );
        })}
      </WayList>
      {challenge.method ? (
        <p className={classes.other}>
          <TextButton onClick={onDone}>Back</TextButton>
        </p>
      ) : null}
    </Frame>
  );
}
