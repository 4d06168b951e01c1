import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { Loaded } from "./Loaded";
import classes from "./Loaded.module.css";

interface ListProps<T> {
  query: {
    data: T[] | undefined;
    error: unknown;
    isFetching: boolean;
    refetch: () => unknown;
    hasNextPage: boolean;
    isFetchingNextPage: boolean;
    fetchNextPage: () => unknown;
  };
  /** What is being loaded: "the alerts". */
  what: string;
  /** Drawn in place of nothing. */
  empty: ReactNode;
  children: (rows: T[]) => ReactNode;
}

/** Draws a list of the service's, and the way to what lies behind it. A service that lacks the part says so. */
export function List<T>({ query, what, empty, children }: ListProps<T>) {
  return (
    <Loaded query={query} what={what} optional isEmpty={(rows) => rows.length === 0} empty={empty}>
      {(rows) => (
        <>
          {children(rows)}
          {query.hasNextPage ? (
            <div className={classes.more}>
              <Button variant="subtle" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                Show more
              </Button>
            </div>
          ) : null}
        </>
      )}
    </Loaded>
  );
}
