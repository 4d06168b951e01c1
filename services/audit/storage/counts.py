"""
How many entries each hour holds, kept beside the log.

Rules:

1. Leaves are counted in the order of the log, each once: counts and the number of leaves that they stand for change in one
   transaction.
2. One counter at a time, over all processes (advisory lock); who does not have the turn does nothing.
3. The counts are derived: dropping them and counting anew gives the same, until retention drops a month. Then they alone know
   what it held, and are not dropped any more.
"""

from typing import Any, Final

from services.audit.storage.database import UNAVAILABLE, DatabaseUnavailable, Pool

# The lock belongs to the transaction: it ends with it, however the holder ends.
LOCK_KEY: Final = 0x436F_756E_7443_6E74  # "CountCnt" in ASCII; any number that no other tool uses.
# Some tenths of a second's work, so that a counter that has much to catch up on never holds a transaction for long.
LEAVES_MAX: Final = 20_000

_STATE: Final = """
SELECT leaf_count, (SELECT coalesce(max(tree_size), 0) FROM audit.seals) AS tree_size FROM audit.counted
"""

# First by everything at once, which leaves little; then type and outcome together, and each other word alone.
_ADD: Final = """
WITH found AS MATERIALIZED (
    SELECT date_trunc('hour', s.occurred_at, 'UTC') AS hour, s.event_type, s.outcome, s.method, s.service, s.country,
        count(*) AS entry_count
    FROM audit.leaves AS l JOIN audit.entry_search AS s USING (event_id)
    WHERE l.leaf_index >= $1 AND l.leaf_index < $2
    GROUP BY 1, 2, 3, 4, 5, 6
), together AS (
    INSERT INTO audit.hourly_counts AS known (hour, event_type, outcome, entry_count)
    SELECT hour, event_type, outcome, sum(entry_count)::bigint FROM found GROUP BY 1, 2, 3
    ON CONFLICT (hour, event_type, outcome) DO UPDATE SET entry_count = known.entry_count + EXCLUDED.entry_count
)
INSERT INTO audit.hourly_words AS known (dimension, hour, word, entry_count)
SELECT of.dimension, found.hour, coalesce(of.word, ''), sum(found.entry_count)::bigint
FROM found CROSS JOIN LATERAL (VALUES
    ('method', found.method), ('service', found.service), ('country', found.country)
) AS of (dimension, word)
GROUP BY 1, 2, 3
ON CONFLICT (dimension, hour, word) DO UPDATE SET entry_count = known.entry_count + EXCLUDED.entry_count
"""


class CountsIrreplaceable(Exception):
    """Entries that were counted are gone: the counts cannot be made anew."""


class CountStore:
    """
    Counts through the clerk's connections.

    Args:
        pool: Connections of the role ``countersign_clerk``.

    Every method raises:
        DatabaseUnavailable: Nothing is known to be counted: look again.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def count_some(self, leaves_max: int = LEAVES_MAX) -> int:
        """Count the next leaves, when nobody else is counting, and return how many."""
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                # The lock first, in a statement of its own: what comes after it sees all that the holder before committed.
                if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK_KEY):
                    return 0
                return await _count(connection, leaves_max)
        except UNAVAILABLE as error:
            raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error


async def forget_counts(owner: Pool) -> None:
    """
    Drop all counts; they are counted anew from the first leaf on.

    Args:
        owner: Connections of the role that owns the schema: the clerk does not see what retention did.

    Raises:
        CountsIrreplaceable: A month was dropped, so they could not be made anew: nothing is done.
        DatabaseUnavailable: Nothing is known to be dropped.
    """
    try:
        async with owner.acquire() as connection, connection.transaction():
            # A drop that is under way is waited for.
            await connection.execute("LOCK TABLE audit.retention_statements IN SHARE MODE")
            if await connection.fetchval("SELECT EXISTS (SELECT FROM audit.retention_statements)"):
                raise CountsIrreplaceable("a month was dropped, and only the counts still know what it held: they stay")
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK_KEY)
            await connection.execute("DELETE FROM audit.hourly_counts")
            await connection.execute("DELETE FROM audit.hourly_words")
            await connection.execute("UPDATE audit.counted SET leaf_count = 0")
    except UNAVAILABLE as error:
        raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error


async def _count(connection: Any, leaves_max: int) -> int:
    state = await connection.fetchrow(_STATE)
    first: int = state["leaf_count"]
    last: int = min(first + leaves_max, state["tree_size"])
    if last <= first:
        return 0
    await connection.execute(_ADD, first, last)
    await connection.execute("UPDATE audit.counted SET leaf_count = $1", last)
    return last - first
