"""Completeness: which numbers are missing, which are explained, and what is known of a producer's end."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.completeness import Edge, Gap, Known, Quarantined, Status, assess, holes, overdue
from services.audit.sealing.recheck import Rechecked, multirange, seen_producers

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EDGE = Edge("the next one", NOW - timedelta(minutes=3))


def known(runs: Sequence[tuple[int, int]], *, heard: timedelta = timedelta(0), stopped_seq: int | None = None) -> Known:
    """What a log may hold of a producer."""
    return Known("i", "gateway", runs, sum(last - first for first, last in runs), NOW, NOW - heard, stopped_seq)


def runs_of(numbers: set[int]) -> list[tuple[int, int]]:
    """Return numbers as runs."""
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number:
            runs[-1] = (runs[-1][0], number + 1)
        else:
            runs.append((number, number + 1))
    return runs


@given(st.sets(st.integers(0, 60), min_size=1), st.sets(st.integers(0, 60)))
def test_every_missing_number_is_named_once(numbers: set[int], quarantined: set[int]) -> None:
    """
    Open and explained gaps together name exactly the numbers below the highest that the log does not hold; explained are
    those in quarantine.
    """
    runs = runs_of(numbers)
    edges = {first: EDGE for first, _ in runs}
    standing = assess(known(runs), edges, [Quarantined(seq, seq, "not_an_event") for seq in quarantined], now=NOW)

    missing = set(range(max(numbers))) - numbers
    named = [seq for gap in standing.open_gaps for seq in range(gap.first_seq, gap.last_seq + 1)]
    explained = [gap.first_seq for gap in standing.explained_gaps]
    assert sorted(named) == sorted(missing - quarantined)
    assert sorted(explained) == sorted(missing & quarantined)
    assert standing.missing_count == len(named)
    assert all(gap.noticed_at == EDGE.noticed_at for gap in standing.open_gaps)


def test_holes() -> None:
    """
    Holes are before and between runs; after the last number nothing is known to be missing.
    """
    assert holes([]) == []
    assert holes([(0, 5)]) == []
    assert holes([(2, 5), (6, 7), (9, 10)]) == [(0, 2), (5, 6), (7, 9)]


def test_status() -> None:
    """
    A good-bye makes a producer stopped; silence without one makes it unfinished, which is not a gap.
    """
    quiet = timedelta(minutes=20)
    assert assess(known([(0, 5)]), {}, [], now=NOW).status is Status.RUNNING
    assert assess(known([(0, 5)], heard=quiet, stopped_seq=4), {}, [], now=NOW).status is Status.STOPPED
    unfinished = assess(known([(0, 5)], heard=quiet), {}, [], now=NOW)
    assert (unfinished.status, unfinished.open_gaps) == (Status.UNFINISHED, [])


def test_a_number_used_twice() -> None:
    """
    Two events with one number are counted as repeated, and hide no gap.
    """
    twice = Known("i", "gateway", [(0, 3), (4, 5)], 6, NOW, NOW, None)
    standing = assess(twice, {4: EDGE}, [], now=NOW)
    assert (standing.repeated_count, standing.open_gaps) == (2, [Gap(3, 3, EDGE.noticed_at, "the next one")])


def test_only_old_gaps_ring() -> None:
    """
    A gap rings when it has been known for a minute: before that its events may still be in the queue.
    """
    old, fresh = Edge("a", NOW - timedelta(seconds=60)), Edge("b", NOW - timedelta(seconds=59))
    standing = assess(known([(0, 1), (2, 3), (5, 6)]), {2: old, 5: fresh}, [], now=NOW)
    assert [gap.first_seq for _, gap in overdue([standing], now=NOW)] == [1]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 20)), max_size=40))
def test_what_a_batch_holds(numbered: list[tuple[str, int]]) -> None:
    """
    Runs of a batch cover exactly its numbers, count every entry, and each begins at an edge unless it begins at 0.
    """
    entries = [Rechecked(str(uuid4()), b"", 1, NOW, "gateway", instance, seq, False) for instance, seq in numbered]
    seen = {one.instance: one for one in seen_producers(entries)}

    assert set(seen) == {instance for instance, _ in numbered}
    for instance, one in seen.items():
        numbers = [seq for other, seq in numbered if other == instance]
        assert one.runs == runs_of(set(numbers))
        assert one.entry_count == len(numbers)
        assert [seq for seq, _ in one.edges] == [first for first, _ in one.runs if first]
        assert all(any(entry.event_id == event_id and entry.seq == seq for entry in entries) for seq, event_id in one.edges)


@pytest.mark.parametrize(("runs", "text"), [([], "{}"), ([(0, 5), (7, 8)], "{[0,5),[7,8)}")])
def test_ranges_as_the_database_writes_them(runs: list[tuple[int, int]], text: str) -> None:
    """
    Runs are written as PostgreSQL's ranges, last exclusive.
    """
    assert multirange(runs) == text


def test_the_last_good_bye_counts() -> None:
    """
    The number of service.stopped is kept, so that a clean end can be told from a sudden one.
    """
    entries = [Rechecked(str(seq), b"", 1, NOW, "gateway", "a", seq, seq == 2) for seq in range(4)]
    assert [one.stopped_seq for one in seen_producers(entries)] == [2]
    assert [one.stopped_seq for one in seen_producers(entries[:2])] == [None]
