"""What the database itself refuses, and how it is brought to a schema."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import asyncpg
import pytest

from services.audit.reading import Flaw, FlawedLine, Origin, read_line
from services.audit.storage.database import open_pool
from services.audit.storage.entries import APPEND, EntryStore
from services.audit.storage.migrate import Migration, MigrationFailed, migrate, released_migrations
from tests.integration.audit.consistency import assert_log_consistent
from tests.integration.audit.lab import (
    RING,
    Author,
    Database,
    PostgresServer,
    clear_of_midnight,
)

CHANGES = [
    "UPDATE audit.entries SET entry = 'x'",
    "UPDATE audit.entry_search SET event_type = 'x'",
    "UPDATE audit.quarantine SET reason = 'x'",
    "DELETE FROM audit.entries",
    "DELETE FROM audit.entry_search",
    "DELETE FROM audit.quarantine",
    "TRUNCATE audit.entries",
    "TRUNCATE audit.entry_search",
    "TRUNCATE audit.quarantine",
]


@pytest.fixture
async def filled(database: Database, author: Author) -> Database:
    """A database with an entry and a line in quarantine."""
    flawed = FlawedLine(Origin("m", 1), b"?", Flaw.NOT_JSON, "no json")
    pool = await open_pool(database.writer_url, name="test", connections_max=1)
    await EntryStore(pool, RING).append([(Origin("m", 2), read_line(author.entry()))], [flawed])
    await pool.close()
    return database


@pytest.fixture
async def fresh(postgres_server: PostgresServer) -> Database:
    """A database that was migrated this month; the others are copies of one from the beginning of the run."""
    await clear_of_midnight()
    database = await postgres_server.create_database()
    await migrate(database.owner_url)
    return database


@pytest.mark.parametrize("role", ["countersign_writer", "countersign_reader", "countersign_sequencer", "countersign_owner"])
async def test_nobody_changes_the_log(filled: Database, role: str) -> None:
    """
    No role may update, delete or truncate, not even the owner; the log is as before.
    """
    for statement in CHANGES:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await filled.fetch(statement, role=role)

    assert await assert_log_consistent(filled) == 1
    assert len(await filled.quarantine()) == 1


async def test_partitions_are_no_way_around(filled: Database) -> None:
    """
    A partition refuses changes as its parent does.
    """
    partitions = await filled.fetch(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits "
        "WHERE inhparent IN ('audit.entries'::regclass, 'audit.entry_search'::regclass)"
    )
    assert len(partitions) >= 2 * 6
    for partition in partitions:
        for role in ("countersign_owner", "countersign_writer"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await filled.fetch(f"TRUNCATE {partition['name']}", role=role)
    month = f"audit.entries_{datetime.now(UTC):%Y_%m}"
    for statement in (f"DELETE FROM {month}", f"UPDATE {month} SET entry = 'x'"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await filled.fetch(statement, role="countersign_owner")


async def test_writer_cannot_read_or_backdate(filled: Database, author: Author) -> None:
    """
    The consumer's role reads no entry and states no time of recording: both are the database's alone.
    """
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await filled.fetch("SELECT entry FROM audit.entries", role="countersign_writer")
    row = read_line(author.entry())
    for column, value in (("recorded_at", "now() - interval '1 year'"), ("recorded_xid", "'1'::xid8")):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await filled.fetch(
                f"INSERT INTO audit.entries (event_id, entry, leaf_hash, {column}) VALUES ($1, $2, $3, {value})",
                row.event_id,
                row.entry,
                row.leaf_hash,
                role="countersign_writer",
            )


async def test_reader_cannot_append(filled: Database, author: Author) -> None:
    """
    The API's role adds nothing to the log.
    """
    connection = await asyncpg.connect(filled.reader_url)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetchval(APPEND, *([value] for value in (*read_line(author.entry()), None)))
    finally:
        await connection.close()


async def test_checks_stand_in_the_database(filled: Database, author: Author) -> None:
    """
    An entry with a leaf hash that is no SHA-256 is refused by the table itself.
    """
    row = read_line(author.entry())
    with pytest.raises(asyncpg.CheckViolationError):
        await filled.fetch(
            "INSERT INTO audit.entries (event_id, entry, leaf_hash) VALUES ($1, $2, $3)",
            row.event_id,
            row.entry,
            b"short",
            role="countersign_writer",
        )


async def test_entry_that_the_database_refuses_goes_alone(database: Database, author: Author) -> None:
    """
    One entry that the store cannot take goes to quarantine; its batch is stored.
    """
    rows = [read_line(entry) for entry in author.entries(20)]
    rows[7] = rows[7]._replace(outcome="unheard-of")
    pool = await open_pool(database.writer_url, name="test", connections_max=1)
    try:
        appended = await EntryStore(pool, RING).append([(Origin("m", number), row) for number, row in enumerate(rows, 1)], [])
    finally:
        await pool.close()

    assert (appended.new_count, appended.duplicate_count) == (19, 0)
    assert [line.flaw for line in appended.flawed] == [Flaw.REFUSED_BY_STORE]
    [kept] = await database.quarantine()
    assert (kept["bytes"], kept["line_no"], kept["reason"]) == (rows[7].entry, 8, "refused_by_store")
    assert await assert_log_consistent(database) == 19


async def test_two_appends_in_opposite_orders(database: Database, author: Author) -> None:
    """
    Batches with the same entries in opposite orders do not deadlock; each entry is new to one of them.
    """
    placed = [(Origin("m", number), read_line(entry)) for number, entry in enumerate(author.entries(500), 1)]
    pool = await open_pool(database.writer_url, name="test", connections_max=4)
    try:
        store = EntryStore(pool, RING)
        results = await asyncio.gather(*(store.append(order, []) for order in (placed, placed[::-1], placed, placed[::-1])))
    finally:
        await pool.close()

    assert sum(result.new_count for result in results) == 500
    assert sum(result.duplicate_count for result in results) == 1500


async def test_commits_are_durable_whatever_the_server_s_default(database: Database) -> None:
    """
    On a database that is set to lose its last commits, the consumer's connections still wait for the disk, however often they
    are used.
    """
    await database.fetch(f"ALTER DATABASE {database.name} SET synchronous_commit = off", role="countersign_owner")
    pool = await open_pool(database.writer_url, name="test", connections_max=1)
    try:
        assert [await pool.fetchval("SHOW synchronous_commit") for _ in range(3)] == ["on"] * 3
    finally:
        await pool.close()


async def test_partitions_are_made_ahead(fresh: Database) -> None:
    """
    The writer's role can make the months ahead, twice changes nothing, and other arguments are refused.
    """
    pool = await open_pool(fresh.writer_url, name="test", connections_max=1)
    try:
        store = EntryStore(pool, RING)
        assert await store.ensure_partitions(3) == 0
        assert await store.ensure_partitions(5) == 6
        assert await store.ensure_partitions(5) == 0
        with pytest.raises(asyncpg.RaiseError):
            await pool.fetchval("SELECT audit.ensure_partitions(1000)")
    finally:
        await pool.close()


async def test_month_that_began_in_the_default_partition_stays_there(fresh: Database, author: Author) -> None:
    """
    An entry from a clock far ahead does not stop later months from being made, and stays findable.
    """
    ahead = datetime.now(UTC).timestamp() + 150 * 86_400
    event_id = f"{int(ahead * 1000):012x}"
    entry = author.entry(event_id=f"{event_id[:8]}-{event_id[8:]}-7000-8000-000000000001")
    pool = await open_pool(fresh.writer_url, name="test", connections_max=1)
    try:
        store = EntryStore(pool, RING)
        await store.append([(Origin("m", 1), read_line(entry))], [])
        made = await store.ensure_partitions(12)
    finally:
        await pool.close()

    assert made == 3 * (12 - 3 - 1)
    assert await assert_log_consistent(fresh) == 1


async def test_migrating_again_changes_nothing(database: Database) -> None:
    """
    On a database of this release nothing is left to apply, also when several migrate at once.
    """
    assert await asyncio.gather(*(migrate(database.owner_url) for _ in range(3))) == [[], [], []]


async def test_migrators_take_turns(postgres_server: PostgresServer) -> None:
    """
    Of several that migrate a new database at once, one does the work and the others find it done.
    """
    empty = await postgres_server.create_database()
    applied = await asyncio.gather(*(migrate(empty.owner_url) for _ in range(3)))
    assert sorted(map(len, applied)) == [0, 0, len(released_migrations())]


async def test_changed_migration_stops_everything(database: Database) -> None:
    """
    A migration that differs from what was applied is refused by name, and nothing is done.
    """
    first, *rest = released_migrations()
    with pytest.raises(MigrationFailed, match=r"0001 .* was changed after it was applied"):
        await migrate(database.owner_url, [replace(first, sql=first.sql + "\n-- a harmless comment"), *rest])


async def test_failed_migration_leaves_nothing(database: Database) -> None:
    """
    A migration that fails half-way is rolled back whole and not recorded.
    """
    released = released_migrations()
    broken = Migration(released[-1].version + 1, "broken", "CREATE TABLE audit.half (n integer); SELECT 1 / 0;")
    with pytest.raises(MigrationFailed, match="rolled back"):
        await migrate(database.owner_url, [*released, broken])

    [row] = await database.fetch("SELECT to_regclass('audit.half') AS half")
    assert row["half"] is None
    assert await migrate(database.owner_url) == []


async def test_migration_does_not_wait_behind_a_lock(database: Database) -> None:
    """
    A migration that finds its table in use gives up after its lock time-out instead of queueing before the service.
    """
    released = released_migrations()
    sql = "SET LOCAL lock_timeout = '200ms'; ALTER TABLE audit.entries ADD COLUMN n int;"
    slow = Migration(released[-1].version + 1, "slow", sql)
    connection = await asyncpg.connect(database.reader_url)
    try:
        async with connection.transaction():
            await connection.fetch("SELECT 1 FROM audit.entries LIMIT 1")
            with pytest.raises(MigrationFailed, match="lock timeout"):
                await migrate(database.owner_url, [*released, slow])
    finally:
        await connection.close()
