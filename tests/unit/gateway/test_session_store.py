"""Changes of sessions, whatever else happens to them at the same moment."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.gateway.sealing import Sealer
from services.gateway.sessions.model import Lives, Session
from services.gateway.sessions.store import SessionStore
from shared.problems import Conflict
from shared.state.memory import MemoryState

NOW = 1_000_000.0
IDLE = Lives(browser_seconds=3_600, native_seconds=7_200)
Meanwhile = Callable[[], Awaitable[object]]


class BusyState(MemoryState):
    """A state in which something happens between a change's read and its write."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: NOW)
        self.meanwhile: list[Meanwhile] = []

    async def swap(self, key: str, expected: bytes, value: bytes, *, ttl_seconds: int) -> bool:
        """Let the next thing happen first."""
        if self.meanwhile:
            await self.meanwhile.pop()()
        return await super().swap(key, expected, value, ttl_seconds=ttl_seconds)


@pytest.fixture
def state() -> BusyState:
    """The state."""
    return BusyState()


@pytest.fixture
def store(state: BusyState) -> SessionStore:
    """The store."""
    return SessionStore(state, Sealer([secrets.token_hex(32)]), idle=IDLE, clock=lambda: NOW)


def a_session(**fields: Any) -> Session:
    """Return a session that has just begun."""
    begun: dict[str, Any] = {
        "ref": "ref",
        "key": "key",
        "sub": "sub",
        "email": "a@example.test",
        "email_hash": "h",
        "email_verified": True,
        "display_name": None,
        "groups": (),
        "methods": ("EMAIL_OTP",),
        "authenticated_at": NOW,
        "last_seen_at": NOW,
        "expires_at": NOW + 86_400,
        "access_token": "access",
        "access_expires_at": NOW + 600,
        "refresh_token": "refresh",
    }
    return Session(**{**begun, **fields})


async def test_two_changes_at_once_both_hold(state: BusyState, store: SessionStore) -> None:
    """A change that finds another one done since it read is made again, on top of that one."""
    session = a_session()
    await store.put(session)
    state.meanwhile = [lambda: store.change(session, display_name="Ada")]

    changed = await store.change(session, proven_at=NOW)

    assert changed == await store.read("key")
    assert changed is not None
    assert (changed.display_name, changed.proven_at) == ("Ada", NOW)


async def test_a_session_that_was_ended_stays_ended(state: BusyState, store: SessionStore) -> None:
    """Whether it ended before the change or in the middle of it, the change puts nothing back."""
    session = a_session()
    await store.put(session)
    state.meanwhile = [lambda: store.delete(session)]

    assert await store.change(session, last_seen_at=NOW + 60) is None
    assert await store.change(session, last_seen_at=NOW + 60) is None
    assert (await store.read("key"), await store.of_account("sub")) == (None, [])


async def test_of_two_rotations_one_finds_its_token(state: BusyState, store: SessionStore) -> None:
    """A rotation is made only while the session still waits for the very token that was presented."""
    session = a_session(client_id="app", refresh_digest="first")
    await store.put(session)
    state.meanwhile = [lambda: store.change(session, if_token_is="first", refresh_digest="winner")]

    assert await store.change(session, if_token_is="first", refresh_digest="loser") is None

    kept = await store.read("key")
    assert kept is not None
    assert kept.refresh_digest == "winner"


async def test_a_session_that_never_rests_is_a_conflict(state: BusyState, store: SessionStore) -> None:
    """A change gives up after a few tries, and says so, rather than to try for ever."""
    session = a_session()
    await store.put(session)

    async def stir() -> None:
        sealed = await state.get("session:key")
        assert sealed is not None
        await store.put(session)
        state.meanwhile.append(stir)

    state.meanwhile = [stir]
    with pytest.raises(Conflict):
        await store.change(session, proven_at=NOW)


@pytest.mark.parametrize(("client_id", "seconds"), [(None, 3_600), ("app", 7_200)])
async def test_each_kind_has_its_idle_limit(state: BusyState, store: SessionStore, client_id: str | None, seconds: int) -> None:
    """A browser's session and an app's die unused after limits of their own, and neither past its absolute one."""
    await store.put(a_session(client_id=client_id))
    await store.put(a_session(client_id=client_id, key="old", expires_at=NOW + 90))

    lives = {key: dies_at - NOW for key, (dies_at, _) in state._values.items()}
    assert lives == {"session:key": seconds, "session:old": 90}


async def test_an_access_token_leads_to_a_living_session_alone(store: SessionStore) -> None:
    """An app's access token opens its session until that ends; the store holds the token's hash."""
    session = a_session(client_id="app")
    await store.put(session)
    assert await store.of_access_token("access") is None
    await store.admit(session)
    assert await store.of_access_token("access") == session

    await store.delete(session)

    assert await store.of_access_token("access") is None
