import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { wordsFor } from "../api/problem";
import { Loaded, type Source } from "./Loaded";
import classes from "./Loaded.module.css";

/** What a query that goes on page by page says of the next one. */
export interface Pages {
  error: unknown;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  isFetchNextPageError: boolean;
  fetchNextPage: () => unknown;
}

interface ListProps<T> {
  query: Source<T[]> & Pages;
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
          {query.hasNextPage && !query.isPlaceholderData ? (
            <div className={classes.more}>
              <NextPage pages={query}>Show more</NextPage>
            </div>
          ) : null}
        </>
      )}
    </Loaded>
  );
}

/** The button to the page behind the last one, and why it did not come. */
export function NextPage({ pages, children }: { pages: Pages; children: ReactNode }) {
  return (
    <div>
      {pages.isFetchNextPageError ? <span role="alert">{wordsFor(pages.error).title}. </span> : null}
      <Button variant="subtle" loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
        {children}
      </Button>
    </div>
  );
}
