import { CopyId } from "@look/CopyId";
import { useQuery } from "@tanstack/react-query";
import { IconAlertTriangle, IconCircleCheck } from "@tabler/icons-react";
import { Link } from "react-router";
import { incompleteQuery, runningQuery } from "../api/queries";
import type { Completeness as Report, Gap, ProducerReport } from "../api/types";
import { Track } from "../charts/Track";
import { Badge, type Tone } from "../components/Bits";
import { Loaded } from "../components/Loaded";
import { Panel, Panels } from "../components/Panel";
import { View } from "../components/View";
import { Ago } from "../components/When";
import { count } from "../lib/format";
import { usePoll } from "../lib/usePoll";
import classes from "./Completeness.module.css";

const TONES: Record<ProducerReport["status"], Tone> = { running: "good", stopped: "plain", unfinished: "warn" };
const STATUS_WORDS: Record<ProducerReport["status"], string> = {
  running: "Heard of in the last 15 minutes",
  stopped: "Said good-bye",
  unfinished: "Silent, and said no good-bye: whether it had one more event, nobody can know",
};

/** Whether anything is missing: every producer numbers its events, and here is each number that never came. */
export function Completeness() {
  const query = useQuery(incompleteQuery);
  const running = useQuery(runningQuery);
  const told = new Set(query.data?.producers.map(({ instance }) => instance));
  usePoll(incompleteQuery.queryKey, 15);
  usePoll(runningQuery.queryKey, 15);
  return (
    <View
      title="Completeness"
      lead="Every process numbers its events 0, 1, 2, … Below are those that miss some and those that run, each drawn from its first to its last; a hole is an event that was written and is not in the log."
    >
      <Loaded query={query} what="completeness">
        {(report) => (
          <Panels>
            <Verdict report={report} />
            {report.producers.map((producer) => (
              <Producer key={producer.instance} producer={producer} />
            ))}
          </Panels>
        )}
      </Loaded>
      <Loaded query={running} what="the producers that run">
        {({ producers }) => (
          <Panels>
            {producers
              .filter(({ instance }) => !told.has(instance))
              .map((producer) => (
                <Producer key={producer.instance} producer={producer} />
              ))}
          </Panels>
        )}
      </Loaded>
    </View>
  );
}

function Verdict({ report }: { report: Report }) {
  const Icon = report.complete ? IconCircleCheck : IconAlertTriangle;
  return (
    <div className={classes.verdict} data-bad={!report.complete || undefined} role="status">
      <Icon size={26} stroke={1.7} aria-hidden="true" />
      <p className={classes.title}>
        {report.complete ? "Nothing is missing" : `${count(report.missing)} events are missing`}
      </p>
      <p className={classes.legend}>
        <span className={classes.there}>there</span>
        <span className={classes.missing}>missing</span>
        <span className={classes.explained}>in quarantine</span>
      </p>
      <p className={classes.quiet}>
        {report.sealed ? (
          <>
            As far as the log is sealed: {count(report.sealed.tree_size)} leaves, <Ago time={report.sealed.sealed_at} />
            .
          </>
        ) : (
          "Nothing is sealed yet."
        )}
      </p>
    </div>
  );
}

function Producer({ producer }: { producer: ProducerReport }) {
  const gaps = producer.open_gaps.length + producer.explained_gaps.length;
  return (
    <Panel
      title={`${producer.service} ${producer.instance.slice(0, 8)}`}
      aside={
        <span className={classes.aside}>
          heard of <Ago time={producer.last_recorded_at} />
          <span title={STATUS_WORDS[producer.status]}>
            <Badge tone={TONES[producer.status]}>{producer.status}</Badge>
          </span>
          <CopyId value={producer.instance} what={`instance of ${producer.service}`} hidden />
        </span>
      }
    >
      <div className={classes.range}>
        <span>0</span>
        <Track producer={producer} />
        <span>{count(producer.last_seq)}</span>
      </div>
      {producer.repeated > 0 ? (
        <p className={classes.quiet}>{count(producer.repeated)} events bear a number that another one bears as well.</p>
      ) : null}
      {gaps > 0 ? (
        <ul className={classes.gaps}>
          {producer.open_gaps.map((gap) => (
            <li key={gap.first_seq}>
              <Badge tone="danger">missing</Badge> <Numbers gap={gap} />, noticed <Ago time={gap.noticed_at} />, before{" "}
              <Link to={`/events/${gap.next_event_id}`}>the next event</Link>
            </li>
          ))}
          {producer.explained_gaps.map((gap) => (
            <li key={gap.first_seq}>
              <Badge tone="warn">in quarantine</Badge> <Numbers gap={gap} />, {gap.reason},{" "}
              <Link to={`/quarantine/${String(gap.quarantine_id)}`}>the line</Link>
            </li>
          ))}
        </ul>
      ) : null}
    </Panel>
  );
}

function Numbers({ gap }: { gap: Gap }) {
  return gap.count === 1 ? (
    <b>number {count(gap.first_seq)}</b>
  ) : (
    <b>
      numbers {count(gap.first_seq)} to {count(gap.last_seq)}
    </b>
  );
}
