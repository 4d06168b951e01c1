"""
Which leaves may be without their entries: those that an event of the log itself has named before they were erased.

Rules:

1. An erased entry is empty where its entry would be: in a bundle it has the length 0.
2. Its leaf hash is taken from the tile; that it is the sealed one, the signed root shows.
3. An event `audit.erasure.started` of the audit service, sealed as any other, names it under ``data.leaves``: numbers and
   ranges with both ends inclusive, such as ``0-3,17``, all of them before the event's own leaf.
4. Empty and not named is lost.

An archive outlasts the months of the database. Of somebody who is erased after a month was dropped, no leaf of that month is
left that the announcement could name, and the archived entries go with their keys. So in an archive (`ErasedRows`) a leaf may
also be named by its key, in an event `audit.subject.erased` of the audit service at a later leaf, under ``data.key_ids``.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

STARTED: Final = "audit.erasure.started"
DONE: Final = "audit.subject.erased"
_STARTED_HINT: Final = STARTED.encode()
_DONE_HINT: Final = DONE.encode()
_RUNS: Final = re.compile(r"\d{1,19}(?:-\d{1,19})?(?:,\d{1,19}(?:-\d{1,19})?)*")
# `audit.subject.erased` comes after the keys are destroyed; where the process died, another one records it minutes later.
RECORDED_WITHIN: Final = timedelta(hours=1)


class _Producer(msgspec.Struct):
    service: str


class _Data(msgspec.Struct):
    leaves: str = ""
    key_ids: list[str] = []


class _Record(msgspec.Struct):
    event_type: str
    producer: _Producer
    data: _Data


_DECODE = msgspec.json.Decoder(_Record).decode


class ErasedLeaves:
    """What was found empty, and what of it an erasure explains. Leaves are fed in the order of the log."""

    def __init__(self) -> None:
        self._unexplained: set[int] = set()
        self.explained_count = 0

    @property
    def unexplained(self) -> list[int]:
        """The leaves that were empty, and that nothing read so far has named; ascending."""
        return sorted(self._unexplained)

    def found_empty(self, leaf_index: int) -> None:
        """Note a leaf without its entry."""
        self._unexplained.add(leaf_index)

    def read(self, leaf_index: int, entry: bytes) -> None:
        """Take in an entry, which may be the record of an erasure."""
        if _STARTED_HINT not in entry or not self._unexplained:
            return
        record = _record(entry, STARTED)
        if record is None or not _RUNS.fullmatch(record.leaves):
            return
        for run in record.leaves.split(","):
            first, _, last = run.partition("-")
            self._explain(int(first), min(int(last or first), leaf_index - 1))

    def _explain(self, first: int, last: int) -> None:
        # A run may be longer than what is left to explain.
        if last - first < len(self._unexplained):
            named = self._unexplained.intersection(range(first, last + 1))
        else:
            named = {index for index in self._unexplained if first <= index <= last}
        self._unexplained -= named
        self.explained_count += len(named)


class Unrecorded(NamedTuple):
    """
    Leaves whose keys were destroyed, and that no event in the archive names; ascending.

    Those in `later` lost their keys about when the archive ends, or after that: the event may be behind its end.
    """

    lost: list[int]
    later: list[int]


class ErasedRows:
    """What of an archive was erased, and what of it its own events explain. Rows are taken in any order."""

    def __init__(self) -> None:
        self._keys: dict[int, str] = {}
        self._destroyed_at: dict[str, datetime] = {}
        self._records: list[tuple[int, bytes]] = []
        self._reaches: datetime | None = None

    def reaches(self, recorded_at: datetime) -> None:
        """Note when a row was recorded: an event that was recorded before the last of them is in the archive."""
        if self._reaches is None or recorded_at > self._reaches:
            self._reaches = recorded_at

    def found_erased(self, leaf_index: int, key_id: str, destroyed_at: datetime) -> None:
        """Note a leaf that cannot be read, as its key was destroyed."""
        self._destroyed_at.setdefault(key_id, destroyed_at)
        self._keys[leaf_index] = key_id

    def read(self, leaf_index: int, entry: bytes) -> None:
        """Take in an entry, which may be the record of an erasure."""
        if _STARTED_HINT in entry or _DONE_HINT in entry:
            self._records.append((leaf_index, entry))

    def unrecorded(self) -> Unrecorded:
        """Return what the archive does not explain, once all of its rows are taken."""
        leaves = ErasedLeaves()
        for leaf_index in self._keys:
            leaves.found_empty(leaf_index)
        for leaf_index, entry in self._records:
            leaves.read(leaf_index, entry)
        named_at = dict(self._named_keys())
        unexplained = [index for index in leaves.unexplained if named_at.get(self._keys[index], 0) <= index]
        lost: list[int] = []
        later: list[int] = []
        for index in unexplained:
            recorded_by = self._destroyed_at[self._keys[index]] + RECORDED_WITHIN
            (later if self._reaches is None or recorded_by >= self._reaches else lost).append(index)
        return Unrecorded(lost, later)

    def _named_keys(self) -> Iterator[tuple[str, int]]:
        """Yield keys and the leaves at which they are named, the last one of a key last."""
        for leaf_index, entry in sorted(self._records):
            record = _record(entry, DONE)
            for key_id in record.key_ids if record else ():
                yield key_id, leaf_index


def _record(entry: bytes, event_type: str) -> _Data | None:
    """Return what an event of this type says, if it is one and the audit service's own."""
    try:
        record = _DECODE(entry)
    except msgspec.MsgspecError:
        return None
    return record.data if record.event_type == event_type and record.producer.service == "audit" else None
