"""
What an operator does now and then with the owner's role: clean the files of the database after erasures, and rotate keys.

PostgreSQL does not overwrite what it deletes. An old version of a row stays in its file until the space is used again, in an
index too; statistics of the planner hold frequent values. Only a table that is written anew is without them.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

import asyncpg

from services.audit.storage.database import CONNECT_SECONDS_MAX
from services.audit.storage.keys import KeyRing

# Appending stands still while a table is written anew; it must not stand still for the wait for a long search as well.
LOCK_SECONDS_MAX: Final = 10

# No erasure touches it, so none names it: migration 0009 took people out of its titles, and left the old versions behind.
ALERTS: Final = "audit.alerts"

_WAITING: Final = "SELECT erasure_id, tables FROM audit.erasures WHERE compacted_at IS NULL"
_EXISTING: Final = "SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NOT NULL ORDER BY name"
# Only somebody's own ANALYZE makes these.
_HAS_PARENT_STATISTICS: Final = "SELECT EXISTS (SELECT FROM pg_stats WHERE schemaname = 'audit' AND tablename = 'entry_search')"
_DONE: Final = "UPDATE audit.erasures SET compacted_at = now() WHERE erasure_id = ANY($1::uuid[])"
_KEYS: Final = """
SELECT key_id, wrapped_key FROM audit.subject_keys WHERE destroyed_at IS NULL AND key_id > $1 ORDER BY key_id LIMIT 1000
"""
_REWRAP: Final = """
UPDATE audit.subject_keys AS k SET wrapped_key = new.wrapped_key
FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS new (key_id, before, wrapped_key)
WHERE k.key_id = new.key_id AND k.wrapped_key = new.before
"""


class MaintenanceFailed(Exception):
    """The work is not done, or not all of it; the text says why and what to do."""


async def compact(owner_url: str) -> tuple[list[str], bool]:
    """
    Write anew every table that may still hold what an erasure has removed, and make the old files go.

    Returns:
        The tables, and whether the server took a checkpoint: until the next one it keeps the old files.

    Raises:
        MaintenanceFailed: A table is busy, or an open transaction may still see what was removed: run it again.
        OSError, asyncpg.PostgresError: The database does not answer.
    """
    async with _connection(owner_url) as connection:
        waiting = await connection.fetch(_WAITING)
        names = {name for row in waiting for name in (*row["tables"], ALERTS)}
        tables = [row["name"] for row in await connection.fetch(_EXISTING, list(names))]
        for table in tables:
            await _write_anew(connection, table)
        if tables:
            if await connection.fetchval(_HAS_PARENT_STATISTICS):
                await connection.execute("ANALYZE audit.entry_search")
            await _write_anew(connection, "pg_catalog.pg_statistic")
        await connection.execute(_DONE, [row["erasure_id"] for row in waiting])
        return tables, await _checkpoint(connection)


async def rewrap(owner_url: str, ring: KeyRing) -> int:
    """
    Wrap every data key anew under the first key of `entry_key_file`, and return how many; after that the second can go.

    Raises:
        KeyUnusable: No key in the file opens one of them; nothing behind it was changed.
        OSError, asyncpg.PostgresError: The database does not answer.
    """
    count, after = 0, UUID(int=0)
    async with _connection(owner_url) as connection:
        while rows := await connection.fetch(_KEYS, after):
            key_ids = [UUID(int=row["key_id"].int) for row in rows]
            before = [row["wrapped_key"] for row in rows]
            wrapped = [ring.wrap(key_id, ring.unwrap(key_id, old)) for key_id, old in zip(key_ids, before, strict=True)]
            await connection.execute(_REWRAP, key_ids, before, wrapped)
            count, after = count + len(rows), key_ids[-1]
    return count


async def _write_anew(connection: Any, table: str) -> None:
    said: list[str] = []

    def listen(_: Any, message: Any) -> None:
        said.append(message.detail or "")

    connection.add_log_listener(listen)
    try:
        # The name is the database's own, quoted by it.
        await connection.execute(f"VACUUM (FULL, VERBOSE) {table}")
        await connection.execute(f"ANALYZE {table}")
    except asyncpg.LockNotAvailableError as error:
        raise MaintenanceFailed(f"{table} is busy: run this again when it is quiet") from error
    finally:
        connection.remove_log_listener(listen)
    if _kept_back(said):
        raise MaintenanceFailed(f"{table}: a transaction from before the erasure is still open. End it and run this again")


def _kept_back(details: Sequence[str]) -> bool:
    """Say whether a row version was kept for an open transaction: their number begins the detail, in any language."""
    return any(detail.lstrip()[:1].isdigit() and not detail.lstrip().startswith("0 ") for detail in details)


async def _checkpoint(connection: Any) -> bool:
    try:
        await connection.execute("CHECKPOINT")
    except asyncpg.InsufficientPrivilegeError:
        return False
    return True


@asynccontextmanager
async def _connection(owner_url: str) -> AsyncIterator[Any]:
    settings = {"lock_timeout": f"{LOCK_SECONDS_MAX}s", "application_name": "countersign-maintenance"}
    connection = await asyncpg.connect(owner_url, timeout=CONNECT_SECONDS_MAX, server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close(timeout=CONNECT_SECONDS_MAX)
