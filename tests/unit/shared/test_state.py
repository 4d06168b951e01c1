"""One suite for both adapters of the state store: what a service may rely on."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.layout import Layout
from deploy.local.parts import valkey
from deploy.local.process import Child
from shared.state import StateStore, StateUnavailable, Window
from shared.state.memory import MemoryState
from shared.state.port import REFUSALS_KEPT_SECONDS
from shared.state.valkey import ValkeyState
from tests.contract.ports import free_port

START_SECONDS_MAX = 30.0
AT_ONCE = 50


@contextlib.contextmanager
def running_valkey(folder: Path, port: int) -> Iterator[Child]:
    """Run a Valkey server while the block lasts."""
    layout = Layout(folder)
    layout.make()
    child = Child(valkey.command(layout, port), layout.logs / "valkey.log")
    try:
        deadline = time.monotonic() + START_SECONDS_MAX
        while not valkey.is_ready(port):
            assert time.monotonic() < deadline, child.log_tail()
            time.sleep(0.02)
        yield child
    finally:
        child.ask_to_stop()
        assert child.wait_stopped(time.monotonic() + 10)


@pytest.fixture(scope="module")
def valkey_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A Valkey server for this suite."""
    port = free_port()
    with running_valkey(tmp_path_factory.mktemp("valkey"), port):
        yield port


@pytest.fixture(params=["memory", "valkey"])
async def state(request: pytest.FixtureRequest) -> AsyncIterator[StateStore]:
    """An empty store."""
    if request.param == "memory":
        yield MemoryState()
        return
    store = ValkeyState(f"redis://127.0.0.1:{request.getfixturevalue('valkey_port')}/0")
    await store._client.flushdb()
    yield store
    await store.close()


async def test_what_was_put_is_got(state: StateStore) -> None:
    """A value is there until it is replaced, whatever bytes it holds; what was never put is None."""
    value = bytes(range(256))

    await state.put("k", b"before", ttl_seconds=60)
    await state.put("k", value, ttl_seconds=60)

    assert await state.get("k") == value
    assert await state.get("other") is None


async def test_delete_says_whether_there_was_one(state: StateStore) -> None:
    """Deleting a value twice says yes, then no."""
    await state.put("k", b"v", ttl_seconds=60)

    assert [await state.delete("k"), await state.delete("k")] == [True, False]
    assert await state.get("k") is None


async def test_values_die(state: StateStore) -> None:
    """After its life a value is gone for every way of asking, and its key is free again."""
    for key in ("got", "added", "swapped", "deleted"):
        await state.put(key, b"v", ttl_seconds=1)
    await asyncio.sleep(1.1)

    assert await state.get("got") is None
    assert await state.add("added", b"w", ttl_seconds=60)
    assert not await state.swap("swapped", b"v", b"w", ttl_seconds=60)
    assert not await state.delete("deleted")


async def test_a_put_begins_a_new_life(state: StateStore) -> None:
    """Putting a value again lets it live its whole new life."""
    await state.put("k", b"v", ttl_seconds=1)
    await state.put("k", b"w", ttl_seconds=60)
    await asyncio.sleep(1.1)

    assert await state.get("k") == b"w"


async def test_one_adder_wins(state: StateStore) -> None:
    """Of many that add at once one is told that it did, and its value is the one that stands."""
    values = [str(number).encode() for number in range(AT_ONCE)]

    added = await asyncio.gather(*(state.add("k", value, ttl_seconds=60) for value in values))

    assert sum(added) == 1
    assert await state.get("k") == values[added.index(True)]


async def test_one_swapper_wins(state: StateStore) -> None:
    """Of many that swap the same value at once one is told that it did, and its value is the one that stands."""
    await state.put("k", b"before", ttl_seconds=60)
    values = [str(number).encode() for number in range(AT_ONCE)]

    swapped = await asyncio.gather(*(state.swap("k", b"before", value, ttl_seconds=60) for value in values))

    assert sum(swapped) == 1
    assert await state.get("k") == values[swapped.index(True)]


async def test_swaps_lose_no_step(state: StateStore) -> None:
    """Many that read and swap until they succeed leave the sum of all their steps."""
    await state.put("k", b"0", ttl_seconds=60)

    async def step() -> None:
        while True:
            seen = await state.get("k")
            assert seen is not None
            if await state.swap("k", seen, str(int(seen) + 1).encode(), ttl_seconds=60):
                return

    await asyncio.gather(*(step() for _ in range(20)))

    assert await state.get("k") == b"20"


async def test_swapping_what_is_not_there_does_nothing(state: StateStore) -> None:
    """A swap needs the expected value in its place."""
    assert not await state.swap("k", b"v", b"w", ttl_seconds=60)
    assert await state.get("k") is None
    await state.put("k", b"other", ttl_seconds=60)
    assert not await state.swap("k", b"v", b"w", ttl_seconds=60)
    assert await state.get("k") == b"other"


async def test_members_come_and_go(state: StateStore) -> None:
    """A set holds what was put in and not taken out, each once; a set that never was is empty."""
    for member in ("a", "b", "b", "c"):
        await state.add_member("s", member, ttl_seconds=60)
    await state.remove_member("s", "a")
    await state.remove_member("s", "never there")

    assert sorted(await state.members("s")) == ["b", "c"]
    assert await state.members("nothing") == []


async def test_each_member_dies_in_its_own_time(state: StateStore) -> None:
    """A member that lives longer does not keep another alive, and one that lives shorter does not take it along."""
    await state.add_member("s", "long", ttl_seconds=60)
    await state.add_member("s", "short", ttl_seconds=1)
    await state.add_member("t", "prolonged", ttl_seconds=1)
    await state.add_member("t", "prolonged", ttl_seconds=60)
    await asyncio.sleep(1.1)

    assert await state.members("s") == ["long"]
    assert await state.members("t") == ["prolonged"]


async def test_kinds_do_not_mix(state: StateStore) -> None:
    """Values, windows and sets under names of their own do not disturb each other."""
    await state.put("value:x", b"v", ttl_seconds=60)
    await state.take([Window("window:x", 2, 60)])
    await state.add_member("set:x", "m", ttl_seconds=60)

    await state.ping()
    assert await state.get("value:x") == b"v"
    assert await state.members("set:x") == ["m"]


async def test_memory_forgets_the_dead() -> None:
    """The memory adapter gives back the room of what has died, so that a long life does not fill it."""
    now = 0.0
    state = MemoryState(clock=lambda: now)
    for number in range(3_000):
        await state.put(f"v{number}", b"v", ttl_seconds=1)
        for _ in range(2):
            await state.take([Window(f"w{number}", 1, 1)])
        await state.add_member(f"s{number}", "m", ttl_seconds=1)
    now = 2.0 + REFUSALS_KEPT_SECONDS
    for number in range(1_100):
        await state.put("last", str(number).encode(), ttl_seconds=1)

    kept = (state._values, state._windows, state._refusals, state._sets)
    assert [len(entries) for entries in kept] == [1, 0, 0, 0]


async def test_a_store_that_is_away_says_so(tmp_path: Path) -> None:
    """Every operation on a Valkey that does not answer raises `StateUnavailable`, and works again when it is back."""
    port = free_port()
    state = ValkeyState(f"redis://127.0.0.1:{port}/0")
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "get": lambda: state.get("k"),
        "put": lambda: state.put("k", b"v", ttl_seconds=60),
        "add": lambda: state.add("k", b"v", ttl_seconds=60),
        "swap": lambda: state.swap("k", b"v", b"w", ttl_seconds=60),
        "delete": lambda: state.delete("k"),
        "take": lambda: state.take([Window("w", 9, 60)]),
        "add_member": lambda: state.add_member("s", "m", ttl_seconds=60),
        "members": lambda: state.members("s"),
        "remove_member": lambda: state.remove_member("s", "m"),
        "ping": state.ping,
    }
    try:
        for call in calls.values():
            with pytest.raises(StateUnavailable):
                await call()
        with running_valkey(tmp_path, port):
            for call in calls.values():
                await call()
        with pytest.raises(StateUnavailable):
            await state.ping()
    finally:
        await state.close()
