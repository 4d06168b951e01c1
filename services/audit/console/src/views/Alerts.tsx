import { SegmentedControl } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";
import { alertsQuery } from "../api/queries";
import type { Alert } from "../api/types";
import { SeverityBadge } from "../components/Bits";
import { List } from "../components/List";
import { Panel } from "../components/Panel";
import { ROW } from "../components/Shortcuts";
import { Number, Table } from "../components/Table";
import { View } from "../components/View";
import { Ago, RowTime } from "../components/When";
import { count } from "../lib/format";
import { usePoll } from "../lib/usePoll";

/** What the detections found, open or closed. */
export function Alerts() {
  const [search, setSearch] = useSearchParams();
  const state = search.get("state") === "closed" ? "closed" : "open";
  const asked = alertsQuery({ state });
  const query = useInfiniteQuery(asked);
  usePoll(asked.queryKey, 15);
  return (
    <View
      title="Alerts"
      lead={
        <>
          Found by the <Link to="/detections">detections</Link> over the sealed log.
        </>
      }
      actions={
        <SegmentedControl
          aria-label="State"
          size="xs"
          value={state}
          onChange={(next) => setSearch({ state: next })}
          data={[
            { value: "open", label: "Open" },
            { value: "closed", label: "Closed" },
          ]}
        />
      }
    >
      <Panel title={state === "open" ? "Open" : "Closed"} flush>
        <List query={query} what="alerts" empty={state === "open" ? "No alert is open." : "None was closed yet."}>
          {(alerts) => (
            <Table
              label="Alerts"
              heads={["Severity", "Alert", "Subject", "Addresses", "Events", "First", "Last"]}
              numbers={[4]}
            >
              {alerts.map((alert) => (
                <Row key={alert.id} alert={alert} />
              ))}
            </Table>
          )}
        </List>
      </Panel>
    </View>
  );
}

function Row({ alert }: { alert: Alert }) {
  return (
    <tr>
      <td>
        <SeverityBadge severity={alert.severity} />
      </td>
      <td>
        <Link to={`/alerts/${alert.id}`} {...ROW}>
          {alert.title}
        </Link>
      </td>
      <td>
        <code>{alert.subject?.slice(0, 8)}</code>
      </td>
      <td>
        <code>{alert.ips.slice(0, 2).join(" ")}</code>{" "}
        {alert.ips.length > 2 ? `and ${count(alert.ips.length - 2)} more` : ""}
      </td>
      <Number>{count(alert.event_count)}</Number>
      <td>
        <RowTime time={alert.first_seen} />
      </td>
      <td>
        <Ago time={alert.last_seen} />
      </td>
    </tr>
  );
}
