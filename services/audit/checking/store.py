"""The check's side of the database: what stands beside each entry, read by the role of those who search."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.audit.checking.counts import TOGETHER, Counts
from services.audit.checking.entry import COLUMNS
from services.audit.checking.records import Kept
from services.audit.storage.database import Pool, fetch
from services.audit.storage.subject_keys import OWNER_OF_OWNERS

PAGE_ENTRIES: Final = 1_000

_PAGE_END: Final = "SELECT event_id FROM audit.entries WHERE event_id >= $1 ORDER BY event_id OFFSET $2 LIMIT 1"
# What lacks its entry is met as well. In one statement, which sees one moment: an erasure is wholly there, or not at all.
_RANGE: Final = "event_id >= $1 AND ($2::uuid IS NULL OR event_id < $2)"
_PAGE: Final = f"""
SELECT event_id, e.entry, e.leaf_hash, e.key_id, k.owner, k.wrapped_key, k.destroyed_at, l.leaf_index,
    substr(t.hashes, (l.leaf_index % 256)::integer * 32 + 1, 32) AS sealed_hash,
    (SELECT b.sealed_at FROM audit.seals AS b WHERE b.tree_size > l.leaf_index ORDER BY b.tree_size LIMIT 1) AS sealed_at,
    w.words AS known_words, w.user_agent AS known_agent, {", ".join(f"s.{name}" for name in COLUMNS)}
FROM (SELECT event_id, entry, leaf_hash, key_id FROM audit.entries WHERE {_RANGE}) AS e
FULL JOIN (SELECT event_id, {", ".join(COLUMNS)} FROM audit.entry_search WHERE {_RANGE}) AS s USING (event_id)
FULL JOIN (SELECT event_id, leaf_index FROM audit.leaves WHERE {_RANGE}) AS l USING (event_id)
LEFT JOIN audit.subject_keys AS k ON k.key_id = e.key_id
LEFT JOIN audit.known_words AS w ON w.words_id = s.words_id
LEFT JOIN audit.tiles AS t ON t.level = 0 AND t.tile_index = l.leaf_index / 256
ORDER BY event_id
"""  # noqa: S608 - fixed fragments and placeholders only
_TREE_SIZE: Final = "SELECT coalesce(max(tree_size), 0) AS tree_size FROM audit.seals"
_COUNTS: Final = f"""
SELECT c.leaf_count, h.dimension, h.hour, h.word, h.entry_count
FROM audit.counted AS c LEFT JOIN (
    SELECT '{TOGETHER}' AS dimension, hour, event_type || ' ' || outcome AS word, entry_count FROM audit.hourly_counts
    UNION ALL SELECT dimension, hour, word, entry_count FROM audit.hourly_words
) AS h ON true
"""  # noqa: S608 - a fixed fragment
_DROPPED: Final = "SELECT month, entry_count FROM audit.retention_statements"
_UNSEALED: Final = """
SELECT event_id FROM audit.entries AS e WHERE event_id = ANY($1::uuid[])
    AND NOT EXISTS (SELECT FROM audit.leaves AS l WHERE l.event_id = e.event_id)
"""
_KEPT: Final = """
SELECT 'hold placed' AS done, hold_id::text AS name, created_at::date AS on_day FROM audit.holds
UNION ALL SELECT 'hold released', hold_id::text, released_at::date FROM audit.holds WHERE released_at IS NOT NULL
UNION ALL SELECT 'erasure', erasure_id::text, created_at::date FROM audit.erasures
UNION ALL SELECT 'alert raised', alert_id::text, created_at::date FROM audit.alerts
UNION ALL SELECT 'alert closed', alert_id::text, created_at::date FROM audit.alert_states WHERE state = 'closed'
UNION ALL SELECT 'line repaired', quarantine_id::text || ' ' || event_id::text, created_at::date FROM audit.quarantine_repairs
UNION ALL SELECT 'day archived', day::text || ' ' || encode(manifest_sha256, 'hex'), archived_at::date FROM audit.archived_days
UNION ALL SELECT 'month dropped', to_char(month, 'YYYY-MM'), dropped_at::date FROM audit.retention_statements
"""
# A key that is destroyed makes its entries look erased.
_UNEXPLAINED_KEYS: Final = """
SELECT k.key_id FROM audit.subject_keys AS k WHERE k.destroyed_at IS NOT NULL AND k.key_id NOT IN (
    SELECT unnest(r.key_ids) FROM audit.erasures AS r) ORDER BY k.key_id LIMIT $1
"""
_OWNER_KEY: Final = """
SELECT key_id, wrapped_key FROM audit.subject_keys WHERE owner = $1 AND closing_no IS NULL AND destroyed_at IS NULL
"""

_QUARANTINED: Final = """
SELECT count(*) AS line_count, count(*) FILTER (WHERE instance IS NULL) AS unread_count FROM audit.quarantine
"""


class Quarantined(NamedTuple):
    """How many lines are in quarantine; of `unread_count` of them not even the producer could be read."""

    line_count: int
    unread_count: int


class Dropped(NamedTuple):
    """Months that retention dropped, by their first days, and how many entries went with them."""

    months: frozenset[date]
    entry_count: int


class CheckStore:
    """
    Args:
        pool: Connections of the role ``countersign_reader``: what a policy hides from those who search is hidden here, too.

    Every method raises:
        DatabaseUnavailable, QueryTooSlow: Try again later.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def pages(self) -> AsyncIterator[list[Any]]:
        """Yield all entries with what stands beside them, and whatever stands there without an entry, ordered by id."""
        start: UUID | None = UUID(int=0)
        while start is not None:
            ends = await fetch(self._pool, _PAGE_END, start, PAGE_ENTRIES)
            end = ends[0]["event_id"] if ends else None
            yield await fetch(self._pool, _PAGE, start, end)
            start = end

    async def owner_key(self) -> tuple[UUID, bytes] | None:
        """Return the id and the wrapped key by which owners are hashed; None for a log about nobody."""
        rows = await fetch(self._pool, _OWNER_KEY, OWNER_OF_OWNERS)
        return (UUID(int=rows[0]["key_id"].int), rows[0]["wrapped_key"]) if rows else None

    async def tree_size(self) -> int:
        """Return how many leaves are sealed."""
        return int((await fetch(self._pool, _TREE_SIZE))[0]["tree_size"])

    async def counts(self) -> tuple[Counts, int]:
        """Return the hourly counts, and how many leaves they hold."""
        rows = await fetch(self._pool, _COUNTS)
        counts = {(row["dimension"], row["hour"], row["word"]): row["entry_count"] for row in rows if row["word"] is not None}
        return counts, rows[0]["leaf_count"] if rows else 0

    async def dropped(self) -> Dropped:
        """Return what retention dropped."""
        rows = await fetch(self._pool, _DROPPED)
        return Dropped(frozenset(row["month"] for row in rows), sum(row["entry_count"] for row in rows))

    async def unsealed(self, event_ids: Sequence[UUID]) -> list[UUID]:
        """Return which of some entries have no place in the tree."""
        return [row["event_id"] for row in await fetch(self._pool, _UNSEALED, event_ids)]

    async def kept(self) -> frozenset[Kept]:
        """Return what was done, as the rows say by which the service goes."""
        return frozenset(Kept(row["done"], row["name"], row["on_day"]) for row in await fetch(self._pool, _KEPT))

    async def quarantined(self) -> Quarantined:
        """Return what is in quarantine, of which no entry says anything."""
        rows = await fetch(self._pool, _QUARANTINED)
        return Quarantined(rows[0]["line_count"], rows[0]["unread_count"])

    async def unexplained_keys(self, limit: int) -> list[UUID]:
        """Return keys that are destroyed, and of which no erasure says that it destroyed them."""
        return [row["key_id"] for row in await fetch(self._pool, _UNEXPLAINED_KEYS, limit)]
