"""Lines in quarantine as the API shows them, and which entry stands for one that was repaired."""

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.audit.storage.database import Pool, fetch
from shared.events import Actor

_SHOWN: Final = """
SELECT q.quarantine_id, q.reason, q.detail, q.received_at, q.message_id, q.line_no, q.sha256, q.bytes,
    q.instance::text AS instance, q.seq, r.event_id::text AS repaired_as
FROM audit.quarantine AS q LEFT JOIN audit.quarantine_repairs AS r USING (quarantine_id)
"""

_PAGE: Final = (
    _SHOWN
    + """
WHERE ($1::text IS NULL OR q.reason = $1) AND ($2::timestamptz IS NULL OR q.received_at >= $2)
    AND ($3::timestamptz IS NULL OR q.received_at < $3) AND ($4::bigint IS NULL OR q.quarantine_id < $4)
ORDER BY q.quarantine_id DESC LIMIT $5
"""
)


class Line(NamedTuple):
    """One line in quarantine; `repaired_as` is the entry that stands for it."""

    quarantine_id: int
    reason: str
    detail: str
    received_at: datetime
    message_id: str
    line_no: int
    sha256: bytes
    content: bytes
    instance: str | None
    seq: int | None
    repaired_as: str | None


class Wanted(NamedTuple):
    """Which lines are meant: newest first, those behind `before`."""

    reason: str | None
    since: datetime | None
    until: datetime | None
    before: int | None
    limit: int


class QuarantineReader:
    """
    Reads lines in quarantine.

    Args:
        pool: Connections of the role ``countersign_reader``.

    Every method raises:
        DatabaseUnavailable: Try again later.
        QueryTooSlow: Ask for less.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, wanted: Wanted) -> list[Line]:
        """Return lines, the newest first."""
        return [_line(row) for row in await fetch(self._pool, _PAGE, *wanted)]

    async def find(self, quarantine_id: int) -> Line | None:
        """Return one line."""
        rows = await fetch(self._pool, _SHOWN + "WHERE q.quarantine_id = $1", quarantine_id)
        return _line(rows[0]) if rows else None


async def note_repair(pool: Pool, quarantine_id: int, *, event_id: UUID, leaf_hash: bytes, by: Actor) -> bool:
    """
    Say which entry stands for a line; False when one does already.

    Args:
        pool: Connections of the role ``countersign_clerk``.

    Raises:
        DatabaseUnavailable: Try again later.
    """
    sql = """
    INSERT INTO audit.quarantine_repairs (quarantine_id, event_id, leaf_hash, by_kind, by_id) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (quarantine_id) DO NOTHING RETURNING quarantine_id
    """
    return bool(await fetch(pool, sql, quarantine_id, event_id, leaf_hash, by.kind, by.id))


def _line(row: Any) -> Line:
    return Line(*row)
