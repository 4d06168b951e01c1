"""Attempts in the state store: sealed, found by id, changed only from the state that was read."""

import time
from typing import NamedTuple

import msgspec

from services.gateway.attempts.model import Attempt
from services.gateway.sealing import Sealer
from shared.problems import Conflict, NotFound
from shared.state import StateStore

# An attempt stays readable for a while after its end, so that a page can say that it expired.
KEPT_AFTER_END_SECONDS = 600


class Held(NamedTuple):
    """An attempt and the very bytes it was read from, which a change must still find there."""

    attempt: Attempt
    sealed: bytes


class AttemptStore:
    """Keeps attempts."""

    def __init__(self, state: StateStore, sealer: Sealer, *, attempt_seconds: int) -> None:
        self._state = state
        self._sealer = sealer
        self._ttl_seconds = attempt_seconds + KEPT_AFTER_END_SECONDS

    async def add(self, attempt: Attempt) -> Held:
        """Keep a new attempt."""
        sealed = self._seal(attempt)
        await self._state.put(_key(attempt.id), sealed, ttl_seconds=self._ttl(attempt))
        return Held(attempt, sealed)

    async def read(self, attempt_id: str, *, binding: str | None) -> Held:
        """
        Return the attempt of this browser.

        Raises:
            NotFound: There is none, or it belongs to another: the two look alike.
        """
        held = await self.read_any(attempt_id)
        if held.attempt.binding != binding:
            raise NotFound("another client's attempt")
        return held

    async def read_any(self, attempt_id: str) -> Held:
        """
        Return an attempt, whoever it belongs to; for callers that are not browsers.

        Raises:
            NotFound: There is none.
        """
        sealed = await self._state.get(_key(attempt_id))
        opened = self._sealer.open(_key(attempt_id), sealed) if sealed is not None else None
        if sealed is None or opened is None:
            raise NotFound("no attempt")
        return Held(msgspec.json.decode(opened, type=Attempt), sealed)

    async def change(self, held: Held, attempt: Attempt) -> Held:
        """
        Put `attempt` in the place of what was read.

        Raises:
            Conflict: It was changed meanwhile, by a twin of this request.
        """
        sealed = self._seal(attempt)
        if not await self._state.swap(_key(attempt.id), held.sealed, sealed, ttl_seconds=self._ttl(attempt)):
            raise Conflict("attempt changed meanwhile")
        return Held(attempt, sealed)

    def _ttl(self, attempt: Attempt) -> int:
        # A review outlives the attempt that it is about.
        return max(self._ttl_seconds, int(attempt.expires_at - time.time()) + KEPT_AFTER_END_SECONDS)

    def _seal(self, attempt: Attempt) -> bytes:
        return self._sealer.seal(_key(attempt.id), msgspec.json.encode(attempt))


def _key(attempt_id: str) -> str:
    return f"attempt:{attempt_id}"
