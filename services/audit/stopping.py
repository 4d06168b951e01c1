"""The first moment of a stop: long answers and long polls must end before the server waits for them."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def on_stop_signal(callback: Callable[[], None]) -> Iterator[None]:
    """
    Call `callback` in the running loop when SIGTERM or SIGINT comes, before the handler that is there already.

    The server's own handler only begins to wait for open connections, and the application hears of the stop when they are
    gone: too late for an answer that would stay open for ever. Outside the main thread (tests) there are no signals to hear.
    """
    loop = asyncio.get_running_loop()
    before: dict[signal.Signals, Any] = {}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(callback)
        previous = before[signal.Signals(number)]
        if callable(previous):
            previous(number, frame)

    try:
        for number in STOP_SIGNALS:
            before[number] = signal.getsignal(number)
            signal.signal(number, handle)
    except ValueError:  # Not the main thread.
        yield
        return
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
