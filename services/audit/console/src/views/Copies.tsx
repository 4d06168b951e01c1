import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { archiveQuery, streamsQuery } from "../api/queries";
import type { ArchivedDay, Stream } from "../api/types";
import { Badge } from "../components/Bits";
import { List } from "../components/List";
import { Loaded } from "../components/Loaded";
import { Panel } from "../components/Panel";
import { Number, Table } from "../components/Table";
import { Ago, RowTime } from "../components/When";
import { brief, count } from "../lib/format";
import classes from "./Forms.module.css";

/** Where the log is sent as it grows. */
export function Streams() {
  const query = useQuery(streamsQuery);
  return (
    <Panel title="Streams" flush aside="What the settings name">
      <Loaded
        query={query}
        what="streams"
        optional
        isEmpty={({ streams }) => streams.length === 0}
        empty="The log is sent nowhere by itself."
      >
        {({ streams }) => (
          <Table label="Streams" heads={["Stream", "To", "Format", "Waiting", "Delivered", "State"]} numbers={[3]}>
            {streams.map((stream) => (
              <tr key={stream.name}>
                <td>
                  <b>{stream.name}</b>
                </td>
                <td>
                  <code>{stream.target}</code>
                </td>
                <td>{stream.format}</td>
                <Number>{stream.lag_entries === null ? "" : count(stream.lag_entries)}</Number>
                <td>{stream.delivered_at ? <RowTime time={stream.delivered_at} /> : "not yet"}</td>
                <td>
                  <StreamState stream={stream} />
                </td>
              </tr>
            ))}
          </Table>
        )}
      </Loaded>
    </Panel>
  );
}

function StreamState({ stream: { failing_since, last_error } }: { stream: Stream }) {
  if (failing_since === null) return <Badge tone="good">delivers</Badge>;
  return (
    <>
      <Badge tone="danger">fails</Badge> since <Ago time={failing_since} />
      {last_error ? <div className={classes.quiet}>{last_error}</div> : null}
    </>
  );
}

/** The days that lie in the archive, under lock. */
export function Archive() {
  const query = useInfiniteQuery(archiveQuery);
  return (
    <Panel title="Archive" flush aside="Sealed days, newest first">
      <List
        query={query}
        what="the archive"
        empty="No day is archived yet. The first follows when it is over and sealed."
      >
        {(days) => (
          <Table
            label="Archived days"
            heads={["Day", "Leaves", "Entries", "Bytes", "Locked until", "SHA-256 of the manifest"]}
            numbers={[2, 3]}
          >
            {days.map((day) => (
              <DayRow key={day.day} day={day} />
            ))}
          </Table>
        )}
      </List>
    </Panel>
  );
}

function DayRow({ day }: { day: ArchivedDay }) {
  return (
    <tr>
      <td>{day.day}</td>
      <td>
        {count(day.first_leaf)} to {count(day.last_leaf)}
      </td>
      <Number>{count(day.entries)}</Number>
      <Number>{brief(day.bytes)}</Number>
      <td>{day.lock_until.slice(0, 10)}</td>
      <td className={classes.long} title={day.sha256}>
        <code>{day.sha256}</code>
      </td>
    </tr>
  );
}
