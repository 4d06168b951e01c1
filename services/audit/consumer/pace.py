"""
Storing no faster than sealing can follow.

An entry proves something from its seal on, and consumers at full load would outrun the sequencer and take the processor from
it. So they wait while what is stored waits too long for its seal; what is not stored yet is as safe in the queue. They wait for
a sequencer at work only: where sealing stands still (a fault, or a damaged entry that somebody has to look at) storing goes on.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from services.audit.storage.database import DatabaseUnavailable, QueryTooSlow
from services.audit.storage.producers import Unsealed

# Half of the second within which entries are to be sealed: the other half is for the round that is under way.
UNSEALED_SECONDS_MAX: Final = 0.5
# A sequencer that is behind finishes a round several times a second; one that has to share its processor, in a few seconds.
AT_WORK_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 0.05


class Pace:
    """
    Says when the next batch may be stored.

    Args:
        look: Tells what waits for its seal; see `ProducerReader.unsealed`.
        count_held: Called with the seconds for which a batch was held back; not called for one that was not.
    """

    def __init__(self, look: Callable[[], Awaitable[Unsealed | None]], count_held: Callable[[float], object]) -> None:
        self._look = look
        self._count_held = count_held
        self._looked_at = float("-inf")
        self._is_behind = False

    async def wait(self) -> None:
        """Return when sealing has caught up, or does not work."""
        held_since = None
        while await self._must_wait():
            held_since = held_since or time.monotonic()
            await asyncio.sleep(LOOK_SECONDS)
        if held_since is not None:
            self._count_held(time.monotonic() - held_since)

    async def _must_wait(self) -> bool:
        # One look does for all appenders of a process, and for as many batches as a moment brings.
        if time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self._looked_at = time.monotonic()
            try:
                self._is_behind = is_behind(await self._look())
            except (DatabaseUnavailable, QueryTooSlow):
                self._is_behind = False  # The append itself will find out.
        return self._is_behind


def is_behind(unsealed: Unsealed | None) -> bool:
    """Say whether a sequencer is at work and too much waits for it; `unsealed` is None for a log that was never sealed."""
    if unsealed is None or unsealed.oldest_seconds is None:
        return False
    return unsealed.oldest_seconds > UNSEALED_SECONDS_MAX and unsealed.since_seal_seconds < AT_WORK_SECONDS
