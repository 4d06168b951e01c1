"""Retention's side of the database, as the owner: what a month holds, and its drop."""

import contextlib
import re
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from services.audit.archiving.store import ArchivedDay
from services.audit.retention.holds import held_count
from services.audit.retention.plan import MonthFacts, next_month
from services.audit.storage.database import CONNECT_SECONDS_MAX
from services.audit.streaming.store import StreamState
from services.audit.tree.checkpoints import Checkpoint, parse_checkpoint
from services.audit.tree.notes import split_note

# What goes together. Tiles, seals and producers stay: they hold hashes and numbers, and prove what is elsewhere.
PARENTS: Final = ("entries", "entry_search", "leaves")
PARTITION: Final = re.compile(r"entries_([0-9]{4})_([0-9]{2})")
# The drop waits for statements under way; what waits longer than this would make everybody else wait behind it.
LOCK_SECONDS_MAX: Final = 2
FORGET_TRIES: Final = 5

_PARTITIONS: Final = """
SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent = 'audit.entries'::regclass ORDER BY c.relname
"""
_COUNTS: Final = """
SELECT count(*) AS entry_count, count(*) FILTER (WHERE l.event_id IS NULL) AS unsealed_count
FROM audit.{entries} AS e LEFT JOIN audit.leaves AS l USING (event_id)
"""
_RUNS: Final = """
SELECT min(leaf_index) AS first, max(leaf_index) + 1 AS end FROM (
    SELECT leaf_index, leaf_index - row_number() OVER (ORDER BY leaf_index) AS run FROM audit.{leaves}
) AS numbered GROUP BY run ORDER BY first
"""
_COUNTED: Final = "SELECT leaf_count FROM audit.counted"
_DAYS: Final = """
SELECT day, first_leaf, end_leaf, bucket, manifest_key, manifest_version, manifest_sha256, object_count, byte_count, lock_mode,
    lock_until, archived_at
FROM audit.archived_days WHERE end_leaf > $1 AND first_leaf < $2 ORDER BY first_leaf
"""
# The id of an erasure is made when it begins, some seconds before the event that announces it.
_ANNOUNCED: Final = """
SELECT count(*) FROM audit.erasures AS r WHERE r.erasure_id >= $1 AND r.erasure_id < $2
    AND NOT r.leaves <@ ($3::int8multirange + coalesce(
        (SELECT range_agg(run) FROM audit.retention_statements AS s, unnest(s.leaves) AS run), '{}'))
"""
ANNOUNCED_BEFORE: Final = timedelta(hours=1)
_ADD: Final = """
INSERT INTO audit.retention_statements (month, leaves, entry_count, note, archive_key)
SELECT $1, range_agg(int8range(run.first, run.last)), $4, $5, $6 FROM unnest($2::bigint[], $3::bigint[]) AS run (first, last)
"""


class MonthChanged(Exception):
    """Entries arrived in the month while it was looked at: plan again."""


class Statement(NamedTuple):
    """A signed statement, and where it lies in the archive."""

    note: str
    archive_key: str


class RetentionStore:
    """
    Looks at months and drops them.

    Args:
        connection: Of the role that owns the schema.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def months(self) -> list[date]:
        """Return the months that have partitions, oldest first."""
        rows = await self._connection.fetch(_PARTITIONS)
        found = [match for row in rows if (match := PARTITION.fullmatch(row["relname"]))]
        return [date(int(match[1]), int(match[2]), 1) for match in found]

    async def facts(self, month: date) -> MonthFacts:
        """
        Return what the database holds of a month.

        Raises:
            asyncpg.UndefinedTableError: There is no such month, or no table of holds.
        """
        names = partitions(month)
        counts = await self._connection.fetchrow(_COUNTS.format(**names))
        runs = [(row["first"], row["end"]) for row in await self._connection.fetch(_RUNS.format(**names))]
        held = await held_count(self._connection, names["entry_search"])
        times = _first_id(month, -ANNOUNCED_BEFORE), _first_id(next_month(month))
        announced = await self._connection.fetchval(_ANNOUNCED, *times, [asyncpg.Range(first, end) for first, end in runs])
        counted = await self._connection.fetchval(_COUNTED)
        return MonthFacts(month, counts["entry_count"], counts["unsealed_count"], runs, counted, held, announced)

    async def archived_end(self) -> int:
        """Return the leaf behind the last archived one."""
        return int(await self._connection.fetchval("SELECT coalesce(max(end_leaf), 0) FROM audit.archived_days"))

    async def days_of(self, facts: MonthFacts) -> list[ArchivedDay]:
        """Return the archived days that hold leaves of a month."""
        if not facts.runs:
            return []
        rows = await self._connection.fetch(_DAYS, facts.runs[0][0], facts.end_leaf)
        days = [ArchivedDay(*row.values()) for row in rows]
        return [day for day in days if any(first < day.end_leaf and end > day.first_leaf for first, end in facts.runs)]

    async def streams(self) -> dict[str, StreamState]:
        """Return how all streams stand, by name."""
        sql = "SELECT name, next_leaf, delivered_at, failing_since, last_error FROM audit.streams"
        return {row["name"]: StreamState(*row.values()) for row in await self._connection.fetch(sql)}

    async def checkpoint(self) -> Checkpoint:
        """Return the newest checkpoint."""
        note = await self._connection.fetchval("SELECT note FROM audit.seals ORDER BY tree_size DESC LIMIT 1")
        return parse_checkpoint(split_note(note)[0])

    async def drop(self, facts: MonthFacts, statement: Statement) -> float:
        """
        Drop a month and keep the statement, in one transaction; return for how many seconds readers may have waited for it.

        Whoever appends to this very month, which has long been over, or erases, may wait while its entries are counted.
        PostgreSQL removes the files after it has let go of the locks, so that a large month holds nobody up for longer.

        Raises:
            MonthChanged: The month is not any more what the statement says, or somebody in it was put on hold: nothing is done.
            asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError: Somebody else uses it: nothing is done, try again.
        """
        names = partitions(facts.month)
        tables = ", ".join(f"audit.{name}" for name in names.values())
        firsts, ends = zip(*facts.runs, strict=True) if facts.runs else ((), ())
        async with self._connection.transaction():
            await self._connection.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS_MAX}s'")
            # First the lock, then the look: what is seen now is what goes. Transaction numbers would not tell: those of a log
            # that was restored may lie above all that comes. Entries can only be added, so the number that was planned and
            # sealed is the same entries. Counting ten million takes seconds: meanwhile this lock lets readers and all other
            # months go on, and as it gives this transaction no number, sealing too.
            await self._connection.execute(f"LOCK TABLE audit.{names['entries']} IN SHARE MODE")
            counts = await self._connection.fetchrow(_COUNTS.format(**names))
            if (counts["entry_count"], counts["unsealed_count"]) != (facts.entry_count, 0):
                raise MonthChanged(f"entries arrived in {facts.month:%Y-%m} while it was looked at: plan again")
            # From here to the commit nobody makes the counts anew: they would be without this month.
            await self._connection.execute("LOCK TABLE audit.retention_statements IN ROW EXCLUSIVE MODE")
            if await self._connection.fetchval(_COUNTED) < facts.end_leaf:
                raise MonthChanged(f"the hourly counts of {facts.month:%Y-%m} are being made anew: plan again")
            began = time.perf_counter()
            await self._connection.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
            if await held_count(self._connection, names["entry_search"]):
                raise MonthChanged(f"somebody in {facts.month:%Y-%m} was put on hold")
            await self._connection.execute(f"DROP TABLE {tables}")
            await self._connection.execute(_ADD, facts.month, firsts, ends, facts.entry_count, *statement)
            # Up to the commit: the locks are gone before the files are.
            return time.perf_counter() - began

    async def forget_words(self) -> None:
        """Remove the texts of free-text search that no entry has any more; when appending is too busy, the next one does it."""
        for _ in range(FORGET_TRIES):
            with contextlib.suppress(asyncpg.LockNotAvailableError):
                await self._connection.execute("SELECT audit.forget_unused_words()")
                return


def _first_id(month: date, shift: timedelta = timedelta()) -> UUID:
    begins = datetime(month.year, month.month, 1, tzinfo=UTC) + shift
    return UUID(int=int(begins.timestamp() * 1000) << 80)


def partitions(month: date) -> dict[str, str]:
    """Return the names of a month's partitions by the tables that they are part of."""
    return {parent: f"{parent}_{month:%Y_%m}" for parent in PARENTS}


async def open_owner(url: str) -> Any:
    """
    Connect as the owner.

    Raises:
        OSError, asyncpg.PostgresError: The database cannot be reached.
    """
    return await asyncpg.connect(
        url, timeout=CONNECT_SECONDS_MAX, server_settings={"application_name": "countersign-retention", "timezone": "UTC"}
    )
