"""Sessions in the state store: one sealed value each, and a set of them per account."""

import time
from collections.abc import Callable

import msgspec

from services.gateway.sealing import Sealer
from services.gateway.sessions.model import Session
from shared.state import StateStore


class SessionStore:
    """
    Keeps sessions. The life of a stored value is the idle limit, cut at the absolute one: a session that is not used dies in
    the store by itself.
    """

    def __init__(self, state: StateStore, sealer: Sealer, *, idle_seconds: int, clock: Callable[[], float] = time.time) -> None:
        self._state = state
        self._sealer = sealer
        self._idle_seconds = idle_seconds
        self._clock = clock

    async def put(self, session: Session) -> None:
        """Keep a session, new or changed."""
        life_seconds = self._life_seconds(session)
        await self._state.put(_key(session.key), self._seal(session), ttl_seconds=life_seconds)
        await self._state.add_member(_index(session.sub), session.key, ttl_seconds=life_seconds)

    async def read(self, key: str) -> Session | None:
        """Return a living session, or None."""
        sealed = await self._state.get(_key(key))
        opened = self._sealer.open(_key(key), sealed) if sealed is not None else None
        if opened is None:
            return None
        session = msgspec.json.decode(opened, type=Session)
        return session if self._clock() < session.expires_at else None

    async def of_account(self, sub: str) -> list[Session]:
        """Return the living sessions of an account, the one that was used last first."""
        found = [await self.read(key) for key in await self._state.members(_index(sub))]
        living = [session for session in found if session is not None and session.sub == sub]
        return sorted(living, key=lambda session: session.last_seen_at, reverse=True)

    async def delete(self, session: Session) -> bool:
        """End a session here; say whether it was there."""
        await self._state.remove_member(_index(session.sub), session.key)
        return await self._state.delete(_key(session.key))

    def _life_seconds(self, session: Session) -> int:
        return max(1, min(self._idle_seconds, int(session.expires_at - self._clock())))

    def _seal(self, session: Session) -> bytes:
        return self._sealer.seal(_key(session.key), msgspec.json.encode(session))


def _key(key: str) -> str:
    return f"session:{key}"


def _index(sub: str) -> str:
    return f"sessions-of:{sub}"
