import { Button } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import {
  IconAlertTriangle,
  IconCheck,
  IconKey,
  IconLogin2,
  IconLogout,
  IconUserEdit,
  IconUserMinus,
  IconUserPlus,
  type Icon,
} from "@tabler/icons-react";
import { useState } from "react";
import { activityQuery } from "../../../api/queries";
import type { ActivityItem } from "../../../api/types";
import { CopyId } from "@look/CopyId";
import { Item, Line, Rows } from "../../../components/Rows";
import { TimeText } from "@look/TimeText";
import { wordsOfMethod } from "../../../methods";
import { Loaded, Section } from "../Section";
import classes from "./Security.module.css";

const FEW = 10;
const MANY = 100;

interface Told {
  words: string;
  Icon: Icon;
  isTrouble?: boolean;
}

const TROUBLE = { Icon: IconAlertTriangle, isTrouble: true };

/** What an event of the audit log means to the person whom it is about. */
const TELL: Record<string, (title: string | null) => Told> = {
  "sign_in.succeeded": () => ({ words: "Signed in", Icon: IconLogin2 }),
  "sign_in.failed": () => ({ words: "A sign-in did not work", ...TROUBLE }),
  "sign_in.blocked": () => ({ words: "A sign-in was stopped", ...TROUBLE }),
  "sign_in.under_review": () => ({ words: "A sign-in is looked at first", ...TROUBLE }),
  "sign_in.review.approved": () => ({ words: "A sign-in that waited was approved", Icon: IconCheck }),
  "sign_in.review.rejected": () => ({ words: "A sign-in that waited was stopped", ...TROUBLE }),
  "account.user.created": () => ({ words: "Your account was created", Icon: IconUserPlus }),
  "account.address.verified": () => ({ words: "Your email address was confirmed", Icon: IconCheck }),
  "account.profile.changed": () => ({ words: "Your name was changed", Icon: IconUserEdit }),
  "account.user.deleted": () => ({ words: "Deletion of your account", Icon: IconUserMinus }),
  "authenticator.added": (title) => ({ words: `${title ?? "A way to sign in"} added`, Icon: IconKey }),
  "authenticator.removed": (title) => ({ words: `${title ?? "A way to sign in"} removed`, Icon: IconKey }),
  "authenticator.renamed": (title) => ({ words: `${title ?? "A way to sign in"} renamed`, Icon: IconKey }),
  "session.refresh.reused": () => ({ words: "An app’s sign-in was used twice, so we ended it", ...TROUBLE }),
  "session.ended": () => ({ words: "Signed out", Icon: IconLogout }),
  "session.revoked": () => ({ words: "A device was signed out", Icon: IconLogout }),
  "session.all.revoked": () => ({ words: "Every device was signed out", Icon: IconLogout }),
  "step_up.succeeded": () => ({ words: "You confirmed that it was you", Icon: IconCheck }),
  "step_up.failed": () => ({ words: "A confirmation did not work", ...TROUBLE }),
  "step_up.blocked": () => ({ words: "An action was stopped", ...TROUBLE }),
  "step_up.under_review": () => ({ words: "An action is looked at first", ...TROUBLE }),
  "step_up.review.approved": () => ({ words: "An action that waited was approved", Icon: IconCheck }),
  "step_up.review.rejected": () => ({ words: "An action that waited was stopped", ...TROUBLE }),
  "step_up.consumed": () => ({ words: "What you confirmed was carried out", Icon: IconCheck }),
};

/** What to say about an event; one that is newer than this page goes by its own name. */
export function tell({ type, outcome, method }: ActivityItem): Told {
  const unknown: Told = { words: type.replaceAll(/[._]/g, " "), Icon: IconCheck };
  const told = TELL[type]?.(method ? wordsOfMethod(method).title : null) ?? unknown;
  const isRefused = outcome !== "success" && !told.isTrouble;
  return isRefused ? { words: `${told.words} (refused)`, ...TROUBLE } : told;
}

function Event({ event }: { event: ActivityItem }) {
  const { words, Icon, isTrouble } = tell(event);
  const isAboutMethod = event.type.startsWith("authenticator.");
  const how = event.method && !isAboutMethod ? `With ${wordsOfMethod(event.method).phrase}` : null;
  const where = [how, event.device, event.ip].filter(Boolean).join(" · ");
  return (
    <Item
      icon={
        <span className={classes.mark} data-tone={isTrouble ? "warn" : undefined}>
          <Icon size={21} stroke={1.7} aria-hidden="true" />
        </span>
      }
      title={words}
      isSlight
      actions={<CopyId hidden value={event.receipt} what={`receipt of “${words}”`} />}
    >
      <Line>
        <TimeText time={event.occurred_at} />
      </Line>
      {where ? <Line>{where}</Line> : null}
    </Item>
  );
}

/** What happened lately, out of the audit log itself. */
export function ActivitySection() {
  const [limit, setLimit] = useState(FEW);
  const activity = useQuery({ ...activityQuery(limit), placeholderData: keepPreviousData });
  return (
    <Section
      title="Recent activity"
      lead="Kept in a log that nobody can change unseen. The receipt of each entry proves that it is there."
    >
      <Loaded query={activity} what="your activity">
        {({ events }) =>
          events.length === 0 ? (
            <p className={classes.empty}>Nothing in the last 30 days.</p>
          ) : (
            <>
              <Rows label="Recent activity">
                {events.map((event) => (
                  <Event key={event.id} event={event} />
                ))}
              </Rows>
              {limit === FEW && events.length >= FEW ? (
                <div className={classes.foot}>
                  <Button variant="default" onClick={() => setLimit(MANY)}>
                    Show more
                  </Button>
                </div>
              ) : null}
            </>
          )
        }
      </Loaded>
    </Section>
  );
}
