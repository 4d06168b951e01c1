"""Whatever fails while the log is sealed: one tree, nothing skipped, nothing sealed twice."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from services.audit.sealing.sequencer import Sequencer
from services.audit.storage.database import DatabaseUnavailable
from tests.contract.ports import free_port
from tests.faults.audit.processes import service_process
from tests.faults.audit.proxy import Wire, wire_to
from tests.integration.audit.consistency import assert_log_consistent
from tests.integration.audit.lab import (
    Author,
    Database,
    QueuePair,
    running_sequencer,
    seal,
    sequencer_of,
    until,
)
from tests.integration.audit.service import write_settings

TABLES = ("leaves", "tiles", "producers", "gap_edges", "seals")


def through(wire: Wire, database: Database) -> str:
    """Return the sequencer's URL by way of a wire."""
    return database.sequencer_url.replace(f":{database.server.postgres.port}/", f":{wire.port}/")


@contextlib.asynccontextmanager
async def held_table(database: Database, table: str) -> AsyncIterator[None]:
    """Let nobody write a table until the block ends: whoever seals stands still at that step."""
    connection = await asyncpg.connect(database.owner_url)
    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE audit.{table} IN SHARE ROW EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


async def is_waiting(database: Database) -> bool:
    """Say whether a sequencer waits for a lock."""
    sql = """
    SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND usename = 'countersign_sequencer' AND wait_event_type = 'Lock'
    """
    return bool(await database.fetch(sql, role="postgres"))


async def cut_off_at(database: Database, table: str, sequencer: Sequencer, wire: Wire) -> None:
    """Let a sequencer come as far as a table and end its connection there."""
    async with held_table(database, table):
        task = asyncio.create_task(sequencer.seal_once())
        await until(lambda: is_waiting(database), "waiting sequencer")
        wire.cut()
        with pytest.raises(DatabaseUnavailable):
            await task


@pytest.mark.parametrize("table", TABLES)
async def test_a_sequencer_that_ends_at_any_step(database: Database, author: Author, table: str) -> None:
    """
    A round that is cut off at any of its steps leaves nothing behind, and the next one seals what it would have sealed.
    """
    await database.append(author.entries(300))
    await seal(database)
    author.seq += 1  # A hole, so that the step about holes has something to write.
    await database.append(author.entries(300))

    async with wire_to(database.server.postgres.port) as wire, sequencer_of(database, url=through(wire, database)) as first:
        await cut_off_at(database, table, first.sequencer, wire)
    assert await database.tree_size() == 300
    async with running_sequencer(database):
        await database.wait_for_seal(600)

    assert await assert_log_consistent(database) == 600


@pytest.mark.parametrize("word", [b"INSERT 0 300\0", b"COMMIT\0"], ids=["unheard insert", "unheard commit"])
async def test_an_answer_that_is_never_heard(database: Database, author: Author, word: bytes) -> None:
    """
    When the answer to an insert or to the commit itself is lost, the next round finds out what is true and goes on from there.
    """
    await database.append(author.entries(300))
    await seal(database)
    await database.append(author.entries(300))
    async with wire_to(database.server.postgres.port) as wire:
        wire.lose_next = word
        async with running_sequencer(database, url=through(wire, database)) as running:
            await until(lambda: has_failed(running.count("audit_seal_database_failures_total")), "lost answer")
            await database.wait_for_seal(600)
        assert wire.lost_count == 1

    assert await assert_log_consistent(database) == 600


async def test_a_standby_takes_over(database: Database, author: Author) -> None:
    """
    While one sequencer stands still with the turn, a second waits; when the first is cut off, the second goes on at once.
    """
    await database.append(author.entries(50))
    async with (
        wire_to(database.server.postgres.port) as wire,
        sequencer_of(database, url=through(wire, database)) as first,
        contextlib.AsyncExitStack() as holding,
    ):
        await first.sequencer.seal_once()
        await holding.enter_async_context(held_table(database, "seals"))
        task = asyncio.create_task(first.sequencer.seal_once())
        await until(lambda: is_waiting(database), "waiting sequencer")
        async with running_sequencer(database):
            await asyncio.sleep(0.3)
            assert not task.done()
            wire.cut()
            with pytest.raises(DatabaseUnavailable):
                await task
            await holding.aclose()
            await database.wait_for_seal(50)

    assert await assert_log_consistent(database) == 50


async def test_two_processes_killed_at_random(queue: QueuePair, database: Database, tmp_path: Path) -> None:
    """
    Two whole services, killed and started again while entries stream in, duplicates and disorder among them, leave each entry
    stored and sealed once.
    """
    source = random.Random(5)
    authors = [Author() for _ in range(4)]
    entries = [author.entry() for author in authors for _ in range(600)]
    copies = entries + entries[::4]
    source.shuffle(copies)
    await queue.send_many([copies[start : start + 10] for start in range(0, len(copies), 10)])

    async def live_and_die(number: int) -> None:
        for life in range(2):
            port = free_port()
            settings = write_settings(
                tmp_path / f"{number}-{life}", queue, database, port=port, visibility_seconds=2, batch_entries_max=50
            )
            async with service_process(settings, port) as process:
                await asyncio.sleep(source.uniform(0.2, 0.8))
                process.kill()

    await asyncio.gather(live_and_die(0), live_and_die(1))
    port = free_port()
    settings = write_settings(tmp_path / "last", queue, database, port=port, visibility_seconds=2)
    async with service_process(settings, port) as process:
        await database.wait_for_seal(len(entries))
        await until(queue.is_empty, "empty queue")
        await process.stop()

    stored = [entry for entry in (await database.entries()).values() if b'"service":"audit"' not in entry]
    assert sorted(stored) == sorted(entries)
    assert await assert_log_consistent(database) == await database.tree_size()
    assert await database.quarantine() == []


async def has_failed(count: float) -> bool:
    """Say whether anything has failed."""
    return count > 0
