import { CopyId } from "@look/CopyId";
import { Notice } from "@look/Notice";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, useParams } from "react-router";
import { idOf, isDamaged, type RawEntry } from "../../api/client";
import { eventQuery } from "../../api/queries";
import type { AuditEvent } from "../../api/types";
import { OutcomeMark } from "../../components/Bits";
import { Loaded } from "../../components/Loaded";
import { Fact, Facts, Panel, Panels } from "../../components/Panel";
import { Scroll } from "../../components/Scroll";
import { View } from "../../components/View";
import { When } from "../../components/When";
import { count, countryName } from "../../lib/format";
import classes from "./Event.module.css";
import { ProofPanel } from "./ProofPanel";

/** One event: what it says, its bytes, and whether it is in the log. */
export function EventView() {
  const { id = "" } = useParams();
  const query = useQuery(eventQuery(id));
  const title = query.data ? titleOf(query.data) : "Event";
  return (
    <View
      title={title}
      heading={<span className={classes.type}>{title}</span>}
      lead={<CopyId value={id} what="event id" />}
    >
      <Loaded query={query} what="the event" thing="event">
        {(entry) => (
          <Panels>
            <ProofPanel entry={entry} />
            {entry.event ? <WhatPanel event={entry.event} /> : isDamaged(entry) ? <DamagedPanel /> : <ErasedPanel />}
            <LogPanel entry={entry} />
            {entry.raw === null ? null : <RawPanel raw={entry.raw} />}
          </Panels>
        )}
      </Loaded>
    </View>
  );
}

function titleOf(entry: RawEntry): string {
  return entry.event?.event_type ?? (isDamaged(entry) ? "Damaged event" : "Erased event");
}

function DamagedPanel() {
  return (
    <Panel title="Damaged" span={7}>
      <Notice tone="danger" title="These bytes cannot be read">
        <p>
          Nobody erased them. Keep the database as it is, raise the alarm and run <code>countersign audit verify</code>.
        </p>
      </Notice>
    </Panel>
  );
}

function ErasedPanel() {
  return (
    <Panel title="Erased" span={7}>
      What this event said was erased at somebody's request: the key to it is destroyed. Its place, its hash and every
      proof of them stay.
    </Panel>
  );
}

function Way({ to, id, what }: { to: string; id: string; what: string }) {
  return (
    <>
      <Link to={to}>
        <code>{id}</code>
      </Link>{" "}
      <CopyId value={id} what={what} hidden />
    </>
  );
}

function WhatPanel({ event }: { event: AuditEvent }) {
  const { subject, actor, client, authsignal, cognito, http, data } = event;
  const facts: [string, ReactNode][] = [
    ["Outcome", <OutcomeMark key="" outcome={event.outcome} />],
    ["Reason", event.reason],
    ["Happened", <When key="" time={event.occurred_at} />],
    ["Subject", subject?.sub && <Way to={`/subjects/${subject.sub}`} id={subject.sub} what="subject" />],
    ["E-mail hash", subject?.email_hash && <CopyId value={subject.email_hash} what="hash of the address" />],
    ["Actor", actor && `${actor.kind} ${actor.id}`],
    ["Client", client?.ip && <Way to={`/search?ip=${client.ip}`} id={client.ip} what="address" />],
    ["Country", client?.country && `${countryName(client.country)} (${client.country})`],
    ["User agent", client?.user_agent],
    ["Device", client?.device_id && <CopyId value={client.device_id} what="device id" />],
    [
      "Session",
      event.session_ref && <Way to={`/sessions/${event.session_ref}`} id={event.session_ref} what="session" />,
    ],
    ["Attempt", event.attempt_id && <Way to={`/attempts/${event.attempt_id}`} id={event.attempt_id} what="attempt" />],
    [
      "Request",
      event.request_id && <Way to={`/search?request=${event.request_id}`} id={event.request_id} what="request" />,
    ],
    ["Trace", event.trace_id && <CopyId value={event.trace_id} what="trace id" />],
    ["Authsignal", authsignal && [authsignal.action, authsignal.method, authsignal.state].filter(Boolean).join(" · ")],
    ["Cognito", cognito && [cognito.operation, cognito.error].filter(Boolean).join(" · ")],
    ["HTTP", http && [`${http.method} ${http.route}`, http.status].filter(Boolean).join(" · ")],
    ["Data", data && Object.keys(data).length > 0 && <code className={classes.data}>{JSON.stringify(data)}</code>],
  ];
  return (
    <Panel title="What it says" span={7}>
      <Facts>
        {facts
          .filter(([, value]) => Boolean(value))
          .map(([name, value]) => (
            <Fact key={name} name={name}>
              {value}
            </Fact>
          ))}
      </Facts>
    </Panel>
  );
}

function LogPanel({ entry }: { entry: RawEntry }) {
  const producer = entry.event?.producer;
  return (
    <Panel title="In the log" span={5}>
      <Facts>
        <Fact name="Leaf">{entry.leaf_index === null ? "not sealed yet" : count(entry.leaf_index)}</Fact>
        <Fact name="Recorded">
          <When time={entry.recorded_at} />
        </Fact>
        <Fact name="Leaf hash">
          <CopyId value={entry.leaf_hash} what="leaf hash" />
        </Fact>
        <Fact name="Receipt">
          <CopyId
            value={`${idOf(entry).slice(0, 13)}…:${entry.leaf_hash.slice(0, 12)}…`}
            copied={`${idOf(entry)}:${entry.leaf_hash}`}
            what="receipt"
          />
        </Fact>
        {producer ? (
          <Fact name="Producer">
            {producer.service}, number {count(producer.seq)} of <CopyId value={producer.instance} what="instance" />
          </Fact>
        ) : null}
      </Facts>
    </Panel>
  );
}

function RawPanel({ raw }: { raw: string }) {
  const bytes = new TextEncoder().encode(raw).length;
  return (
    <Panel
      title="Its bytes"
      aside={
        <>
          {count(bytes)} bytes, as they were written and hashed <CopyId value={raw} what="bytes" hidden />
        </>
      }
    >
      <Scroll className={classes.raw} label="Bytes of the entry">
        {raw}
      </Scroll>
    </Panel>
  );
}
