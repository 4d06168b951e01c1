"""Supervision: a fault of ours is seen, and work goes on."""

import asyncio

import pytest

from services.audit import supervision
from services.audit.supervision import keep_running


class Faulty:
    """A part of the service that ends by a fault, as a bug would end the real one."""

    def __init__(self, runs: list[str], *, is_broken: bool) -> None:
        self._runs, self._is_broken = runs, is_broken

    async def run(self, stop: asyncio.Event) -> None:
        """Fail, or work until the stop."""
        self._runs.append("fault" if self._is_broken else "work")
        if self._is_broken:
            raise ExceptionGroup("fault", [ValueError("a bug")])
        stop.set()


async def test_a_fault_is_counted_and_work_goes_on() -> None:
    """
    A part that ends by a fault is counted and followed by a new one, which starts from nothing.
    """
    runs: list[str] = []
    faults: list[None] = []
    stop = asyncio.Event()

    async with asyncio.timeout(30):
        await keep_running("test", lambda: Faulty(runs, is_broken=not runs), stop, lambda: faults.append(None))

    assert (runs, len(faults)) == (["fault", "work"], 1)


async def test_a_stop_ends_the_wait_for_the_next_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A stop that comes while a new try is due ends the supervision at once.
    """
    monkeypatch.setattr(supervision, "RESTART_SECONDS", 3600.0)
    stop = asyncio.Event()
    async with asyncio.timeout(30):
        await keep_running("test", lambda: Faulty([], is_broken=True), stop, stop.set)
