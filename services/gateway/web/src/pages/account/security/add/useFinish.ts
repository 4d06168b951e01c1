import { useQueryClient } from "@tanstack/react-query";
import { api } from "../../../../api/client";
import { useIntent } from "../../../../api/intent";
import { authenticatorsQuery } from "../../../../api/queries";
import type { Authenticator, Enrolment } from "../../../../api/types";

/**
 * Returns what tells the gateway that the browser's part is done; it answers with what is new in the list.
 *
 * Throws `Problem`; `conflict` when there is nothing new yet.
 */
export function useFinish(enrolment: Enrolment): () => Promise<Authenticator | undefined> {
  const queries = useQueryClient();
  const intent = useIntent();
  const { queryKey } = authenticatorsQuery;
  return async () => {
    const before = queries.getQueryData(queryKey)?.authenticators.map((way) => way.id) ?? [];
    const list = await intent({ id: enrolment.id }, (key) => api.completeEnrolment(enrolment.id, key));
    queries.setQueryData(queryKey, list);
    return list.authenticators.find((way) => !before.includes(way.id));
  };
}
