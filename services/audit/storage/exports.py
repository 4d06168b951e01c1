"""Exports that were asked for: who may fetch which file, and until when."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from services.audit.storage.database import Pool, fetch, run

# What an expired export was asked for may name a person: nobody needs it any more.
_FORGET = "UPDATE audit.exports SET params = NULL WHERE params IS NOT NULL AND expires_at <= now()"

_ADD = """
INSERT INTO audit.exports (export_id, owner_kind, owner_id, format, params, end_leaf, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5::text::jsonb, $6, $7, $8)
"""

_FIND = """
SELECT export_id, format, params::text AS params, end_leaf, created_at, expires_at FROM audit.exports
WHERE export_id = $1 AND owner_kind = $2 AND owner_id = $3
"""

_LIST = """
SELECT export_id, format, CASE WHEN expires_at > now() THEN params::text END AS params, end_leaf, created_at, expires_at
FROM audit.exports
WHERE owner_kind = $1 AND owner_id = $2
    AND ($3::timestamptz IS NULL OR (created_at, export_id) < ($3, $4::uuid))
ORDER BY created_at DESC, export_id DESC LIMIT $5
"""

Pairs = list[tuple[str, str]]


class Owner(NamedTuple):
    """Whose export it is: nobody else can fetch it."""

    kind: str
    id: str


class Export(NamedTuple):
    """One export: `params` are the names and values of its search, None once it has expired."""

    export_id: UUID
    format: str
    params: Pairs | None
    end_leaf: int
    created_at: datetime
    expires_at: datetime


class ExportStore:
    """
    Keeps exports through the clerk's connections.

    Args:
        pool: Connections of the role ``countersign_clerk``.

    Every method raises:
        DatabaseUnavailable: Try again later.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, owner: Owner, export: Export) -> None:
        """Keep an export, and forget what the expired ones were about."""
        await run(self._pool, _FORGET)
        params = msgspec.json.encode(export.params).decode()
        times = export.created_at, export.expires_at
        await run(self._pool, _ADD, export.export_id, *owner, export.format, params, export.end_leaf, *times)

    async def find(self, owner: Owner, export_id: UUID) -> Export | None:
        """Return an export of this owner."""
        rows = await fetch(self._pool, _FIND, export_id, *owner)
        return _export(rows[0]) if rows else None

    async def newest(self, owner: Owner, *, after: tuple[datetime, UUID] | None, limit: int) -> list[Export]:
        """Return the exports of an owner, newest first."""
        created_at, export_id = after or (None, None)
        return [_export(row) for row in await fetch(self._pool, _LIST, *owner, created_at, export_id, limit)]


def _export(row: Any) -> Export:
    params = None if row["params"] is None else msgspec.json.decode(row["params"], type=Pairs)
    return Export(UUID(int=row["export_id"].int), row["format"], params, row["end_leaf"], row["created_at"], row["expires_at"])
