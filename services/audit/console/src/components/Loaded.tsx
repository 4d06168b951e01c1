import { Button, Skeleton } from "@mantine/core";
import { useSlow } from "@look/waiting";
import { IconPlugConnectedX } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { isMissing, isProblem, wordsFor } from "../api/problem";
import { signInUrl } from "../api/gateway";
import { minuteTime } from "../lib/format";
import { useTicker } from "../lib/ticker";
import classes from "./Loaded.module.css";

/** What a query has to say of itself. */
export interface Source<T> {
  data: T | undefined;
  /** Milliseconds, by this browser's clock. */
  dataUpdatedAt: number;
  error: unknown;
  isFetching: boolean;
  /** The data answer the question before; the answer to this one is on its way. */
  isPlaceholderData: boolean;
  /** The error is about the page behind the last one: whoever draws the way there says so. */
  isFetchNextPageError?: boolean;
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

/**
 * Draws what was loaded; until then a sketch of it, and otherwise why there is nothing.
 *
 * What could not be refreshed says since when. What answers the question before is dimmed, and "nothing" is never said of it.
 */
export function Loaded<T>({ query, what, thing, optional = false, empty, isEmpty, children }: LoadedProps<T>) {
  const { error, isFetching, isPlaceholderData, refetch } = query;
  const isNothing = query.data !== undefined && (isEmpty?.(query.data) ?? false);
  const data = isPlaceholderData && isNothing ? undefined : query.data;
  const slow = useSlow(data === undefined && !error);
  if (data !== undefined && !(error && isProblem(error, "forbidden", "session_required", "session_expired")))
    return (
      <>
        {query.isFetchNextPageError ? null : <NotRefreshed queries={[query]} />}
        <div className={classes.loaded} aria-busy={isPlaceholderData}>
          {isNothing ? <Empty>{empty}</Empty> : children(data)}
        </div>
      </>
    );
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

/** Says since when the oldest of what is shown was not refreshed, where asking again failed. */
export function NotRefreshed({ queries }: { queries: Source<unknown>[] }) {
  const now = useTicker();
  const failed = queries.filter(({ data, error }) => data !== undefined && error);
  if (failed.length === 0) return null;
  const since = Math.min(...failed.map(({ dataUpdatedAt }) => dataUpdatedAt));
  return (
    <p className={classes.stale} role="status">
      Not refreshed since {minuteTime(since, now)}.{" "}
      <Button
        variant="subtle"
        loading={failed.some(({ isFetching }) => isFetching)}
        onClick={() => failed.forEach(({ refetch }) => void refetch())}
      >
        Try again
      </Button>
    </p>
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
