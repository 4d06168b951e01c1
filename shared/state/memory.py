"""The state store of a service that runs as one copy: a dictionary whose entries die."""

import time
from collections.abc import Callable

SWEEP_EVERY_WRITES = 1_024


class MemoryState:
    """Keeps state in this process. Each method runs without awaiting, and so is atomic in its loop."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._values: dict[str, tuple[float, bytes]] = {}
        self._counters: dict[str, tuple[float, int]] = {}
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

    async def count(self, key: str, *, ttl_seconds: int) -> int:
        """See `StateStore.count`."""
        self._sweep_sometimes()
        now = self._clock()
        dies_at, count = self._counters.get(key, (0.0, 0))
        if dies_at <= now:
            dies_at, count = now + ttl_seconds, 0
        self._counters[key] = dies_at, count + 1
        return count + 1

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
        self._counters = {key: entry for key, entry in self._counters.items() if entry[0] > now}
        sets = {key: {m: dies_at for m, dies_at in members.items() if dies_at > now} for key, members in self._sets.items()}
        self._sets = {key: members for key, members in sets.items() if members}
