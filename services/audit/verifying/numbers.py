"""
Which numbers the sealed entries bear themselves, and whether what the service reports of them can be true. Pure.

Rules:

1. A producer numbers its events 0, 1, 2, ... A number below its highest that no entry bears is missing.
2. An entry that was erased or dropped bore a number too, and nobody can read it any more. As many of the missing numbers as
   there are such entries may be theirs, whichever these are. Only what goes beyond that is proven to be missing.
3. A number that the service reports as there needs an entry of its own. Of the reported numbers that no entry bears, at most as
   many are true as entries cannot be read. When there are more, some are false.
4. A number that an entry bears has to be in the report.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Annotated, NamedTuple

import msgspec

from services.audit.completeness import holes, without

Run = tuple[int, int]


class Span(NamedTuple):
    """Numbers of one producer, both ends inclusive."""

    service: str
    instance: str
    first_seq: int
    last_seq: int

    @property
    def number_count(self) -> int:
        """Return how many numbers these are."""
        return self.last_seq - self.first_seq + 1

    def __str__(self) -> str:
        ends = str(self.first_seq) if self.number_count == 1 else f"{self.first_seq} to {self.last_seq}"
        return f"{self.service} {self.instance} number {ends}"


class Claim(NamedTuple):
    """What the service reports of one producer: the numbers that are there, as ranges, last exclusive, ascending."""

    service: str
    runs: Sequence[Run]


class _Producer(msgspec.Struct, gc=False):
    service: str
    instance: str
    seq: Annotated[int, msgspec.Meta(ge=0)]


class _Numbered(msgspec.Struct, gc=False):
    producer: _Producer


_DECODE = msgspec.json.Decoder(_Numbered).decode


class Borne:
    """The numbers that the entries of one producer bear: `runs` are ranges, last exclusive, ascending, with holes between."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.runs: list[Run] = []
        self.entry_count = 0

    @property
    def last_seq(self) -> int:
        """Return the highest number."""
        return self.runs[-1][1] - 1

    def add(self, seq: int) -> None:
        """Add a number; most come in their order."""
        self.entry_count += 1
        runs = self.runs
        if runs and runs[-1][1] == seq:
            runs[-1] = (runs[-1][0], seq + 1)
            return
        place = bisect_right(runs, seq, key=itemgetter(0))
        if place and seq < runs[place - 1][1]:
            return  # Another event bears it as well.
        first, last = seq, seq + 1
        if place < len(runs) and runs[place][0] == last:
            last = runs.pop(place)[1]
        if place and runs[place - 1][1] == first:
            place -= 1
            first = runs.pop(place)[0]
        runs.insert(place, (first, last))


class Numbers:
    """The numbers of all entries that were read. Memory grows with producers and holes, not with entries."""

    def __init__(self) -> None:
        self.producers: dict[str, Borne] = {}
        self.entry_count = 0

    def read(self, entry: bytes) -> None:
        """Take in an entry. One that names no producer counts as one that cannot be read."""
        try:
            producer = _DECODE(entry).producer
        except msgspec.MsgspecError:
            return
        borne = self.producers.get(producer.instance)
        if borne is None:
            borne = self.producers[producer.instance] = Borne(producer.service)
        borne.add(producer.seq)
        self.entry_count += 1

    def missing(self) -> list[Span]:
        """Return the numbers below the highest of their producer that no entry bears."""
        return [
            span for instance, borne in self.producers.items() for span in _spans(borne.service, instance, holes(borne.runs))
        ]

    def claimed_only(self, claims: Mapping[str, Claim]) -> list[Span]:
        """Return the numbers that are reported as there, and that no entry bears."""
        found = []
        for instance, claim in claims.items():
            borne = self.producers.get(instance)
            found += _spans(claim.service, instance, without(claim.runs, borne.runs if borne else ()))
        return found

    def unclaimed(self, claims: Mapping[str, Claim], *, is_whole: bool) -> list[Span]:
        """Return the numbers that entries bear, and that are not reported; where not all is reported, of listed producers."""
        found = []
        for instance, borne in self.producers.items():
            claim = claims.get(instance)
            if claim is not None or is_whole:
                found += _spans(borne.service, instance, without(borne.runs, claim.runs if claim else ()))
        return found


def count_of(spans: Iterable[Span]) -> int:
    """Return how many numbers these are."""
    return sum(span.number_count for span in spans)


def cut(spans: Iterable[Span], away: Iterable[Span]) -> list[Span]:
    """Return what is left of numbers without others."""
    taken: dict[str, list[Run]] = {}
    for span in away:
        taken.setdefault(span.instance, []).append(_run(span))
    left = []
    for (service, instance), group in groupby(spans, key=lambda span: (span.service, span.instance)):
        left += _spans(service, instance, without(sorted(map(_run, group)), sorted(taken.get(instance, ()))))
    return left


def _run(span: Span) -> Run:
    return span.first_seq, span.last_seq + 1


def _spans(service: str, instance: str, runs: Iterable[Run]) -> list[Span]:
    return [Span(service, instance, first, last - 1) for first, last in runs]
