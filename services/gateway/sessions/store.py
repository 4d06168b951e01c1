"""
Sessions in the state store: one sealed value each, a set of them per account, and for apps the way from an access token.

A session that was taken out is never put back: every change is made to what is stored at that moment, and to nothing else.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from services.gateway import cookies
from services.gateway.sealing import Sealer
from services.gateway.sessions.model import Lives, Session
from shared.problems import Conflict
from shared.state import StateStore

CHANGE_TRIES_MAX: Final = 5


class SessionStore:
    """
    Keeps sessions. The life of a stored value is the idle limit, counted from its last use and cut at the absolute one: a
    session that is not used dies in the store by itself, whatever else changes in it.
    """

    def __init__(self, state: StateStore, sealer: Sealer, *, idle: Lives, clock: Callable[[], float] = time.time) -> None:
        self._state = state
        self._sealer = sealer
        self._idle = idle
        self._clock = clock

    async def put(self, session: Session) -> None:
        """Keep a new session."""
        life_seconds = self._life_seconds(session)
        await self._state.put(_key(session.key), self._seal(session), ttl_seconds=life_seconds)
        await self._state.add_member(_index(session.sub), session.key, ttl_seconds=life_seconds)

    async def change(self, session: Session, *, if_token_is: str | None = None, **changes: Any) -> Session | None:
        """
        Change some fields of a stored session, whatever became of its others meanwhile.

        Args:
            if_token_is: Only while this is the hash of the refresh token that the session waits for: of two copies that
                refresh at once, one finds it so.

        Returns:
            The session as it is now; None when it is over, and stays so, or waits for another token.

        Raises:
            Conflict: Others change it all the time.
        """
        for _ in range(CHANGE_TRIES_MAX):
            sealed = await self._state.get(_key(session.key))
            current = self._open(session.key, sealed)
            if sealed is None or current is None or if_token_is not in {None, current.refresh_digest}:
                return None
            changed = msgspec.structs.replace(current, **changes)
            if await self._swap(sealed, changed):
                return changed
        raise Conflict("session changed meanwhile")

    async def read(self, key: str) -> Session | None:
        """Return a living session, or None."""
        return self._open(key, await self._state.get(_key(key)))

    async def admit(self, session: Session) -> None:
        """Let an app's access token lead to its session, for as long as the token lives."""
        seconds = max(1, int(session.access_expires_at - self._clock()))
        await self._state.put(_access(session.access_token), session.key.encode(), ttl_seconds=seconds)

    async def of_access_token(self, token: str) -> Session | None:
        """Return the living session that an app's access token leads to, or None."""
        key = await self._state.get(_access(token))
        return await self.read(key.decode()) if key is not None else None

    async def of_account(self, sub: str) -> list[Session]:
        """Return the living sessions of an account, the one that was used last first."""
        found = [await self.read(key) for key in await self._state.members(_index(sub))]
        living = [session for session in found if session is not None and session.sub == sub]
        return sorted(living, key=lambda session: session.last_seen_at, reverse=True)

    async def delete(self, session: Session) -> bool:
        """End a session here; say whether it was there."""
        await self._state.remove_member(_index(session.sub), session.key)
        return await self._state.delete(_key(session.key))

    async def _swap(self, sealed: bytes, changed: Session) -> bool:
        life_seconds = self._life_seconds(changed)
        if not await self._state.swap(_key(changed.key), sealed, self._seal(changed), ttl_seconds=life_seconds):
            return False
        await self._state.add_member(_index(changed.sub), changed.key, ttl_seconds=life_seconds)
        return True

    def _life_seconds(self, session: Session) -> int:
        ends_at = min(session.last_seen_at + self._idle.of(session), session.expires_at)
        return max(1, int(ends_at - self._clock()))

    def _open(self, key: str, sealed: bytes | None) -> Session | None:
        opened = self._sealer.open(_key(key), sealed) if sealed is not None else None
        if opened is None:
            return None
        session = msgspec.json.decode(opened, type=Session)
        return session if self._clock() < session.expires_at else None

    def _seal(self, session: Session) -> bytes:
        return self._sealer.seal(_key(session.key), msgspec.json.encode(session))


def _key(key: str) -> str:
    return f"session:{key}"


def _access(token: str) -> str:
    return f"access:{cookies.digest(token)}"


def _index(sub: str) -> str:
    return f"sessions-of:{sub}"
