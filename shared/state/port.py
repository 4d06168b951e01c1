"""The port: what a service may ask of its state store."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

# Refusals that nobody was told of are remembered so long, for the next one that is reported.
REFUSALS_KEPT_SECONDS: Final = 86_400


class StateUnavailable(Exception):
    """The store does not answer: refuse the request, never go on without it."""


class Window(NamedTuple):
    """
    A sliding window: at most `places_max` are taken within any `seconds`, however the takings lie in time.

    With `asks_only` a place must be free and stays so.
    """

    key: str
    places_max: int
    seconds: int
    asks_only: bool = False


class Taking(NamedTuple):
    """
    What came of asking for one place in each of some windows: all were taken, or none.

    Args:
        refused_by: Index of the first window without room; None when the places were taken.
        left: Places left in each window now.
        wait_seconds: How long until each window has its next place free.
        unreported: Set on a refusal that is to be reported, one in each span of the window that refused: how many refusals
            by that window came since the last report.
    """

    refused_by: int | None
    left: tuple[int, ...]
    wait_seconds: tuple[float, ...]
    unreported: int | None = None

    @property
    def retry_seconds(self) -> int:
        """How long until there is room in every window that has none now: whole seconds, rounded up, at least 1."""
        waits = (wait for wait, left in zip(self.wait_seconds, self.left, strict=True) if left == 0)
        return max(1, math.ceil(max(waits, default=0.0)))


class StateStore(Protocol):
    """
    A key-value store with lives in seconds. Every method may raise `StateUnavailable`.

    `add`, `swap` and `take` are atomic over all copies of all services: they are what makes a key burn once, an attempt
    change hands once, and a limit hold for all copies together.
    """

    async def get(self, key: str) -> bytes | None:
        """Return the value, or None when there is none or it has died."""

    async def put(self, key: str, value: bytes, *, ttl_seconds: int) -> None:
        """Store a value, whatever was there."""

    async def add(self, key: str, value: bytes, *, ttl_seconds: int) -> bool:
        """Store a value only where there is none; say whether it was stored."""

    async def swap(self, key: str, expected: bytes, value: bytes, *, ttl_seconds: int) -> bool:
        """Store a value only where `expected` stands now; say whether it was stored."""

    async def delete(self, key: str) -> bool:
        """Remove a value; say whether there was one."""

    async def take(self, windows: Sequence[Window]) -> Taking:
        """Take one place in each window, or in none when one of them has no room; by the store's own clock."""

    async def add_member(self, key: str, member: str, *, ttl_seconds: int) -> None:
        """Put a member that lives `ttl_seconds` into a set; the set lives as long as its youngest member."""

    async def members(self, key: str) -> list[str]:
        """Return the living members of a set, in no order that means anything."""

    async def remove_member(self, key: str, member: str) -> None:
        """Take a member out of a set."""

    async def ping(self) -> None:
        """Return when the store answers."""

    async def close(self) -> None:
        """Let go of connections."""
