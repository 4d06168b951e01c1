"""GET /v1/events/tail: what arrives, as it arrives, and from where it was left."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from shared.events import EventType
from tests.integration.audit.lab import DEADLINE_SECONDS, Author, Database, QueuePair, at, seal
from tests.integration.audit.service import SERVICE_TOKEN, Service, running_service, token_issuer

OWN = ("type", "sign_in.")


@pytest.fixture
async def service(queue: QueuePair, database: Database, tmp_path: Path) -> AsyncIterator[Service]:
    """A service that consumes and answers."""
    async with running_service(tmp_path, queue, database) as running:
        yield running


class Listener:
    """One open tail."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer
        self.last_id = ""

    async def place(self) -> str:
        """Return the id that a tail begins with."""
        assert await self.answer.content.readline() == b"retry: 2000\n"
        name, _, place = (await self.answer.content.readline()).decode().rstrip("\n").partition(": ")
        assert name == "id"
        return place

    async def next(self) -> dict[str, Any]:
        """Return the next entry; fail when none comes in time."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            fields: dict[str, str] = {}
            while True:
                line = (await self.answer.content.readline()).decode().rstrip("\n")
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif fields.get("event") == "entry":
                    self.last_id = fields["id"]
                    item: dict[str, Any] = json.loads(fields["data"])
                    return item
                else:
                    fields = {}


@contextlib.asynccontextmanager
async def listening(service: Service, *params: tuple[str, str], last_id: str | None = None) -> AsyncIterator[Listener]:
    """Open a tail."""
    headers = {"Authorization": f"Bearer {SERVICE_TOKEN}", **({"Last-Event-ID": last_id} if last_id else {})}
    async with service.http.get(f"{service.url}/v1/events/tail", params=list(params), headers=headers) as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
        yield Listener(answer)


async def test_shows_what_arrives_from_now_on(service: Service, queue: QueuePair, database: Database, author: Author) -> None:
    """
    A tail starts now: entries of before stay out, the next ones come with their leaf hash, in order.
    """
    old = author.entry()
    await queue.send(old)
    await database.wait_for_sealed(old)
    fresh = [author.entry() for _ in range(3)]

    async with listening(service, OWN) as tail:
        for entry in fresh:
            await queue.send(entry)
            item = await tail.next()
            assert item["event"] == json.loads(entry)
            assert len(item["leaf_hash"]) == 64


async def test_filters(service: Service, queue: QueuePair, author: Author) -> None:
    """
    A tail shows only what fits its filters.
    """
    other, wanted = author.entry(), author.entry(event_type=EventType.SESSION_CREATED)

    async with listening(service, ("type", "session.")) as tail:
        await queue.send(other, wanted)
        assert (await tail.next())["event"] == json.loads(wanted)


async def test_a_tail_tells_its_place_at_once(service: Service, queue: QueuePair, database: Database, author: Author) -> None:
    """
    A listener whose tail ended before any entry came gets what it missed as well.
    """
    async with listening(service, OWN) as tail:
        place = await tail.place()
    missed = author.entry()
    await queue.send(missed)
    await database.wait_for_sealed(missed)

    async with listening(service, OWN, last_id=place) as tail:
        assert (await tail.next())["event"] == json.loads(missed)


async def test_resumes_without_a_hole(service: Service, queue: QueuePair, database: Database, author: Author) -> None:
    """
    A listener that comes back with its last id gets what it missed, once, and then what is new.
    """
    first, missed, fresh = (author.entry() for _ in range(3))
    async with listening(service, OWN) as tail:
        await queue.send(first)
        await tail.next()
        last_id = tail.last_id
    await queue.send(missed)
    await database.wait_for_sealed(missed)

    async with listening(service, OWN, last_id=last_id) as tail:
        assert (await tail.next())["event"] == json.loads(missed)
        await queue.send(fresh)
        assert (await tail.next())["event"] == json.loads(fresh)


async def test_starts_in_the_past(service: Service, queue: QueuePair, database: Database, author: Author) -> None:
    """
    With a start time a tail first shows what happened since then.
    """
    old, recent = author.entry(occurred_at=at(0)), author.entry(occurred_at=at(100))
    await queue.send(old, recent)
    await database.wait_for_entries(2)

    async with listening(service, OWN, ("from", "2026-11-01T00:01:00Z")) as tail:
        assert (await tail.next())["event"] == json.loads(recent)


async def test_ends_with_its_token(queue: QueuePair, database: Database, tmp_path: Path) -> None:
    """
    A tail ends when the access token that opened it expires, not when its listener goes.
    """
    async with token_issuer() as issuer, running_service(tmp_path, queue, database, jwks_url=issuer.url) as service:
        token = issuer.token(exp=int(time.time()) + 2)
        async with asyncio.timeout(DEADLINE_SECONDS):
            answer = await service.get("/v1/events/tail", token=token)

    assert (answer.status, answer.body[:6]) == (200, b"retry:")


async def test_refuses_what_makes_no_sense(service: Service) -> None:
    """
    A tail has no end and no pages: parameters that belong to a search are refused by name.
    """
    for params in ({"limit": "5"}, {"order": "asc"}, {"to": "2026-11-01T00:00:00Z"}, {"cursor": "AAAA"}):
        answer = await service.get("/v1/events/tail", params=params)

        assert answer.status == 400
        assert [error["field"] for error in answer.json()["errors"]] == list(params)


async def test_bad_last_event_id(service: Service) -> None:
    """
    A Last-Event-ID that is none of ours is refused, not taken for the beginning.
    """
    answer = await service.get("/v1/events/tail", headers={"Last-Event-ID": "x"})
    assert (answer.status, answer.json()["errors"][0]["field"]) == (400, "Last-Event-ID")


async def test_says_when_sealing_stands_still(queue: QueuePair, database: Database, author: Author, tmp_path: Path) -> None:
    """
    While entries wait and nobody seals, a tail says so instead of looking like a quiet night.
    """
    await seal(database)
    await database.append([author.entry()])
    async with database.tampering() as connection:
        await connection.execute("UPDATE audit.entries SET recorded_at = recorded_at - interval '11 seconds'")
    overrides = {"log_key_file": None, "sequencer_database_url_file": None}
    async with running_service(tmp_path, queue, database, receivers=0, **overrides) as service, listening(service) as tail:
        lines = [(await tail.answer.content.readline()).decode() for _ in range(5)]
    assert lines[3] == "event: notice\n"
    assert "sealing_stands_still" in lines[4]
