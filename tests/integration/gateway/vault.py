"""The gateway's state as it lies in Valkey, opened with the gateway's own key: how a test lets time pass for one record."""

import contextlib
import time
from pathlib import Path
from typing import Any

import msgspec
from redis.asyncio import Redis

from services.gateway.attempts.model import Attempt
from services.gateway.cookies import digest
from services.gateway.sealing import Sealer
from services.gateway.sessions.model import Session
from shared.settings import read_keys
from shared.state import open_state


class Vault:
    """Reads and changes attempts and sessions of one gateway."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.state = open_state(settings["state_url"])
        self._url = settings["state_url"].replace("valkey://", "redis://")
        self._sealer = Sealer(read_keys(Path(settings["session_key_file"])))

    async def attempt(self, attempt_id: str) -> Attempt:
        """Return an attempt as stored."""
        attempt: Attempt = await self._read(f"attempt:{attempt_id}", Attempt)
        return attempt

    async def change_attempt(self, attempt_id: str, **changes: Any) -> None:
        """Store an attempt with some fields changed."""
        attempt = msgspec.structs.replace(await self.attempt(attempt_id), **changes)
        await self._write(f"attempt:{attempt_id}", attempt)

    async def expire_attempt(self, attempt_id: str) -> None:
        """Put an attempt's end into the past."""
        await self.change_attempt(attempt_id, expires_at=time.time() - 1)

    async def session(self, cookie: str) -> Session | None:
        """Return the session of a cookie, or None when there is none."""
        key = f"session:{digest(cookie)}"
        return await self._read(key, Session) if await self.state.get(key) is not None else None

    async def life_seconds(self, key: str) -> int:
        """Return how long the store will keep a value."""
        async with contextlib.aclosing(Redis.from_url(self._url)) as valkey:
            return int(await valkey.ttl(key))

    async def sessions_of(self, sub: str) -> list[Session]:
        """Return every session that is stored for an account."""
        keys = await self.state.members(f"sessions-of:{sub}")
        return [await self._read(f"session:{key}", Session) for key in keys]

    async def change_session(self, cookie: str, **changes: Any) -> None:
        """Store a session with some fields changed."""
        session = await self.session(cookie)
        assert session is not None
        await self.change(session, **changes)

    async def change(self, session: Session, **changes: Any) -> None:
        """Store a session, a browser's or an app's, with some fields changed."""
        await self._write(f"session:{session.key}", msgspec.structs.replace(session, **changes))

    async def _read(self, key: str, kind: type[Any]) -> Any:
        sealed = await self.state.get(key)
        assert sealed is not None, f"{key} is not there"
        opened = self._sealer.open(key, sealed)
        assert opened is not None, f"{key} does not open"
        return msgspec.json.decode(opened, type=kind)

    async def _write(self, key: str, record: msgspec.Struct) -> None:
        await self.state.put(key, self._sealer.seal(key, msgspec.json.encode(record)), ttl_seconds=600)
