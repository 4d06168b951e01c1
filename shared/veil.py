"""
The veil: answers that could tell a known address from an unknown one leave at the same moments.

An answer is held until the next whole step after its request came. Work for a known person may take several steps; a decoy,
which does no such work, then draws its number of steps from those that real work took lately.
"""

import asyncio
import math
import random
import time
from collections import deque
from collections.abc import Callable

REMEMBERED_STEPS = 64


class Veil:
    """
    Holds answers back.

    Args:
        step_seconds: The step; 0 holds nothing back.
    """

    def __init__(self, *, step_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._step_seconds = step_seconds
        self._clock = clock
        self._recent: deque[int] = deque(maxlen=REMEMBERED_STEPS)

    def begin(self) -> float:
        """Return the moment at which a request came."""
        return self._clock()

    async def settle(self, began: float, *, is_decoy: bool) -> None:
        """Wait until the answer to a request that came at `began` may leave."""
        if self._step_seconds <= 0:
            return
        steps = max(1, math.ceil((self._clock() - began) / self._step_seconds))
        if is_decoy:
            steps = max(steps, random.choice(self._recent) if self._recent else 1)  # noqa: S311 - a delay, no secret
        else:
            self._recent.append(steps)
        await asyncio.sleep(began + steps * self._step_seconds - self._clock())
