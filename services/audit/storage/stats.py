"""
How many entries of which kind, over time and in all.

A question about nothing but a time range (and the words by which it is counted) is answered from the hourly counts: whole hours
from the counts; the parts of an hour at both ends from the entries, and so what is not in the counts yet. Whatever is narrower
counts the entries. Both ways give the same numbers, and both include what is not sealed yet. Of a month that retention dropped
the counts alone are left: its whole hours are still known, and parts of hours and narrower questions find nothing in it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import asyncpg

from services.audit.storage.database import UNAVAILABLE, DatabaseUnavailable, Pool, QueryTooSlow, fetch
from services.audit.storage.search import EntryReader, Filters, conditions

HOUR: Final = timedelta(hours=1)

# What is counted by, and its column.
GROUPS: Final[Mapping[str, str]] = {
    "outcome": "outcome",
    "event_type": "event_type",
    "method": "method",
    "service": "service",
    "country": "country",
}
# What can be listed by frequency, and the column that is counted; each text of words_id has one browser.
TOPS: Final[Mapping[str, str]] = {
    **GROUPS,
    "ip": "ip",
    "subject": "subject_sub",
    "user_agent": "words_id",
}

_STATE: Final = """
SELECT c.leaf_count, s.through_xid::text AS through_xid, s.through_id::text AS through_id
FROM audit.counted AS c LEFT JOIN (
    SELECT through_xid, through_id FROM audit.seals ORDER BY tree_size DESC LIMIT 1
) AS s ON true
"""

_COUNTED: Final = """
SELECT date_trunc($2, hour, 'UTC') AS start, word, sum(entry_count)::bigint AS entry_count FROM audit.hourly_counts
WHERE dimension = $1 AND hour >= $3 AND hour < $4 GROUP BY 1, 2
"""


class Count(NamedTuple):
    """How many entries of one word began in one span; `word` is None for entries that have none."""

    start: datetime
    word: str | None
    entry_count: int


class Top(NamedTuple):
    """The most frequent values, and how many entries there are in all, those without a value included."""

    values: list[tuple[str, int]]
    total: int


class StatsReader:
    """
    Counts through the reader's connections.

    Args:
        pool: Connections of the role ``countersign_reader``.
        entries: Knows what filters mean in this log.

    Every method raises:
        DatabaseUnavailable: Try again later.
        QueryTooSlow: Ask for less.
    """

    def __init__(self, pool: Pool, entries: EntryReader) -> None:
        self._pool = pool
        self._entries = entries

    async def over_time(self, filters: Filters, *, by: str, group: str) -> list[Count]:
        """Return the counts of each span (minute, hour or day, UTC) and word; `filters` have both ends of the time range."""
        if filters.since is None or filters.until is None:
            raise AssertionError("counts over time have two ends")
        first, last = _next_hour(filters.since), _hour(filters.until)
        if by == "minute" or first >= last or not _counts_answer(filters, group):
            return await self._from_entries(filters, by=by, group=group)
        found = [
            *(one for one in await self._from_counts(first, last, by=by, group=group) if _fits(filters, one.word)),
            *await self._from_entries(replace(filters, until=first), by=by, group=group),
            *await self._from_entries(replace(filters, since=last), by=by, group=group),
        ]
        sums: dict[tuple[datetime, str | None], int] = {}
        for start, word, entry_count in found:
            sums[start, word] = sums.get((start, word), 0) + entry_count
        return [Count(start, word, entry_count) for (start, word), entry_count in sums.items()]

    async def top(self, filters: Filters, *, field: str, limit: int) -> Top:
        """Return the most frequent values of a field."""
        if filters.since is None or filters.until is None:
            raise AssertionError("a list of the most frequent has two ends")
        if field in GROUPS:
            return _summed(await self.over_time(filters, by="hour", group=field), limit)
        made = conditions(filters, await self._entries.meant(filters))
        # Where the counts know the total, entries without a value need not be counted: the index by this column has the rest.
        group = next((one for one in ("outcome", "event_type") if _counts_answer(filters, one)), None)
        if group is not None:
            made.conditions.append(f"s.{TOPS[field]} IS NOT NULL")
        rows = await fetch(self._pool, _most_frequent(field, made.where(), made.value(limit)), *made.values)
        values = [(row["value"], row["entry_count"]) for row in rows if row["value"] is not None]
        if group is None:
            return Top(values, rows[0]["total"])
        return Top(values, sum(one.entry_count for one in await self.over_time(filters, by="hour", group=group)))

    async def _from_entries(self, filters: Filters, *, by: str, group: str) -> list[Count]:
        if filters.since == filters.until:
            return []
        made = conditions(filters, await self._entries.meant(filters))
        sql = f"""
        SELECT date_trunc({made.value(by)}, s.occurred_at, 'UTC') AS start, coalesce(s.{GROUPS[group]}, '') AS word,
            count(*) AS entry_count
        FROM audit.entry_search AS s WHERE {made.where()} GROUP BY 1, 2
        """  # noqa: S608 - fixed fragments and placeholders only
        return [_count(row) for row in await fetch(self._pool, sql, *made.values)]

    async def _from_counts(self, first: datetime, last: datetime, *, by: str, group: str) -> list[Count]:
        try:
            # One snapshot for all: an entry is either in the counts or among those not counted yet.
            async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
                [state] = await connection.fetch(_STATE)
                rows = await connection.fetch(_COUNTED, group, by, first, last)
                rows += await connection.fetch(_sealed_since(group), by, first, last, state["leaf_count"])
                place = state["through_xid"] or "0", state["through_id"] or "00000000-0000-0000-0000-000000000000"
                rows += await connection.fetch(_unsealed(group), by, first, last, *place)
        except asyncpg.QueryCanceledError as error:
            raise QueryTooSlow(str(error)) from error
        except UNAVAILABLE as error:
            raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error
        return [_count(row) for row in rows]


def _sealed_since(group: str) -> str:
    return f"""
    SELECT date_trunc($1, s.occurred_at, 'UTC') AS start, coalesce(s.{GROUPS[group]}, '') AS word, count(*) AS entry_count
    FROM audit.leaves AS l JOIN audit.entry_search AS s USING (event_id)
    WHERE l.leaf_index >= $4 AND s.occurred_at >= $2 AND s.occurred_at < $3 GROUP BY 1, 2
    """  # noqa: S608 - a fixed fragment


def _unsealed(group: str) -> str:
    return f"""
    SELECT date_trunc($1, s.occurred_at, 'UTC') AS start, coalesce(s.{GROUPS[group]}, '') AS word, count(*) AS entry_count
    FROM audit.entries AS e JOIN audit.entry_search AS s USING (event_id)
    WHERE (e.recorded_xid, e.event_id) > ($4::text::xid8, $5::text::uuid) AND s.occurred_at >= $2 AND s.occurred_at < $3
        AND NOT EXISTS (SELECT FROM audit.leaves AS l WHERE l.event_id = e.event_id)
    GROUP BY 1, 2
    """  # noqa: S608 - a fixed fragment


def _counts_answer(filters: Filters, group: str) -> bool:
    """Say whether the counts of a group tell how many entries fit the filters, whatever the time range."""
    of_group = {"event_type": replace(filters, types=()), "outcome": replace(filters, outcomes=())}.get(group, filters)
    return replace(of_group, since=None, until=None) == Filters()


def _fits(filters: Filters, word: str | None) -> bool:
    """Say whether entries with this word in their group are meant; filters that counts answer ask for nothing else."""
    wanted = filters.types or filters.outcomes
    return not wanted or word in wanted


def _most_frequent(field: str, where: str, limit: str) -> str:
    """Return the statement for the most frequent values of a field, and how many entries there are in all."""
    found = f"""
    SELECT s.{TOPS[field]} AS value, count(*) AS entry_count FROM audit.entry_search AS s WHERE {where} GROUP BY 1
    """  # noqa: S608 - fixed fragments and placeholders only
    if field == "user_agent":
        found = f"""
        SELECT k.user_agent AS value, sum(of_text.entry_count)::bigint AS entry_count
        FROM ({found}) AS of_text LEFT JOIN audit.known_words AS k ON k.words_id = of_text.value GROUP BY 1
        """  # noqa: S608 - fixed fragments and placeholders only
    shown = "host(best.value)" if field == "ip" else "best.value"
    return f"""
    WITH found AS MATERIALIZED ({found})
    SELECT {shown} AS value, best.entry_count, whole.total
    FROM (SELECT coalesce(sum(entry_count), 0)::bigint AS total FROM found) AS whole LEFT JOIN (
        SELECT value, entry_count FROM found WHERE value IS NOT NULL ORDER BY entry_count DESC, value LIMIT {limit}
    ) AS best ON true
    ORDER BY best.entry_count DESC, best.value
    """  # noqa: S608 - fixed fragments and placeholders only


def _summed(counts: list[Count], limit: int) -> Top:
    sums: dict[str, int] = {}
    for count in counts:
        if count.word is not None:
            sums[count.word] = sums.get(count.word, 0) + count.entry_count
    best = sorted(sums.items(), key=lambda one: (-one[1], one[0]))
    return Top(best[:limit], sum(count.entry_count for count in counts))


def _count(row: Any) -> Count:
    return Count(row["start"], row["word"] or None, row["entry_count"])


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _next_hour(moment: datetime) -> datetime:
    hour = _hour(moment)
    return hour if hour == moment else hour + HOUR
