"""
Sending events.

1. `email.created`, `sms.created`, `push.created` and `action.verify` are asked: the call that causes them waits, and fails
   unless the answer is 2xx. They are never repeated.
2. `authenticator.*` is announced: at once, and after a failure up to three times more, at least 30 s apart.
3. Logs are gathered: a record is sent once its action's token has run out, in batches of at most 500, and a batch is
   repeated, the same bytes under the same ids, until it is taken.

Waiting is measured by the simulator's clock; signatures carry the machine's time, so that receivers accept them whatever
a test does to that clock. What is waiting is kept in memory: a restart forgets it.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import aiohttp
import msgspec

from deploy.local.authsignal.clock import Clock
from deploy.local.authsignal.settings import Tunables, WebhookUrls
from deploy.local.authsignal.webhooks.events import envelope
from deploy.local.authsignal.webhooks.signature import HEADER, signature_header

BATCH_RECORDS_MAX = 500
_DELIVERIES_MAX = 500
_PULSE_SECONDS = 0.1
_log = logging.getLogger(__name__)


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One try to deliver, as the control port shows it; `status` is None if nobody answered."""

    at: float
    url: str
    event_types: list[str]
    event_ids: list[str]
    attempt: int
    status: int | None


class _Pending(msgspec.Struct, kw_only=True, eq=False):
    url: str
    events: list[dict[str, Any]]
    is_batch: bool
    tries_left: int | None  # None: until it is taken
    due_at: float
    attempt: int = 0
    is_in_flight: bool = False


class _Record(msgspec.Struct, kw_only=True):
    due_at: float
    event_type: str
    build: Callable[[], dict[str, Any] | None]  # asked when due: the record tells how things stand by then


class Dispatcher:
    """Sends the events of one tenant."""

    def __init__(self, *, tenant_id: str, keys: tuple[str, ...], clock: Clock, urls: WebhookUrls) -> None:
        self.urls = urls
        self.tunables = Tunables()
        self._tenant_id = tenant_id
        self._keys = keys
        self._clock = clock
        self._pending: list[_Pending] = []
        self._records: deque[_Record] = deque()
        self._deliveries: deque[Delivery] = deque(maxlen=_DELIVERIES_MAX)
        self._has_work = asyncio.Event()
        self._http: aiohttp.ClientSession | None = None

    async def ask(self, url: str, event_type: str, data: dict[str, Any]) -> bool:
        """Deliver one event now; whether the receiver answered 2xx in time."""
        event = self._envelope(event_type, data=data)
        pending = _Pending(url=url, events=[event], is_batch=False, tries_left=1, due_at=0)
        return await self._deliver(pending)

    def announce(self, event_type: str, data: dict[str, Any]) -> None:
        """Deliver one event about an authenticator soon, if somebody wants to know."""
        url = self.urls.authenticators
        if url is not None:
            event = self._envelope(event_type, data=data)
            tries = 1 + self.tunables.webhook_retries_max
            self._queue(_Pending(url=url, events=[event], is_batch=False, tries_left=tries, due_at=self._clock.now()))

    def log(self, event_type: str, build: Callable[[], dict[str, Any] | None]) -> None:
        """
        Note something for the logs, if somebody wants them.

        Args:
            event_type: `action.log_created` or `challenge.log_created`.
            build: Gives the record when it is due, or None if there is nothing to tell any more.
        """
        if self.urls.logs is not None:
            due_at = self._clock.now() + self.tunables.token_duration_seconds
            self._records.append(_Record(due_at=due_at, event_type=event_type, build=build))
            self._has_work.set()

    def deliveries(self) -> list[Delivery]:
        """The latest tries, oldest first."""
        return list(self._deliveries)

    def waiting(self) -> int:
        """Events that are not delivered yet, records of logs included."""
        return len(self._records) + sum(len(item.events) for item in self._pending)

    def clear(self) -> None:
        """Forget what is waiting, and what was delivered."""
        self._pending.clear()
        self._records.clear()
        self._deliveries.clear()

    async def run(self) -> None:
        """Deliver what is due, until cancelled."""
        async with aiohttp.ClientSession() as self._http, asyncio.TaskGroup() as group:
            while True:
                self._gather_batches()
                for item in self._due():
                    item.is_in_flight = True
                    group.create_task(self._try(item))
                await self._wait()

    async def _wait(self) -> None:
        self._has_work.clear()
        is_idle = not self._pending and not self._records
        with suppress(TimeoutError):
            await asyncio.wait_for(self._has_work.wait(), None if is_idle else _PULSE_SECONDS)

    def _due(self) -> Iterable[_Pending]:
        now = self._clock.now()
        return [item for item in self._pending if item.due_at <= now and not item.is_in_flight]

    def _gather_batches(self) -> None:
        url, now = self.urls.logs, self._clock.now()
        if url is None:
            return
        due = [item for item in self._records if item.due_at <= now]
        if not due:
            return
        self._records = deque(item for item in self._records if item.due_at > now)
        built = [(item.event_type, record) for item in due if (record := item.build()) is not None]
        events = [self._envelope(event_type, record=record) for event_type, record in built]
        for start in range(0, len(events), BATCH_RECORDS_MAX):
            batch = events[start : start + BATCH_RECORDS_MAX]
            self._queue(_Pending(url=url, events=batch, is_batch=True, tries_left=None, due_at=now))

    def _queue(self, item: _Pending) -> None:
        self._pending.append(item)
        self._has_work.set()

    async def _try(self, item: _Pending) -> None:
        is_taken = await self._deliver(item)
        item.is_in_flight = False
        if item.tries_left is not None:
            item.tries_left -= 1
        if item not in self._pending:
            return  # everything was cleared meanwhile
        if is_taken or item.tries_left == 0:
            self._pending.remove(item)
        else:
            item.due_at = self._clock.now() + self.tunables.webhook_retry_seconds
        self._has_work.set()

    async def _deliver(self, item: _Pending) -> bool:
        item.attempt += 1
        status = await self._post(item.url, msgspec.json.encode({"records": item.events} if item.is_batch else item.events[0]))
        self._deliveries.append(
            Delivery(
                at=self._clock.now(),
                url=item.url,
                event_types=[event["type"] for event in item.events],
                event_ids=[event["id"] for event in item.events],
                attempt=item.attempt,
                status=status,
            )
        )
        return status is not None and 200 <= status < 300

    async def _post(self, url: str, body: bytes) -> int | None:
        assert self._http is not None, "the dispatcher is not running"
        headers = {
            "Content-Type": "application/json",
            HEADER: signature_header(body, keys=self._keys, at=int(time.time())),
        }
        timeout = aiohttp.ClientTimeout(total=self.tunables.webhook_timeout_seconds)
        try:
            async with self._http.post(url, data=body, headers=headers, timeout=timeout, allow_redirects=False) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.warning("a webhook was not delivered to %s: %s", url, repr(error))
            return None

    def _envelope(self, event_type: str, **payload: dict[str, Any]) -> dict[str, Any]:
        return envelope(event_type, tenant_id=self._tenant_id, now=self._clock.now(), **payload)
