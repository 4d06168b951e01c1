"""What the audit database holds, read as the log's owner."""

import asyncio
import time
from functools import cached_property
from typing import Any
from uuid import UUID

import asyncpg

from services.audit.storage.keys import JOIN_KEYS, SEALED_COLUMNS, KeyRing
from shared.events import Event, decode, leaf_hash
from tests.stack import RunningStack

_HELD = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
# From the answer to the stored entry. A fraction of a second; how quick it is, benchmarks measure, on a machine of their own.
STORED_SECONDS_MAX = 30.0


class Ledger:
    """
    Entries as they were written.

    Args:
        connection: To the stack's database.
        stack: Its queue tells what is still on the way, its secrets open the entries about people.
    """

    def __init__(self, connection: asyncpg.Connection, stack: RunningStack) -> None:
        self._connection = connection
        self._ring = KeyRing((stack.state_dir / "secrets" / "entry_key").read_text().split())
        self._stack = stack

    @cached_property
    def _sqs(self) -> Any:
        return self._stack.aws("sqs")

    async def drained(self) -> None:
        """
        Wait until everything that was put on the queue is stored.

        Raises:
            AssertionError: Something was left in the end.
        """
        deadline, url = time.monotonic() + STORED_SECONDS_MAX, self._stack["aws"]["audit_queue_url"]
        while True:
            answer = await asyncio.to_thread(self._sqs.get_queue_attributes, QueueUrl=url, AttributeNames=_HELD)
            if all(answer["Attributes"][name] == "0" for name in _HELD):
                return
            assert time.monotonic() < deadline, f"on the queue still: {answer['Attributes']}"
            await asyncio.sleep(0.05)

    def _opened(self, row: Any) -> bytes:
        entry = self._ring.opener().open(row).entry
        assert entry is not None, f"entry {row['event_id']} cannot be read"
        return entry

    async def entry(self, event_id: str) -> tuple[bytes, str]:
        """
        Return the bytes and the leaf hash of one entry.

        Raises:
            AssertionError: It was not there in time.
        """
        deadline = time.monotonic() + STORED_SECONDS_MAX
        query = f"SELECT {SEALED_COLUMNS}, e.leaf_hash FROM audit.entries AS e {JOIN_KEYS} WHERE e.event_id = $1"
        while (row := await self._connection.fetchrow(query, UUID(event_id))) is None:
            assert time.monotonic() < deadline, f"entry {event_id} was not stored within {STORED_SECONDS_MAX} s"
            await asyncio.sleep(0.05)
        return self._opened(row), row["leaf_hash"].hex()

    async def promised(self, receipt: tuple[str, str]) -> Event:
        """Return the event that a receipt promised; its bytes must have the leaf hash of the receipt."""
        entry, stored_hash = await self.entry(receipt[0])
        assert stored_hash == receipt[1] == leaf_hash(entry).hex()
        return decode(entry)

    async def told(self, receipt: tuple[str, str]) -> tuple[str, str, str | None]:
        """Return type, outcome and reason of the event that a receipt promised."""
        event = await self.promised(receipt)
        return event.event_type.value, event.outcome.value, event.reason

    async def of_attempt(self, attempt_id: str, *, expect: str | None = None) -> list[Event]:
        """
        Return the events of one attempt in the order of their time: all that are recorded by now.

        Args:
            attempt_id: Whose.
            expect: Wait until one of this type is among them, for what comes without anybody's answer waiting for it.
        """
        await self.drained()
        query = (
            f"SELECT {SEALED_COLUMNS} FROM audit.entries AS e {JOIN_KEYS} JOIN audit.entry_search AS s USING (event_id)"
            " WHERE s.attempt_id = $1 ORDER BY s.occurred_at, s.instance, s.seq"
        )
        deadline = time.monotonic() + STORED_SECONDS_MAX
        while True:
            events = [decode(self._opened(row)) for row in await self._connection.fetch(query, attempt_id)]
            if events and (expect is None or any(event.event_type.value == expect for event in events)):
                return events
            assert time.monotonic() < deadline, f"no {expect} among {[event.event_type.value for event in events]}"
            await asyncio.sleep(0.05)

    async def types_of_attempt(self, attempt_id: str, *, expect: str) -> list[str]:
        """Return the types of the events of one attempt, in the order of their time."""
        return [event.event_type.value for event in await self.of_attempt(attempt_id, expect=expect)]

    async def types_of_subject(self, sub: str, *, expect: str | None = None) -> list[str]:
        """Return the types of every event about one account, in the order of their time, once `expect` is among them."""
        await self.drained()
        query = "SELECT event_type FROM audit.entry_search WHERE subject_sub = $1 ORDER BY occurred_at, instance, seq"
        deadline = time.monotonic() + STORED_SECONDS_MAX
        while True:
            types = [row["event_type"] for row in await self._connection.fetch(query, sub)]
            if expect is None or expect in types:
                return types
            assert time.monotonic() < deadline, f"no {expect} among {types}"
            await asyncio.sleep(0.05)

    async def of_subject(self, sub: str) -> list[Event]:
        """Return every event about one account, in the order of their time."""
        await self.drained()
        query = (
            f"SELECT {SEALED_COLUMNS} FROM audit.entries AS e {JOIN_KEYS} JOIN audit.entry_search AS s USING (event_id)"
            " WHERE s.subject_sub = $1 ORDER BY s.occurred_at, s.instance, s.seq"
        )
        return [decode(self._opened(row)) for row in await self._connection.fetch(query, sub)]

    async def told_of(self, sub: str, kind: str) -> list[Event]:
        """Return every event of one type about one account, once there is one."""
        await self.types_of_subject(sub, expect=kind)
        return [event for event in await self.of_subject(sub) if event.event_type.value == kind]

    async def missing_numbers(self, instance: str, last: int) -> list[int]:
        """Return the numbers up to `last` of one producer's process that are not stored."""
        query = "SELECT seq FROM audit.entry_search WHERE instance = $1"
        stored = {row["seq"] for row in await self._connection.fetch(query, UUID(instance))}
        return [number for number in range(last + 1) if number not in stored]

    async def everything(self) -> list[bytes]:
        """Return the bytes of every entry that nobody has erased."""
        query = f"SELECT {SEALED_COLUMNS} FROM audit.entries AS e {JOIN_KEYS} WHERE k.destroyed_at IS NULL"
        return [self._opened(row) for row in await self._connection.fetch(query)]

    async def count_quarantined(self) -> int:
        """Return how many lines could not become entries."""
        return int(await self._connection.fetchval("SELECT count(*) FROM audit.quarantine"))
