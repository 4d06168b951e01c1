import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { quarantineQuery } from "../api/queries";
import { Badge } from "../components/Bits";
import { List } from "../components/List";
import { Panel } from "../components/Panel";
import { ROW } from "../components/Shortcuts";
import { Table } from "../components/Table";
import { View } from "../components/View";
import { RowTime } from "../components/When";
import { REASONS } from "../lib/reasons";

/** Lines that could not become entries. They are evidence, and can be repaired. */
export function Quarantine() {
  const query = useInfiniteQuery(quarantineQuery);
  return (
    <View
      title="Quarantine"
      lead="Lines that could not become entries are kept here as they came. Nothing is lost, and nothing blocks its neighbours."
    >
      <Panel title="Lines" flush>
        <List query={query} what="the quarantine" empty="Empty. Every line became an entry.">
          {(lines) => (
            <Table label="Lines in quarantine" heads={["Received", "Reason", "Detail", "Producer", "State"]}>
              {lines.map((line) => (
                <tr key={line.id}>
                  <td>
                    <Link to={`/quarantine/${String(line.id)}`} {...ROW}>
                      <RowTime time={line.received_at} />
                    </Link>
                  </td>
                  <td title={REASONS[line.reason]}>{line.reason}</td>
                  <td>{line.detail}</td>
                  <td>
                    {line.instance ? (
                      <code>{`${line.instance.slice(0, 8)} ${String(line.seq ?? "")}`}</code>
                    ) : (
                      "not readable"
                    )}
                  </td>
                  <td>{line.repaired_as ? <Badge tone="good">repaired</Badge> : <Badge tone="warn">open</Badge>}</td>
                </tr>
              ))}
            </Table>
          )}
        </List>
      </Panel>
    </View>
  );
}
