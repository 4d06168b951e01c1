"""Legal holds, as retention sees them: the one place that knows where they are kept."""

from typing import Any, Final

# A hold on anybody who is in the month keeps all of it: a partition goes whole or not at all. A hold names an account or an
# address; an address holds the accounts that it was ever seen with.
_HELD: Final = """
SELECT count(*) FROM audit.holds AS h
WHERE h.released_at IS NULL AND EXISTS (
    SELECT FROM audit.{search} AS s WHERE s.subject_sub = h.subject_sub OR s.email_hash = ANY (h.email_hashes)
        OR s.subject_sub IN (
            SELECT known.subject_sub FROM audit.entry_search AS known WHERE known.email_hash = ANY (h.email_hashes)))
"""


async def held_count(connection: Any, search_partition: str) -> int:
    """
    Return how many holds that were not released are on people in a partition of ``audit.entry_search``.

    Raises:
        asyncpg.UndefinedTableError: There is no table of holds: nothing may be dropped without asking it.
    """
    count: int = await connection.fetchval(_HELD.format(search=search_partition))
    return count
