import { Skeleton, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { IconCheck } from "@tabler/icons-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { api } from "../../api/client";
import { useIntent } from "../../api/intent";
import { isProblem } from "../../api/problem";
import { meQuery, sessionQuery } from "../../api/queries";
import type { Profile, Session } from "../../api/types";
import { ActionButton } from "../../components/ActionButton";
import { CopyId } from "../../components/CopyId";
import { RequireSession } from "../../components/Guards";
import { ProblemNotice } from "../../components/Notice";
import { Page } from "../../components/Page";
import { TimeText } from "../../components/TimeText";
import { useSlow } from "../../lib/waiting";
import { flashState } from "../../lib/flash";
import { methodName } from "../../words";
import classes from "./Account.module.css";
import { NameRow } from "./NameRow";
import { Row } from "./Row";

function SignOut({ onFailed }: { onFailed: (error: unknown) => void }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const intent = useIntent();
  const signOut = useMutation({
    mutationFn: () =>
      intent({}, api.signOut).catch((error: unknown) => {
        // Signed out already, here or elsewhere: that is what was asked for.
        if (!isProblem(error, "session_required", "session_expired")) throw error;
      }),
    onError: onFailed,
    onSuccess: async () => {
      await navigate("/sign-in", { state: flashState("signed_out") });
      queries.removeQueries({ queryKey: sessionQuery.queryKey });
      queries.removeQueries({ queryKey: meQuery.queryKey });
    },
  });
  return (
    <ActionButton
      variant="default"
      pending={signOut.isPending}
      pendingLabel="Signing out"
      onClick={() => signOut.mutate()}
    >
      Sign out
    </ActionButton>
  );
}

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
  const { data, error, isPending, isFetching, refetch } = useQuery(meQuery);
  const slow = useSlow(isPending);
  return (
    <section className={classes.section} aria-labelledby="profile">
      <Title order={2} id="profile" className={classes.sectionTitle}>
        Profile
      </Title>
      {data ? <ProfileFacts profile={data} /> : null}
      {!data && error ? (
        <>
          <ProblemNotice error={error} />
          <ActionButton
            variant="default"
            pending={isFetching}
            pendingLabel="Trying again"
            onClick={() => void refetch()}
          >
            Try again
          </ActionButton>
        </>
      ) : null}
      {slow ? (
        <div role="status" aria-label="Loading your profile">
          <Skeleton height={18} mt="md" width="70%" />
          <Skeleton height={18} mt="lg" width="85%" />
          <Skeleton height={18} mt="lg" width="55%" />
        </div>
      ) : null}
    </section>
  );
}

function SessionSection({ session }: { session: Session }) {
  return (
    <section className={classes.section} aria-labelledby="session">
      <Title order={2} id="session" className={classes.sectionTitle}>
        This session
      </Title>
      <dl className={classes.list}>
        <Row label="Signed in">
          <TimeText time={session.authenticated_at} />
          <span className={classes.note}>With {session.methods.map(methodName).join(" and ")}</span>
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
    </section>
  );
}

function SignedIn({ session }: { session: Session }) {
  const [failed, setFailed] = useState<unknown>(null);
  return (
    <Page
      card={false}
      title="Your account"
      lead={<>Signed in as {session.subject.display_name ?? session.subject.email}</>}
      action={<SignOut onFailed={setFailed} />}
    >
      {failed ? <ProblemNotice error={failed} /> : null}
      <ProfileSection />
      <SessionSection session={session} />
    </Page>
  );
}

/** Who is signed in, since when and how. */
export function Account() {
  return <RequireSession>{(session) => <SignedIn session={session} />}</RequireSession>;
}
