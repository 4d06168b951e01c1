"""What a detection reads, and what it says."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID, uuid5

import msgspec

from services.audit.moments import storable
from shared.events import Event, EventType

# Events pass the queue in any order, and an outage holds some back: one that comes this much later still counts with what
# happened around it. Later than that, it is judged by itself.
LATE: Final = timedelta(hours=1)
# An alert names this many of its events; `event_count` says how many there are.
EVENTS_NAMED_MAX: Final = 50
_ALERTS: Final = UUID("5b1f6c1e-6d0a-4b7e-9f5e-3a7c0d2e8f41")


class Severity(Enum):
    """How soon somebody should look."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Record(NamedTuple):
    """One sealed entry: its place in the log, when the log recorded it, and the event itself."""

    leaf_index: int
    recorded_at: datetime
    event: Event


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a rule found.

    `id` is made of rule, version, key and window alone: whoever finds the same again finds the same id. `key` is what the rule
    counts by (a network, an account, a session). `behind` are the records that it was found in, in the order of the log; leaves
    and times are of the first and the last of them.
    """

    id: UUID
    rule: str
    rule_version: int
    key: str
    severity: Severity
    title: str
    subject: str | None
    ips: tuple[str, ...]
    first_leaf: int
    last_leaf: int
    first_seen: datetime
    last_seen: datetime
    event_ids: tuple[str, ...]
    event_count: int
    behind: tuple[Record, ...]
    data: dict[str, Any] = {}


class About(NamedTuple):
    """A rule's own description. A change of what it finds is a new `version`."""

    id: str
    version: int
    title: str
    description: str
    severity: Severity


class Rule(Protocol):
    """
    A rule as a fold over the log: what it remembers depends on what it was shown, in the order of the log, and on nothing else.

    It forgets what was recorded more than `look_back` ago, so who begins that far back comes to the same findings.
    """

    about: About
    types: frozenset[EventType]
    look_back: timedelta

    def observe(self, record: Record) -> Alert | None:
        """Take in one event and say whether it completes something."""


def make_alert(about: About, key: str, window: str, records: Iterable[Record], *, title: str, **data: Any) -> Alert:
    """
    Return the alert that some records stand behind.

    Args:
        about: The rule.
        key: What it counts by.
        window: Names the stretch of time within which the same key is one alert.
        records: At least one; in any order.
        title: One line for a person. It names no account, session or address: an alert's title and data are kept for ever, and
            only its key, subject and addresses go with somebody who is erased.
        data: What else a person should see, with the same left out.
    """
    return Alert(
        id=alert_id(about, key, window),
        rule=about.id,
        rule_version=about.version,
        key=key,
        severity=about.severity,
        title=title,
        data=data,
        **_told_by(sorted(records, key=lambda record: record.leaf_index)),
    )


def without(alert: Alert, event_ids: Collection[str]) -> Alert | None:
    """
    Return what is left of an alert when some events are gone; None when that is nothing.

    One about many people stays about the others. One about a single person says what their events were: it goes with any of
    them.
    """
    left = [record for record in alert.behind if record.event.event_id not in event_ids]
    if len(left) == len(alert.behind):
        return alert
    if not left or alert.subject is not None:
        return None
    gone = _ips(record.event for record in alert.behind) - _ips(record.event for record in left)
    return msgspec.structs.replace(alert, key="" if alert.key in gone else alert.key, **_told_by(left))


def _told_by(behind: Sequence[Record]) -> dict[str, Any]:
    """Return what an alert takes from its records, which are in the order of the log."""
    events = [record.event for record in behind]
    return {
        "subject": _only_subject(events),
        "ips": tuple(sorted(_ips(events)))[:EVENTS_NAMED_MAX],
        "first_leaf": behind[0].leaf_index,
        "last_leaf": behind[-1].leaf_index,
        "first_seen": storable(min(event.occurred_at for event in events)),
        "last_seen": storable(max(event.occurred_at for event in events)),
        "event_ids": tuple(event.event_id for event in events[-EVENTS_NAMED_MAX:]),
        "event_count": len(events),
        "behind": tuple(behind),
    }


def _ips(events: Iterable[Event]) -> set[str]:
    return {event.client.ip for event in events if event.client and event.client.ip}


def alert_id(about: About, key: str, window: str) -> UUID:
    """Return the id of an alert, the same wherever it is made. Source: RFC 9562 section 5.5."""
    return uuid5(_ALERTS, "\0".join((about.id, str(about.version), key, window)))


def _only_subject(events: Iterable[Event]) -> str | None:
    """Return the one account that all events are about; None when somebody else is among them, if by address alone."""
    people = [event.subject for event in events if event.subject is not None]
    subs = {person.sub for person in people if person.sub is not None}
    addresses = {person.email_hash for person in people if person.email_hash is not None}
    return subs.pop() if len(subs) == 1 and len(addresses) <= 1 else None


def subject_of(event: Event) -> str | None:
    """Return the account that an event is about."""
    return event.subject.sub if event.subject is not None else None


def window_of(moment: datetime, length: timedelta) -> int:
    """Return the number of the stretch of time that a moment is in, counted from 1970."""
    return int(moment.timestamp() // length.total_seconds())
