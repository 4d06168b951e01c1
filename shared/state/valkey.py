"""The state store of a service that runs as many copies: Valkey (or Redis >= 7), each operation one round trip."""

import time
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.state.port import REFUSALS_KEPT_SECONDS, StateUnavailable, Taking, Window

T = TypeVar("T")

# Compare and set. KEYS[1] the key; ARGV: expected value, new value, life in seconds.
SWAP = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) return 1 end return 0"

# Take a place in each window, or in none. A window is a list of the moments (Unix microseconds, by the server's clock) at
# which places were taken, newest first; beside it is a hash of its refusals. KEYS: of each window its list and its hash;
# ARGV: of each window its places, its span in microseconds, and 1 to take a place or 0 to ask for one; at last how long
# refusals are kept, in seconds. Returns the number of the refusing window or 0, the refusals to report or -1, and of each
# window the places left and the microseconds until its next one is free.
TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local refused, left, waits = 0, {}, {}
for i = 1, #KEYS / 2 do
    local key, places, span = KEYS[2 * i - 1], tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1])
    local oldest = redis.call('LINDEX', key, -1)
    while oldest and now - oldest >= span do
        redis.call('RPOP', key)
        oldest = redis.call('LINDEX', key, -1)
    end
    left[i] = places - redis.call('LLEN', key)
    if left[i] < 0 then oldest = redis.call('LINDEX', key, left[i] - 1) end
    waits[i] = oldest and oldest + span - now or span
    if left[i] <= 0 and refused == 0 then refused = i end
end
local unreported = -1
if refused == 0 then
    for i = 1, #KEYS / 2 do
        if ARGV[3 * i] == '1' then
            redis.call('LPUSH', KEYS[2 * i - 1], string.format('%.0f', now))
            redis.call('PEXPIRE', KEYS[2 * i - 1], math.ceil(ARGV[3 * i - 1] / 1000))
            left[i] = left[i] - 1
        end
    end
else
    local key, span = KEYS[2 * refused], tonumber(ARGV[3 * refused - 1])
    local reported_at = redis.call('HGET', key, 'reported_at')
    if not reported_at or now - reported_at >= span then
        unreported = tonumber(redis.call('HGET', key, 'unreported') or 0)
        redis.call('HSET', key, 'reported_at', string.format('%.0f', now), 'unreported', 0)
    else
        redis.call('HINCRBY', key, 'unreported', 1)
    end
    redis.call('EXPIRE', key, ARGV[#ARGV])
end
local answer = {refused, unreported}
for i = 1, #KEYS / 2 do
    answer[2 * i + 1] = math.max(0, left[i])
    answer[2 * i + 2] = waits[i]
end
return answer
"""

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
        self._take = self._client.register_script(TAKE)
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

    async def take(self, windows: Sequence[Window]) -> Taking:
        """See `StateStore.take`."""
        keys: list[str] = []
        args: list[int] = []
        for window in windows:
            keys += (window.key, f"{window.key}:refused")
            args += (window.places_max, window.seconds * 1_000_000, 0 if window.asks_only else 1)
        answer: list[int] = await _answer(self._take(keys=keys, args=[*args, REFUSALS_KEPT_SECONDS]))
        refused, unreported, *places = answer
        return Taking(
            refused - 1 if refused else None,
            tuple(places[::2]),
            tuple(wait / 1_000_000 for wait in places[1::2]),
            unreported if unreported >= 0 else None,
        )

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
