"""Parts of the service that must go on after a fault of ours."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final, Protocol

import structlog

log = structlog.get_logger(__name__)

RESTART_SECONDS: Final = 2.0


class Part(Protocol):
    """Something that works until it is told to stop."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set."""


async def keep_running(name: str, make: Callable[[], Part], stop: asyncio.Event, on_fault: Callable[[], Any]) -> None:
    """Run a part, and a new one after a fault of ours: it starts from nothing, as after a restart of the process."""
    while not stop.is_set():
        try:
            await make().run(stop)
        except Exception as error:
            on_fault()
            log.error("audit.part_failed", part=name, exc_info=error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RESTART_SECONDS):
                    await stop.wait()
