"""
Bring the database to the schema that this release needs.

Rules:

1. One file a version, ``NNNN_name.sql``, applied in order, each in its own transaction.
2. What was applied is recorded with the SHA-256 of its file. A file that differs from its record stops everything: a released
   migration is never edited, a new one is added.
3. One migrator at a time (advisory lock); locks and statements have time limits, so that a migration fails rather than
   stands in front of the service.
"""

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import asyncpg

from services.audit.storage.database import CONNECT_SECONDS_MAX

FILE_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
LOCK_KEY: Final = 0x436F_756E_7465_7273  # "Counters" in ASCII: any number will do as long as no other tool uses it.
LOCK_SECONDS_MAX: Final = 5
STATEMENT_SECONDS_MAX: Final = 300

_BOOTSTRAP: Final = """
CREATE SCHEMA IF NOT EXISTS audit;
CREATE TABLE IF NOT EXISTS audit.migrations (
    version integer PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
"""


class MigrationFailed(Exception):
    """The database cannot be brought to this release's schema; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema: `sha256` is over the file's bytes, lower-case hex."""

    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Return the fingerprint under which this migration is recorded."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def released_migrations() -> list[Migration]:
    """Return this release's migrations in order."""
    found = []
    for file in files("services.audit.migrations").iterdir():
        match = FILE_NAME.fullmatch(file.name)
        if match:
            found.append(Migration(int(match[1]), match[2], file.read_text(encoding="utf-8")))
    return sorted(found, key=lambda migration: migration.version)


def schema_version() -> int:
    """Return the version of the newest migration of this release."""
    return released_migrations()[-1].version


def plan_migrations(released: list[Migration], applied: dict[int, str]) -> list[Migration]:
    """
    Return what is still to be applied.

    Args:
        released: This release's migrations in order.
        applied: Version to recorded SHA-256, from the database.

    Raises:
        MigrationFailed: A recorded migration has another text here, or an unapplied one is older than an applied one.
    """
    pending = []
    for migration in released:
        recorded = applied.get(migration.version)
        if recorded is None:
            if applied and migration.version < max(applied):
                raise MigrationFailed(
                    f"migration {migration.version:04} ({migration.name}) was never applied, but a later one was: "
                    "renumber it as the newest"
                )
            pending.append(migration)
        elif recorded != migration.sha256:
            raise MigrationFailed(
                f"migration {migration.version:04} ({migration.name}) was changed after it was applied: "
                "restore the released file and add a new migration"
            )
    return pending


async def migrate(owner_url: str, released: list[Migration] | None = None) -> list[Migration]:
    """
    Apply what is missing and return it. Safe to run at any time and from several places at once.

    Args:
        owner_url: Connects as the role that owns the schema.
        released: Other migrations than this release's.

    Raises:
        MigrationFailed: See `plan_migrations`; or the database refused a step, which is then rolled back.
        OSError, asyncpg.PostgresError: The database cannot be reached.
    """
    connection = await asyncpg.connect(
        owner_url,
        timeout=CONNECT_SECONDS_MAX,
        server_settings={
            "lock_timeout": f"{LOCK_SECONDS_MAX}s",
            "statement_timeout": f"{STATEMENT_SECONDS_MAX}s",
            "application_name": "countersign-migrate",
        },
    )
    try:
        return await _migrate(connection, released_migrations() if released is None else released)
    finally:
        await connection.close(timeout=CONNECT_SECONDS_MAX)


async def _migrate(connection: asyncpg.Connection, released: list[Migration]) -> list[Migration]:
    try:
        # The lock belongs to the connection: a migrator that dies frees it.
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK_KEY)
        await connection.execute(_BOOTSTRAP)
    except asyncpg.LockNotAvailableError as error:
        raise MigrationFailed("another migration is under way: wait for it and run this again") from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise MigrationFailed(f"the owner role may not create the schema audit in this database: {error}") from error
    rows = await connection.fetch("SELECT version, sha256 FROM audit.migrations")
    pending = plan_migrations(released, {row["version"]: row["sha256"] for row in rows})
    for migration in pending:
        await _apply(connection, migration)
    return pending


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO audit.migrations (version, name, sha256) VALUES ($1, $2, $3)",
                migration.version,
                migration.name,
                migration.sha256,
            )
    except asyncpg.UndefinedObjectError as error:
        raise MigrationFailed(
            f"migration {migration.version:04} ({migration.name}): {error}. "
            "Create the roles countersign_writer, countersign_reader, countersign_sequencer and countersign_clerk first"
        ) from error
    except asyncpg.PostgresError as error:
        raise MigrationFailed(f"migration {migration.version:04} ({migration.name}) was rolled back: {error}") from error
