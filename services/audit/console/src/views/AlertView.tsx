import { Button, Textarea } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { Link, useParams } from "react-router";
import { api } from "../api/client";
import { alertQuery, searchQuery } from "../api/queries";
import type { Alert } from "../api/types";
import { Badge, SeverityBadge } from "../components/Bits";
import { EventRows } from "../components/EventRows";
import { Loaded } from "../components/Loaded";
import { Fact, Facts, Panel, Panels } from "../components/Panel";
import { Trouble } from "../components/Trouble";
import { View } from "../components/View";
import { When } from "../components/When";
import { actorName, count } from "../lib/format";
import classes from "./Forms.module.css";

// What one expression of the search has room for.
const EVENTS_MAX = 30;

/** One alert: what was seen, in which events, and what was made of it. */
export function AlertView() {
  const { id = "" } = useParams();
  const query = useQuery(alertQuery(id));
  return (
    <View title={query.data?.title ?? "Alert"}>
      <Loaded query={query} what="the alert" thing="alert">
        {(alert) => (
          <Panels>
            <Seen alert={alert} />
            <Panel title={alert.state === "open" ? "Close it" : "Closed"} span={5}>
              {alert.state === "open" ? <Close alert={alert} /> : <Closed alert={alert} />}
            </Panel>
            <Evidence alert={alert} />
          </Panels>
        )}
      </Loaded>
    </View>
  );
}

function Seen({ alert }: { alert: Alert }) {
  return (
    <Panel title="What was seen" span={7}>
      <Facts>
        <Fact name="Severity">
          <SeverityBadge severity={alert.severity} /> <Badge>{alert.state}</Badge>
        </Fact>
        <Fact name="Rule">
          {alert.rule}, version {alert.rule_version}
        </Fact>
        <Fact name="First">
          <When time={alert.first_seen} />
        </Fact>
        <Fact name="Last">
          <When time={alert.last_seen} />
        </Fact>
        {alert.key ? (
          <Fact name="Counted by">
            <CountedBy alert={alert} counted={alert.key} />
          </Fact>
        ) : null}
        {alert.subject ? (
          <Fact name="Subject">
            <Link to={`/subjects/${alert.subject}`}>
              <code>{alert.subject}</code>
            </Link>
          </Fact>
        ) : null}
        <Fact name="Addresses">
          {alert.ips.map((ip) => (
            <div key={ip}>
              <Link to={`/search?ip=${ip}`}>
                <code>{ip}</code>
              </Link>
            </div>
          ))}
        </Fact>
        <Fact name="Leaves">
          {count(alert.first_leaf)} to {count(alert.last_leaf)}
        </Fact>
      </Facts>
    </Panel>
  );
}

/** An alert is raised once a threshold is crossed: a network leads to all that came from it since. */
function CountedBy({ alert, counted }: { alert: Alert; counted: string }) {
  if (!counted.includes("/")) return <code>{counted}</code>;
  return (
    <>
      <code>{counted}</code>
      <br />
      <Link to={`/search?${new URLSearchParams({ ip: counted, from: alert.first_seen }).toString()}`}>
        All that came from there since
      </Link>
    </>
  );
}

function Closed({ alert }: { alert: Alert }) {
  return (
    <Facts>
      <Fact name="By">{actorName(alert.closed_by)}</Fact>
      {alert.closed_at ? (
        <Fact name="When">
          <When time={alert.closed_at} />
        </Fact>
      ) : null}
      <Fact name="Note">{alert.note}</Fact>
    </Facts>
  );
}

function Close({ alert }: { alert: Alert }) {
  const queries = useQueryClient();
  const [note, setNote] = useState("");
  const close = useMutation({
    mutationFn: () => api.closeAlert(alert.id, note.trim()),
    onSuccess: () => void queries.invalidateQueries(),
  });

  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    if (note.trim()) close.mutate();
  }

  return (
    <form className={classes.form} onSubmit={submit}>
      <Textarea
        label="What you found"
        description="It stays with the alert, under your name."
        rows={4}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      <div>
        <Button type="submit" size="sm" loading={close.isPending} disabled={!note.trim()}>
          Close the alert
        </Button>
      </div>
      <Trouble error={close.error} thing="alert" />
    </form>
  );
}

function Evidence({ alert }: { alert: Alert }) {
  const ids = alert.event_ids.slice(-EVENTS_MAX);
  const filter = ids.map((id) => `event_id eq "${id}"`).join(" or ");
  const query = useInfiniteQuery(searchQuery({ filter, order: "asc" }));
  return (
    <Panel
      title="Its events"
      flush
      aside={ids.length < alert.event_count ? `The newest ${count(ids.length)} of ${count(alert.event_count)}` : null}
    >
      <Loaded
        query={query}
        what="events"
        isEmpty={({ pages }) => pages[0]?.events.length === 0}
        empty="None is in the database any more: erased, or dropped into the archive."
      >
        {({ pages }) => <EventRows label="Events of the alert" entries={pages.flatMap((page) => page.events)} />}
      </Loaded>
    </Panel>
  );
}
