"""The delivery of one stream: batch after batch, each only when the one before was taken."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from services.audit.archiving.bucket import s3_client
from services.audit.exporting.pages import record
from services.audit.pulse import Pulse
from services.audit.settings import AuditSettings
from services.audit.storage.cursor import LogCursor
from services.audit.storage.database import DatabaseUnavailable, QueryTooSlow, open_pool
from services.audit.storage.search import EntryReader, Filters
from services.audit.streaming.batches import first_batch
from services.audit.streaming.settings import S3Stream, WebhookStream
from services.audit.streaming.sinks import DeliveryFailed, S3Sink, Sink, WebhookSink
from services.audit.streaming.store import StreamStore
from services.audit.workers import close_pool, start_part
from shared.http.pool import open_http
from shared.settings import read_secrets

log = structlog.get_logger(__name__)

POLL_SECONDS: Final = 1.0
RETRY_SECONDS_MIN: Final = 1.0
RETRY_SECONDS_MAX: Final = 60.0
EVERYTHING: Final = Filters()
# A process that hangs in a delivery loses its turn: another one goes on.
TURN_SECONDS_MAX: Final = 120.0


class StreamMetrics:
    """What all streams of a process show."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.lag = Gauge("audit_stream_lag_entries", "Sealed entries not delivered", ["stream"], registry=registry)
        self.is_failing = Gauge("audit_stream_failing", "1 while deliveries fail", ["stream"], registry=registry)
        self.delivered = Counter("audit_stream_delivered_total", "Entries delivered", ["stream"], registry=registry)


class StreamWorker:
    """
    Delivers one stream until it is told to stop.

    Args:
        stream: Its settings.
        sink: Its receiver.
        store: Where it stands.
        reader: The log.
        sealed: Beats when something was sealed.
        metrics: Where the state is shown.
        retry_seconds_min: The first pause after a failure; it doubles up to `RETRY_SECONDS_MAX`.
    """

    def __init__(
        self,
        stream: WebhookStream | S3Stream,
        sink: Sink,
        store: StreamStore,
        reader: EntryReader,
        sealed: Pulse,
        metrics: StreamMetrics,
        retry_seconds_min: float = RETRY_SECONDS_MIN,
    ) -> None:
        self._stream = stream
        self._sink = sink
        self._store = store
        self._reader = reader
        self._sealed = sealed
        self._metrics = metrics
        self._retry_seconds_min = retry_seconds_min
        self._has_begun = False

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set."""
        pause = self._retry_seconds_min
        while not stop.is_set():
            try:
                is_more = await self.deliver_once()
            except (DeliveryFailed, DatabaseUnavailable, QueryTooSlow) as error:
                await self._failed(error)
                with contextlib.suppress(TimeoutError):
                    # Not all at one moment: many processes may have lost one receiver.
                    async with asyncio.timeout(pause * random.uniform(0.5, 1)):  # noqa: S311 - no secret depends on it
                        await stop.wait()
                pause = min(pause * 2, RETRY_SECONDS_MAX)
                continue
            pause = self._retry_seconds_min
            self._metrics.is_failing.labels(self._stream.name).set(0)
            if not is_more:
                await self._sealed.wait(POLL_SECONDS)

    async def deliver_once(self) -> bool:
        """
        Deliver one batch when there is something and it is our turn; say whether more may be waiting.

        Raises:
            DeliveryFailed, DatabaseUnavailable, QueryTooSlow: Try again later; what was acknowledged is kept.
        """
        name = self._stream.name
        end = (await self._reader.now()).next_index
        if not self._has_begun:
            await self._store.begin(name, end if self._stream.begins == "now" else 0)
            self._has_begun = True
        async with self._store.turn(name) as turn:
            if turn is None:
                return False
            limit = self._stream.batch_entries_max
            found = await self._reader.follow(EVERYTHING, after=LogCursor(turn.next_leaf), limit=limit, end_leaf=end)
            if not found:
                self._metrics.lag.labels(name).set(max(0, end - turn.next_leaf))
                return False
            batch = first_batch([record(one) for one in found], self._stream.format, self._stream.batch_bytes_max)
            # Delivered and not yet kept: a crash here delivers it again, which receivers must bear.
            await self._sink.deliver(batch)
            await turn.delivered(batch.last_leaf + 1)
        self._metrics.delivered.labels(name).inc(batch.entry_count)
        self._metrics.lag.labels(name).set(end - batch.last_leaf - 1)
        return batch.last_leaf + 1 < end

    async def _failed(self, error: Exception) -> None:
        self._metrics.is_failing.labels(self._stream.name).set(1)
        log.warning("audit.stream_failed", stream=self._stream.name, error=str(error))
        if isinstance(error, DeliveryFailed):
            with contextlib.suppress(DatabaseUnavailable, QueryTooSlow):
                await self._store.failed(self._stream.name, str(error))


async def start_streams(
    stack: AsyncExitStack,
    settings: AuditSettings,
    clerk_url: str,
    keys: dict[str, list[str]],
    reader: EntryReader,
    sealed: Pulse,
    registry: CollectorRegistry,
) -> StreamStore:
    """Begin to deliver every stream, and return where they stand."""
    pool = await open_pool(
        clerk_url,
        name="audit-streams",
        connections_max=len(settings.streams) + 1,
        idle_seconds_max=TURN_SECONDS_MAX,
    )
    stack.push_async_callback(close_pool, pool)
    store = StreamStore(pool)
    if not settings.streams:
        return store
    metrics = StreamMetrics(registry)
    faults = Counter("audit_stream_faults_total", "Times a stream stopped by a fault of ours", registry=registry)
    http = await stack.enter_async_context(open_http())
    s3 = await stack.enter_async_context(s3_client(settings))
    for stream in settings.streams:
        sink = S3Sink(s3, stream) if isinstance(stream, S3Stream) else WebhookSink(http, stream, keys[stream.name])
        make = _maker(stream, sink, store, reader, sealed, metrics)
        start_part(stack, f"stream {stream.name}", make, asyncio.Event(), faults.inc)
    return store


def stream_keys(settings: AuditSettings) -> dict[str, list[str]]:
    """
    Return the signing keys of webhooks by the name of their stream.

    Raises:
        SettingsError: A secret file is missing or wrong.
    """
    return {one.name: read_secrets(one.secret_file) for one in settings.streams if isinstance(one, WebhookStream)}


def _maker(stream: WebhookStream | S3Stream, sink: Sink, *parts: Any) -> Callable[[], StreamWorker]:
    return lambda: StreamWorker(stream, sink, *parts)
