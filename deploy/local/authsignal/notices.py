"""Who wants to know when a challenge moves: the sockets of pages that show a QR code."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Notices:
    """Hands the ids of challenges that moved to everyone who watches."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Queue[str]] = set()

    @contextmanager
    def watch(self) -> Iterator[asyncio.Queue[str]]:
        """A queue of the ids of challenges that move while the block runs."""
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._watchers.add(queue)
        try:
            yield queue
        finally:
            self._watchers.discard(queue)

    def moved(self, challenge_id: str) -> None:
        """Say that a challenge was claimed or decided."""
        for queue in self._watchers:
            queue.put_nowait(challenge_id)
