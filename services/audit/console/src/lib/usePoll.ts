import { useQueryClient, type QueryKey } from "@tanstack/react-query";
import { useEffect, useEffectEvent } from "react";

/** What a poll carries (see `Asking`). */
const POLL = { isPoll: true };

/**
 * Asks the query with this key again every so many seconds, as long as the view is drawn and in sight.
 *
 * Nobody pressed anything, so these requests say that they are no use of the session; `refetchInterval` could not. One that fails is
 * not tried again: the next follows by itself.
 */
export function usePoll(queryKey: QueryKey, everySeconds: number): void {
  const queries = useQueryClient();
  const ask = useEffectEvent(() => {
    const query = queries.getQueryCache().find({ queryKey });
    if (!query?.isActive() || query.state.fetchStatus !== "idle" || document.visibilityState === "hidden") return;
    // Two views may poll the same query.
    if (Date.now() - query.state.dataUpdatedAt < (everySeconds * 1000) / 2) return;
    const { options } = query;
    // What went wrong stands in the query, for whoever draws it.
    query.fetch({ ...options, meta: POLL, retry: false }).catch(() => undefined);
    // The question was asked with them; whatever asks next is no poll.
    query.setOptions(options);
  });
  useEffect(() => {
    const timer = setInterval(() => ask(), everySeconds * 1000);
    return () => clearInterval(timer);
  }, [everySeconds]);
}
