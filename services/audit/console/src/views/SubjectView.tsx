import { Button } from "@mantine/core";
import { CopyId } from "@look/CopyId";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router";
import { searchQuery, subjectQuery, subjectReadsQuery } from "../api/queries";
import { OUTCOMES, type Subject, type SubjectRead } from "../api/types";
import { OutcomeMark } from "../components/Bits";
import { EventRows } from "../components/EventRows";
import { List, NextPage } from "../components/List";
import { Loaded } from "../components/Loaded";
import { Fact, Facts, Panel, Panels } from "../components/Panel";
import { ROW } from "../components/Shortcuts";
import { Number, Table } from "../components/Table";
import { View } from "../components/View";
import { Ago, RowTime, When } from "../components/When";
import { actorName, count, countryName, methodName } from "../lib/format";
import classes from "./Forms.module.css";

/** One account: its days in the log, from where, with which factors, and who looked at them. */
export function SubjectView() {
  const { sub = "" } = useParams();
  const subject = useQuery(subjectQuery(sub));
  return (
    <View
      title="Subject"
      lead={<CopyId value={sub} what="subject" />}
      actions={
        <>
          <Button variant="default" component={Link} to={`/search?subject=${sub}&live=1`}>
            Watch live
          </Button>
          <Button variant="default" component={Link} to={`/erasures?subject=${sub}`}>
            Erase or hold
          </Button>
        </>
      }
    >
      <Panels>
        <Panel title="In short" span={5}>
          <Loaded query={subject} what="a summary of a subject" thing="subject">
            {(data) => <Summary subject={data} />}
          </Loaded>
        </Panel>
        <Panel title="Sessions" span={7} flush>
          <Loaded
            query={subject}
            what="a subject's sessions"
            thing="subject"
            isEmpty={({ sessions }) => sessions.length === 0}
            empty="No session is in the log."
          >
            {(data) => <SessionTable subject={data} />}
          </Loaded>
        </Panel>
        <Timeline sub={sub} />
        <Reads sub={sub} />
      </Panels>
    </View>
  );
}

function Summary({ subject }: { subject: Subject }) {
  return (
    <Facts>
      <Fact name="First event">
        <When time={subject.first_seen} />
      </Fact>
      <Fact name="Last event">
        <When time={subject.last_seen} />
      </Fact>
      <Fact name="Events">{count(subject.event_count)}</Fact>
      {OUTCOMES.map((outcome) => {
        const number = subject.outcomes[outcome];
        return number ? (
          <Fact key={outcome} name="">
            <OutcomeMark outcome={outcome} /> {count(number)}
          </Fact>
        ) : null;
      })}
      <Fact name="Factors">
        {subject.methods.map(({ method, count: times }) => `${methodName(method)} (${count(times)})`).join(", ") ||
          "none"}
      </Fact>
      <Fact name="Addresses">
        {subject.ips.map(({ ip, country, count: times }) => (
          <div key={ip}>
            <Link to={`/search?subject=${subject.sub}&ip=${ip}`}>
              <code>{ip}</code>
            </Link>{" "}
            {country ? countryName(country) : null} ({count(times)})
          </div>
        ))}
      </Fact>
    </Facts>
  );
}

function SessionTable({ subject }: { subject: Subject }) {
  return (
    <Table label="Sessions" heads={["Session", "Begun", "Last seen", "From"]}>
      {subject.sessions.map((session) => (
        <tr key={session.session_ref}>
          <td>
            <Link to={`/sessions/${session.session_ref}`} {...ROW}>
              <code>{session.session_ref.slice(0, 8)}</code>
            </Link>
          </td>
          <td>
            <RowTime time={session.first_seen} />
          </td>
          <td>
            <Ago time={session.last_seen} />
          </td>
          <td className={classes.long} title={session.user_agent ?? undefined}>
            <code>{session.ip}</code> {session.country}
            <br />
            <span className={classes.quiet}>{session.user_agent}</span>
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Timeline({ sub }: { sub: string }) {
  const events = useInfiniteQuery(searchQuery({ subject: sub }));
  const entries = events.data?.pages.flatMap((page) => page.events) ?? [];
  return (
    <Panel title="Timeline" flush aside="Newest first">
      <Loaded query={events} what="events" isEmpty={() => entries.length === 0} empty="No event names this subject.">
        {() => <EventRows label="Timeline" entries={entries} />}
      </Loaded>
      {events.hasNextPage && !events.isPlaceholderData ? <NextPage pages={events}>Older events</NextPage> : null}
    </Panel>
  );
}

interface ReadRun {
  /** The newest of them. */
  read: SubjectRead;
  times: number;
  rows: number | null;
}

/** Reads, newest first, in runs: a view that asks again and again is one line for as long as nothing else comes between. */
function runsOf(reads: SubjectRead[]): ReadRun[] {
  const runs: ReadRun[] = [];
  for (const read of reads) {
    const last = runs.at(-1);
    if (last?.read.route === read.route && actorName(last.read.actor) === actorName(read.actor)) {
      last.times += 1;
      last.rows = last.rows === null && read.rows === null ? null : (last.rows ?? 0) + (read.rows ?? 0);
    } else {
      runs.push({ read, times: 1, rows: read.rows });
    }
  }
  return runs;
}

function Reads({ sub }: { sub: string }) {
  const query = useInfiniteQuery(subjectReadsQuery(sub));
  return (
    <Panel title="Who looked at this person's records" flush>
      <List query={query} what="the reads of a subject" empty="Nobody yet.">
        {(reads) => (
          <Table label="Reads" heads={["Last time", "Who", "What", "Times", "Rows in all"]} numbers={[3, 4]}>
            {runsOf(reads).map(({ read, times, rows }) => (
              <tr key={`${read.occurred_at} ${read.route ?? ""}`}>
                <td>
                  <RowTime time={read.occurred_at} />
                </td>
                <td>{actorName(read.actor)}</td>
                <td>
                  <code>{read.route}</code>
                </td>
                <Number>{count(times)}</Number>
                <Number>{rows === null ? "" : count(rows)}</Number>
              </tr>
            ))}
          </Table>
        )}
      </List>
    </Panel>
  );
}
