import { useQuery } from "@tanstack/react-query";
import { useEffect, type ReactNode } from "react";
import { Navigate, useLocation } from "react-router";
import { isProblem } from "../api/problem";
import { sessionQuery } from "../api/queries";
import type { Session } from "../api/types";
import { flashState } from "../lib/flash";
import { useWantedTarget } from "../lib/flow";
import { isOurs, safeTarget, withTarget } from "../lib/target";
import { LoadFailed } from "./LoadFailed";
import { Waiting } from "./Waiting";

/** Draws `children` for a signed-in person; sends anyone else to sign in, and remembers where they wanted to go. */
export function RequireSession({ children }: { children: (session: Session) => ReactNode }) {
  const { data, error, refetch, isFetching } = useQuery(sessionQuery);
  const { pathname, search, hash } = useLocation();
  if (isProblem(error, "session_required", "session_expired")) {
    const expired = data !== undefined || error.code === "session_expired";
    const state = expired ? flashState("session_expired") : null;
    return <Navigate to={withTarget("/sign-in", pathname + search + hash)} replace state={state} />;
  }
  if (data) return children(data);
  if (error) return <LoadFailed error={error} retry={() => void refetch()} retrying={isFetching} />;
  return <Waiting label="Opening your account" />;
}

/** Goes on to where the person wanted to be: a page of this app, or one that the gateway serves beside it. */
export function GoOn() {
  const target = safeTarget(useWantedTarget());
  const ours = isOurs(target);
  useEffect(() => {
    if (!ours) window.location.replace(target);
  }, [ours, target]);
  return ours ? <Navigate to={target} replace /> : <Waiting label="Opening" />;
}

/** Draws `children` for a guest. Someone who is signed in already goes on to where they wanted to be. */
export function GuestOnly({ children }: { children: ReactNode }) {
  const { data, isPending, isError } = useQuery(sessionQuery);
  if (isPending) return <Waiting label="Opening" />;
  if (data && !isError) return <GoOn />;
  return children;
}
