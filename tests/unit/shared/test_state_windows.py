"""Sliding windows, in both adapters: what a limit may rely on, whenever its requests come."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.state import StateStore, Window
from shared.state.memory import MemoryState
from shared.state.valkey import TAKE, ValkeyState
from tests.contract.ports import free_port
from tests.unit.shared.test_state import running_valkey

SPAN = 10
START = 1_700_000_000.0
# Arrivals: how long after the one before, with the span's own edges among them, and what is asked for.
GAPS = st.one_of(st.sampled_from([0.0, 0.000_001, SPAN - 0.000_001, float(SPAN), SPAN / 3]), st.floats(0, 1.5 * SPAN))
ARRIVALS = st.lists(st.tuples(GAPS, st.sampled_from(["a", "b", "ab", "ask a"])), max_size=60)


class Lab:
    """An empty store whose clock a test sets, in Unix seconds to the microsecond."""

    def __init__(self, kind: str, url: str) -> None:
        self.micros = int(START * 1_000_000)
        self.store: StateStore = MemoryState(clock=lambda: self.micros / 1_000_000)
        if kind == "valkey":
            self.store = valkey = ValkeyState(url)
            given = "{redis.call('HGET', 'clock', 's'), redis.call('HGET', 'clock', 'us')}"
            valkey._take = valkey._client.register_script(TAKE.replace("redis.call('TIME')", given))
        self._kind = kind

    async def take(self, *windows: Window) -> tuple[bool, int | None]:
        """Ask for a place in each window; return whether they were taken, and the refusals to report."""
        if isinstance(self.store, ValkeyState):
            seconds, micros = divmod(self.micros, 1_000_000)
            await self.store._client.hset("clock", mapping={"s": seconds, "us": micros})
        taking = await self.store.take(windows)
        return taking.refused_by is None, taking.unreported

    async def __aenter__(self) -> "Lab":
        if isinstance(self.store, ValkeyState):
            await self.store._client.flushdb()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.store.close()


Labs = Callable[[], Lab]


@pytest.fixture(scope="module", params=["memory", "valkey"])
def labs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Labs]:
    """Makes stores of one kind."""
    if request.param == "memory":
        yield lambda: Lab("memory", "")
        return
    port = free_port()
    with running_valkey(tmp_path_factory.mktemp("valkey"), port):
        yield lambda: Lab("valkey", f"redis://127.0.0.1:{port}/0")


@given(arrivals=ARRIVALS, places=st.integers(1, 5))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_window_ever_holds_more(labs: Labs, arrivals: list[tuple[float, str]], places: int) -> None:
    """
    Whenever requests come, no stretch of the span's length admits more than there are places, in any of the windows that a
    request asks for; and a request is refused only when one of its windows is full.
    """

    async def story() -> None:
        admitted: dict[str, list[int]] = {"a": [], "b": []}
        async with labs() as lab:
            for gap, what in arrivals:
                lab.micros += round(gap * 1_000_000)
                asks_only, keys = what.startswith("ask"), what.removeprefix("ask ")
                is_in, _ = await lab.take(*(Window(key, places, SPAN, asks_only=asks_only) for key in keys))
                lately = {key: [at for at in admitted[key] if lab.micros - at < SPAN * 1_000_000] for key in keys}
                assert is_in == all(len(moments) < places for moments in lately.values())
                if is_in and not asks_only:
                    for key in keys:
                        admitted[key].append(lab.micros)
        for moments in admitted.values():
            for first, beyond in zip(moments, moments[places:], strict=False):
                assert beyond - first >= SPAN * 1_000_000

    asyncio.run(story())


async def test_a_refusal_takes_no_place_and_says_when(labs: Labs) -> None:
    """What a full window refuses takes no place in its neighbour, and may come again exactly when it was told to."""
    async with labs() as lab:
        one, two = Window("one", 2, SPAN), Window("two", 1, SPAN)
        assert await lab.take(one, two) == (True, None)
        lab.micros += 2_500_000

        refused = await lab.store.take([one, two]) if isinstance(lab.store, MemoryState) else None
        assert (await lab.take(one, two))[0] is False
        if refused is not None:
            assert (refused.refused_by, refused.left, refused.wait_seconds) == (1, (1, 0), (7.5, 7.5))
            assert refused.retry_seconds == 8
        lab.micros += 7_500_000 - 1
        assert (await lab.take(one, two))[0] is False
        lab.micros += 1
        assert await lab.take(one, two) == (True, None)


async def test_a_flood_is_reported_once_in_a_span(labs: Labs) -> None:
    """The first refusal is to be reported, those after it are counted, and the next report says how many they were."""
    async with labs() as lab:
        window = Window("w", 1, SPAN)
        told = []
        for _ in range(3):  # One admitted, four refused, and on to the next span.
            told.append([await lab.take(window) for _ in range(5)])
            lab.micros += SPAN * 1_000_000

    quiet = [(False, None)] * 3
    assert told[0] == [(True, None), (False, 0), *quiet]
    assert told[1:] == [[(True, None), (False, 3), *quiet]] * 2


async def test_fewer_places_than_are_taken_is_a_longer_wait(labs: Labs) -> None:
    """When a setting was lowered below what is taken, the wait lasts until there really is room."""
    async with labs() as lab:
        for _ in range(4):
            await lab.take(Window("w", 4, SPAN))
            lab.micros += 1_000_000
        lab.micros += 6_000_000  # The oldest of the four leaves now.

        assert (await lab.take(Window("w", 2, SPAN)))[0] is False
        lab.micros += 2_000_000
        assert (await lab.take(Window("w", 2, SPAN)))[0] is True


async def test_at_one_moment_every_place_is_taken_once(labs: Labs) -> None:
    """Of many that ask at once as many are admitted as there are places, and each is told another number of places left."""
    async with labs() as lab:
        await lab.take(Window("other", 1, SPAN))
        takings = await asyncio.gather(*(lab.store.take([Window("w", 20, SPAN)]) for _ in range(50)))

    assert sorted(taking.left[0] for taking in takings if taking.refused_by is None) == list(range(20))
    assert {taking.left for taking in takings if taking.refused_by is not None} == {(0,)}
