"""Searches that people keep under a name: the clerk's own table, nothing of the log."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from services.audit.storage.database import UNAVAILABLE, DatabaseUnavailable, Pool, fetch
from shared.events import Actor

SHOWN_MAX: Final = 1_000
Params = Mapping[str, str | list[str]]

_COLUMNS: Final = "search_id, owner_kind, owner_id, name, params, is_shared, created_at, updated_at"

_LIST: Final = f"""
SELECT {_COLUMNS} FROM audit.saved_searches WHERE is_shared OR (owner_kind = $1 AND owner_id = $2)
ORDER BY name, created_at LIMIT $3
"""  # noqa: S608 - a fixed list of columns

_ADD: Final = f"""
INSERT INTO audit.saved_searches (search_id, owner_kind, owner_id, name, params, is_shared) VALUES ($1, $2, $3, $4, $5, $6)
RETURNING {_COLUMNS}
"""  # noqa: S608 - a fixed list of columns

_CHANGE: Final = f"""
UPDATE audit.saved_searches SET name = $4, params = $5, is_shared = $6, updated_at = now()
WHERE search_id = $1 AND owner_kind = $2 AND owner_id = $3
RETURNING {_COLUMNS}
"""  # noqa: S608 - a fixed list of columns

_REMOVE: Final = """
DELETE FROM audit.saved_searches WHERE search_id = $1 AND owner_kind = $2 AND owner_id = $3 RETURNING search_id
"""


class NameTaken(Exception):
    """The owner has another search of this name."""


class SavedSearch(NamedTuple):
    """One search as it is kept; `params` are those of GET /v1/events."""

    search_id: UUID
    owner: Actor
    name: str
    params: dict[str, Any]
    is_shared: bool
    created_at: datetime
    updated_at: datetime


class Wanted(NamedTuple):
    """What is to be kept."""

    name: str
    params: Params
    is_shared: bool


class SearchShelf:
    """
    Keeps searches through the clerk's connections.

    Args:
        pool: Connections of the role ``countersign_clerk``.

    Every method raises:
        DatabaseUnavailable: Nothing is known to be changed: look, and try again.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(self, owner: Actor) -> list[SavedSearch]:
        """Return the searches that somebody may use: own ones and shared ones, by name."""
        return [_saved(row) for row in await fetch(self._pool, _LIST, owner.kind, owner.id, SHOWN_MAX)]

    async def add(self, search_id: UUID, owner: Actor, wanted: Wanted) -> SavedSearch:
        """
        Keep a search.

        Raises:
            NameTaken: The owner has one of this name.
        """
        async with self._connection() as connection:
            row = await connection.fetchrow(_ADD, search_id, owner.kind, owner.id, *_values(wanted))
        return _saved(row)

    async def change(self, search_id: UUID, owner: Actor, wanted: Wanted) -> SavedSearch | None:
        """
        Keep a search in another form; None when the owner has no such search.

        Raises:
            NameTaken: The owner has another one of this name.
        """
        async with self._connection() as connection:
            row = await connection.fetchrow(_CHANGE, search_id, owner.kind, owner.id, *_values(wanted))
        return None if row is None else _saved(row)

    async def remove(self, search_id: UUID, owner: Actor) -> bool:
        """Remove a search; False when the owner has no such search."""
        async with self._connection() as connection:
            return await connection.fetchval(_REMOVE, search_id, owner.kind, owner.id) is not None

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        try:
            async with self._pool.acquire() as connection:
                yield connection
        except asyncpg.UniqueViolationError as error:
            raise NameTaken from error
        except UNAVAILABLE as error:
            raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error


def _values(wanted: Wanted) -> tuple[str, str, bool]:
    return wanted.name, json.dumps(wanted.params), wanted.is_shared


def _saved(row: Any) -> SavedSearch:
    owner = Actor(kind=row["owner_kind"], id=row["owner_id"])
    kept = row["created_at"], row["updated_at"]
    return SavedSearch(UUID(int=row["search_id"].int), owner, row["name"], json.loads(row["params"]), row["is_shared"], *kept)
