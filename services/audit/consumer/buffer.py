"""Between receivers and appenders: bounded by bytes, and handed out in batches of whole messages."""

import asyncio
from collections import deque
from typing import Final

from services.audit.consumer.holds import Held

# A batch is one statement's parameters: beyond this it costs memory on both sides and gains nothing.
BATCH_BYTES_MAX: Final = 4 * 1024 * 1024


class Buffer:
    """
    Messages that wait to be appended.

    Args:
        bytes_max: Receiving stops at this much, and goes on below it.
        entries_max: A batch closes at this many entries; a message is never split over batches.
        linger_seconds: How long the first message of a batch waits for company.
    """

    def __init__(self, *, bytes_max: int, entries_max: int, linger_seconds: float) -> None:
        self._bytes_max = bytes_max
        self._entries_max = entries_max
        self._linger_seconds = linger_seconds
        self._waiting: deque[Held] = deque()
        self._is_closed = False
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._turn = asyncio.Lock()
        self.size_bytes = 0

    async def wait_for_room(self) -> None:
        """Return when there is room for another receive; each receiver may overshoot by one answer of the queue."""
        await self._room.wait()

    def put(self, messages: list[Held]) -> None:
        """Add what was received."""
        if not messages:
            return
        self._waiting.extend(messages)
        self.size_bytes += sum(held.reading.size_bytes for held in messages)
        if self.size_bytes >= self._bytes_max:
            self._room.clear()
        self._arrived.set()

    def close(self) -> None:
        """Announce that nothing more will come: what waits is handed out without lingering."""
        self._is_closed = True
        self._arrived.set()

    async def take(self) -> list[Held]:
        """Return the next batch; an empty one when the buffer is closed and used up."""
        async with self._turn:  # One appender gathers at a time, so that batches are full, while the others commit.
            while not self._waiting:
                if self._is_closed:
                    return []
                await self._next_arrival()
            batch: list[Held] = []
            entries = size_bytes = 0
            deadline = asyncio.get_running_loop().time() + self._linger_seconds
            while True:
                while self._waiting and entries < self._entries_max and size_bytes < BATCH_BYTES_MAX:
                    held = self._waiting.popleft()
                    entries += len(held.reading.rows) + len(held.reading.flawed)
                    size_bytes += held.reading.size_bytes
                    batch.append(held)
                if self._waiting or entries >= self._entries_max or self._is_closed:
                    break
                try:
                    async with asyncio.timeout_at(deadline):
                        await self._next_arrival()
                except TimeoutError:
                    break
            self.size_bytes -= size_bytes
            if self.size_bytes < self._bytes_max:
                self._room.set()
            return batch

    async def _next_arrival(self) -> None:
        self._arrived.clear()
        await self._arrived.wait()
