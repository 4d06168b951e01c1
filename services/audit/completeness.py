"""
Completeness: is any event missing that a producer numbered? Pure.

A producer is one process; it numbers its events 0, 1, 2, ... What is between two numbers that the log holds was written, or
tried to be, and is not there: a gap. A gap whose lines are in quarantine is explained: they are here, though not as entries.

- `stopped`: its last event said good-bye, and nothing before it is missing.
- `running`: heard of lately. What it numbered last may still be on its way.
- `unfinished`: silent, and it never said good-bye. It may have been killed; whether it had one more event nobody can know.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, NamedTuple

# A process that answers health checks and nothing else writes no event: a quiet quarter of an hour is not a crash.
SILENT_AFTER: Final = timedelta(minutes=15)
# Events pass the queue in any order: a number that is a minute late is late, one that is two seconds late is ordinary.
ALARM_AFTER: Final = timedelta(minutes=1)


class Status(Enum):
    """What is known of a producer's end."""

    RUNNING = "running"
    STOPPED = "stopped"
    UNFINISHED = "unfinished"


class Known(NamedTuple):
    """What the sealed log holds of one producer; `runs` are ranges of numbers, last exclusive, ascending."""

    instance: str
    service: str
    runs: Sequence[tuple[int, int]]
    entry_count: int
    first_recorded_at: datetime
    last_recorded_at: datetime
    stopped_seq: int | None


class Edge(NamedTuple):
    """The entry behind a hole, and since when the hole is known."""

    event_id: str
    noticed_at: datetime


class Quarantined(NamedTuple):
    """A line in quarantine whose producer could be read."""

    seq: int
    quarantine_id: int
    reason: str


class Gap(NamedTuple):
    """Missing numbers, both ends inclusive. `next_event_id` bears the number behind the hole that they are part of."""

    first_seq: int
    last_seq: int
    noticed_at: datetime
    next_event_id: str
    explained_by: Quarantined | None = None

    @property
    def event_count(self) -> int:
        """Return how many events are missing."""
        return self.last_seq - self.first_seq + 1


class Standing(NamedTuple):
    """How complete one producer is. `repeated_count`: events that bear a number which another one bears too."""

    known: Known
    status: Status
    open_gaps: list[Gap]
    explained_gaps: list[Gap]
    repeated_count: int

    @property
    def missing_count(self) -> int:
        """Return how many numbers are neither in the log nor explained."""
        return sum(gap.event_count for gap in self.open_gaps)


def holes(runs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the ranges between and before runs, last exclusive."""
    found = []
    begin = 0
    for first, last in runs:
        if first > begin:
            found.append((begin, first))
        begin = last
    return found


def without(runs: Iterable[tuple[int, int]], taken: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what is left of ranges without others; all are ascending and last exclusive."""
    left = []
    place = 0
    for first, last in runs:
        begin = first
        while place < len(taken) and taken[place][1] <= begin:
            place += 1
        while place < len(taken) and taken[place][0] < last:
            if taken[place][0] > begin:
                left.append((begin, taken[place][0]))
            begin = max(begin, taken[place][1])
            if begin >= last:  # It may reach into the next range as well.
                break
            place += 1
        if begin < last:
            left.append((begin, last))
    return left


def assess(known: Known, edges: dict[int, Edge], quarantined: Iterable[Quarantined], *, now: datetime) -> Standing:
    """
    Say how complete a producer is.

    Args:
        known: What the log holds of it.
        edges: First number behind each hole to what is known of it.
        quarantined: Its lines in quarantine.
        now: The time.
    """
    lines = {line.seq: line for line in quarantined}
    open_gaps: list[Gap] = []
    explained: list[Gap] = []
    for begin, end in holes(known.runs):
        edge = edges.get(end, Edge("", known.last_recorded_at))
        here = sorted(seq for seq in lines if begin <= seq < end)
        explained += [Gap(seq, seq, edge.noticed_at, edge.event_id, lines[seq]) for seq in here]
        place = begin
        for seq in [*here, end]:
            if seq > place:
                open_gaps.append(Gap(place, seq - 1, edge.noticed_at, edge.event_id))
            place = seq + 1
    numbers = sum(last - first for first, last in known.runs)
    return Standing(known, _status(known, now), open_gaps, explained, known.entry_count - numbers)


def overdue(standings: Iterable[Standing], *, now: datetime) -> list[tuple[Standing, Gap]]:
    """Return the open gaps that are worth an alarm."""
    return [(standing, gap) for standing in standings for gap in standing.open_gaps if now - gap.noticed_at >= ALARM_AFTER]


def _status(known: Known, now: datetime) -> Status:
    if known.stopped_seq is not None:
        return Status.STOPPED
    return Status.RUNNING if now - known.last_recorded_at < SILENT_AFTER else Status.UNFINISHED
