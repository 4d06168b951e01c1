"""The veil, on a clock of the test's own: when answers leave."""

import asyncio
import random
import statistics
from typing import Any

import pytest

from shared.veil import REMEMBERED_STEPS, Veil

STEP = 0.25


class Time:
    """A clock, and a sleep that moves it instead of waiting."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0

        async def sleep(seconds: float, result: Any = None) -> Any:
            self.now += max(0.0, seconds)
            return result

        monkeypatch.setattr(asyncio, "sleep", sleep)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """Time."""
    return Time(monkeypatch)


async def answer(veil: Veil, time: Time, work_seconds: float, *, is_decoy: bool = False) -> float:
    """Do some work behind the veil; return how long the answer took."""
    began = veil.begin()
    time.now += work_seconds
    await veil.settle(began, is_decoy=is_decoy)
    return time.now - began


@pytest.mark.parametrize(("work_seconds", "steps"), [(0.0, 1), (0.01, 1), (0.249, 1), (0.26, 2), (0.5, 2), (1.1, 5)])
async def test_answers_leave_at_whole_steps(time: Time, work_seconds: float, steps: int) -> None:
    """An answer is held to the end of the step in which its work ended."""
    assert await answer(Veil(step_seconds=STEP, clock=time), time, work_seconds) == pytest.approx(steps * STEP)


async def test_a_decoy_takes_as_long_as_real_work(time: Time) -> None:
    """When real work takes three steps, a decoy that works for none takes three too."""
    veil = Veil(step_seconds=STEP, clock=time)
    for _ in range(REMEMBERED_STEPS):
        await answer(veil, time, 0.7)

    assert {round(await answer(veil, time, 0.0, is_decoy=True), 6) for _ in range(50)} == {0.75}


async def test_decoys_are_spread_like_real_work(time: Time) -> None:
    """When a fifth of real work takes a second step, so does about a fifth of the decoys."""
    veil = Veil(step_seconds=STEP, clock=time)
    for number in range(REMEMBERED_STEPS):
        await answer(veil, time, 0.3 if number % 5 == 0 else 0.1)
    random.seed(7)

    slow = [await answer(veil, time, 0.0, is_decoy=True) > STEP * 1.5 for _ in range(2000)]

    assert statistics.mean(slow) == pytest.approx(0.2, abs=0.04)


async def test_a_slow_decoy_is_not_hurried(time: Time) -> None:
    """A decoy whose own work took longer than real work lately leaves at the end of its own step."""
    veil = Veil(step_seconds=STEP, clock=time)
    await answer(veil, time, 0.1)

    assert await answer(veil, time, 0.6, is_decoy=True) == pytest.approx(0.75)


async def test_decoys_teach_nothing(time: Time) -> None:
    """How long decoys took is not what later decoys are drawn from."""
    veil = Veil(step_seconds=STEP, clock=time)
    await answer(veil, time, 0.1)
    await answer(veil, time, 0.9, is_decoy=True)

    assert {round(await answer(veil, time, 0.0, is_decoy=True), 6) for _ in range(20)} == {0.25}


async def test_what_was_long_ago_is_forgotten(time: Time) -> None:
    """Only the latest answers are remembered: after an outage decoys are quick again."""
    veil = Veil(step_seconds=STEP, clock=time)
    for seconds in [2.0] * 10 + [0.1] * REMEMBERED_STEPS:
        await answer(veil, time, seconds)

    assert {round(await answer(veil, time, 0.0, is_decoy=True), 6) for _ in range(50)} == {0.25}


async def test_no_step_no_veil(time: Time) -> None:
    """A step of zero holds nothing back."""
    assert await answer(Veil(step_seconds=0, clock=time), time, 0.1, is_decoy=True) == pytest.approx(0.1)
