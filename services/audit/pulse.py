"""A wake-up for whoever waits for something to grow."""

import asyncio


class Pulse:
    """Wakes those who wait, and tells them when the service stops."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self.is_stopping = False

    def beat(self) -> None:
        """Say that there is something new."""
        self._changed.set()
        self._changed = asyncio.Event()

    def stop(self) -> None:
        """Say that the service stops."""
        self.is_stopping = True
        self.beat()

    async def wait(self, seconds_max: float) -> None:
        """Return at the next beat, or after this long."""
        try:
            async with asyncio.timeout(seconds_max):
                await self._changed.wait()
        except TimeoutError:
            return
