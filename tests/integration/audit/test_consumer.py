"""From the queue into the log: each entry once, whatever the queue does."""

import asyncio
import json
import random

import pytest

from services.audit.reading import Flaw
from shared.ids import uuid7
from tests.integration.audit.consistency import assert_log_consistent
from tests.integration.audit.lab import (
    Author,
    Database,
    QueuePair,
    by_id,
    running_consumer,
    seal,
    until,
)


async def test_stores_the_very_bytes(queue: QueuePair, database: Database, author: Author) -> None:
    """
    What the producer wrote is what the log holds, byte for byte, and the queue is empty afterwards.
    """
    entries = author.entries(25)
    await queue.send(*entries[:20])
    await queue.send(*entries[20:])

    async with running_consumer(queue, database):
        stored = await database.wait_for_entries(25)
        await until(queue.is_empty, "empty queue")

    assert stored == by_id(entries)
    assert await assert_log_consistent(database) == 25
    assert await database.quarantine() == []


async def test_duplicates_and_disorder(queue: QueuePair, database: Database) -> None:
    """
    Entries that come again, in other messages and another order, are stored once each.
    """
    authors = [Author() for _ in range(4)]
    entries = [author.entry() for author in authors for _ in range(100)]
    copies = entries * 3
    random.Random(7).shuffle(copies)
    await queue.send_many([copies[start : start + 13] for start in range(0, len(copies), 13)])

    async with running_consumer(queue, database) as consumer, running_consumer(queue, database) as twin:
        await database.wait_for_entries(400)
        await until(queue.is_empty, "empty queue")

    assert await database.entries() == by_id(entries)
    assert await assert_log_consistent(database) == 400
    new = sum(one.count("audit_entries_total", result="new") for one in (consumer, twin))
    duplicate = sum(one.count("audit_entries_total", result="duplicate") for one in (consumer, twin))
    assert (new, duplicate) == (400, 800)


async def test_storing_waits_for_a_sequencer_at_work(queue: QueuePair, database: Database, author: Author) -> None:
    """
    While a sequencer is at work and behind, what comes waits; where it stands still, it is stored all the same.
    """
    first, second, third = author.entries(3)
    await database.append([first])
    await seal(database)
    await database.append([second])
    async with database.tampering() as connection:
        await connection.execute("UPDATE audit.entries SET recorded_at = recorded_at - interval '1 minute'")
    await queue.send(third)
    is_at_work = True

    async def work() -> None:
        while is_at_work:
            async with database.tampering() as connection:
                await connection.execute("UPDATE audit.seals SET sealed_at = clock_timestamp()")
            await asyncio.sleep(0.1)

    sequencer = asyncio.create_task(work())
    async with running_consumer(queue, database) as consumer:

        async def is_received() -> bool:
            return consumer.count("audit_messages_total") == 1

        await until(is_received, "the message at the consumer")
        await asyncio.sleep(1)
        assert len(await database.entries()) == 2
        is_at_work = False
        await sequencer
        await database.wait_for_entries(3)
        await until(queue.is_empty, "empty queue")
        assert consumer.count("audit_held_back_seconds_total") > 1


FLAWED = {
    "not json": (b"{this is not json", Flaw.NOT_JSON),
    "json of something else": (b'{"hello": "world"}', Flaw.NOT_AN_EVENT),
    "a number": (b"42", Flaw.NOT_AN_EVENT),
    "a blank": (b" ", Flaw.NOT_JSON),
    "nested deeply": (b"[" * 60_000, Flaw.NOT_AN_EVENT),
    "too large": (b'"' + b"x" * 65_534 + b'"', Flaw.TOO_LARGE),
}


@pytest.mark.parametrize(("line", "flaw"), FLAWED.values(), ids=FLAWED.keys())
async def test_flawed_line_spares_its_neighbours(
    queue: QueuePair, database: Database, author: Author, line: bytes, flaw: Flaw
) -> None:
    """
    A line that is no event is kept in quarantine with its reason and place; the lines around it are stored.
    """
    before, after = author.entry(), author.entry()
    message_id = await queue.send(before, line, after)

    async with running_consumer(queue, database) as consumer:
        stored = await database.wait_for_entries(2)
        await until(queue.is_empty, "empty queue")

    assert stored == by_id([before, after])
    [kept] = await database.quarantine()
    assert (kept["message_id"], kept["line_no"], kept["bytes"]) == (message_id, 2, line)
    assert kept["reason"] == flaw.value
    assert consumer.count("audit_quarantined_total", reason=flaw.value) == 1


async def test_event_of_another_schema(queue: QueuePair, database: Database, author: Author) -> None:
    """
    An event of a type or with an identity that the schema does not know is quarantined, not guessed at.
    """
    good = json.loads(author.entry())
    wrong = [
        {**good, "event_type": "sign_in.teleported"},
        {**good, "event_id": "not-a-uuid"},
        {**good, "event_id": "7f7e4c0e-1111-4111-8111-111111111111"},
        {**good, "occurred_at": "2026-11-01T00:00:00"},
        {**good, "producer": {**good["producer"], "seq": -1}},
        {**good, "producer": {**good["producer"], "instance": "one"}},
        {**good, "extra": 1},
    ]
    await queue.send(*(json.dumps(event).encode() for event in wrong))

    async with running_consumer(queue, database):
        await until(queue.is_empty, "empty queue")

    assert await database.entries() == {}
    reasons = [row["reason"] for row in await database.quarantine()]
    assert reasons == ["not_an_event"] + ["bad_identity"] * 5 + ["not_an_event"]


async def test_same_id_with_other_bytes_is_evidence(queue: QueuePair, database: Database, author: Author) -> None:
    """
    The first entry under an id stays; another one under the same id is kept in quarantine, not dropped and not swapped in.
    """
    event_id = str(uuid7())
    first, second, third = (author.entry(event_id=event_id) for _ in range(3))
    async with running_consumer(queue, database):
        await queue.send(first)
        await database.wait_for_entries(1)
        await queue.send(second, first, third)
        await until(queue.is_empty, "empty queue")

    assert await database.entries() == {event_id: first}
    kept = await database.quarantine()
    assert {row["bytes"] for row in kept} == {second, third}
    assert {row["reason"] for row in kept} == {"conflicting_entry"}
    assert await assert_log_consistent(database) == 1


async def test_two_events_with_one_number_are_both_kept(queue: QueuePair, database: Database) -> None:
    """
    A producer that repeats a sequence number leaves evidence of its fault: both events are stored.
    """
    author = Author()
    first = author.entry()
    author.seq = 0
    second = author.entry()
    await queue.send(first, second)

    async with running_consumer(queue, database):
        assert await database.wait_for_entries(2) == by_id([first, second])


async def test_odd_clock_is_not_lost(queue: QueuePair, database: Database, author: Author) -> None:
    """
    Events whose ids belong to no month that has a partition are stored and found like any other.
    """
    odd = [author.entry(event_id=f"{milliseconds:012x}"[:8] + f"-{milliseconds & 0xFFFF:04x}-7000-8000-{number:012x}")
           for number, milliseconds in enumerate((0, 1, 2**48 - 1, 4_102_444_800_000))]  # fmt: skip
    await queue.send(*odd)

    async with running_consumer(queue, database):
        stored = await database.wait_for_entries(4)

    assert stored == by_id(odd)
    assert await assert_log_consistent(database) == 4


async def test_large_message(queue: QueuePair, database: Database, author: Author) -> None:
    """
    A message as large as the queue takes is read whole, and its entries are stored.
    """
    entries = author.entries(250, data={"note": "x" * 3000})
    await queue.send(*entries)

    async with running_consumer(queue, database, batch_entries_max=100):
        assert await database.wait_for_entries(250) == by_id(entries)
        await until(queue.is_empty, "empty queue")
