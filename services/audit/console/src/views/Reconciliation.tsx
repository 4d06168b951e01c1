import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { reconciliationQuery } from "../api/queries";
import type { ReconciledSource, Sighting } from "../api/types";
import { Badge } from "../components/Bits";
import { Loaded } from "../components/Loaded";
import { Panel } from "../components/Panel";
import { ROW } from "../components/Shortcuts";
import { Number, Table } from "../components/Table";
import { RowTime } from "../components/When";
import { count } from "../lib/format";
import classes from "./Forms.module.css";

const ROWS_MAX = 50;

/** Our log against what the providers themselves wrote down: a sign-in that only they know went around the gateway. */
export function Reconciliation() {
  const query = useQuery(reconciliationQuery);
  return (
    <Panel title="Our log against the providers' own" flush aside="The last 24 hours">
      <Loaded query={query} what="reconciliation" optional>
        {({ sources, only_theirs, only_ours }) => (
          <>
            <Table
              label="Providers"
              heads={["Provider", "Verdict", "Matched", "Only ours", "Only theirs", "On their way"]}
              numbers={[2, 3, 4, 5]}
            >
              {Object.entries(sources).map(([name, source]) => (
                <SourceRow key={name} name={name} source={source} />
              ))}
            </Table>
            <Sightings label="Only the provider knows of these" sightings={only_theirs} />
            <Sightings label="Only our log knows of these" sightings={only_ours} />
          </>
        )}
      </Loaded>
    </Panel>
  );
}

function Verdict({ source }: { source: ReconciledSource }) {
  if (!source.has_records) return <Badge>no records: not compared</Badge>;
  if (source.only_theirs > 0) return <Badge tone="danger">around the gateway</Badge>;
  return source.only_ours > 0 ? <Badge tone="warn">records missing</Badge> : <Badge tone="good">agrees</Badge>;
}

function SourceRow({ name, source }: { name: string; source: ReconciledSource }) {
  return (
    <tr>
      <td>
        <b>{name}</b>
      </td>
      <td>
        <Verdict source={source} />
      </td>
      <Number>{count(source.matched)}</Number>
      <Number>{count(source.only_ours)}</Number>
      <Number>{count(source.only_theirs)}</Number>
      <Number>{count(source.pending)}</Number>
    </tr>
  );
}

function Sightings({ label, sightings }: { label: string; sightings: Sighting[] }) {
  if (sightings.length === 0) return null;
  const shown = sightings.slice(0, ROWS_MAX);
  return (
    <>
      <h3 className={classes.above}>
        {label} ({shown.length === sightings.length ? count(shown.length) : `the first ${count(ROWS_MAX)}`})
      </h3>
      <Table label={label} heads={["When", "Provider", "What", "Subject", "Address", "Its name there"]}>
        {shown.map((one) => (
          <tr key={`${one.source} ${one.ref}`}>
            <td>
              <RowTime time={one.occurred_at} />
            </td>
            <td>{one.source}</td>
            <td>{one.kind}</td>
            <td>
              {one.subject ? (
                <Link to={`/subjects/${one.subject}`} {...ROW}>
                  <code>{one.subject.slice(0, 8)}</code>
                </Link>
              ) : null}
            </td>
            <td>
              <code>{one.ip}</code>
            </td>
            <td className={classes.long} title={one.ref}>
              <code>{one.ref}</code>
            </td>
          </tr>
        ))}
      </Table>
    </>
  );
}
