"""
How many entries of which kind, over time and in all.

A question about a time range, and by their words about types and outcomes, is answered from the hourly counts: whole hours from
the counts; the parts of an hour at both ends from the entries, and so what is not in the counts yet. The counts know type and
outcome together, and every other word alone. Whatever is narrower counts the entries. Both ways give the same numbers, and
both include what is not sealed yet. Of a month that retention dropped the counts alone are left: its whole hours are still
known, and parts of hours and narrower questions find nothing in it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import asyncpg

from services.audit.storage.database import UNAVAILABLE, DatabaseUnavailable, Pool, QueryTooSlow, fetch
from services.audit.storage.search import EntryReader, Filters, Meant, Statement, conditions

HOUR: Final = timedelta(hours=1)

# What is counted by, and its column.
GROUPS: Final[Mapping[str, str]] = {
    "outcome": "outcome",
    "event_type": "event_type",
    "method": "method",
    "service": "service",
    "country": "country",
}
# What the counts know together: each can be counted for some of the other.
TOGETHER: Final = ("event_type", "outcome")
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

# What counts answer names nothing that has to be looked up first.
_AS_GIVEN: Final = Meant([], None)


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
            *await self._from_counts(replace(filters, since=first, until=last), by=by, group=group),
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
        group = "event_type" if filters.types else "outcome"
        is_total_known = _counts_answer(filters, group)
        if is_total_known:
            made.conditions.append(f"s.{TOPS[field]} IS NOT NULL")
        rows = await fetch(self._pool, _most_frequent(field, made.where(), made.value(limit)), *made.values)
        values = [(row["value"], row["entry_count"]) for row in rows if row["value"] is not None]
        if not is_total_known:
            return Top(values, rows[0]["total"])
        return Top(values, sum(one.entry_count for one in await self.over_time(filters, by="hour", group=group)))

    async def _from_entries(self, filters: Filters, *, by: str, group: str) -> list[Count]:
        if filters.since == filters.until:
            return []
        made = conditions(filters, await self._entries.meant(filters))
        sql = _counting(made, "audit.entry_search AS s", by=by, group=group)
        return [_count(row) for row in await fetch(self._pool, sql, *made.values)]

    async def _from_counts(self, filters: Filters, *, by: str, group: str) -> list[Count]:
        try:
            # One snapshot for all: an entry is either in the counts or among those not counted yet.
            async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
                [state] = await connection.fetch(_STATE)
                rows = []
                for sql, values in (
                    _counted(filters, by=by, group=group),
                    _sealed_since(filters, state, by=by, group=group),
                    _unsealed(filters, state, by=by, group=group),
                ):
                    rows += await connection.fetch(sql, *values)
        except asyncpg.QueryCanceledError as error:
            raise QueryTooSlow(str(error)) from error
        except UNAVAILABLE as error:
            raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error
        return [_count(row) for row in rows]


def _counted(filters: Filters, *, by: str, group: str) -> tuple[str, list[Any]]:
    made = conditions(replace(filters, since=None, until=None), _AS_GIVEN)
    made.conditions.append(f"s.hour >= {made.value(filters.since)} AND s.hour < {made.value(filters.until)}")
    if group in TOGETHER:
        table, word = "audit.hourly_counts", GROUPS[group]
        # Of old months some counts may know one of the two words alone.
        made.conditions.append(f"s.{word} <> ''")
    else:
        table, word = "audit.hourly_words", "word"
        made.conditions.append(f"s.dimension = {made.value(group)}")
    sql = f"""
    SELECT date_trunc({made.value(by)}, s.hour, 'UTC') AS start, s.{word} AS word, sum(s.entry_count)::bigint AS entry_count
    FROM {table} AS s WHERE {made.where()} GROUP BY 1, 2
    """  # noqa: S608 - fixed fragments and placeholders only
    return sql, made.values


def _sealed_since(filters: Filters, state: Any, *, by: str, group: str) -> tuple[str, list[Any]]:
    made = conditions(filters, _AS_GIVEN)
    made.conditions.append(f"l.leaf_index >= {made.value(state['leaf_count'])}")
    tables = "audit.leaves AS l JOIN audit.entry_search AS s USING (event_id)"
    return _counting(made, tables, by=by, group=group), made.values


def _unsealed(filters: Filters, state: Any, *, by: str, group: str) -> tuple[str, list[Any]]:
    made = conditions(filters, _AS_GIVEN)
    xid, event_id = state["through_xid"] or "0", state["through_id"] or "00000000-0000-0000-0000-000000000000"
    place = f"({made.value(xid)}::text::xid8, {made.value(event_id)}::text::uuid)"
    made.conditions.append(f"(e.recorded_xid, e.event_id) > {place}")
    made.conditions.append("NOT EXISTS (SELECT FROM audit.leaves AS l WHERE l.event_id = e.event_id)")
    tables = "audit.entries AS e JOIN audit.entry_search AS s USING (event_id)"
    return _counting(made, tables, by=by, group=group), made.values


def _counting(made: Statement, tables: str, *, by: str, group: str) -> str:
    """Return the statement that counts entries one by one."""
    return f"""
    SELECT date_trunc({made.value(by)}, s.occurred_at, 'UTC') AS start, coalesce(s.{GROUPS[group]}, '') AS word,
        count(*) AS entry_count
    FROM {tables} WHERE {made.where()} GROUP BY 1, 2
    """  # noqa: S608 - fixed fragments and placeholders only


def _counts_answer(filters: Filters, group: str) -> bool:
    """Say whether the counts of a group tell how many entries fit the filters, whatever the time range."""
    known = replace(filters, types=(), outcomes=()) if group in TOGETHER else filters
    return replace(known, since=None, until=None) == Filters()


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
