import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconCheck } from "@tabler/icons-react";
import { Link } from "react-router";
import { meQuery } from "../../api/queries";
import type { Profile, Session } from "../../api/types";
import { useConfig } from "../../brand";
import { CopyId } from "@look/CopyId";
import { RequireSession } from "../../components/Guards";
import { TimeText } from "@look/TimeText";
import { phrasesOf } from "../../methods";
import classes from "./Account.module.css";
import { AccountFrame } from "./AccountFrame";
import { NameRow } from "./NameRow";
import { Row } from "./Row";
import { Loaded, Section } from "./Section";

function ProfileFacts({ profile }: { profile: Profile }) {
  return (
    <dl className={classes.list}>
      <NameRow name={profile.display_name} />
      <Row label="E-mail address">
        {profile.email}{" "}
        {profile.email_verified ? (
          <span className={classes.good}>
            <IconCheck size={16} stroke={2} aria-hidden="true" />
            Confirmed
          </span>
        ) : null}
      </Row>
      {profile.created_at ? (
        <Row label="Member since">
          <TimeText time={profile.created_at} />
        </Row>
      ) : null}
      <Row label="Account id">
        <CopyId value={profile.sub} what="account id" />
      </Row>
    </dl>
  );
}

function ProfileSection() {
  const profile = useQuery(meQuery);
  return (
    <Section title="Profile">
      <Loaded query={profile} what="your profile">
        {(data) => <ProfileFacts profile={data} />}
      </Loaded>
    </Section>
  );
}

function SessionSection({ session }: { session: Session }) {
  return (
    <Section title="This session">
      <dl className={classes.list}>
        <Row label="Signed in">
          <TimeText time={session.authenticated_at} />
          <span className={classes.note}>With {phrasesOf(session.methods)}</span>
        </Row>
        <Row label="Ends">
          <TimeText time={session.expires_at} />
        </Row>
        <Row label="Ends if unused">
          <TimeText time={session.idle_expires_at} />
        </Row>
        <Row label="Session id">
          <CopyId value={session.id} what="session id" />
        </Row>
      </dl>
    </Section>
  );
}

/** Where it is switched on: the shop in which a payment needs a confirmation. */
function DemoLink() {
  if (!useConfig().features.demo_checkout) return null;
  return (
    <p className={classes.footnote}>
      To try a payment that needs your confirmation:{" "}
      <Anchor component={Link} to="/checkout">
        open the demo checkout
      </Anchor>
    </p>
  );
}

/** Who is signed in, since when and how. */
export function Account() {
  return (
    <RequireSession>
      {(session) => (
        <AccountFrame session={session} title="Your account">
          <ProfileSection />
          <SessionSection session={session} />
          <DemoLink />
        </AccountFrame>
      )}
    </RequireSession>
  );
}
