"""Rules that count different things by one key within a window that moves with time."""

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right, insort
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from services.audit.detections.model import LATE, About, Alert, Record, make_alert, window_of
from services.audit.moments import shifted
from shared.events import Event, EventType

# What is remembered of one key: far more than any threshold asks for, little enough that an attack does not fill the memory.
REMEMBERED_MAX: Final = 2_000
# How often keys that nothing more is heard of are dropped, in observations. Only the memory depends on it, no finding.
SWEEP_EVERY: Final = 10_000
# A thing that has an alert gets another one when it became so many times as large.
GROWTH: Final = 10


class Mark(NamedTuple):
    """What an event counts as: by which key, as which kind of thing, and as which one of that kind."""

    key: str
    kind: str
    identity: str


class _Raised(NamedTuple):
    """What a window has an alert for: how many times the threshold, a power of `GROWTH`, and when that was recorded."""

    times: int
    at: datetime


class _Remembered:
    """One key: the newest record of each thing, in the order of hearing of them, and the windows that have an alert."""

    __slots__ = ("_moments", "newest", "raised")

    def __init__(self) -> None:
        self.newest: dict[tuple[str, str], Record] = {}
        self.raised: dict[int, _Raised] = {}
        # When the things of a kind occurred, sorted: an attack is counted with each of its events.
        self._moments: dict[str, list[datetime]] = {}

    def add(self, thing: tuple[str, str], record: Record) -> None:
        before = self._drop(thing) if thing in self.newest else None
        if before is not None and before.event.occurred_at > record.event.occurred_at:
            record = before
        self.newest[thing] = record
        insort(self._moments.setdefault(thing[0], []), record.event.occurred_at)
        if len(self.newest) > REMEMBERED_MAX:
            self._drop(next(iter(self.newest)))

    def counts(self, after: datetime, before: datetime) -> dict[str, int]:
        """Return how many things of each kind occurred between two moments, both exclusive."""
        found = {kind: bisect_left(all_of, before) - bisect_right(all_of, after) for kind, all_of in self._moments.items()}
        return {kind: count for kind, count in sorted(found.items()) if count > 0}

    def forget(self, before: datetime) -> bool:
        """Drop what was recorded before a moment; say whether nothing is left."""
        for thing in [thing for thing, record in self.newest.items() if record.recorded_at < before]:
            self._drop(thing)
        for window in [window for window, raised in self.raised.items() if raised.at < before]:
            del self.raised[window]
        return not self.newest and not self.raised

    def _drop(self, thing: tuple[str, str]) -> Record:
        record, moments = self.newest.pop(thing), self._moments[thing[0]]
        del moments[bisect_left(moments, record.event.occurred_at)]
        return record


class CountingRule(ABC):
    """
    Counts different things of one key within a window, and raises one alert for a key and stretch of time.

    When the alert is raised the thing has only begun. So that it is seen how large it became, another one is raised at ten
    times the threshold, at a hundred times, and so on, as far as `REMEMBERED_MAX` lets it be counted.

    A kind says what follows from it: `thresholds` names for each kind how many different ones are an alert. Kinds that do not
    stand there are only shown.

    Args:
        about: The rule.
        types: What it looks at.
        window: Events count together that occurred less than this apart.
        thresholds: Kind to count.
    """

    def __init__(self, about: About, types: frozenset[EventType], *, window: timedelta, thresholds: dict[str, int]) -> None:
        self.about = about
        self.types = types
        self._window = window
        self._thresholds = thresholds
        self._keep = window + LATE
        # The window of the first event of a stretch, that stretch itself, and as long again for what comes late.
        self.look_back = 2 * (window + self._keep)
        self._keys: dict[str, _Remembered] = {}
        self._clock: datetime | None = None
        self._observed = 0

    @abstractmethod
    def marks(self, event: Event) -> list[Mark]:
        """Return what an event counts as; all marks have one key."""

    @abstractmethod
    def title(self, counts: dict[str, int]) -> str:
        """Return the alert's one line; see `make_alert` for what it leaves out."""

    def observe(self, record: Record) -> Alert | None:
        """See `Rule`."""
        self._clock = record.recorded_at if self._clock is None else max(self._clock, record.recorded_at)
        marks = self.marks(record.event)
        if not marks:
            return None
        self._sweep()
        key = marks[0].key
        known = self._keys.setdefault(key, _Remembered())
        known.forget(self._clock - self._keep)
        for mark in marks:
            known.add((mark.kind, mark.identity), record)
        return self._judge(key, known, record)

    def _judge(self, key: str, known: _Remembered, record: Record) -> Alert | None:
        moment = record.event.occurred_at
        window = window_of(moment, self._window)
        least = known.raised[window].times * GROWTH if window in known.raised else 1
        # Around the event, not only before it: one that comes late counts with what happened around it.
        after, before = shifted(moment, -self._window), shifted(moment, self._window)
        counts = known.counts(after, before)
        times = max(counts.get(kind, 0) // threshold for kind, threshold in self._thresholds.items())
        if times < least:
            return None
        while least * GROWTH <= times:
            least *= GROWTH
        known.raised[window] = _Raised(least, record.recorded_at)
        behind = {one.leaf_index: one for one in known.newest.values() if after < one.event.occurred_at < before}
        return make_alert(self.about, key, f"{window} {least}", behind.values(), title=self.title(counts), counts=counts)

    def _sweep(self) -> None:
        self._observed += 1
        if self._observed % SWEEP_EVERY or self._clock is None:
            return
        before = self._clock - self._keep
        for key in [key for key, known in self._keys.items() if known.forget(before)]:
            del self._keys[key]
