"""Keeps the hourly counts up with the log: every audit process tries, one at a time counts."""

import asyncio
import contextlib
from typing import Final

from services.audit.storage.counts import CountStore
from services.audit.storage.database import DatabaseUnavailable

LOOK_SECONDS: Final = 1.0


class HourCounter:
    """
    Counts what is sealed until it is told to stop.

    Args:
        counts: Where the counts are kept.
        look_seconds: Time between two looks: many seals are counted at once.
    """

    def __init__(self, counts: CountStore, look_seconds: float = LOOK_SECONDS) -> None:
        self._counts = counts
        self._look_seconds = look_seconds

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set."""
        while not stop.is_set():
            # While the database is away the counts stand still, and who asks counts what is missing in them.
            with contextlib.suppress(DatabaseUnavailable):
                while not stop.is_set() and await self._counts.count_some():
                    pass
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._look_seconds):
                    await stop.wait()
