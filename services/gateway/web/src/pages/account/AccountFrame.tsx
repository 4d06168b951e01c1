import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { NavLink, useNavigate } from "react-router";
import { api } from "../../api/client";
import { useIntent } from "../../api/intent";
import { isProblem } from "../../api/problem";
import { forgetPerson, sessionQuery } from "../../api/queries";
import type { Session } from "../../api/types";
import { ActionButton } from "@look/ActionButton";
import { ProblemNotice } from "../../components/Notice";
import { Page } from "../../components/Page";
import { flashState, type Flash } from "../../lib/flash";
import classes from "./Account.module.css";

/** Leaves the session behind: to the sign-in page with a word about why, or to the page that is for those who left. */
export function useLeave(): (why: Flash | "deleted") => Promise<void> {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return async (why) => {
    if (why === "deleted") await navigate("/goodbye", { replace: true });
    else await navigate("/sign-in", { state: flashState(why) });
    queries.removeQueries({ queryKey: sessionQuery.queryKey });
    forgetPerson(queries);
  };
}

function SignOut({ onFailed }: { onFailed: (error: unknown) => void }) {
  const leave = useLeave();
  const intent = useIntent();
  const signOut = useMutation({
    mutationFn: () =>
      intent({}, api.signOut).catch((error: unknown) => {
        // Signed out already, here or elsewhere: that is what was asked for.
        if (!isProblem(error, "session_required", "session_expired")) throw error;
      }),
    onError: onFailed,
    onSuccess: () => leave("signed_out"),
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

interface AccountFrameProps {
  session: Session;
  title: string;
  children: ReactNode;
}

/** What the account's pages share: who is signed in, the way between them, and out. */
export function AccountFrame({ session, title, children }: AccountFrameProps) {
  const [failed, setFailed] = useState<unknown>(null);
  return (
    <Page
      card={false}
      title={title}
      lead={<>Signed in as {session.subject.display_name ?? session.subject.email}</>}
      action={<SignOut onFailed={setFailed} />}
    >
      <nav aria-label="Account" className={classes.tabs}>
        <NavLink to="/account" end>
          Profile
        </NavLink>
        <NavLink to="/account/security">Security</NavLink>
      </nav>
      {failed ? <ProblemNotice error={failed} /> : null}
      {children}
    </Page>
  );
}
