import { Button, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { Link } from "react-router";
import { api } from "../api/client";
import { detectionsQuery } from "../api/queries";
import { SeverityBadge } from "../components/Bits";
import type { Run } from "../api/types";
import { Empty, Loaded } from "../components/Loaded";
import { Panel, Panels } from "../components/Panel";
import { Number, Table } from "../components/Table";
import { Trouble } from "../components/Trouble";
import { View } from "../components/View";
import { RowTime } from "../components/When";
import { count } from "../lib/format";
import { usePoll } from "../lib/usePoll";
import { Notice } from "@look/Notice";
import classes from "./Forms.module.css";
import { Reconciliation } from "./Reconciliation";

// The service refuses more in one call.
const REPLAY_LEAVES_MAX = 100_000;

/** The rules that watch the sealed log, and their runs. */
export function Detections() {
  const query = useQuery(detectionsQuery);
  usePoll(detectionsQuery.queryKey, 15);
  return (
    <View
      title="Detections"
      lead={
        <>
          Each rule has a version and gives the same answer over the same leaves, live or replayed. What they find are{" "}
          <Link to="/alerts">alerts</Link>.
        </>
      }
    >
      <Loaded query={query} what="detections" optional>
        {({ rules, runs }) => (
          <Panels>
            <Panel title="Rules" flush>
              <Table label="Rules" heads={["Severity", "Rule", "Version", "What it looks for", "Parameters"]}>
                {rules.map((rule) => (
                  <tr key={rule.id}>
                    <td>
                      <SeverityBadge severity={rule.severity} />
                    </td>
                    <td>
                      <b>{rule.title}</b>
                      <br />
                      <code className={classes.quiet}>{rule.id}</code>
                    </td>
                    <td>{rule.version}</td>
                    <td className={classes.prose}>{rule.description}</td>
                    <td>
                      {Object.entries(rule.parameters).map(([name, value]) => (
                        <div key={name} className={classes.parameter}>
                          <code>
                            {name} = {JSON.stringify(value)}
                          </code>
                        </div>
                      ))}
                    </td>
                  </tr>
                ))}
              </Table>
            </Panel>
            <Runs runs={runs} />
            <Panel title="Replay over the past" span={5}>
              <Replay />
            </Panel>
            <Reconciliation />
          </Panels>
        )}
      </Loaded>
    </View>
  );
}

function Runs({ runs }: { runs: Run[] }) {
  return (
    <Panel title="Last runs" span={7} flush>
      {runs.length === 0 ? (
        <Empty>
          None recorded yet. The rules follow the log as it is sealed; once an hour it is written down how far.
        </Empty>
      ) : (
        <Table label="Last runs" heads={["Ended", "Kind", "Leaves", "Alerts", "New", "By"]} numbers={[3, 4]}>
          {runs.slice(0, 20).map((run) => (
            <tr key={run.id}>
              <td>
                <RowTime time={run.finished_at} />
              </td>
              <td>{run.kind}</td>
              <td>
                {count(run.from_leaf)} up to {count(run.to_leaf)}
              </td>
              <Number>{count(run.alerts)}</Number>
              <Number>{count(run.new_alerts)}</Number>
              <td>{run.by}</td>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  );
}

function Replay() {
  const queries = useQueryClient();
  const [first, setFirst] = useState("0");
  const [last, setLast] = useState("");
  const replay = useMutation({
    mutationFn: () => api.replay(parseInt(first, 10), parseInt(last, 10)),
    onSuccess: () => void queries.invalidateQueries(detectionsQuery),
  });
  const leaves = /^\d+$/.test(first) && /^\d+$/.test(last) ? parseInt(last, 10) - parseInt(first, 10) : 0;
  const isReady = leaves > 0 && leaves <= REPLAY_LEAVES_MAX;

  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    if (isReady) replay.mutate();
  }

  return (
    <form className={classes.form} onSubmit={submit}>
      <div className={classes.pair}>
        <TextInput
          label="First leaf"
          inputMode="numeric"
          value={first}
          onChange={(e) => setFirst(e.currentTarget.value)}
        />
        <TextInput
          label="Up to leaf, not included"
          error={leaves > REPLAY_LEAVES_MAX ? `At most ${count(REPLAY_LEAVES_MAX)} leaves at a time.` : undefined}
          inputMode="numeric"
          value={last}
          onChange={(e) => setLast(e.currentTarget.value)}
        />
      </div>
      <div>
        <Button type="submit" size="sm" loading={replay.isPending} disabled={!isReady}>
          Replay
        </Button>
      </div>
      {replay.data ? (
        <Notice tone="info" title="Replayed">
          <p>
            {count(replay.data.alerts.length)} alerts over leaves {count(replay.data.from_leaf)} up to{" "}
            {count(replay.data.to_leaf)}, {count(replay.data.new_alerts)} of them new.
          </p>
        </Notice>
      ) : null}
      <Trouble error={replay.error} />
    </form>
  );
}
