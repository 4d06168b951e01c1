import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";
import { api } from "../api/client";
import { sessionQuery } from "../api/gateway";
import { searchesQuery } from "../api/queries";
import type { SavedSearch } from "../api/types";
import { Badge } from "../components/Bits";
import { Loaded } from "../components/Loaded";
import { Panel } from "../components/Panel";
import { ROW } from "../components/Shortcuts";
import { Table } from "../components/Table";
import { Trouble } from "../components/Trouble";
import { Line, View } from "../components/View";
import { Ago } from "../components/When";
import { chipsOf, FIELD_NAMES, searchOf } from "../lib/filters";
import { actorName } from "../lib/format";

/** The searches that auditors keep, their own and those that others share. */
export function Searches() {
  const query = useQuery(searchesQuery);
  return (
    <View title="Saved searches" lead="Save one from the search, then open it here, or watch it live.">
      <Panel title="Searches" flush>
        <Loaded
          query={query}
          what="saved searches"
          optional
          isEmpty={({ searches }) => searches.length === 0}
          empty={
            <p>
              None yet. <Link to="/search">Search</Link>, then press Save.
            </p>
          }
        >
          {({ searches }) => (
            <Table label="Saved searches" heads={["Name", "Looks for", "By", "Changed", ""]}>
              {searches.map((search) => (
                <Row key={search.id} search={search} />
              ))}
            </Table>
          )}
        </Loaded>
      </Panel>
    </View>
  );
}

function ownerId({ owner }: SavedSearch): string {
  return typeof owner === "string" ? owner : owner.id;
}

function Row({ search }: { search: SavedSearch }) {
  const queries = useQueryClient();
  const address = searchOf(search.params);
  // An erasure takes the terms out of a search that named the person; what is left would find everybody.
  const isEmptied = address.size === 0;
  // Where nobody is signed in, the service alone knows whose it is.
  const { data: session } = useQuery(sessionQuery);
  const isOwn = !session || ownerId(search) === session.subject.sub;
  const refresh = () => queries.invalidateQueries(searchesQuery);
  const remove = useMutation({ mutationFn: () => api.removeSearch(search.id), onSettled: refresh });
  const share = useMutation({
    mutationFn: () =>
      api.changeSearch(search.id, { name: search.name, params: search.params, is_shared: !search.is_shared }),
    onSettled: refresh,
  });
  return (
    <tr>
      <td>
        {isEmptied ? (
          search.name
        ) : (
          <Link to={`/search?${address.toString()}`} {...ROW}>
            {search.name}
          </Link>
        )}{" "}
        {search.is_shared ? <Badge>shared</Badge> : null}
      </td>
      <td>
        {chipsOf(address)
          .map(({ field, value }) => `${FIELD_NAMES[field]} ${value}`)
          .join(", ") || "The person whom it named was erased."}
      </td>
      <td>{actorName(search.owner).slice(0, 13)}</td>
      <td>
        <Ago time={search.updated_at} />
      </td>
      <td>
        <Line>
          {isEmptied ? null : (
            <>
              <Link to={`/search?${address.toString()}&live=1`}>Live</Link>
              {isOwn ? (
                <Button variant="subtle" loading={share.isPending} onClick={() => share.mutate()}>
                  {search.is_shared ? "Stop sharing" : "Share"}
                </Button>
              ) : null}
            </>
          )}
          {isOwn ? (
            <Button variant="subtle" loading={remove.isPending} onClick={() => remove.mutate()}>
              Remove
            </Button>
          ) : null}
        </Line>
        <Trouble error={remove.error ?? share.error} thing="search" />
      </td>
    </tr>
  );
}
