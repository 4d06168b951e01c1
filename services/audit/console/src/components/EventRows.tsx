import { Link } from "react-router";
import { idOf, isDamaged } from "../api/client";
import type { AuditEvent, Entry } from "../api/types";
import { countryName } from "../lib/format";
import { OutcomeMark } from "./Bits";
import classes from "./EventRows.module.css";
import { ROW } from "./Shortcuts";
import { RowTime } from "./When";

/** Whom or what an event is about, as short as it can be said. */
function whoOf({ subject, actor }: AuditEvent): string {
  if (actor) return `${actor.kind} ${actor.id.slice(0, 8)}`;
  if (subject?.sub) return subject.sub.slice(0, 8);
  return subject?.email_hash ? `#${subject.email_hash.slice(0, 8)}` : "";
}

function whatOf({ reason, authsignal, http, cognito }: AuditEvent): string {
  const parts = [reason, authsignal?.method, cognito?.operation, http && `${http.method} ${http.route}`];
  return parts.filter(Boolean).join(" · ");
}

function Row({ entry, isNew }: { entry: Entry; isNew: boolean }) {
  const { event } = entry;
  const to = `/events/${idOf(entry)}`;
  const className = `${classes.row ?? ""} ${isNew ? (classes.fresh ?? "") : ""}`;
  if (event === null) {
    return (
      <Link to={to} className={className} {...ROW}>
        <RowTime time={entry.recorded_at} />
        <span className={classes.erased}>
          {isDamaged(entry) ? "cannot be read: damaged" : "erased; its place and hash remain"}
        </span>
      </Link>
    );
  }
  const { ip, country } = event.client ?? {};
  return (
    <Link to={to} className={className} {...ROW}>
      <RowTime time={event.occurred_at} />
      <OutcomeMark outcome={event.outcome} />
      <span className={classes.type}>{event.event_type}</span>
      <span className={classes.who}>{whoOf(event)}</span>
      <span className={classes.where}>
        {ip} {country ? <abbr title={countryName(country)}>{country}</abbr> : null}
      </span>
      <span className={classes.what}>{whatOf(event)}</span>
    </Link>
  );
}

interface EventRowsProps {
  label: string;
  entries: Entry[];
  /** Ids of what just arrived. */
  fresh?: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();

/** Events, one a line, each a link. Lines out of sight cost nothing to draw. */
export function EventRows({ label, entries, fresh = NONE }: EventRowsProps) {
  return (
    <ol className={classes.rows} aria-label={label}>
      {entries.map((entry) => (
        <li key={idOf(entry)} className={classes.item}>
          <Row entry={entry} isNew={fresh.has(idOf(entry))} />
        </li>
      ))}
    </ol>
  );
}
