import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import type { Attempt } from "../../api/types";
import { Page } from "../../components/Page";
import { forgetAttempt } from "../../lib/attempt";
import { useWantedTarget } from "../../lib/flow";
import { withTarget } from "../../lib/target";
import type { Words } from "../../words";

/**
 * Ways in which an attempt can end without a session, or stand still: `reviewing` may go on yet. `missing`: the gateway does not
 * know it (any more).
 */
export type Ending = "failed" | "declined" | "expired" | "review" | "reviewing" | "blocked" | "missing";

const ENDINGS: Record<Ending, Words> = {
  failed: {
    title: "No tries left",
    text: "The code was wrong too often, so we stopped. Start again to get a new one.",
  },
  declined: {
    title: "It was turned down on the phone",
    text: "Was that you? Then start again. If somebody else asks for your approval, never give it.",
  },
  expired: {
    title: "This took too long",
    text: "For your safety, a code works for a short time only. Start again to get a new one.",
  },
  review: {
    title: "We want to take a look first",
    text: "Your address is right, but our safety rules do not let you in yet. Try again later, or ask for help from the people who run this site.",
  },
  reviewing: {
    title: "We want to take a look first",
    text: "A person checks this before you can go on. Leave this page open: it goes on by itself.",
  },
  blocked: {
    title: "This was stopped",
    text: "Our safety rules do not allow this from here. If it was you, ask for help from the people who run this site.",
  },
  missing: {
    title: "There is nothing to confirm",
    text: "It was finished or given up already, or it was begun in another tab. Start again here.",
  },
};

interface EndedProps {
  ending: Ending;
  kind: Attempt["kind"];
  children?: ReactNode;
}

export function Ended({ ending, kind, children }: EndedProps) {
  const wanted = useWantedTarget();
  const { title, text } = ENDINGS[ending];
  const start = withTarget(kind === "sign_up" ? "/sign-up" : "/sign-in", wanted);
  const another =
    ending === "blocked" || ending === "review" || ending === "reviewing" ? "Back to the start" : "Start again";
  return (
    <Page title={title} lead={text}>
      {children}
      <Button
        component={Link}
        to={start}
        fullWidth
        variant={ending === "reviewing" ? "default" : "filled"}
        onClick={forgetAttempt}
      >
        {another}
      </Button>
    </Page>
  );
}
