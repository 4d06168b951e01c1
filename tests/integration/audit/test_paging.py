"""Cursors: nothing twice, nothing skipped, not even what commits late."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from services.audit.api.events import find_page
from services.audit.api.query import parse_search
from services.audit.reading import read_line
from services.audit.storage.database import open_pool
from services.audit.storage.entries import APPEND
from services.audit.storage.search import EntryReader
from tests.integration.audit.lab import RING, Author, Database, QueuePair, at, by_id, running_consumer, seal
from tests.integration.audit.service import Service, running_service


async def test_pages_cover_everything_once(queue: QueuePair, database: Database, tmp_path: Path) -> None:
    """
    Walking the cursor to its end shows each entry once, in both orders, although many share one moment.
    """
    author = Author()
    entries = [author.entry(occurred_at=at(number // 10)) for number in range(105)]
    await queue.send(*entries)
    async with running_consumer(queue, database):
        await database.wait_for_entries(105)

    async with running_service(tmp_path, queue, database, receivers=0) as service:
        await database.wait_for_seal(105)
        for order in ("desc", "asc"):
            pages = await walk(service, ("order", order), ("limit", "10"))
            seen = [event["event_id"] for page in pages for event in page]
            assert len(seen) == 105
            assert set(seen) == set(by_id(entries))
            if order == "desc":
                times = [event["occurred_at"] for page in pages for event in page]
                assert times == sorted(times, reverse=True)


async def walk(service: Service, *params: tuple[str, str]) -> list[list[dict[str, Any]]]:
    """Return the pages of a search."""
    pages: list[list[dict[str, Any]]] = []
    cursor: list[tuple[str, str]] = []
    while True:
        answer = (await service.get("/v1/events", params=[*params, *cursor])).json()
        pages.append([item["event"] for item in answer["events"]])
        if answer["next_cursor"] is None:
            return pages
        cursor = [("cursor", answer["next_cursor"])]


async def test_resume_cursor_continues_later(queue: QueuePair, database: Database, tmp_path: Path) -> None:
    """
    An ascending search ends with a cursor from which a later one shows only what came in between.
    """
    author = Author()
    old, new = author.entry(), author.entry()
    async with running_consumer(queue, database), running_service(tmp_path, queue, database, receivers=0) as service:
        await queue.send(old)
        await database.wait_for_sealed(old)
        ask = {"order": "asc", "type": "sign_in.started"}
        first = (await service.get("/v1/events", params=ask)).json()
        idle = (await service.get("/v1/events", params={**ask, "cursor": first["resume_cursor"]})).json()
        await queue.send(new)
        await database.wait_for_sealed(new)
        later = (await service.get("/v1/events", params={**ask, "cursor": idle["resume_cursor"]})).json()

    assert [item["event"] for item in first["events"]] == [json.loads(old)]
    assert (first["next_cursor"], idle["next_cursor"], idle["events"]) == (None, None, [])
    assert [item["event"] for item in later["events"]] == [json.loads(new)]


async def test_a_start_in_the_past_does_not_begin_at_the_first_leaf(database: Database, author: Author) -> None:
    """
    What happened from a time on lies behind the place where the log stood a day before; who asks from then on is led there.
    """
    early = datetime.now(UTC) - timedelta(days=40)
    await database.append(author.entries(7, occurred_at=early))
    await seal(database)
    async with database.tampering() as connection:
        await connection.execute("UPDATE audit.seals SET sealed_at = $1", early)
    await database.append(author.entries(2, occurred_at=datetime.now(UTC)))
    await seal(database)
    reading = await open_pool(database.reader_url, name="test", connections_max=1)
    try:
        reader = EntryReader(reading, RING)
        places = [await reader.place_before(early + timedelta(days=days)) for days in (0.5, 1, 30)]
        page, _ = await find_page(reader, parse_search([("from", f"{early + timedelta(days=2):%FT%TZ}"), ("order", "asc")], []))
    finally:
        await reading.close()

    assert [place.next_index for place in places] == [0, 7, 7]
    assert [event.leaf_index for event in page.events] == [7, 8]


async def test_late_commit_is_never_skipped(queue: QueuePair, database: Database, tmp_path: Path) -> None:
    """
    What commits late is shown to a follower all the same, and nothing is shown twice.
    """
    author = Author()
    # Each has a text of its own: a text that is new to the log is one row, and who writes it second waits for the first.
    early, late = author.entry(reason="early"), author.entry(reason="late")
    connection = await asyncpg.connect(database.writer_url)
    other = await asyncpg.connect(database.writer_url)
    try:
        async with running_service(tmp_path, queue, database, receivers=0) as service:
            transaction = connection.transaction()
            await transaction.start()
            await append(connection, late)  # Takes its transaction number first, commits last.
            await append(other, early)
            await asyncio.sleep(0.5)
            before = (await service.get("/v1/events", params={"order": "asc"})).json()
            await transaction.commit()
            await database.wait_for_seal(2)
            after = (await service.get("/v1/events", params={"order": "asc", "cursor": before["resume_cursor"]})).json()
    finally:
        await connection.close()
        await other.close()

    assert before["events"] == []
    assert [(item["leaf_index"], item["event"]) for item in after["events"]] == [(0, json.loads(late)), (1, json.loads(early))]


async def append(connection: asyncpg.Connection, entry: bytes) -> None:
    """Append one entry as the consumer does, in whatever transaction the connection is in."""
    await connection.execute(APPEND, *([value] for value in (*read_line(entry), None)))
