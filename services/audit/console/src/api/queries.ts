import {
  infiniteQueryOptions,
  keepPreviousData,
  QueryClient,
  queryOptions,
  type QueryKey,
} from "@tanstack/react-query";
import { serverNow } from "@look/clock";
import { SPANS, type Span } from "../lib/filters";
import { api, type Asking, type Listed, type Query } from "./client";
import { isProblem } from "./problem";
import type { Bucket, Group, TopField } from "./types";

const PAGE_ROWS = 100;

/** Reads are tried again only when that can help; a refusal is an answer. */
function retryRead(failures: number, error: unknown): boolean {
  return failures < 2 && isProblem(error) && (error.status === 0 || error.status >= 502);
}

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        networkMode: "always",
        retry: retryRead,
        retryDelay: (n) => 400 * 2 ** n,
        staleTime: 5_000,
        refetchOnWindowFocus: false,
      },
      mutations: { networkMode: "always", retry: false },
    },
  });
}

/** A list of the service's, page by page; its data are the rows of all pages that were read. */
function listQuery<Name extends string, T>(
  queryKey: QueryKey,
  name: Name,
  read: (query: Query, asking: Asking) => Promise<Listed & Record<Name, T[]>>,
) {
  return infiniteQueryOptions({
    queryKey,
    queryFn: ({ pageParam, meta }) => read(pageParam === undefined ? {} : { cursor: pageParam }, { meta }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    select: ({ pages }) => pages.flatMap((page): T[] => page[name]),
    placeholderData: keepPreviousData,
  });
}

export const searchQuery = (query: Query) =>
  infiniteQueryOptions({
    queryKey: ["events", query],
    queryFn: ({ pageParam, signal }) => api.events({ ...query, limit: PAGE_ROWS, cursor: pageParam }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  });

/** Reads the first page of a search anew, and lets go of those behind it: to read them all again would be as many requests. */
export async function refreshSearch(queries: QueryClient, query: Query): Promise<void> {
  const { queryKey } = searchQuery(query);
  queries.setQueryData(
    queryKey,
    (known) => known && { pages: known.pages.slice(0, 1), pageParams: known.pageParams.slice(0, 1) },
  );
  await queries.invalidateQueries({ queryKey });
}

export const eventQuery = (id: string) =>
  queryOptions({ queryKey: ["event", id], queryFn: () => api.event(id), staleTime: 60_000 });

export const statsQuery = (query: Query & { by: Bucket; group: Group }) =>
  queryOptions({
    queryKey: ["stats", query],
    queryFn: ({ signal }) => api.stats(query, { signal }),
    placeholderData: keepPreviousData,
  });

/** Counts over a span that ends whenever it is asked: the overview asks anew each minute. */
export const recentStatsQuery = (span: Span, by: Bucket) =>
  queryOptions({
    queryKey: ["stats", "recent", span],
    queryFn: (asking) => api.stats({ from: spanStart(span), by, group: "outcome" }, asking),
    placeholderData: keepPreviousData,
  });

export const recentTopQuery = (span: Span, field: TopField, limit: number) =>
  queryOptions({
    queryKey: ["top", "recent", span, field],
    queryFn: (asking) => api.top({ from: spanStart(span), field, limit }, asking),
    placeholderData: keepPreviousData,
  });

/** The start of a span, held to the minute, and a month's to the hour: the service has such counts at hand. */
function spanStart(span: Span): string {
  const step = span === "30d" ? 3_600_000 : 60_000;
  return new Date(Math.floor((serverNow() - SPANS[span] * 1000) / step) * step).toISOString();
}

export const subjectQuery = (sub: string) =>
  queryOptions({ queryKey: ["subject", sub], queryFn: () => api.subject(sub) });
export const subjectReadsQuery = (sub: string) =>
  listQuery(["subject-reads", sub], "reads", (page) => api.subjectReads(sub, page));
export const storyQuery = (kind: "sessions" | "attempts", id: string) =>
  queryOptions({ queryKey: [kind, id], queryFn: () => api.story(kind, id) });

export const searchesQuery = queryOptions({ queryKey: ["searches"], queryFn: api.searches });
export const alertsQuery = (query: Query) =>
  listQuery(["alerts", query], "alerts", (page, asking) => api.alerts({ ...query, ...page }, asking));
/** The newest that are open: what the overview shows, and the number beside the menu. */
export const openAlertsQuery = queryOptions({
  queryKey: ["alerts", "newest"],
  queryFn: ({ meta }) => api.alerts({ state: "open" }, { meta }),
});
export const alertQuery = (id: string) => queryOptions({ queryKey: ["alert", id], queryFn: () => api.alert(id) });
export const detectionsQuery = queryOptions({
  queryKey: ["detections"],
  queryFn: ({ meta }) => api.detections({ meta }),
});
export const reconciliationQuery = queryOptions({ queryKey: ["reconciliation"], queryFn: api.reconciliation });
export const quarantineQuery = listQuery(["quarantine"], "lines", api.quarantine);
export const quarantinedQuery = (id: string) =>
  queryOptions({ queryKey: ["quarantine", id], queryFn: () => api.quarantined(id) });
export const exportsQuery = listQuery(["exports"], "exports", api.exports);
export const streamsQuery = queryOptions({ queryKey: ["streams"], queryFn: api.streams });
export const archiveQuery = listQuery(["archive"], "days", api.archive);
export const erasuresQuery = listQuery(["erasures"], "erasures", api.erasures);
export const holdsQuery = listQuery(["holds"], "holds", api.holds);
export const completenessQuery = queryOptions({
  queryKey: ["completeness"],
  queryFn: ({ meta }) => api.completeness({}, { meta }),
});
/** The producers with something to tell. */
export const incompleteQuery = queryOptions({
  queryKey: ["completeness", "incomplete"],
  queryFn: ({ meta }) => api.completeness({ incomplete: "true" }, { meta }),
});
/** The producers that were heard of in the last 15 minutes. */
export const runningQuery = queryOptions({
  queryKey: ["completeness", "running"],
  queryFn: ({ meta }) => api.completeness({ from: spanStart("15m") }, { meta }),
});
export const checkpointQuery = queryOptions({
  queryKey: ["checkpoint"],
  queryFn: ({ meta }) => api.checkpoint({ meta }),
});
export const keysQuery = queryOptions({ queryKey: ["keys"], queryFn: api.keys, staleTime: Infinity });
