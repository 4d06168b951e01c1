"""How far each stream is delivered, and whose turn it is to deliver it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, NamedTuple

from services.audit.storage.database import UNAVAILABLE, DatabaseUnavailable, Pool, fetch

ERROR_CHARACTERS_MAX: Final = 300

_BEGIN: Final = "INSERT INTO audit.streams (name, next_leaf) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"
_LOCK: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended('countersign.audit.stream.' || $1, 0))"
_WHERE: Final = "SELECT next_leaf FROM audit.streams WHERE name = $1"
_DELIVERED: Final = """
UPDATE audit.streams SET next_leaf = $2, delivered_at = now(), failing_since = NULL, last_error = NULL WHERE name = $1
"""
_FAILED: Final = "UPDATE audit.streams SET failing_since = coalesce(failing_since, now()), last_error = $2 WHERE name = $1"
_ALL: Final = "SELECT name, next_leaf, delivered_at, failing_since, last_error FROM audit.streams ORDER BY name"


class StreamState(NamedTuple):
    """How a stream stands: `next_leaf` is the first one that its receiver has not acknowledged."""

    name: str
    next_leaf: int
    delivered_at: datetime | None
    failing_since: datetime | None
    last_error: str | None


class Turn:
    """The right to deliver one stream, inside a transaction."""

    def __init__(self, connection: Any, name: str, next_leaf: int) -> None:
        self._connection = connection
        self._name = name
        self.next_leaf = next_leaf

    async def delivered(self, next_leaf: int) -> None:
        """Keep how far the receiver has it."""
        await self._connection.execute(_DELIVERED, self._name, next_leaf)


class StreamStore:
    """
    Keeps the state of streams.

    Args:
        pool: Connections of the role ``countersign_clerk``.

    Every method raises:
        DatabaseUnavailable: Try again later.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def begin(self, name: str, first_leaf: int) -> None:
        """Make a stream that is new begin at a leaf; one that is known stays where it is."""
        await fetch(self._pool, _BEGIN, name, first_leaf)

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[Turn | None]:
        """
        Run a block while no other process delivers this stream; give None when one does.

        Nothing is written before the block does: a transaction that has a number holds back the sealing while it is open.
        """
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                if not await connection.fetchval(_LOCK, name):
                    yield None
                    return
                yield Turn(connection, name, await connection.fetchval(_WHERE, name))
        except UNAVAILABLE as error:
            raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error

    async def failed(self, name: str, why: str) -> None:
        """Keep why a delivery failed."""
        await fetch(self._pool, _FAILED, name, why[:ERROR_CHARACTERS_MAX])

    async def states(self) -> dict[str, StreamState]:
        """Return how all streams stand, by name."""
        return {row["name"]: StreamState(*row.values()) for row in await fetch(self._pool, _ALL)}
