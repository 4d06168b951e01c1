import { Button } from "@mantine/core";
import { IconCircleCheck, IconClock, IconHourglassHigh, IconShieldX, type Icon } from "@tabler/icons-react";
import type { StepUp } from "../../api/types";
import { ActionButton } from "@look/ActionButton";
import { CopyId } from "@look/CopyId";
import { Page } from "../../components/Page";
import { secondsUntil, useNow } from "@look/clock";
import { AwaitReview } from "../../proving/AwaitReview";
import { useStepUpProving } from "../../proving/useStepUpProving";
import classes from "./Checkout.module.css";
import { amountOf } from "./order";

interface Told {
  title: string;
  text: string;
  Icon: Icon;
  tone: "good" | "wait" | "bad";
}

/** What came of a payment, as a customer understands it. */
export function told(stepUp: StepUp, now: number): Told {
  const payee = String(stepUp.context.payee);
  const amount = amountOf(stepUp.context);
  switch (stepUp.status) {
    case "allowed":
    case "verified":
    case "consumed":
      return {
        title: "Thank you, that is paid",
        text: `${amount} to ${payee}. This is a demo shop, so no money moved and nothing is sent to you.`,
        Icon: IconCircleCheck,
        tone: "good",
      };
    case "review":
      return {
        title: "We are checking your payment",
        text: `A person looks at it before ${amount} goes to ${payee}. Nothing is charged until then. Leave this page open: it goes on by itself.`,
        Icon: IconHourglassHigh,
        tone: "wait",
      };
    case "blocked":
      return {
        title: "We stopped this payment",
        text: `Nothing was charged. Our safety rules do not allow ${amount} to ${payee} from here. If it was you, ask us for help.`,
        Icon: IconShieldX,
        tone: "bad",
      };
    case "challenge_required":
      if (secondsUntil(stepUp.expires_at, now) > 0) {
        return {
          title: "Your payment waits for you",
          text: `Confirm that you want to pay ${amount} to ${payee}.`,
          Icon: IconClock,
          tone: "wait",
        };
      }
  }
  return {
    title: "The payment was not confirmed",
    text: `Nothing was charged. You can try to pay ${amount} to ${payee} again.`,
    Icon: IconClock,
    tone: "bad",
  };
}

/** For people who build shops: what the shop's server spends, once, to carry the payment out. */
function Grant({ grant }: { grant: string }) {
  return (
    <details className={classes.grant}>
      <summary>For developers: the grant</summary>
      <p>
        Signed by the gateway, bound to this person, amount and payee, and good for one use within two minutes. The
        shop’s own server spends it; a browser cannot.
      </p>
      <CopyId value={`${grant.slice(0, 24)}…`} copied={grant} what="grant" />
    </details>
  );
}

function UnderReview({ stepUp }: { stepUp: StepUp }) {
  return <AwaitReview proving={useStepUpProving(stepUp)} />;
}

interface OutcomeProps {
  stepUp: StepUp;
  confirming: boolean;
  onConfirm: () => void;
  onLeave: () => void;
}

/** How a payment stands, and what can be done now. */
export function Outcome({ stepUp, confirming, onConfirm, onLeave }: OutcomeProps) {
  const { title, text, Icon, tone } = told(stepUp, useNow(1000));
  const isOpen = stepUp.status === "challenge_required" && tone === "wait";
  return (
    // A new key for a new outcome: the page is announced, and the focus moves, as for any other.
    <Page
      key={title}
      title={title}
      lead={text}
      mark={
        <div className={classes.picture} data-tone={tone}>
          <Icon size={32} stroke={1.6} aria-hidden="true" />
        </div>
      }
    >
      {stepUp.status === "review" ? <UnderReview stepUp={stepUp} /> : null}
      {stepUp.grant ? <Grant grant={stepUp.grant} /> : null}
      <div className={classes.buttons}>
        {isOpen ? (
          <ActionButton fullWidth pending={confirming} pendingLabel="Confirming" onClick={onConfirm}>
            Confirm the payment
          </ActionButton>
        ) : null}
        <Button fullWidth variant="default" onClick={onLeave}>
          {tone === "good" ? "Back to the shop" : "Back to the order"}
        </Button>
      </div>
    </Page>
  );
}
