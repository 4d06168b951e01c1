import { Button, Skeleton } from "@mantine/core";
import { useSlow } from "@look/waiting";
import { IconPlugConnectedX } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { isMissing, isProblem, wordsFor } from "../api/problem";
import { signInUrl } from "../api/gateway";
import classes from "./Loaded.module.css";

interface Source<T> {
  data: T | undefined;
  error: unknown;
  isFetching: boolean;
  refetch: () => unknown;
}

interface LoadedProps<T> {
  query: Source<T>;
  /** What is being loaded: "the alerts". */
  what: string;
  /** What it is called when one thing is asked for: "session". A 404 then says that there is none such. */
  thing?: string;
  /** A list or a part. This service may be older than the console, or may not have this part: a 404 says so, and is no failure. */
  optional?: boolean;
  /** Drawn in place of nothing. */
  empty?: ReactNode;
  isEmpty?: (data: T) => boolean;
  children: (data: T) => ReactNode;
}

/** Draws what was loaded; until then a sketch of it, and otherwise why there is nothing. */
export function Loaded<T>({ query, what, thing, optional = false, empty, isEmpty, children }: LoadedProps<T>) {
  const { data, error, isFetching, refetch } = query;
  const slow = useSlow(data === undefined && !error);
  if (data !== undefined && !(error && isProblem(error, "forbidden", "session_required", "session_expired")))
    return isEmpty?.(data) ? <Empty>{empty}</Empty> : children(data);
  if (error && optional && isMissing(error)) return <NotAvailable what={what} />;
  if (error) return <Failed error={error} thing={thing} retry={() => void refetch()} retrying={isFetching} />;
  if (!slow) return <div className={classes.room} />;
  return (
    <div role="status" aria-label={`Loading ${what}`} className={classes.room}>
      <Skeleton height={14} mt="xs" width="72%" />
      <Skeleton height={14} mt="sm" width="88%" />
      <Skeleton height={14} mt="sm" width="57%" />
    </div>
  );
}

export function Empty({ children }: { children: ReactNode }) {
  return <div className={classes.empty}>{children}</div>;
}

function NotAvailable({ what }: { what: string }) {
  return (
    <div className={classes.empty} role="note">
      <IconPlugConnectedX size={20} stroke={1.6} aria-hidden="true" />
      <p>This audit service does not offer {what}.</p>
    </div>
  );
}

interface FailedProps {
  error: unknown;
  thing?: string | undefined;
  retry: () => void;
  retrying: boolean;
}

/** Why there is nothing to see, and what to do next. */
export function Failed({ error, thing, retry, retrying }: FailedProps) {
  const words = wordsFor(error, thing);
  const isSignedOut = isProblem(error, "session_required", "session_expired", "unauthorized");
  return (
    <div className={classes.failed} role="alert">
      <p className={classes.title}>{words.title}</p>
      <p>{words.text}</p>
      {isSignedOut ? (
        <Button component="a" href={signInUrl()} variant="default">
          Sign in
        </Button>
      ) : (
        <Button variant="default" loading={retrying} onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}
