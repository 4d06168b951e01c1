"""The state store of a service that runs as one copy: a dictionary whose entries die."""

import time
from collections import deque
from collections.abc import Callable, Sequence

from shared.state.port import REFUSALS_KEPT_SECONDS, Taking, Window

SWEEP_EVERY_WRITES = 1_024


class MemoryState:
    """Keeps state in this process. Each method runs without awaiting, and so is atomic in its loop."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._values: dict[str, tuple[float, bytes]] = {}
        # Of a window the moments at which its places were taken, oldest first; of a refusing one the last report and the
        # refusals since. Both with the moment at which they die.
        self._windows: dict[str, tuple[float, deque[float]]] = {}
        self._refusals: dict[str, tuple[float, float, int]] = {}
        self._sets: dict[str, dict[str, float]] = {}
        self._writes = 0

    async def get(self, key: str) -> bytes | None:
        """See `StateStore.get`."""
        found = self._values.get(key)
        return found[1] if found is not None and found[0] > self._clock() else None

    async def put(self, key: str, value: bytes, *, ttl_seconds: int) -> None:
        """See `StateStore.put`."""
        self._sweep_sometimes()
        self._values[key] = self._clock() + ttl_seconds, value

    async def add(self, key: str, value: bytes, *, ttl_seconds: int) -> bool:
        """See `StateStore.add`."""
        if await self.get(key) is not None:
            return False
        await self.put(key, value, ttl_seconds=ttl_seconds)
        return True

    async def swap(self, key: str, expected: bytes, value: bytes, *, ttl_seconds: int) -> bool:
        """See `StateStore.swap`."""
        if await self.get(key) != expected:
            return False
        await self.put(key, value, ttl_seconds=ttl_seconds)
        return True

    async def delete(self, key: str) -> bool:
        """See `StateStore.delete`."""
        is_there = await self.get(key) is not None
        self._values.pop(key, None)
        return is_there

    async def take(self, windows: Sequence[Window]) -> Taking:
        """See `StateStore.take`."""
        self._sweep_sometimes()
        now = self._clock()
        taken = [self._taken(window, now) for window in windows]
        room = [window.places_max - len(moments) for window, moments in zip(windows, taken, strict=True)]
        refused_by = next((index for index, left in enumerate(room) if left <= 0), None)
        if refused_by is None:
            for window, moments in zip(windows, taken, strict=True):
                if not window.asks_only:
                    moments.append(now)
                    self._windows[window.key] = now + window.seconds, moments
        return Taking(
            refused_by,
            tuple(max(0, window.places_max - len(moments)) for window, moments in zip(windows, taken, strict=True)),
            tuple(_wait(window, moments, now) for window, moments in zip(windows, taken, strict=True)),
            self._report(windows[refused_by], now) if refused_by is not None else None,
        )

    def _taken(self, window: Window, now: float) -> deque[float]:
        moments = self._windows.get(window.key, (0.0, deque()))[1]
        while moments and now - moments[0] >= window.seconds:
            moments.popleft()
        return moments

    def _report(self, window: Window, now: float) -> int | None:
        _, reported_at, unreported = self._refusals.get(window.key, (0.0, None, 0))
        is_due = reported_at is None or now - reported_at >= window.seconds
        kept = (now, 0) if is_due or reported_at is None else (reported_at, unreported + 1)
        self._refusals[window.key] = now + REFUSALS_KEPT_SECONDS, *kept
        return unreported if is_due else None

    async def add_member(self, key: str, member: str, *, ttl_seconds: int) -> None:
        """See `StateStore.add_member`."""
        self._sweep_sometimes()
        self._sets.setdefault(key, {})[member] = self._clock() + ttl_seconds

    async def members(self, key: str) -> list[str]:
        """See `StateStore.members`."""
        now = self._clock()
        return [member for member, dies_at in self._sets.get(key, {}).items() if dies_at > now]

    async def remove_member(self, key: str, member: str) -> None:
        """See `StateStore.remove_member`."""
        self._sets.get(key, {}).pop(member, None)

    async def ping(self) -> None:
        """See `StateStore.ping`."""

    async def close(self) -> None:
        """See `StateStore.close`."""

    def _sweep_sometimes(self) -> None:
        self._writes += 1
        if self._writes % SWEEP_EVERY_WRITES:
            return
        now = self._clock()
        self._values = {key: entry for key, entry in self._values.items() if entry[0] > now}
        self._windows = {key: entry for key, entry in self._windows.items() if entry[0] > now}
        self._refusals = {key: entry for key, entry in self._refusals.items() if entry[0] > now}
        sets = {key: {m: dies_at for m, dies_at in members.items() if dies_at > now} for key, members in self._sets.items()}
        self._sets = {key: members for key, members in sets.items() if members}


def _wait(window: Window, moments: deque[float], now: float) -> float:
    """Return the seconds until a place is free that is not now; of an untouched window, its span."""
    if not moments:
        return window.seconds
    # More were taken than there are places when a setting was lowered: then several have to leave first.
    return moments[max(0, len(moments) - window.places_max)] + window.seconds - now
