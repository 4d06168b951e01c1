"""The state store of a service that runs as many copies: Valkey (or Redis >= 7), each operation one round trip."""

import time
from collections.abc import Awaitable
from typing import Any, TypeVar, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.state.port import StateUnavailable

T = TypeVar("T")

# Compare and set. KEYS[1] the key; ARGV: expected value, new value, life in seconds.
SWAP = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) return 1 end return 0"

# Increment; the life starts with the first increment and is not prolonged. KEYS[1] the key; ARGV: life in seconds.
COUNT = "local n = redis.call('INCR', KEYS[1]) if n == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end return n"

# Put a member scored by the moment it dies, drop the dead, prolong the set. KEYS[1] the key; ARGV: now, dies at, member.
ADD_MEMBER = (
    "redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3]) redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1]) "
    "local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES') "
    "redis.call('EXPIREAT', KEYS[1], math.ceil(tonumber(last[2]))) return 1"
)

ANSWER_SECONDS_MAX = 2.0


class ValkeyState:
    """Keeps state in Valkey. A store that does not answer within `ANSWER_SECONDS_MAX` raises `StateUnavailable`."""

    def __init__(self, url: str, *, connections_max: int = 64) -> None:
        self._client: Redis = Redis.from_url(
            url,
            socket_timeout=ANSWER_SECONDS_MAX,
            socket_connect_timeout=ANSWER_SECONDS_MAX,
            max_connections=connections_max,
        )
        self._swap = self._client.register_script(SWAP)
        self._count = self._client.register_script(COUNT)
        self._add_member = self._client.register_script(ADD_MEMBER)

    async def get(self, key: str) -> bytes | None:
        """See `StateStore.get`."""
        return cast("bytes | None", await _answer(self._client.get(key)))

    async def put(self, key: str, value: bytes, *, ttl_seconds: int) -> None:
        """See `StateStore.put`."""
        await _answer(self._client.set(key, value, ex=ttl_seconds))

    async def add(self, key: str, value: bytes, *, ttl_seconds: int) -> bool:
        """See `StateStore.add`."""
        return bool(await _answer(self._client.set(key, value, ex=ttl_seconds, nx=True)))

    async def swap(self, key: str, expected: bytes, value: bytes, *, ttl_seconds: int) -> bool:
        """See `StateStore.swap`."""
        return bool(await _answer(self._swap(keys=[key], args=[expected, value, ttl_seconds])))

    async def delete(self, key: str) -> bool:
        """See `StateStore.delete`."""
        return bool(await _answer(self._client.delete(key)))

    async def count(self, key: str, *, ttl_seconds: int) -> int:
        """See `StateStore.count`."""
        return int(await _answer(self._count(keys=[key], args=[ttl_seconds])))

    async def add_member(self, key: str, member: str, *, ttl_seconds: int) -> None:
        """See `StateStore.add_member`."""
        now = time.time()
        await _answer(self._add_member(keys=[key], args=[now, now + ttl_seconds, member]))

    async def members(self, key: str) -> list[str]:
        """See `StateStore.members`."""
        found: list[bytes] = await _answer(self._client.zrangebyscore(key, time.time(), "+inf"))
        return [member.decode() for member in found]

    async def remove_member(self, key: str, member: str) -> None:
        """See `StateStore.remove_member`."""
        await _answer(self._client.zrem(key, member))

    async def ping(self) -> None:
        """See `StateStore.ping`."""
        await _answer(self._client.ping())

    async def close(self) -> None:
        """See `StateStore.close`."""
        await self._client.aclose()


async def _answer(call: Awaitable[Any] | Any) -> Any:
    try:
        return await call
    except (RedisError, OSError, TimeoutError) as error:
        raise StateUnavailable(type(error).__name__) from error
