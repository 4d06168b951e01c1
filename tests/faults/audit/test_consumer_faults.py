"""Whatever fails between queue and log: nothing is lost, nothing is stored twice, nothing is deleted too early."""

import asyncio
import contextlib
import json
import random
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import asyncpg

from tests.contract.ports import free_port
from tests.faults.audit.processes import service_process
from tests.faults.audit.proxy import wire_to
from tests.integration.audit.consistency import assert_log_consistent
from tests.integration.audit.lab import (
    TEMPLATE,
    Author,
    AwsServer,
    Database,
    PostgresServer,
    QueuePair,
    RunningConsumer,
    by_id,
    running_consumer,
    until,
)
from tests.integration.audit.service import SERVICE_TOKEN, write_settings

# Less than a drain that runs to its end takes, and more than a busy machine needs.
SOON = 30.0


@contextlib.asynccontextmanager
async def blocked_appends(database: Database) -> AsyncIterator[None]:
    """Let no append commit until the block ends."""
    connection = await asyncpg.connect(database.owner_url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE audit.entries IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


async def test_deletes_only_after_commit(queue: QueuePair, database: Database, author: Author) -> None:
    """
    While the commit is outstanding the queue keeps every message, and keeps it from others; after it, they are gone.
    """
    entries = author.entries(30)
    await queue.send_many([entries[start : start + 5] for start in range(0, 30, 5)])

    async with running_consumer(queue, database):
        async with blocked_appends(database):
            await until(lambda: has_counts(queue, (0, 6)), "six held messages")
            await asyncio.sleep(0.5)
            assert await queue.counts() == (0, 6)
        await until(queue.is_empty, "empty queue")

    assert await database.entries() == by_id(entries)


async def test_heartbeat_keeps_what_is_held(queue: QueuePair, database: Database, author: Author) -> None:
    """
    Messages held for longer than their visibility are not handed out again: an outage costs no deliveries.
    """
    entries = author.entries(20)
    await queue.send_many([[entry] for entry in entries])

    # Renewed at half of it: a machine that stands still for two seconds loses none.
    async with running_consumer(queue, database, visibility_seconds=10) as consumer:
        async with blocked_appends(database):
            await until(lambda: has_counts(queue, (0, 20)), "twenty held messages")
            await asyncio.sleep(11)
        await until(queue.is_empty, "empty queue")

        assert consumer.count("audit_messages_total") == 20
    assert await database.entries() == by_id(entries)


async def test_drain_gives_back_what_cannot_be_stored(queue: QueuePair, database: Database, author: Author) -> None:
    """
    A consumer that must stop while the database is stuck shows its messages to others at once.
    """
    entries = author.entries(12)
    await queue.send_many([[entry] for entry in entries])

    async with blocked_appends(database):
        async with running_consumer(queue, database, visibility_seconds=600, drain_seconds=2.5):
            await until(lambda: has_counts(queue, (0, 12)), "twelve held messages")
        assert await queue.counts() == (12, 0)

    async with running_consumer(queue, database):
        await until(queue.is_empty, "empty queue")
    assert await database.entries() == by_id(entries)


async def test_drain_finishes_what_is_held(queue: QueuePair, database: Database, author: Author) -> None:
    """
    A consumer that is told to stop stores and deletes what it has received before it ends.
    """
    entries = author.entries(400)
    await queue.send_many([entries[start : start + 4] for start in range(0, 400, 4)])

    async with running_consumer(queue, database, visibility_seconds=600, batch_entries_max=20) as consumer:
        await database.wait_for_entries(1)
        consumer.stop.set()
    waiting, held = await queue.counts()

    assert held == 0
    assert len(await database.entries()) + 4 * waiting == 400


async def test_backpressure_stops_receiving(queue: QueuePair, database: Database, author: Author) -> None:
    """
    When the log cannot take more, the consumer takes no more from the queue than its bounds, and goes on afterwards.
    """
    entries = author.entries(150, data={"note": "x" * 2000})
    await queue.send_many([[entry] for entry in entries])

    async with running_consumer(queue, database, receivers=1, appenders=1, batch_entries_max=1, buffer_bytes_max=10_000):
        async with blocked_appends(database):
            await asyncio.sleep(2)
            waiting, held = await queue.counts()
            assert held <= 30
            assert waiting + held == 150
        await until(queue.is_empty, "empty queue")

    assert await database.entries() == by_id(entries)


async def test_database_stops_and_starts(aws_server: AwsServer, queue: QueuePair, author: Author, tmp_path: Path) -> None:
    """
    While the database is down nothing leaves the queue; when it is back everything is stored, without a restart.
    """
    server = await asyncio.to_thread(PostgresServer.make, tmp_path / "postgres")
    try:
        await server.make_template()
        database = await server.create_database(template=TEMPLATE)
        before, during = author.entries(20), author.entries(20)
        async with running_consumer(queue, database) as consumer:
            await queue.send(*before)
            await database.wait_for_entries(20)
            await asyncio.to_thread(server.stop)
            await queue.send_many([[entry] for entry in during])
            await until(lambda: failed(consumer, 2), "two failed appends")
            waiting, held = await queue.counts()
            assert waiting + held == 20
            await asyncio.to_thread(server.start)
            await until(queue.is_empty, "empty queue")
            assert consumer.count("audit_messages_total") == 21
        assert await database.entries() == by_id([*before, *during])
        assert await assert_log_consistent(database) == 40
    finally:
        await asyncio.to_thread(server.stop)


async def test_consumer_starts_before_the_database(queue: QueuePair, database: Database, author: Author) -> None:
    """
    A consumer whose database is not there yet waits for it and then works: start and recovery are one path.
    """
    entries = author.entries(5)
    await queue.send(*entries)
    async with wire_to(database.server.postgres.port) as wire:
        wire.cut()
        url = database.writer_url.replace(f":{database.server.postgres.port}/", f":{wire.port}/")
        async with running_consumer(queue, database, database_url=url) as consumer:
            await until(lambda: failed(consumer, 1), "a failed append")
            wire.mend()
            assert await database.wait_for_entries(5) == by_id(entries)


async def test_commit_that_landed_but_was_not_heard(queue: QueuePair, database: Database, author: Author) -> None:
    """
    When the answer to the commit is lost the batch is offered again, and every entry is stored once all the same.
    """
    entries = author.entries(50)
    async with wire_to(database.server.postgres.port) as wire:
        url = database.writer_url.replace(f":{database.server.postgres.port}/", f":{wire.port}/")
        wire.lose_next = b"COMMIT\0"
        # The partition check commits too, on its own; entries are only sent when the wire has its fault for them.
        async with running_consumer(queue, database, database_url=url) as consumer:
            await queue.send(*entries)
            await until(queue.is_empty, "empty queue")
            assert wire.lost_count == 1
            assert consumer.count("audit_database_failures_total") == 1
            assert consumer.count("audit_entries_total", result="duplicate") == 50

    assert await database.entries() == by_id(entries)
    assert await assert_log_consistent(database) == 50


async def test_connection_cut_in_mid_statement(queue: QueuePair, database: Database, author: Author) -> None:
    """
    A batch whose connection breaks before the commit leaves nothing behind and is stored by the next try.
    """
    entries = author.entries(50)
    async with wire_to(database.server.postgres.port) as wire:
        url = database.writer_url.replace(f":{database.server.postgres.port}/", f":{wire.port}/")
        async with running_consumer(queue, database, database_url=url) as consumer:
            async with blocked_appends(database):
                await queue.send(*entries)
                await until(lambda: has_counts(queue, (0, 1)), "a held message")
                await asyncio.sleep(0.3)
                wire.cut()
            await until(lambda: failed(consumer, 1), "a failed append")
            wire.mend()
            await until(queue.is_empty, "empty queue")

    assert await database.entries() == by_id(entries)


async def test_queue_goes_and_comes_back(queue: QueuePair, database: Database, author: Author) -> None:
    """
    A consumer that cannot reach the queue goes on when it can, without a restart, and stores each entry once.
    """
    before, after = author.entries(10), author.entries(10)
    port = urlsplit(queue.url).port or 0
    async with wire_to(port) as wire:
        through_wire = replace(
            queue,
            url=queue.url.replace(f":{port}/", f":{wire.port}/"),
            aws=replace(queue.aws, endpoint_url=queue.aws.endpoint_url.replace(f":{port}", f":{wire.port}")),
        )
        async with running_consumer(through_wire, database, visibility_seconds=3) as consumer:
            await queue.send(*before)
            await database.wait_for_entries(10)
            wire.cut()
            await until(lambda: counted(consumer.count("audit_queue_failures_total", call="receive")), "a failed receive")
            await queue.send(*after)
            wire.mend()
            assert await database.wait_for_entries(20) == by_id([*before, *after])
            await until(queue.is_empty, "empty queue")
    assert await assert_log_consistent(database) == 20


async def test_deletion_that_is_never_heard(queue: QueuePair, database: Database, author: Author) -> None:
    """
    Messages whose deletion fails come again and are dropped as duplicates: stored once, and the queue ends empty.
    """
    entries = author.entries(10)
    port = urlsplit(queue.url).port or 0
    async with wire_to(port) as wire:
        through_wire = replace(
            queue,
            url=queue.url.replace(f":{port}/", f":{wire.port}/"),
            aws=replace(queue.aws, endpoint_url=queue.aws.endpoint_url.replace(f":{port}", f":{wire.port}")),
        )
        await queue.send(*entries)
        wire.lose_next = b'"Successful"'
        # Nothing is renewed so soon, whose answer would be lost instead.
        async with running_consumer(through_wire, database) as consumer:
            await database.wait_for_entries(10)
            await until(queue.is_empty, "empty queue")
            assert wire.lost_count == 1
            assert consumer.count("audit_queue_failures_total", call="delete") == 1
    assert await database.entries() == by_id(entries)


async def test_kill_and_restart(queue: QueuePair, database: Database, tmp_path: Path) -> None:
    """
    Processes killed in the middle of their work leave each entry stored once, and nothing in the queue.
    """
    authors = [Author() for _ in range(3)]
    entries = [author.entry() for author in authors for _ in range(800)]
    copies = entries + entries[::3]
    shuffled = random.Random(11)
    shuffled.shuffle(copies)
    await queue.send_many([copies[start : start + 8] for start in range(0, len(copies), 8)])

    for round_number in range(4):
        port = free_port()
        settings = write_settings(
            tmp_path / str(round_number), queue, database, port=port, visibility_seconds=2, batch_entries_max=40
        )
        async with service_process(settings, port) as process:
            await database.wait_for_entries(400 * (round_number + 1))
            await asyncio.sleep(shuffled.uniform(0, 0.02))
            process.kill()
    port = free_port()
    settings = write_settings(tmp_path / "last", queue, database, port=port, visibility_seconds=2)
    async with service_process(settings, port) as process:
        stored = await database.wait_for_entries(len(entries))
        await until(queue.is_empty, "empty queue")
        await process.stop()

    own = {event_id: entry for event_id, entry in stored.items() if b'"service":"audit"' not in entry}
    assert own == by_id(entries)
    await assert_log_consistent(database)
    assert await database.quarantine() == []


async def test_sigterm_ends_the_service_soon(queue: QueuePair, database: Database, author: Author, tmp_path: Path) -> None:
    """
    A stop ends an open tail, stores what is held and is over within seconds; it leaves no message held.
    """
    port = free_port()
    settings = write_settings(tmp_path, queue, database, port=port, visibility_seconds=600, drain_seconds=2 * SOON)
    async with service_process(settings, port) as process, aiohttp.ClientSession() as http:
        headers = {"Authorization": f"Bearer {SERVICE_TOKEN}"}
        async with http.get(f"http://127.0.0.1:{port}/v1/events/tail", headers=headers) as tail:
            assert tail.status == 200
            await queue.send(*author.entries(100))
            await database.wait_for_entries(100)
            began = time.monotonic()
            code = await process.stop()
            await tail.content.read()
        took = time.monotonic() - began

    assert took < SOON
    assert code in (0, -signal.SIGTERM)
    assert (await queue.counts())[1] <= 1  # Its own last words may still be on their way.
    lines = [json.loads(line) for line in process.log.read_text().splitlines() if line.startswith("{")]
    assert "audit.drained" in {line["event"] for line in lines}


async def has_counts(queue: QueuePair, wanted: tuple[int, int]) -> bool:
    """Say whether so many messages wait and so many are held."""
    return await queue.counts() == wanted


async def failed(consumer: RunningConsumer, times: int) -> bool:
    """Say whether appends have failed so many times."""
    return consumer.count("audit_database_failures_total") >= times


async def counted(count: float) -> bool:
    """Say whether something was counted at all."""
    return count > 0
