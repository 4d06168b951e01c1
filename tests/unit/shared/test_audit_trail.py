"""Recorded before answered: when a receipt is given, and what becomes of an event that the queue refused."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.audit_trail import AuditTrail, AuditUnavailable, Receipt, service_event
from shared.events import Draft, EventType, Outcome, decode, leaf_hash

WAIT_SECONDS_MAX = 30.0


class Refused(Exception):
    """What the queue says when it does not take a message."""


class Queue:
    """A queue that can be told to hold messages back or to refuse them, and keeps those it took."""

    def __init__(self) -> None:
        self.taken: list[list[bytes]] = []
        self.offered = 0
        self.refuses = False
        self.open = asyncio.Event()
        self.open.set()

    async def send(self, body: str) -> None:
        """Take a message, once the queue is open."""
        self.offered += 1
        await self.open.wait()
        if self.refuses:
            raise Refused("no")
        self.taken.append(body.encode().split(b"\n"))

    @property
    def entries(self) -> list[bytes]:
        """Every entry taken, in order."""
        return [entry for message in self.taken for entry in message]

    @property
    def numbers(self) -> list[int]:
        """The sequence numbers of the entries taken, in order."""
        return [decode(entry).producer.seq for entry in self.entries]


def draft(number: int = 0, **data: object) -> Draft:
    """Return a draft that can be told apart."""
    return Draft(event_type=EventType.SIGN_IN_STARTED, outcome=Outcome.PENDING, data={"number": number, **data})


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that must happen soon."""
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.005)


def assert_promised(receipts: list[Receipt], queue: Queue) -> None:
    """Check that each receipt names exactly one entry on the queue and the hash of its very bytes."""
    stored = {decode(entry).event_id: leaf_hash(entry).hex() for entry in queue.entries}
    assert len(stored) == len(queue.entries)
    for receipt in receipts:
        assert stored[receipt.event_id] == receipt.leaf_hash


@pytest.fixture
def queue() -> Queue:
    """A queue."""
    return Queue()


@pytest.fixture
def trail(queue: Queue) -> AuditTrail:
    """A trail onto it."""
    return AuditTrail(queue.send, "gateway")


async def test_an_idle_trail_sends_at_once(queue: Queue) -> None:
    """With nothing under way an event does not wait for company, however long the linger is."""
    trail = AuditTrail(queue.send, "gateway", linger_seconds=60)

    async with asyncio.timeout(WAIT_SECONDS_MAX):
        receipt = await trail.record(draft())

    assert_promised([receipt], queue)


async def test_events_of_one_moment_share_a_message(trail: AuditTrail, queue: Queue) -> None:
    """Many recorders at once all get receipts that match the bytes sent, in one message."""
    receipts = await asyncio.gather(*(trail.record(draft(number)) for number in range(100)))

    assert len(queue.taken) == 1
    assert len({receipt.event_id for receipt in receipts}) == 100
    assert_promised(receipts, queue)


async def test_a_busy_trail_gathers(queue: Queue) -> None:
    """While a send is under way events gather, and leave together when it ends."""
    trail = AuditTrail(queue.send, "gateway", linger_seconds=60)
    queue.open.clear()
    first = asyncio.create_task(trail.record(draft()))
    await until(lambda: queue.offered == 1)
    later = [asyncio.create_task(trail.record(draft(number))) for number in range(10)]
    await asyncio.sleep(0.02)
    assert queue.offered == 1
    queue.open.set()

    receipts = await asyncio.gather(first, *later)

    assert [len(message) for message in queue.taken] == [1, 10]
    assert_promised(receipts, queue)


async def test_gathering_ends_with_the_linger(queue: Queue) -> None:
    """An event does not wait longer than the linger for a slow send before it."""
    trail = AuditTrail(queue.send, "gateway", linger_seconds=0.01)
    queue.open.clear()
    tasks = [asyncio.create_task(trail.record(draft()))]
    await until(lambda: queue.offered == 1)

    tasks.append(asyncio.create_task(trail.record(draft())))
    await until(lambda: queue.offered == 2)

    queue.open.set()
    await asyncio.gather(*tasks)


async def test_a_message_is_cut_before_its_limit(queue: Queue) -> None:
    """Entries that do not fit into 60 KiB together leave in several messages, in order, none of them larger."""
    trail = AuditTrail(queue.send, "gateway")

    receipts = await asyncio.gather(*(trail.record(draft(number, filler="x" * 1_000)) for number in range(200)))

    assert len(queue.taken) > 1
    assert all(len(b"\n".join(message)) <= 60 * 1024 for message in queue.taken)
    assert sorted(queue.numbers) == list(range(200))
    assert_promised(receipts, queue)


async def test_a_refused_event_is_reported_and_kept(trail: AuditTrail, queue: Queue) -> None:
    """A refusal reaches the caller, and the same bytes are delivered later."""
    queue.refuses = True
    with pytest.raises(AuditUnavailable):
        await trail.record(draft(1))
    assert trail.backlog_entries == 1
    queue.refuses = False

    await until(lambda: trail.backlog_entries == 0)

    assert [decode(entry).data for entry in queue.entries] == [{"number": 1}]


async def test_refused_events_come_later_in_order(trail: AuditTrail, queue: Queue) -> None:
    """After an outage every event is on the queue once, without a hole in the numbers, the refused ones in their order."""
    await trail.record(draft())
    queue.refuses = True
    for number in range(5):
        with pytest.raises(AuditUnavailable):
            await trail.record(draft(number))
    queue.refuses = False
    await trail.record(draft())

    await until(lambda: trail.backlog_entries == 0)

    assert sorted(queue.numbers) == list(range(7))
    assert [number for number in queue.numbers if 1 <= number <= 5] == [1, 2, 3, 4, 5]


async def test_everybody_in_a_refused_message_is_told(trail: AuditTrail, queue: Queue) -> None:
    """Of events that share a refused message none gets a receipt."""
    queue.refuses = True

    results = await asyncio.gather(*(trail.record(draft(number)) for number in range(20)), return_exceptions=True)

    assert all(isinstance(result, AuditUnavailable) for result in results)
    assert trail.backlog_entries == 20


async def test_one_of_several_refused_is_refused_whole(queue: Queue) -> None:
    """`record_all` gives no receipt at all when any of its messages is refused, and all of it comes later."""
    trail = AuditTrail(queue.send, "gateway", message_bytes_max=700)
    queue.refuses = True
    with pytest.raises(AuditUnavailable):
        await trail.record_all([draft(number) for number in range(10)])
    queue.refuses = False

    await until(lambda: trail.backlog_entries == 0 and len(queue.entries) >= 10)

    assert sorted(set(queue.numbers)) == list(range(10))


async def test_a_caller_that_goes_away_loses_no_event(trail: AuditTrail, queue: Queue) -> None:
    """When the request that records is cancelled, its event is delivered all the same."""
    queue.open.clear()
    task = asyncio.create_task(trail.record(draft(7)))
    await until(lambda: queue.offered == 1)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    queue.open.set()

    await until(lambda: len(queue.entries) == 1)


async def test_announcing_raises_nothing(trail: AuditTrail, queue: Queue) -> None:
    """An announced event that is refused is kept silently."""
    queue.refuses = True

    await trail.announce(service_event(EventType.SERVICE_STARTED))

    assert trail.backlog_entries == 1


async def test_closing_delivers_what_waits(queue: Queue) -> None:
    """Closing sends what was gathered and what was refused, and then everything is on the queue."""
    trail = AuditTrail(queue.send, "gateway", linger_seconds=60)
    queue.refuses = True
    await trail.announce(draft(0))
    queue.refuses = False
    queue.open.clear()
    tasks = [asyncio.create_task(trail.record(draft(number))) for number in (1, 2)]
    await until(lambda: queue.offered == 2)
    tasks.append(asyncio.create_task(trail.record(draft(3))))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.02, queue.open.set)

    await trail.close()

    assert_promised(await asyncio.gather(*tasks), queue)
    assert set(queue.numbers) == {0, 1, 2, 3}
    assert trail.backlog_entries == 0


async def test_closing_ends_even_if_the_queue_refuses(trail: AuditTrail, queue: Queue) -> None:
    """A queue that goes on refusing does not keep the process alive."""
    queue.refuses = True
    await trail.announce(draft())

    async with asyncio.timeout(WAIT_SECONDS_MAX):
        await trail.close()

    assert trail.backlog_entries == 1


async def test_a_full_backlog_gives_up_the_oldest(queue: Queue) -> None:
    """Past its bound the backlog drops its oldest entries, counts them, and keeps the order of the rest."""
    trail = AuditTrail(queue.send, "gateway", backlog_entries_max=3)
    queue.refuses = True
    for number in range(5):
        await trail.announce(draft(number))
    queue.refuses = False

    await until(lambda: trail.backlog_entries == 0)

    assert trail.entries_lost == 2
    assert queue.numbers == [2, 3, 4]


async def test_each_process_counts_for_itself(queue: Queue) -> None:
    """Two trails have different instances, and each counts from zero."""
    for trail in (AuditTrail(queue.send, "gateway"), AuditTrail(queue.send, "gateway")):
        await trail.record_all([draft(), draft()])

    producers = [decode(entry).producer for entry in queue.entries]

    assert [producer.seq for producer in producers] == [0, 1, 0, 1]
    assert len({producer.instance for producer in producers}) == 2


async def test_no_field_of_a_draft_is_lost(queue: Queue) -> None:
    """Everything that an author states is in the entry, with the time of the clock and a salt of its own."""
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
    trail = AuditTrail(queue.send, "challenge", clock=lambda: moment)
    stated: dict[str, Any] = {"reason": "r", "request_id": "q", "trace_id": "t", "attempt_id": "a", "session_ref": "s"}

    await trail.record_all([Draft(event_type=EventType.SIGN_IN_FAILED, outcome=Outcome.FAILURE, **stated)] * 2)

    first, second = map(decode, queue.entries)
    assert {name: getattr(first, name) for name in stated} == stated
    assert (first.occurred_at, first.producer.service) == (moment, "challenge")
    assert first.salt != second.salt


@pytest.mark.parametrize("faulty_every", [2, 3])
async def test_nothing_is_lost_or_doubled_under_load(faulty_every: int) -> None:
    """With every second or third send refused and many recorders, each event ends on the queue exactly once."""
    queue = Queue()

    def sometimes(send: Callable[[str], Awaitable[None]]) -> Callable[[str], Awaitable[None]]:
        calls = 0

        async def wrapped(body: str) -> None:
            nonlocal calls
            calls += 1
            await asyncio.sleep(0.001)
            if calls % faulty_every == 0:
                raise Refused("now and then")
            await send(body)

        return wrapped

    trail = AuditTrail(sometimes(queue.send), "gateway", linger_seconds=0.001)

    async def recorder(number: int) -> Receipt | None:
        await asyncio.sleep(number % 7 / 1000)
        with contextlib.suppress(AuditUnavailable):
            return await trail.record(draft(number))
        return None

    results = await asyncio.gather(*(recorder(number) for number in range(300)))
    await until(lambda: trail.backlog_entries == 0)

    assert sorted(queue.numbers) == list(range(300))
    assert_promised([receipt for receipt in results if receipt is not None], queue)
