"""
The consumer: from the queue into the log, each entry once.

What holds at every moment, so that a kill at any of them loses nothing:

- received, not committed: the queue still has the message and shows it again when its visibility ends;
- committed, not deleted: it comes again, and every entry of it is dropped as a duplicate;
- deleted: all of its lines are durable, as entries or in quarantine.

There is no state on this side, so there is nothing to repair at start: starting, and going on after any fault, is the same
loop of receive, append, delete.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

import structlog

from services.audit.consumer.buffer import Buffer
from services.audit.consumer.delivery import (
    PAUSE_SECONDS_MIN,
    Delivery,
    Outcome,
    next_pause,
    plan_delivery,
    should_retry_delete,
)
from services.audit.consumer.holds import Held, Holds
from services.audit.consumer.metrics import ConsumerMetrics
from services.audit.consumer.pace import Pace
from services.audit.consumer.queue import MESSAGES_MAX, AuditQueue, in_tens
from services.audit.storage.database import DatabaseUnavailable
from services.audit.storage.entries import EntryStore
from services.audit.storage.producers import Unsealed

log = structlog.get_logger(__name__)

DELETERS: Final = 4
DELETE_DRAIN_SECONDS_MAX: Final = 5.0
MONTHS_AHEAD: Final = 3
PARTITION_CHECK_SECONDS: Final = 6 * 3600.0
PARTITION_RETRY_SECONDS: Final = 60.0


class Consumer:
    """
    Moves messages from the queue into the log until it is told to stop.

    Args:
        queue: Where messages come from.
        store: Where entries go.
        metrics: What is counted.
        unsealed: Tells what waits for its seal; see `Pace`.
        receivers: Long polls in flight.
        appenders: Batches under way.
        buffer_bytes_max: See `Buffer`; likewise `batch_entries_max` and `batch_linger_seconds`.
        drain_seconds: How long `run` may go on after the stop to append what is held.
        on_committed: Called after each commit.
    """

    def __init__(
        self,
        queue: AuditQueue,
        store: EntryStore,
        metrics: ConsumerMetrics,
        unsealed: Callable[[], Awaitable[Unsealed | None]],
        *,
        receivers: int,
        appenders: int,
        buffer_bytes_max: int,
        batch_entries_max: int,
        batch_linger_seconds: float,
        drain_seconds: float,
        on_committed: Callable[[], None] = lambda: None,
    ) -> None:
        self._queue = queue
        self._store = store
        self._metrics = metrics
        self._receivers = receivers
        self._appenders = appenders
        self._pace = Pace(unsealed, metrics.held_back_seconds.inc)
        self._drain_seconds = drain_seconds
        self._on_committed = on_committed
        self._holds = Holds()
        self._buffer = Buffer(bytes_max=buffer_bytes_max, entries_max=batch_entries_max, linger_seconds=batch_linger_seconds)
        self._deletions: asyncio.Queue[Held] = asyncio.Queue()
        self._polls: set[asyncio.Task[Any] | None] = set()
        self._drain_ends_at: float | None = None
        metrics.held.set_function(lambda: len(self._holds))
        metrics.buffer_bytes.set_function(lambda: self._buffer.size_bytes)

    async def run(self, stop: asyncio.Event) -> None:
        """
        Work until `stop` is set; then finish what is held, give back the rest, and return.

        A part that ends by a fault of ours ends the whole, so that it is seen: the process is restarted from outside.
        """
        receivers = self._start(self._receive, self._receivers)
        appenders = self._start(self._append, self._appenders)
        others = self._start(self._delete, DELETERS) | self._start(self._beat, 1) | self._start(self._keep_partitions, 1)
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({stopping, *receivers, *appenders, *others}, return_when=asyncio.FIRST_COMPLETED)
            await self._drain(receivers, appenders)
            faults = await _cancel(receivers | appenders | others)
            await self._release(self._holds.all())
        finally:
            await _cancel({stopping, *receivers, *appenders, *others})
        if faults:
            raise ExceptionGroup("the consumer stopped by a fault", faults)

    def _start(self, work: Callable[[], Coroutine[Any, Any, None]], count: int) -> set[asyncio.Task[None]]:
        return {asyncio.create_task(work(), name=work.__name__) for _ in range(count)}

    async def _receive(self) -> None:
        pause = PAUSE_SECONDS_MIN
        while self._drain_ends_at is None:
            await self._buffer.wait_for_room()
            try:
                messages = await self._poll()
            except Exception as error:
                self._queue_failed("receive", error)
                await asyncio.sleep(pause)
                pause = next_pause(pause)
                continue
            pause = PAUSE_SECONDS_MIN
            self._metrics.messages.inc(len(messages))
            for held in messages:
                self._holds.add(held)
            self._buffer.put(messages)

    async def _poll(self) -> list[Held]:
        self._polls.add(asyncio.current_task())
        try:
            return await self._queue.receive()
        finally:
            self._polls.discard(asyncio.current_task())

    async def _append(self) -> None:
        while batch := await self._buffer.take():
            if self._drain_ends_at is None:
                await self._pace.wait()
            await self._append_batch(batch)

    async def _append_batch(self, batch: list[Held]) -> None:
        pause = PAUSE_SECONDS_MIN
        while batch:
            outcome = await self._try_append(batch)
            plans = [(held, self._plan(held, outcome)) for held in batch]
            for held, delivery in plans:
                if delivery is Delivery.DELETE:
                    # Committed: a crash from here on repeats the message, never its entries.
                    self._deletions.put_nowait(held)
            await self._release([held for held, delivery in plans if delivery is Delivery.RELEASE])
            batch = [held for held, delivery in plans if delivery is Delivery.HOLD]
            if batch:
                await asyncio.sleep(pause)
                pause = next_pause(pause)

    async def _try_append(self, batch: list[Held]) -> Outcome:
        started = time.perf_counter()
        try:
            appended = await self._store.append(
                [placed for held in batch for placed in held.reading.rows],
                [line for held in batch for line in held.reading.flawed],
            )
        except DatabaseUnavailable as error:
            self._metrics.database_failures.inc()
            log.warning("audit.append_postponed", messages=len(batch), error=str(error))
            return Outcome.UNAVAILABLE
        self._metrics.commit_seconds.observe(time.perf_counter() - started)
        self._metrics.appended(appended)
        now = time.time()
        for held in batch:
            if held.sent_at is not None:
                self._metrics.lag_seconds.observe(max(0.0, now - held.sent_at))
        for line in appended.flawed:
            log.warning(
                "audit.line_quarantined",
                message_id=line.origin.message_id,
                line_no=line.origin.line_no,
                reason=line.flaw.value,
            )
        self._on_committed()
        return Outcome.COMMITTED

    def _plan(self, held: Held, outcome: Outcome) -> Delivery:
        left = None if self._drain_ends_at is None else self._drain_ends_at - time.monotonic()
        return plan_delivery(outcome, held_seconds=held.held_seconds(), drain_seconds_left=left)

    async def _delete(self) -> None:
        while True:
            group = [await self._deletions.get()]
            while len(group) < MESSAGES_MAX and not self._deletions.empty():
                group.append(self._deletions.get_nowait())
            try:
                await self._delete_group(group)
            finally:
                for _ in group:
                    self._deletions.task_done()

    async def _delete_group(self, group: list[Held]) -> None:
        pause = PAUSE_SECONDS_MIN
        while group:
            try:
                refused = await self._queue.delete(group)
            except Exception as error:
                self._queue_failed("delete", error)
                refused = [(held, False) for held in group]
            again = []
            for held, is_sender_fault in refused:
                held.delete_tries += 1
                if should_retry_delete(is_sender_fault=is_sender_fault, tries=held.delete_tries):
                    again.append(held)
                else:
                    log.info("audit.delete_abandoned", message_id=held.message_id, tries=held.delete_tries)
            self._holds.drop(set(group) - set(again))
            group = again
            if group:
                await asyncio.sleep(pause)
                pause = next_pause(pause)

    async def _beat(self) -> None:
        """Keep what is held invisible to others."""
        visibility = self._queue.visibility_seconds
        while True:
            await asyncio.sleep(visibility / 4)
            for group in in_tens(self._holds.due(before=time.monotonic() + visibility / 2)):
                try:
                    refused = await self._queue.change_visibility(group, visibility)
                except Exception as error:
                    self._queue_failed("renew", error)
                    continue
                # Out of our hands (it became visible already): appending it all the same does no harm.
                self._holds.drop([held for held, is_sender_fault in refused if is_sender_fault])

    async def _keep_partitions(self) -> None:
        while True:
            try:
                made = await self._store.ensure_partitions(MONTHS_AHEAD)
            except DatabaseUnavailable as error:
                log.warning("audit.partitions_postponed", error=str(error))
                await asyncio.sleep(PARTITION_RETRY_SECONDS)
                continue
            if made:
                log.info("audit.partitions_made", tables=made)
            await asyncio.sleep(PARTITION_CHECK_SECONDS)

    async def _drain(self, receivers: set[asyncio.Task[None]], appenders: set[asyncio.Task[None]]) -> None:
        self._drain_ends_at = time.monotonic() + self._drain_seconds
        # A poll under way is let finish: the queue may hand messages to a connection that is no longer there, and would then
        # hide them from everybody until their visibility ends. Those cut off at the deadline can suffer that: late, not lost.
        polling = {task for task in receivers if task in self._polls}
        await _cancel(receivers - polling)
        if polling:
            await asyncio.wait(polling, timeout=self._drain_seconds)
        await _cancel(polling)
        self._buffer.close()
        held = len(self._holds)
        await asyncio.wait(appenders, timeout=max(0.0, self._drain_ends_at - time.monotonic()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DELETE_DRAIN_SECONDS_MAX):
                await self._deletions.join()
        log.info("audit.drained", messages=held, given_back=len(self._holds))

    async def _release(self, messages: list[Held]) -> None:
        for group in in_tens(messages):
            try:
                await self._queue.change_visibility(group, 0)
            except Exception as error:
                self._queue_failed("release", error)  # They show again by themselves, only later.
            self._holds.drop(group)

    def _queue_failed(self, call: str, error: Exception) -> None:
        # Botocore, aiohttp and the operating system each have their own words for "the queue did not answer".
        self._metrics.queue_failures.labels(call).inc()
        log.warning("audit.queue_failed", call=call, error=type(error).__name__, detail=str(error)[:200])


async def _cancel(tasks: set[asyncio.Task[Any]]) -> list[Exception]:
    """Cancel what still runs, wait for all, and return the faults they ended with."""
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    return [result for result in results if isinstance(result, Exception)]
