import { useQueries, useQuery } from "@tanstack/react-query";
import { IconCircleCheck, IconAlertTriangle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link, useNavigate } from "react-router";
import { checkpointQuery, completenessQuery, openAlertsQuery, recentStatsQuery, recentTopQuery } from "../api/queries";
import type { Alert, Bucket, Completeness, TopField } from "../api/types";
import { Ranking } from "../charts/Ranking";
import { Track } from "../charts/Track";
import { Volume } from "../charts/Volume";
import { Badge, SeverityBadge } from "../components/Bits";
import { Empty, Loaded, NotRefreshed } from "../components/Loaded";
import { Panel, Panels } from "../components/Panel";
import { ROW } from "../components/Shortcuts";
import { View } from "../components/View";
import { Ago } from "../components/When";
import { useFilters, type Span } from "../lib/filters";
import { age, atLeast, count, countryName, methodName, share } from "../lib/format";
import { useTicker } from "../lib/ticker";
import { usePoll } from "../lib/usePoll";
import { parseCheckpoint, splitNote } from "../proof/note";
import classes from "./Overview.module.css";
import { Spans } from "./search/Spans";

const BUCKETS: Record<Span, Bucket> = { "15m": "minute", "1h": "minute", "24h": "hour", "7d": "hour", "30d": "day" };

/** How the log stands: what happens, what stands out, and whether anything is missing. */
export function Overview() {
  const filters = useFilters();
  const span = filters.span ?? "24h";
  const asked = recentStatsQuery(span, BUCKETS[span]);
  const stats = useQuery(asked);
  usePoll(asked.queryKey, 60);
  const navigate = useNavigate();
  const inSearch = (more: Record<string, string>) =>
    `/search?${new URLSearchParams({ ...(more.from ? {} : { last: span }), ...more }).toString()}`;

  return (
    <View title="Overview" actions={<Spans value={span} onChange={filters.setSpan} />}>
      <Standing stats={stats.isPlaceholderData ? undefined : stats.data} />
      <Panels>
        <Panel title="Events by outcome" span={8} aside={<Link to={inSearch({})}>Search these</Link>}>
          <Loaded
            query={stats}
            what="statistics"
            optional
            isEmpty={({ total }) => total === 0}
            empty="Nothing happened in this time."
          >
            {(data) => (
              <Volume stats={data} onPick={(start, end) => void navigate(inSearch({ from: start, to: end }))} />
            )}
          </Loaded>
        </Panel>
        <Panel title="Open alerts" span={4} flush aside={<Link to="/alerts">All alerts</Link>}>
          <OpenAlerts />
        </Panel>
        <TopPanel title="Factors" field="method" span={span} draw={(value) => methodName(value)} />
        <TopPanel
          title="Addresses"
          field="ip"
          span={span}
          draw={(value) => (
            <Link to={inSearch({ ip: value })} className={classes.mono} {...ROW}>
              {value}
            </Link>
          )}
        />
        <TopPanel
          title="Places"
          field="country"
          span={span}
          draw={(value) => (
            <Link to={inSearch({ filter: `client.country eq "${value}"` })} {...ROW}>
              {countryName(value)} <span className={classes.quiet}>{value}</span>
            </Link>
          )}
        />
        <TopPanel
          title="Kinds of event"
          field="event_type"
          span={span}
          draw={(value) => (
            <Link to={inSearch({ type: value })} {...ROW}>
              {value}
            </Link>
          )}
        />
        <CompletenessPanel />
      </Panels>
    </View>
  );
}

function Standing({ stats }: { stats: { series: { key: string; total: number }[]; total: number } | undefined }) {
  const now = useTicker();
  const [alerts, completeness, checkpoint] = useQueries({
    queries: [openAlertsQuery, completenessQuery, checkpointQuery],
  });
  usePoll(completenessQuery.queryKey, 15);
  usePoll(checkpointQuery.queryKey, 5);
  const failed = stats?.series.filter(({ key }) => key === "failure" || key === "denied" || key === "error");
  const refused = failed?.reduce((sum, { total }) => sum + total, 0);
  const sealed = completeness.data?.sealed;
  const waiting = sealed?.oldest_unsealed_at ? now - Date.parse(sealed.oldest_unsealed_at) : 0;
  const missing = completeness.data?.missing;
  return (
    <>
      <NotRefreshed queries={[alerts, completeness, checkpoint]} />
      <dl className={classes.standing}>
        <Figure name="Events" value={stats && count(stats.total)} />
        <Figure
          name="Not successful"
          value={refused !== undefined && stats ? share(refused, stats.total) : undefined}
          note={refused === undefined ? undefined : count(refused)}
        />
        <Figure
          name="Open alerts"
          value={alerts.data && atLeast(alerts.data.alerts.length, alerts.data.next_cursor)}
          bad={!!alerts.data?.alerts.length}
        />
        <Figure name="Missing events" value={missing === undefined ? undefined : count(missing)} bad={!!missing} />
        <Figure name="Leaves in the tree" value={checkpoint.data && count(sizeOf(checkpoint.data) ?? 0)} />
        <Figure
          name={waiting > 5000 ? "Waiting to be sealed for" : "Last sealed"}
          value={sealed && (waiting > 5000 ? age(waiting) : <Ago time={sealed.sealed_at} />)}
          bad={waiting > 5000}
        />
      </dl>
    </>
  );
}

function Figure({
  name,
  value,
  note,
  bad = false,
}: {
  name: string;
  value: ReactNode;
  note?: string | undefined;
  bad?: boolean;
}) {
  return (
    <div data-bad={bad || undefined}>
      <dt>{name}</dt>
      <dd>
        {value ?? <span className={classes.quiet}>–</span>} {note ? <span className={classes.note}>{note}</span> : null}
      </dd>
    </div>
  );
}

function sizeOf(note: string): number | null {
  try {
    return parseCheckpoint(splitNote(note).text).size;
  } catch {
    return null;
  }
}

function OpenAlerts() {
  const query = useQuery(openAlertsQuery);
  return (
    <Loaded query={query} what="alerts" optional isEmpty={({ alerts }) => alerts.length === 0} empty={<AllQuiet />}>
      {({ alerts }) => (
        <ul className={classes.alerts}>
          {alerts.slice(0, 6).map((alert: Alert) => (
            <li key={alert.id}>
              <Link to={`/alerts/${alert.id}`} {...ROW}>
                <SeverityBadge severity={alert.severity} /> <b>{alert.title}</b>
                <span className={classes.quiet}>
                  {count(alert.event_count)} events, <Ago time={alert.last_seen} />
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Loaded>
  );
}

function AllQuiet() {
  return (
    <>
      <IconCircleCheck size={22} stroke={1.6} aria-hidden="true" />
      <span>No alert is open.</span>
    </>
  );
}

const RANKS = 7;

interface TopPanelProps {
  title: string;
  field: TopField;
  span: Span;
  draw: (value: string) => ReactNode;
}

function TopPanel({ title, field, span, draw }: TopPanelProps) {
  const asked = recentTopQuery(span, field, RANKS);
  const query = useQuery(asked);
  usePoll(asked.queryKey, 60);
  return (
    <Panel title={title} span={3}>
      <Loaded
        query={query}
        what="statistics"
        optional
        isEmpty={({ values }) => values.length === 0}
        empty="Nothing in this time."
      >
        {(top) => <Ranking label={title} top={top} draw={draw} />}
      </Loaded>
    </Panel>
  );
}

function CompletenessPanel() {
  const query = useQuery(completenessQuery);
  return (
    <Panel title="Is anything missing?" aside={<Link to="/completeness">Producer by producer</Link>}>
      <Loaded
        query={query}
        what="completeness"
        isEmpty={({ producers }) => producers.length === 0}
        empty="No events yet."
      >
        {(report) => <Producers report={report} />}
      </Loaded>
    </Panel>
  );
}

const SHOWN = 8;

function Producers({ report }: { report: Completeness }) {
  const order = [...report.producers].sort((one, other) => other.missing - one.missing);
  if (order.length === 0) return <Empty>No events yet.</Empty>;
  return (
    <div className={classes.producers}>
      <p className={classes.verdict} data-bad={report.missing > 0 || undefined}>
        {report.complete ? (
          <IconCircleCheck size={20} stroke={1.7} aria-hidden="true" />
        ) : (
          <IconAlertTriangle size={20} stroke={1.7} aria-hidden="true" />
        )}
        {report.complete
          ? `Every event of ${count(order.length)} producers is here.`
          : `${count(report.missing)} events are missing, and nothing explains them.`}
      </p>
      {order.slice(0, SHOWN).map((producer) => (
        <div key={producer.instance} className={classes.producer}>
          <span>
            {producer.service} <span className={classes.mono}>{producer.instance.slice(0, 8)}</span>
          </span>
          <Track producer={producer} slim />
          <span className={classes.quiet}>{count(producer.last_seq + 1)}</span>
          <Badge tone={producer.missing ? "danger" : producer.status === "running" ? "good" : "plain"}>
            {producer.missing ? `${count(producer.missing)} missing` : producer.status}
          </Badge>
        </div>
      ))}
      {order.length > SHOWN ? <Link to="/completeness">and {count(order.length - SHOWN)} more</Link> : null}
    </div>
  );
}
