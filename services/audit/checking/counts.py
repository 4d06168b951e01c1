"""
Whether the hourly counts are those of the entries, without I/O.

1. Each leaf below the number that `counted` gives is in every dimension once, under its hour and its word. Type and outcome
   are counted together: their word is both.
2. The country of an erased entry is not known any more: it may stand under any.
3. Of a month that retention dropped only the counts are left: hours of it, and those beside it, may hold more than the entries.
   What all of them hold together is still as much as was counted. What was dropped before type and outcome were counted
   together has a word without the one and a word without the other, and is in each of the two once.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from datetime import UTC, date, datetime, timedelta
from typing import Final

from services.audit.moments import shifted
from services.audit.verifying.log import Finding

TOGETHER: Final = "event_type and outcome"
ALONE: Final = ("method", "service", "country")
DIMENSIONS: Final = (TOGETHER, *ALONE)
# What `CountCheck.add` takes of an entry.
WORDS: Final = ("event_type", "outcome", *ALONE)
HOUR: Final = timedelta(hours=1)

# How many entries an hour holds, by dimension, hour and word; "" is the word of those that have none. Two words have a space
# between them.
Counts = Mapping[tuple[str, datetime, str], int]


class CountCheck:
    """
    Adds up what the entries say, and compares.

    Args:
        stored: The hourly counts.
        leaf_count: How many leaves they are said to hold.
    """

    def __init__(self, stored: Counts, leaf_count: int) -> None:
        self._stored = stored
        self._leaf_count = leaf_count
        self._counted: Counter[tuple[str, datetime, str]] = Counter()
        self._countless: Counter[datetime] = Counter()

    def add(self, leaf_index: int, occurred_at: datetime, words: Mapping[str, str | None], *, is_erased: bool = False) -> None:
        """Count an entry, which has a place in the tree, by its `WORDS`."""
        if leaf_index >= self._leaf_count:
            return
        hour = occurred_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        self._counted[TOGETHER, hour, f"{words['event_type'] or ''} {words['outcome'] or ''}"] += 1
        for dimension in ALONE:
            if is_erased and dimension == "country":
                self._countless[hour] += 1
            else:
                self._counted[dimension, hour, words[dimension] or ""] += 1

    def findings(self, dropped: Set[date]) -> Iterator[Finding]:
        """Yield what differs; `dropped` are the first days of the months that retention dropped."""
        for dimension in DIMENSIONS:
            for total in self._totals(dimension):
                if total != self._leaf_count:
                    yield Finding(f"counts by {dimension}", f"hold {total:,} entries, and {self._leaf_count:,} were counted")
        stored, counted = _by_hour(self._stored), _by_hour(self._counted)
        for dimension, hour in sorted({*stored, *counted}):
            countless = self._countless[hour] if dimension == "country" else 0
            words = stored.get((dimension, hour), {}), counted.get((dimension, hour), {})
            for detail in _unlike(*words, countless, has_dropped=_is_near(hour, dropped)):
                yield Finding(f"counts by {dimension} of {hour:%Y-%m-%d %H:%M}", detail)

    def _totals(self, dimension: str) -> set[int]:
        """Return what a dimension holds in all; of two words together, what has the one and what has the other."""
        counts = [(word, count) for (name, _, word), count in self._stored.items() if name == dimension]
        if dimension != TOGETHER:
            return {sum(count for _, count in counts)}
        return {sum(count for word, count in counts if word.split(" ")[place]) for place in (0, 1)}


def _by_hour(counts: Counts) -> dict[tuple[str, datetime], dict[str, int]]:
    found: dict[tuple[str, datetime], dict[str, int]] = {}
    for (dimension, hour, word), count in counts.items():
        found.setdefault((dimension, hour), {})[word] = count
    return found


def _unlike(stored: Mapping[str, int], counted: Mapping[str, int], countless: int, *, has_dropped: bool) -> Iterator[str]:
    for word, count in sorted(counted.items()):
        if stored.get(word, 0) < count:
            yield f"{word or 'nothing'}: {stored.get(word, 0):,}, and the log holds {count:,}"
    held = sum(counted.values()) + countless
    if not has_dropped and sum(stored.values()) > held:
        yield f"{sum(stored.values()):,} in all, and the log holds {held:,}"


def _is_near(hour: datetime, months: Set[date]) -> bool:
    # The id of an event, by which its month is dropped, is made a moment before or after the time that it bears.
    return any(shifted(hour, near).date().replace(day=1) in months for near in (-HOUR, HOUR * 0, HOUR))
