"""
Which leaves may be without their entries: those that an event of the log itself has named before they were erased.

Rules:

1. An erased entry is empty where its entry would be: in a bundle it has the length 0.
2. Its leaf hash is taken from the tile; that it is the sealed one, the signed root shows.
3. An event `audit.erasure.started` of the audit service, sealed as any other, names it under ``data.leaves``: numbers and
   ranges with both ends inclusive, such as ``0-3,17``, all of them before the event's own leaf.
4. Empty and not named is lost.
"""

import re
from typing import Final

import msgspec

EVENT_TYPE: Final = "audit.erasure.started"
_HINT: Final = EVENT_TYPE.encode()
_RUNS: Final = re.compile(r"\d{1,19}(?:-\d{1,19})?(?:,\d{1,19}(?:-\d{1,19})?)*")


class _Producer(msgspec.Struct):
    service: str


class _Data(msgspec.Struct):
    leaves: str


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
        if _HINT not in entry or not self._unexplained:
            return
        try:
            record = _DECODE(entry)
        except msgspec.MsgspecError:
            return
        if record.event_type != EVENT_TYPE or record.producer.service != "audit" or not _RUNS.fullmatch(record.data.leaves):
            return
        for run in record.data.leaves.split(","):
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
