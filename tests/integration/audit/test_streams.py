"""Streams: everything that is sealed, at least once, in order, whatever the receiver and we go through."""

import asyncio
import contextlib
import gzip
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from services.audit.exporting.formats import Record
from services.audit.pulse import Pulse
from services.audit.storage.database import open_pool
from services.audit.storage.search import EntryReader
from services.audit.streaming.batches import first_batch
from services.audit.streaming.settings import WebhookStream
from services.audit.streaming.sinks import WebhookSink
from services.audit.streaming.store import StreamStore
from services.audit.streaming.worker import StreamMetrics, StreamWorker
from shared.http.pool import open_http
from tests.contract.ports import free_port
from tests.integration.audit.archives import archive_bucket
from tests.integration.audit.commands import Person
from tests.integration.audit.lab import HOST, RING, Author, Database, QueuePair, at, seal, until
from tests.integration.audit.service import running_service

KEY, NEXT_KEY = "the-first-key", "the-next-key"


@dataclass
class Receiver:
    """An endpoint that refuses as often as it is told to, and keeps what it took."""

    url: str = ""
    refusals: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[Any] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Answer one delivery."""
        body = await request.read()
        # Refused and kept: what was delivered once is delivered again.
        self.bodies.append(body)
        self.headers.append(request.headers)
        return web.Response(status=self.refusals.pop() if self.refusals else 204)

    def leaves(self) -> list[int]:
        """Return the leaves in the order in which they came."""
        return [json.loads(line)["leaf_index"] for body in self.bodies for line in body.splitlines()]


@contextlib.asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """Run an endpoint."""
    made, app, port = Receiver(), web.Application(), free_port()
    app.router.add_post("/in", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    made.url = f"http://{HOST}:{port}/in"
    try:
        yield made
    finally:
        await runner.cleanup()


def stream_to(endpoint: Receiver, **fields: Any) -> WebhookStream:
    """Return a webhook's settings."""
    return WebhookStream(**{"name": "siem", "url": endpoint.url, "secret_file": "", "batch_entries_max": 10, **fields})


@contextlib.asynccontextmanager
async def worker(database: Database, stream: WebhookStream, registry: CollectorRegistry) -> AsyncIterator[StreamWorker]:
    """Give a worker of a process of its own."""
    clerk = await open_pool(database.clerk_url, name="test", connections_max=2)
    reading = await open_pool(database.reader_url, name="test", connections_max=2)
    try:
        async with open_http() as http:
            sink, metrics = WebhookSink(http, stream, [KEY, NEXT_KEY]), StreamMetrics(registry)
            yield StreamWorker(stream, sink, StreamStore(clerk), EntryReader(reading, RING), Pulse(), metrics, 0.02)
    finally:
        clerk.terminate()
        reading.terminate()


@contextlib.asynccontextmanager
async def delivering(database: Database, stream: WebhookStream, registry: CollectorRegistry) -> AsyncIterator[None]:
    """Deliver until the block ends."""
    async with worker(database, stream, registry) as one:
        stop = asyncio.Event()
        task = asyncio.create_task(one.run(stop))
        try:
            yield
        finally:
            stop.set()
            await task


async def cursor(database: Database) -> int:
    """Return the first leaf that was not acknowledged."""
    rows = await database.fetch("SELECT next_leaf FROM audit.streams", role="countersign_clerk")
    return int(rows[0]["next_leaf"]) if rows else -1


async def test_everything_arrives_in_order_and_at_least_once(database: Database, author: Author) -> None:
    """
    Two processes deliver one stream to an endpoint that fails now and then: each leaf arrives, none before an earlier one that
    was not there yet; a process that comes later goes on where they were; each batch is small enough and signed by both keys.
    """
    await database.append(author.entries(57))
    await seal(database)
    async with receiver() as endpoint:
        endpoint.refusals = [500, 429, 301]
        stream = stream_to(endpoint)

        async def has(leaf: int) -> bool:
            return await cursor(database) == leaf

        async with delivering(database, stream, CollectorRegistry()), delivering(database, stream, CollectorRegistry()):
            await until(lambda: has(57), "57 delivered entries")
        leaves = endpoint.leaves()
        assert sorted(set(leaves)) == list(range(57))
        assert all(leaf <= max(leaves[:place], default=-1) + 1 for place, leaf in enumerate(leaves))
        assert max(body.count(b"\n") for body in endpoint.bodies) <= 10
        for body, headers in zip(endpoint.bodies, endpoint.headers, strict=True):
            signed = headers["Countersign-Timestamp"].encode() + b"." + body
            signatures = [f"v1={hmac.digest(key.encode(), signed, 'sha256').hex()}" for key in (KEY, NEXT_KEY)]
            assert headers["Countersign-Signature"].split(",") == signatures
            assert headers["Countersign-First-Leaf"] == str(json.loads(body.splitlines()[0])["leaf_index"])

        await database.append(author.entries(3))
        await seal(database)
        before = len(endpoint.leaves())
        registry = CollectorRegistry()
        async with delivering(database, stream, registry):
            await until(lambda: has(60), "60 delivered entries")
        assert endpoint.leaves()[before:] == [57, 58, 59]
        assert registry.get_sample_value("audit_stream_lag_entries", {"stream": "siem"}) == 0


async def test_a_receiver_that_is_gone_holds_nothing_up(database: Database, author: Author) -> None:
    """
    While nobody takes the deliveries the stream stands where it was, with the reason; the cursor never goes back; a stream that
    begins now skips what was there.
    """
    await database.append(author.entries(2))
    await seal(database)
    async with receiver() as endpoint:
        gone = stream_to(endpoint, url=f"http://{HOST}:{free_port()}/in")
        registry = CollectorRegistry()

        async def is_failing() -> bool:
            rows = await database.fetch("SELECT last_error FROM audit.streams", role="countersign_clerk")
            return bool(rows) and rows[0]["last_error"] == "no answer: ClientConnectorError"

        async with delivering(database, gone, registry):
            await until(is_failing, "a reason")
        assert registry.get_sample_value("audit_stream_failing", {"stream": "siem"}) == 1
        assert await cursor(database) == 0
        async with worker(database, stream_to(endpoint, name="late", begins="now"), CollectorRegistry()) as late:
            assert not await late.deliver_once()
            await database.append(author.entries(1))
            await seal(database)
            await late.deliver_once()
        assert endpoint.leaves() == [2]
        with pytest.raises(Exception, match="does not go back"):
            await database.fetch("UPDATE audit.streams SET next_leaf = 1 WHERE name = 'late'", role="countersign_clerk")


async def test_the_service_streams_to_webhook_and_bucket(
    tmp_path: Path,
    queue: QueuePair,
    database: Database,
    author: Author,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    With two streams in its settings the service feeds both; GET /v1/streams and ``countersign audit streams`` say how far.
    """
    await database.append(author.entries(25))
    await seal(database)
    (tmp_path / "key").write_text(f"{KEY}\n")
    async with receiver() as endpoint, archive_bucket(queue.aws, is_locked=False) as bucket:
        settings = [
            {"kind": "webhook", "name": "siem", "url": endpoint.url, "secret_file": str(tmp_path / "key"), "format": "ocsf"},
            {"kind": "s3", "name": "lake", "bucket": bucket.name, "prefix": "in/", "is_required": True},
        ]
        async with running_service(tmp_path / "audit", queue, database, receivers=0, streams=settings) as service:

            async def state() -> list[Any]:
                found: list[Any] = (await service.get("/v1/streams")).json()["streams"]
                return found

            async def are_done() -> bool:
                return all((one["next_leaf"] or 0) >= 25 for one in await state())

            await until(are_done, "two streams delivered")
            siem, lake = await state()
            assert (siem["target"], lake["target"]) == (endpoint.url.removesuffix("/in"), f"s3://{bucket.name}/in/")
            assert (lake["is_required"], lake["lag_entries"], lake["last_error"]) == (True, 0, None)
            person = Person(capsys, monkeypatch)
            person.knows(service)
            said = await person.runs("streams")
            assert (said.code, "lake (required)" in said.out) == (0, True)
        assert all(json.loads(line)["class_uid"] == 3002 for line in endpoint.bodies[0].splitlines())
        listed = await bucket.client.list_objects_v2(Bucket=bucket.name)
        [key] = [one["Key"] for one in listed["Contents"]]
        assert key == "in/000000000000000-000000000000024.ndjson.gz"
        body = await (await bucket.client.get_object(Bucket=bucket.name, Key=key))["Body"].read()
        assert len(gzip.decompress(body).splitlines()) == 25


def test_a_batch_ends_before_it_is_too_large() -> None:
    """
    A batch holds as many whole lines as fit, and one that fits nowhere goes alone.
    """
    records = [Record(str(place), place, bytes(32), at(0), at(0), b'{"a":"' + b"x" * 200 + b'"}') for place in range(5)]

    assert (first_batch(records, "ndjson", 100).last_leaf, first_batch(records, "ndjson", 900).entry_count) == (0, 2)
    assert first_batch(records, "ndjson", 10_000).last_leaf == 4


def test_a_stream_in_the_clear_is_refused() -> None:
    """
    The log does not travel without TLS, except to this machine.
    """
    with pytest.raises(msgspec.ValidationError, match="https"):
        msgspec.convert({"kind": "webhook", "name": "siem", "url": "http://192.0.2.1/", "secret_file": "k"}, WebhookStream)
