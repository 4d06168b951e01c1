"""Which numbers entries bear, held against plain sets of numbers."""

import json

from hypothesis import given
from hypothesis import strategies as st

from services.audit.completeness import without
from services.audit.verifying.numbers import Borne, Claim, Numbers, Span, count_of, cut
from tests.unit.audit.test_completeness import runs_of

SEQS = st.lists(st.integers(0, 40), max_size=60)
SETS = st.sets(st.integers(0, 40))


def entry(seq: int, instance: str = "i") -> bytes:
    """An entry as far as its number goes."""
    return json.dumps({"producer": {"service": "gateway", "instance": instance, "seq": seq}}).encode()


def of(spans: list[Span]) -> list[int]:
    """Return each number of some spans."""
    return [seq for span in spans for seq in range(span.first_seq, span.last_seq + 1)]


@given(SEQS)
def test_numbers_in_any_order(seqs: list[int]) -> None:
    """
    In whichever order numbers come, and however often, the ranges are those of the set.
    """
    borne = Borne("gateway")
    for seq in seqs:
        borne.add(seq)
    assert (borne.runs, borne.entry_count) == (runs_of(set(seqs)), len(seqs))


@given(SETS, SETS)
def test_ranges_without_others(some: set[int], others: set[int]) -> None:
    """
    Ranges without others are those of the difference of the sets.
    """
    left = without(runs_of(some), runs_of(others))
    assert {seq for first, last in left for seq in range(first, last)} == some - others
    assert all(first < last for first, last in left)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)), max_size=8))
def test_ranges_that_overlap_are_taken_once(taken: list[tuple[int, int]]) -> None:
    """
    What is taken away may be named twice, and in part.
    """
    away = [Span("gateway", "i", first, first + more) for first, more in taken]
    left = cut([Span("gateway", "i", 0, 20), Span("gateway", "i", 30, 40), Span("gateway", "j", 0, 1)], away)
    assert of(left) == [seq for seq in [*range(21), *range(30, 41)] if seq not in of(away)] + [0, 1]


@given(SETS.filter(bool), SETS)
def test_entries_and_claims(borne: set[int], claimed: set[int]) -> None:
    """
    Missing is what lies below the highest; what only one side has is named, and every number once.
    """
    numbers = Numbers()
    for seq in borne:
        numbers.read(entry(seq))
    claims = {"i": Claim("gateway", runs_of(claimed)), "unheard of": Claim("gateway", [(0, 2)])}
    assert of(numbers.missing()) == sorted(set(range(max(borne))) - borne)
    assert of(numbers.claimed_only(claims)) == [*sorted(claimed - borne), 0, 1]
    assert of(numbers.unclaimed(claims, is_whole=True)) == sorted(borne - claimed)
    assert numbers.unclaimed({}, is_whole=False) == []
    assert count_of(numbers.unclaimed({}, is_whole=True)) == numbers.entry_count == len(borne)


def test_what_names_no_producer_is_not_read() -> None:
    """
    An entry without a number that can be read counts as none.
    """
    numbers = Numbers()
    for wrong in (b"", b"{}", b"no JSON", entry(-1)):
        numbers.read(wrong)
    assert (numbers.entry_count, numbers.producers) == (0, {})
