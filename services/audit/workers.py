"""What an audit process does besides answering: consume, seal, watch, count, close erasures. Each outlives a fault of ours."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter

from services.audit.consumer.metrics import ConsumerMetrics
from services.audit.consumer.queue import AuditQueue
from services.audit.consumer.service import Consumer
from services.audit.counting import HourCounter
from services.audit.erasure.closer import ErasureCloser
from services.audit.pulse import Pulse
from services.audit.sealing.metrics import SealMetrics
from services.audit.sealing.sequencer import Sequencer
from services.audit.sealing.store import SealStore
from services.audit.settings import AuditSettings
from services.audit.storage.counts import CountStore
from services.audit.storage.database import Pool, open_pool
from services.audit.storage.entries import EntryStore
from services.audit.storage.erasing import ErasureStore
from services.audit.storage.keys import KeyRing
from services.audit.storage.producers import ProducerReader
from services.audit.supervision import Part, keep_running
from services.audit.tree.notes import Signer
from services.audit.watch import GapMetrics, GapWatch
from shared.audit_trail import AuditTrail

# A sequencer that hangs in its turn loses it after this long, and another one goes on.
TURN_SECONDS_MAX: Final = 10.0


async def start_consumer(
    stack: AsyncExitStack,
    settings: AuditSettings,
    writer_url: str,
    ring: KeyRing,
    queue: AuditQueue,
    registry: CollectorRegistry,
    committed: Pulse,
    producers: ProducerReader,
    stop: asyncio.Event,
) -> None:
    """Begin to consume; when the stack unwinds, what is held is drained."""
    pool = await open_pool(writer_url, name="audit-consumer", connections_max=settings.appenders + 1)
    stack.push_async_callback(close_pool, pool)
    store, metrics = EntryStore(pool, ring), ConsumerMetrics(registry)
    faults = Counter("audit_consumer_faults_total", "Times the consumer stopped by a fault of ours", registry=registry)

    def make() -> Consumer:
        return Consumer(
            queue,
            store,
            metrics,
            producers.unsealed,
            receivers=settings.receivers,
            appenders=settings.appenders,
            buffer_bytes_max=settings.buffer_bytes_max,
            batch_entries_max=settings.batch_entries_max,
            batch_linger_seconds=settings.batch_linger_ms / 1000,
            drain_seconds=settings.drain_seconds,
            on_committed=committed.beat,
        )

    start_part(stack, "consumer", make, stop, faults.inc)


async def start_sequencer(
    stack: AsyncExitStack,
    settings: AuditSettings,
    sequencer_url: str,
    signers: Sequence[Signer],
    entry_keys: Sequence[str],
    trail: AuditTrail,
    registry: CollectorRegistry,
    *,
    committed: Pulse,
    sealed: Pulse,
) -> None:
    """Begin to seal. Start it before the consumer: it ends after it, and so seals what was drained."""
    pool = await open_pool(
        sequencer_url,
        name="audit-sequencer",
        connections_max=1,
        seconds_max=TURN_SECONDS_MAX,
        idle_seconds_max=TURN_SECONDS_MAX,
    )
    stack.push_async_callback(close_pool, pool)
    store, metrics = SealStore(pool), SealMetrics(registry)
    faults = Counter("audit_sequencer_faults_total", "Times the sequencer stopped by a fault of ours", registry=registry)

    def make() -> Sequencer:
        return Sequencer(
            store,
            signers,
            metrics,
            trail,
            entry_keys=entry_keys,
            committed=committed,
            sealed=sealed,
            interval_seconds=settings.seal_interval_ms / 1000,
        )

    start_part(stack, "sequencer", make, asyncio.Event(), faults.inc)


def start_watch(stack: AsyncExitStack, producers: ProducerReader, registry: CollectorRegistry) -> None:
    """Begin to watch for gaps."""
    metrics = GapMetrics(registry)
    faults = Counter("audit_watch_faults_total", "Times the watch for gaps stopped by a fault of ours", registry=registry)
    start_part(stack, "watch", lambda: GapWatch(producers, metrics), asyncio.Event(), faults.inc)


def start_counter(stack: AsyncExitStack, clerk: Pool, registry: CollectorRegistry) -> None:
    """Begin to keep the hourly counts up with the log."""
    counts = CountStore(clerk)
    faults = Counter("audit_counter_faults_total", "Times the hourly counts stopped by a fault of ours", registry=registry)
    start_part(stack, "counter", lambda: HourCounter(counts), asyncio.Event(), faults.inc)


def start_closer(stack: AsyncExitStack, erasures: ErasureStore, trail: AuditTrail, registry: CollectorRegistry) -> None:
    """Begin to record the closing events of erasures whose process could not."""
    faults = Counter("audit_closer_faults_total", "Times the closing of erasures stopped by a fault of ours", registry=registry)
    start_part(stack, "closer", lambda: ErasureCloser(erasures, trail), asyncio.Event(), faults.inc)


def start_part(
    stack: AsyncExitStack,
    name: str,
    make: Callable[[], Part],
    stop: asyncio.Event,
    on_fault: Callable[[], Any],
    *,
    wake: Callable[[], None] | None = None,
) -> None:
    """
    Run a part until the stack unwinds; it ends then before what was opened before it is closed.

    A part that waits for something else than `stop` needs a `wake` that ends this wait.
    """
    task = asyncio.create_task(keep_running(name, make, stop, on_fault), name=name)

    async def finish() -> None:
        stop.set()
        if wake is not None:
            wake()
        await task

    stack.push_async_callback(finish)


async def close_pool(pool: Pool) -> None:
    """Close connections, and cut those that do not end by themselves."""
    try:
        async with asyncio.timeout(2):
            await pool.close()
    except TimeoutError:
        pool.terminate()
