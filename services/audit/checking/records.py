"""
Whether what people and jobs did stands in the database as the log says it, without I/O.

Of every hold, erasure, alert, repaired line, archived day and dropped month there is a row that the service acts on, and an
event in the log. A row that no event speaks of was not made by the service; an event that has no row any more means that the
row was removed.
"""

from collections.abc import Iterator, Set
from datetime import date
from typing import Final, NamedTuple

from services.audit.reading import Row
from services.audit.verifying.log import Finding
from shared.events import Event, EventType, Outcome, decode


class Kept(NamedTuple):
    """That something was done, as a row says: `done` a kind of `KINDS`, `name` what it was done to, `on` when (a UTC day)."""

    done: str
    name: str
    on: date


class _Kind(NamedTuple):
    """
    How a thing that is done is found in the log.

    `begun` is the event without which the row must not be there, None where it may come after the row. `ended` is the event
    without whose row something was removed, None where it comes before the row. `members` of its data are the name.
    """

    begun: EventType | None
    ended: EventType | None
    members: tuple[str, ...]


KINDS: Final = {
    "hold placed": _Kind(EventType.AUDIT_HOLD_PLACED, EventType.AUDIT_HOLD_PLACED, ("hold_id",)),
    "hold released": _Kind(EventType.AUDIT_HOLD_RELEASED, EventType.AUDIT_HOLD_RELEASED, ("hold_id",)),
    "erasure": _Kind(EventType.AUDIT_ERASURE_STARTED, EventType.AUDIT_SUBJECT_ERASED, ("erasure_id",)),
    "alert raised": _Kind(None, EventType.AUDIT_ALERT_RAISED, ("alert_id",)),
    "alert closed": _Kind(EventType.AUDIT_ALERT_CLOSED, None, ("alert_id",)),
    "line repaired": _Kind(EventType.AUDIT_QUARANTINE_REPAIRED, None, ("quarantine_id", "event_id")),
    "day archived": _Kind(None, EventType.AUDIT_ARCHIVE_WRITTEN, ("day", "manifest_sha256")),
    "month dropped": _Kind(EventType.AUDIT_RETENTION_DROPPED, EventType.AUDIT_RETENTION_DROPPED, ("month",)),
}
_TYPES: Final = frozenset(one.value for kind in KINDS.values() for one in (kind.begun, kind.ended) if one is not None)


class RecordCheck:
    """
    Reads the events, and compares.

    Args:
        before: What was kept before the first event was read: all of it has its event by then.
    """

    def __init__(self, before: Set[Kept]) -> None:
        self._before = before
        self._begun: set[tuple[str, str]] = set()
        self._ended: set[tuple[str, str]] = set()

    def read(self, row: Row) -> None:
        """Take in an entry."""
        if row.event_type not in _TYPES or row.service != "audit":
            return
        event = decode(row.entry)
        for done, kind in KINDS.items():
            name = _name(event, kind.members)
            if event.event_type is kind.begun:
                self._begun.add((done, name))
            # What was only begun may have come to nothing.
            if event.event_type is kind.ended and event.outcome is Outcome.SUCCESS:
                self._ended.add((done, name))

    def findings(self, after: Set[Kept], dropped: Set[date]) -> Iterator[Finding]:
        """
        Yield what differs.

        Args:
            after: What is kept after the last event was read: the rows of all of them are there by then.
            dropped: The first days of the months that retention dropped: the events of these cannot be read here.
        """
        for kept in sorted(self._before):
            is_dropped = kept.on.replace(day=1) in dropped
            if KINDS[kept.done].begun is not None and (kept.done, kept.name) not in self._begun and not is_dropped:
                yield Finding(f"{kept.done} {kept.name}", "stands in the database, and no event of the log says so")
        for done, name in sorted(self._ended - {(kept.done, kept.name) for kept in after}):
            yield Finding(f"{done} {name}", "stands in the log, and no more, or otherwise, in the database")


def _name(event: Event, members: tuple[str, ...]) -> str:
    return " ".join(str(event.data.get(member)) for member in members)
