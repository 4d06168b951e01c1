"""The archive's side of the database: which days are due, their entries as they are stored, and what was archived."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from services.audit.storage.database import UNAVAILABLE, DatabaseUnavailable, Pool, fetch
from services.audit.storage.keys import JOIN_KEYS, SEALED_COLUMNS, KeyRing, Opened
from services.audit.storage.log import LogReader
from services.audit.tree.tiles import edge_of

LOCK_KEY: Final = 0x436F_756E_7441_7263  # "CountArc" in ASCII; any number that no other tool uses.
PAGE_ENTRIES: Final = 2_000

# A day is closed a little after its end: a round of sealing that began before midnight is surely over by then. Should one have
# slipped through all the same, its leaves are archived with the day after.
_NEXT: Final = """
WITH done AS (SELECT coalesce(max(end_leaf), 0) AS leaf, max(day) AS day FROM audit.archived_days),
found AS (
    SELECT (s.sealed_at AT TIME ZONE 'UTC')::date AS day FROM audit.seals AS s, done
    WHERE s.tree_size > done.leaf ORDER BY s.tree_size LIMIT 1
)
SELECT greatest(found.day, done.day + 1) AS day, done.leaf AS first_leaf, (
    SELECT s.tree_size FROM audit.seals AS s
    WHERE s.sealed_at < (greatest(found.day, done.day + 1) + 1)::timestamp AT TIME ZONE 'UTC'
    ORDER BY s.sealed_at DESC, s.tree_size DESC LIMIT 1
) AS end_leaf
FROM found, done
WHERE $1::timestamptz >= (greatest(found.day, done.day + 1) + 1)::timestamp AT TIME ZONE 'UTC' + interval '10 minutes'
"""

_CHECKPOINTS: Final = "SELECT tree_size, note FROM audit.seals WHERE tree_size = ANY($1::bigint[])"

_ROWS: Final = f"""
SELECT l.leaf_index, e.leaf_hash, s.occurred_at, e.recorded_at, s.event_type, s.outcome, s.service,
    s.instance::text AS instance, s.seq, {SEALED_COLUMNS},
    coalesce(e.key_id::text, s.subject_sub, encode(s.email_hash, 'hex')) AS subject
FROM audit.leaves AS l JOIN audit.entries AS e USING (event_id) LEFT JOIN audit.entry_search AS s USING (event_id) {JOIN_KEYS}
WHERE l.leaf_index >= $1 AND l.leaf_index < $2 ORDER BY l.leaf_index
"""  # noqa: S608 - fixed fragments and placeholders only

_ADD: Final = """
INSERT INTO audit.archived_days (day, first_leaf, end_leaf, previous_end, bucket, manifest_key, manifest_version,
    manifest_sha256, object_count, byte_count, lock_mode, lock_until)
VALUES ($1, $2, $3, nullif($2::bigint, 0), $4, $5, $6, $7, $8, $9, $10, $11)
"""

_DAYS: Final = """
SELECT day, first_leaf, end_leaf, bucket, manifest_key, manifest_version, manifest_sha256, object_count, byte_count, lock_mode,
    lock_until, archived_at
FROM audit.archived_days WHERE ($1::date IS NULL OR day < $1) ORDER BY day DESC LIMIT $2
"""


class OpenDay(NamedTuple):
    """A closed day that is not archived yet: the leaves from `first_leaf` to before `end_leaf`."""

    day: date
    first_leaf: int
    end_leaf: int


class Stand(NamedTuple):
    """What a day stands on: checkpoints before and behind it, and the partial tiles of the tree before it."""

    previous_checkpoint: str
    checkpoint: str
    edge: dict[tuple[int, int], bytes]


class ArchivedDay(NamedTuple):
    """One day in the archive."""

    day: date
    first_leaf: int
    end_leaf: int
    bucket: str
    manifest_key: str
    manifest_version: str
    manifest_sha256: bytes
    object_count: int
    byte_count: int
    lock_mode: str
    lock_until: datetime
    archived_at: datetime | None = None


class StoredEntry(NamedTuple):
    """An entry as it is stored, and what opening it gave."""

    row: Any
    opened: Opened


class EntriesLost(Exception):
    """Sealed entries are not in the database any more: the day cannot be archived. Run countersign audit verify."""


class ArchiveStore:
    """
    Reads the log and keeps what is archived.

    Args:
        reading: Connections of the role ``countersign_reader``.
        clerk: Connections of the role ``countersign_clerk``.
        ring: The deployment's keys: what is archived is read first.

    Every method raises:
        DatabaseUnavailable: Try again later.
        QueryTooSlow: The database is too busy.
    """

    def __init__(self, reading: Pool, clerk: Pool, ring: KeyRing) -> None:
        self._reading = reading
        self._clerk = clerk
        self._ring = ring

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[bool]:
        """Run a block while nobody else archives; give False when somebody does."""
        try:
            async with self._clerk.acquire() as connection:
                try:
                    yield await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK_KEY)
                finally:
                    # Also when it was interrupted in the statement above, and cannot know what that did.
                    await connection.execute("SELECT pg_advisory_unlock_all()")
        except UNAVAILABLE as error:
            raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error

    async def next_day(self, now: datetime) -> OpenDay | None:
        """Return the oldest closed day that is not archived."""
        rows = await fetch(self._reading, _NEXT, now)
        return OpenDay(rows[0]["day"], rows[0]["first_leaf"], rows[0]["end_leaf"]) if rows else None

    async def stand(self, day: OpenDay) -> Stand:
        """Return what a day stands on."""
        rows = await fetch(self._reading, _CHECKPOINTS, [day.first_leaf, day.end_leaf])
        notes = {row["tree_size"]: row["note"] for row in rows}
        edge = await LogReader(self._reading, self._ring).tiles(edge_of(day.first_leaf))
        return Stand(notes[day.first_leaf], notes[day.end_leaf], edge)

    async def rows(self, first_leaf: int, end_leaf: int) -> AsyncIterator[list[StoredEntry]]:
        """
        Yield stored entries in the order of the log, page by page.

        Raises:
            EntriesLost: One is missing.
        """
        for start in range(first_leaf, end_leaf, PAGE_ENTRIES):
            end = min(start + PAGE_ENTRIES, end_leaf)
            rows = await fetch(self._reading, _ROWS, start, end)
            if len(rows) != end - start:
                raise EntriesLost(f"{end - start - len(rows)} of the entries at leaves {start} to {end - 1} are missing")
            # Page by page, so that a day's keys are not all held at once.
            opener = self._ring.opener()
            yield [StoredEntry(row, opener.open(row)) for row in rows]

    async def add(self, day: ArchivedDay) -> None:
        """Keep that a day is archived."""
        await fetch(self._clerk, _ADD, *day[:11])

    async def days(self, *, before: date | None, limit: int) -> list[ArchivedDay]:
        """Return archived days, newest first."""
        return [ArchivedDay(*row.values()) for row in await fetch(self._reading, _DAYS, before, limit)]
