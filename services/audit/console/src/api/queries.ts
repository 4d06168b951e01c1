import {
  infiniteQueryOptions,
  keepPreviousData,
  QueryClient,
  queryOptions,
  type QueryKey,
} from "@tanstack/react-query";
import { api, type Listed, type Query } from "./client";
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
  read: (query: Query) => Promise<Listed & Record<Name, T[]>>,
) {
  return infiniteQueryOptions({
    queryKey,
    queryFn: ({ pageParam }) => read(pageParam === undefined ? {} : { cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    select: ({ pages }) => pages.flatMap((page): T[] => page[name]),
    placeholderData: keepPreviousData,
  });
}

export const searchQuery = (query: Query) =>
  infiniteQueryOptions({
    queryKey: ["events", query],
    queryFn: ({ pageParam, signal }) => api.events({ ...query, limit: PAGE_ROWS, cursor: pageParam }, signal),
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
    queryFn: ({ signal }) => api.stats(query, signal),
    placeholderData: keepPreviousData,
  });

export const topQuery = (query: Query & { field: TopField }) =>
  queryOptions({
    queryKey: ["top", query],
    queryFn: ({ signal }) => api.top(query, signal),
    placeholderData: keepPreviousData,
  });

export const subjectQuery = (sub: string) =>
  queryOptions({ queryKey: ["subject", sub], queryFn: () => api.subject(sub) });
export const subjectReadsQuery = (sub: string) =>
  listQuery(["subject-reads", sub], "reads", (page) => api.subjectReads(sub, page));
export const storyQuery = (kind: "sessions" | "attempts", id: string) =>
  queryOptions({ queryKey: [kind, id], queryFn: () => api.story(kind, id) });

export const searchesQuery = queryOptions({ queryKey: ["searches"], queryFn: api.searches });
export const alertsQuery = (query: Query) =>
  listQuery(["alerts", query], "alerts", (page) => api.alerts({ ...query, ...page }));
/** The newest that are open: what the overview shows, and the number beside the menu. */
export const openAlertsQuery = queryOptions({
  queryKey: ["alerts", "newest"],
  queryFn: () => api.alerts({ state: "open" }),
  refetchInterval: 30_000,
});
export const alertQuery = (id: string) => queryOptions({ queryKey: ["alert", id], queryFn: () => api.alert(id) });
export const detectionsQuery = queryOptions({ queryKey: ["detections"], queryFn: api.detections });
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
  queryFn: () => api.completeness(),
  refetchInterval: 15_000,
});
export const checkpointQuery = queryOptions({
  queryKey: ["checkpoint"],
  queryFn: api.checkpoint,
  refetchInterval: 5_000,
});
export const keysQuery = queryOptions({ queryKey: ["keys"], queryFn: api.keys, staleTime: Infinity });
