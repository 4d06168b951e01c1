"""
Whether a month may be dropped, without I/O.

1. It is over, and so is the month after it: an event that was on its way when the month ended has arrived.
2. All of it is sealed, so that its hashes stay in the tree.
3. All of it is in the hourly counts, which are all that is left to count it by.
4. All of it is archived, under a lock that holds.
5. Every stream that is required has all of it.
6. Nobody in it is on legal hold.
7. No erasure that was announced in it explains entries of a month that is still there.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from services.audit.streaming.settings import Stream
from services.audit.streaming.store import StreamState

Runs = Sequence[tuple[int, int]]


class MonthFacts(NamedTuple):
    """
    What the database holds of a month.

    `runs` are its leaves, first inclusive, last exclusive, ascending; `counted_end` is the leaf behind the last counted one.
    """

    month: date
    entry_count: int
    unsealed_count: int
    runs: Runs
    counted_end: int
    held_count: int
    announced_count: int = 0

    @property
    def end_leaf(self) -> int:
        """Return the leaf behind its last one."""
        return self.runs[-1][1] if self.runs else 0


def blocks(
    facts: MonthFacts, *, today: date, archived_end: int, streams: Sequence[Stream], states: Mapping[str, StreamState]
) -> list[str]:
    """
    Return what stands against dropping a month, in words; nothing when it may be dropped.

    Args:
        facts: The month.
        today: In UTC.
        archived_end: The leaf behind the last archived one.
        streams: The configured streams.
        states: How far they are, by name.
    """
    found: list[str] = []
    if next_month(next_month(facts.month)) > today:
        found.append("it is too young: a month can go when the one after it is over")
    if facts.unsealed_count:
        found.append(f"{facts.unsealed_count:,} of its entries are not sealed")
    if facts.end_leaf > facts.counted_end:
        found.append(f"it reaches to leaf {facts.end_leaf - 1:,}, and the hourly counts to {facts.counted_end - 1:,}")
    if facts.end_leaf > archived_end:
        found.append(f"it reaches to leaf {facts.end_leaf - 1:,}, and the archive to {archived_end - 1:,}")
    behind = [one.name for one in streams if one.is_required and not _has_delivered(states.get(one.name), facts.end_leaf)]
    found += [f"stream {name} has not delivered all of it" for name in behind]
    if facts.held_count:
        found.append(f"{facts.held_count} legal hold{'s' if facts.held_count > 1 else ''} on people in it")
    if facts.announced_count:
        found.append("it holds the announcement of erasures in an older month: drop that one first")
    return found


def _has_delivered(state: StreamState | None, end_leaf: int) -> bool:
    return state is not None and state.next_leaf >= end_leaf


def next_month(month: date) -> date:
    """Return the first day of the next month."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)
