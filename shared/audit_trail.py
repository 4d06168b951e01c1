"""
Recorded before answered: `AuditTrail.record` returns when the queue has acknowledged the event.

Requests in flight share a message (group commit): an idle trail sends at once; while a send is under way it gathers, for at
most `linger_seconds` or `message_bytes_max`. A message is NDJSON, one entry a line.

An event that the queue refused has a place in its producer's sequence, so it is kept and offered again until the queue takes
it: the log then shows what was tried, and no false hole. Delivery is at least once; the log drops duplicates by `event_id`.
"""

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import uuid4

import structlog

from shared.events import SCHEMA_VERSION, Draft, Event, EventType, Outcome, Producer, encode, leaf_hash
from shared.ids import uuid7
from shared.sqs import Send

log = structlog.get_logger(__name__)

RETRY_SECONDS_MIN = 0.25
RETRY_SECONDS_MAX = 5.0


class AuditUnavailable(Exception):
    """The queue did not acknowledge the event: the caller must answer 503 and must not deliver what it was about to."""


class Receipt(NamedTuple):
    """Proof to the client that an entry was promised: it later proves inclusion."""

    event_id: str
    leaf_hash: str

    def header(self) -> str:
        """Return the value of the ``Audit-Receipt`` header."""
        return f"{self.event_id}:{self.leaf_hash}"


class _Batch:
    """Entries that share one message, and the future that all their authors wait for."""

    __slots__ = ("acknowledged", "entries", "size")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.entries: list[bytes] = []
        self.size = 0
        self.acknowledged: asyncio.Future[None] = loop.create_future()


def now_utc() -> datetime:
    """Return the time in UTC with microseconds."""
    return datetime.now(UTC)


class AuditTrail:
    """
    One producer's way into the audit log. Build one per process, inside the running loop.

    Args:
        send: Puts one message on the audit queue and returns when it is acknowledged.
        service: The producer's name: gateway, challenge or audit.
        linger_seconds: How long an event may wait for company while another send is under way.
        message_bytes_max: A message is closed before it grows past this; SQS bills in steps of 64 KiB.
        backlog_entries_max: How many refused entries are kept to be offered again. Past it the oldest are given up: their
            numbers are then holes that the completeness report names.
    """

    def __init__(
        self,
        send: Send,
        service: str,
        *,
        linger_seconds: float = 0.005,
        message_bytes_max: int = 60 * 1024,
        backlog_entries_max: int = 20_000,
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        self._send = send
        self._service = service
        self._linger_seconds = linger_seconds
        self._message_bytes_max = message_bytes_max
        self._clock = clock
        self.instance = str(uuid4())
        self._seq = 0
        self._batch: _Batch | None = None
        self._timer: asyncio.Handle | None = None
        self._sends_in_flight = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._backlog: deque[bytes] = deque(maxlen=backlog_entries_max)
        self._redelivery: asyncio.Task[None] | None = None
        self.entries_lost = 0

    @property
    def backlog_entries(self) -> int:
        """How many entries the queue has refused so far and not yet taken."""
        return len(self._backlog)

    async def record(self, draft: Draft) -> Receipt:
        """
        Put one event on the queue.

        Raises:
            AuditUnavailable: The queue refused or did not answer. The event is kept and offered again.
        """
        return (await self.record_all((draft,)))[0]

    async def record_all(self, drafts: Sequence[Draft]) -> list[Receipt]:
        """
        Put several events of one moment on the queue, in order, in one message where they fit.

        Raises:
            AuditUnavailable: As `record`; all of the events are then offered again.
        """
        receipts = []
        waits: list[asyncio.Future[None]] = []
        for draft in drafts:
            event_id, entry = self._entry(draft)
            receipts.append(Receipt(event_id, leaf_hash(entry).hex()))
            acknowledged = self._enqueue(entry)
            if not waits or waits[-1] is not acknowledged:
                waits.append(acknowledged)
        for acknowledged in waits:
            await asyncio.shield(acknowledged)
        return receipts

    async def announce(self, draft: Draft) -> None:
        """Record an event that nobody waits for; where the queue refuses now, it is offered again later."""
        with contextlib.suppress(AuditUnavailable):
            await self.record(draft)

    async def close(self) -> None:
        """Send what waits and offer refused entries one last time; entries still refused are logged as lost."""
        self._flush()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._redelivery is not None:
            self._redelivery.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._redelivery
        with contextlib.suppress(Exception):
            await self._offer_backlog()
        if self._backlog:
            log.error("audit.entries_lost", entries=len(self._backlog))

    def _entry(self, draft: Draft) -> tuple[str, bytes]:
        event_id = str(uuid7())
        event = Event(
            event_id=event_id,
            schema_version=SCHEMA_VERSION,
            event_type=draft.event_type,
            outcome=draft.outcome,
            occurred_at=self._clock(),
            producer=Producer(service=self._service, instance=self.instance, seq=self._seq),
            salt=os.urandom(16).hex(),
            reason=draft.reason,
            request_id=draft.request_id,
            trace_id=draft.trace_id,
            attempt_id=draft.attempt_id,
            session_ref=draft.session_ref,
            subject=draft.subject,
            actor=draft.actor,
            client=draft.client,
            authsignal=draft.authsignal,
            cognito=draft.cognito,
            http=draft.http,
            data=draft.data,
        )
        entry = encode(event)
        self._seq += 1
        return event_id, entry

    def _enqueue(self, entry: bytes) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        if self._batch is not None and self._batch.size + len(entry) + 1 > self._message_bytes_max:
            self._flush()
        if self._batch is None:
            self._batch = _Batch(loop)
            # Idle: send in this turn of the loop, after the tasks that are ready now had their chance to join.
            # Busy: gather until the send under way ends, but no longer than the linger.
            if self._sends_in_flight == 0:
                self._timer = loop.call_soon(self._flush)
            else:
                self._timer = loop.call_later(self._linger_seconds, self._flush)
        self._batch.entries.append(entry)
        self._batch.size += len(entry) + 1
        return self._batch.acknowledged

    def _flush(self) -> None:
        batch, self._batch = self._batch, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if batch is None:
            return
        self._sends_in_flight += 1
        task = asyncio.get_running_loop().create_task(self._deliver(batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, batch: _Batch) -> None:
        try:
            await self._send(b"\n".join(batch.entries).decode())
        except Exception as error:
            log.warning("audit.send_refused", entries=len(batch.entries), error=type(error).__name__)
            self._keep(batch.entries)
            batch.acknowledged.set_exception(AuditUnavailable(str(error)))
            batch.acknowledged.exception()  # Marks it as seen: its authors may all have gone away.
        else:
            batch.acknowledged.set_result(None)
        finally:
            self._sends_in_flight -= 1
            if self._sends_in_flight == 0:
                self._flush()

    def _keep(self, entries: list[bytes]) -> None:
        overflow = len(self._backlog) + len(entries) - (self._backlog.maxlen or 0)
        if overflow > 0:
            self.entries_lost += overflow
            log.error("audit.entries_lost", entries=overflow)
        self._backlog.extend(entries)
        if self._redelivery is None or self._redelivery.done():
            self._redelivery = asyncio.get_running_loop().create_task(self._redeliver())

    async def _redeliver(self) -> None:
        pause = RETRY_SECONDS_MIN
        while self._backlog:
            await asyncio.sleep(pause)
            try:
                await self._offer_backlog()
            except Exception as error:
                pause = min(pause * 2, RETRY_SECONDS_MAX)
                log.info("audit.redelivery_refused", entries=len(self._backlog), error=type(error).__name__)
            else:
                pause = RETRY_SECONDS_MIN

    async def _offer_backlog(self) -> None:
        while self._backlog:
            chunk: list[bytes] = []
            size = 0
            for entry in self._backlog:
                if chunk and size + len(entry) + 1 > self._message_bytes_max:
                    break
                chunk.append(entry)
                size += len(entry) + 1
            await self._send(b"\n".join(chunk).decode())
            # Acknowledged. A crash here sends nothing twice that the log does not drop by its event_id. Entries that were
            # given up meanwhile left from the same end, so only drop what this message carried and what is still there.
            for entry in chunk:
                if self._backlog and self._backlog[0] is entry:
                    self._backlog.popleft()


def service_event(event_type: EventType, **data: object) -> Draft:
    """Return the draft of a producer's own life-cycle event (started, stopped)."""
    return Draft(event_type=event_type, outcome=Outcome.SUCCESS, data=data)
