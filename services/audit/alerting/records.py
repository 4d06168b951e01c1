"""The sealed log as the detections read it: events in the order of the log, those of an erased person left out."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from services.audit.detections.model import Record
from services.audit.detections.takeover import HISTORY
from services.audit.moments import shifted
from services.audit.storage.alerts import AlertReader
from services.audit.storage.cursor import LogCursor
from services.audit.storage.search import EntryReader, Filters, Found
from shared.events import EventType, decode

# So many leaves are looked at in one step. Left to itself the planner, which knows little of what came since its last ANALYZE,
# reads and sorts all the rest of the log for each step.
STEP_LEAVES: Final = 4_000
PAGE_ENTRIES: Final = 2_000
# Sign-ins of one person that a rule is shown; nobody has more in a month without a program that signs in for them.
HISTORY_MAX: Final = 1_000
WITHIN_MAX: Final = 200_000


class TooMuch(Exception):
    """More events than one look may hold in memory: ask for less time."""


class Batch(NamedTuple):
    """Events, the leaf behind everything that was looked at, and how large the log is."""

    records: list[Record]
    next_index: int
    tree_size: int


class LogRecords:
    """
    Reads the log for the detections. Every method raises what `EntryReader` raises.

    Args:
        entries: Reads entries.
        alerts: Knows when a leaf was recorded.
    """

    def __init__(self, entries: EntryReader, alerts: AlertReader) -> None:
        self._entries = entries
        self._alerts = alerts

    async def batch(self, types: Iterable[EventType], start: int, *, end: int | None = None) -> Batch:
        """Return the events of some types among the next `STEP_LEAVES`, as far as the log is sealed by now, or up to `end`."""
        size = await self.tree_size()
        until = min(start + STEP_LEAVES, size if end is None else min(end, size))
        if start >= until:
            return Batch([], start, size)
        filters = Filters(types=tuple(sorted(one.value for one in types)))
        found = await self._entries.follow(filters, after=LogCursor(start), limit=until - start, end_leaf=until)
        return Batch(records_of(found), until, size)

    async def tree_size(self) -> int:
        """Return how large the log is."""
        return (await self._entries.now()).next_index

    async def between(self, types: Iterable[EventType], start: int, end: int) -> AsyncIterator[list[Record]]:
        """Yield the events of some types from one leaf to another, the last exclusive."""
        wanted = frozenset(types)
        while start < end:
            batch = await self.batch(wanted, start, end=end)
            if batch.next_index == start:
                return
            yield batch.records
            start = batch.next_index

    async def look_back_from(self, leaf_index: int, reach: timedelta) -> int:
        """Return a leaf that lies at least so far back in time from another one."""
        recorded_at = await self._alerts.recorded_at(max(0, leaf_index - 1))
        return 0 if recorded_at is None else min(leaf_index, await self._entries.tree_size_at(recorded_at - reach))

    async def within(
        self, types: Iterable[EventType], since: datetime, until: datetime, *, person: str | None = None
    ) -> list[Record]:
        """
        Return the sealed events of some types, of everybody or of one account, in a stretch of time, in the order of the log.

        Raises:
            TooMuch: There are more than `WITHIN_MAX`.
        """
        filters = Filters(since=since, until=until, types=tuple(sorted(one.value for one in types)), subject=person)
        found: list[Found] = []
        after = None
        while True:
            page = await self._entries.search(filters, after=after, limit=PAGE_ENTRIES)
            found += [one for one in page if one.leaf_index is not None]
            if len(page) < PAGE_ENTRIES:
                return sorted(records_of(found), key=lambda one: one.leaf_index)
            if len(found) > WITHIN_MAX:
                raise TooMuch(f"more than {WITHIN_MAX:,} events between {since} and {until}")
            after = page[-1].search_cursor()

    async def sign_ins(self, person: str, before: Record, reach: timedelta) -> list[Record]:
        """Return somebody's sign-ins in the time before an event, in the order of the log."""
        at = before.event.occurred_at
        filters = Filters(since=shifted(at, -reach), until=at, types=(HISTORY.value,), subject=person)
        found = await self._entries.search(filters, after=None, limit=HISTORY_MAX)
        return sorted(records_of(one for one in found if one.leaf_index is not None), key=lambda one: one.leaf_index)


def records_of(found: Iterable[Found]) -> list[Record]:
    """Return what can still be read of some entries."""
    records = []
    for one in found:
        if not one.entry:  # Erased: nobody can read it any more.
            continue
        try:
            event = decode(one.entry)
        except msgspec.DecodeError:  # Written by a newer release than this one.
            continue
        records.append(Record(one.leaf_index or 0, one.recorded_at, event))
    return records
