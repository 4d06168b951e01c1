"""Start children in order, notice when one dies, stop them all in reverse order."""

import signal
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

from deploy.local.errors import Interrupted, StackError
from deploy.local.layout import Layout
from deploy.local.process import Child, Command

_POLL_SECONDS = 0.05
_WATCH_SECONDS = 0.25


class Supervisor:
    """
    The children of one stack.

    A context manager: whatever ends the block, every child is stopped before it is left. Inside the block SIGINT,
    SIGTERM and SIGHUP ask for the stop; a second one while stopping changes nothing, since the stop has its own limits.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._children: list[Child] = []
        self._stop_asked = False

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop_all()

    def start(self, command: Command) -> Child:
        """
        Start one part. It may not be ready yet: see ``wait_ready``.

        Raises:
            StackError: Its program is missing or cannot be run.
        """
        self.check_stop()
        try:
            child = Child(command, self._layout.logs / f"{command.name}.log")
        except OSError as exc:
            raise StackError(f"Cannot start {command.name}: {exc.strerror}: {command.argv[0]}. Try make install.") from exc
        self._children.append(child)
        return child

    def wait_ready(self, child: Child, is_ready: Callable[[], bool], *, timeout_seconds: float = 60.0) -> None:
        """
        Wait until one part answers.

        Raises:
            StackError: It ended, or was not ready in time; the end of its log is in the text.
            Interrupted: The person asked to stop.
        """
        deadline = time.monotonic() + timeout_seconds
        while not is_ready():
            self.check_stop()
            self._require_running(child)
            if time.monotonic() > deadline:
                raise StackError(f"{child.name} was not ready within {timeout_seconds:.0f} s. {_evidence(child)}")
            time.sleep(_POLL_SECONDS)

    def watch(self) -> None:
        """
        Return when the person asks to stop.

        Raises:
            StackError: A child ended by itself.
        """
        while not self._stop_asked:
            for child in self._children:
                self._require_running(child)
            time.sleep(_WATCH_SECONDS)

    def check_stop(self) -> None:
        """
        Give a stop that was asked for its effect.

        Raises:
            Interrupted: The person asked to stop.
        """
        if self._stop_asked:
            raise Interrupted

    def forget(self, child: Child) -> None:
        """Leave out a child that has ended and will be started again."""
        self._children.remove(child)

    def stop_all(self) -> list[str]:
        """Stop every child, the last started first, and return the names of those that had to be killed."""
        killed = []
        while self._children:
            child = self._children.pop()
            child.ask_to_stop()
            if not child.wait_stopped(time.monotonic() + child.command.stop_seconds):
                killed.append(child.name)
        return killed

    def _require_running(self, child: Child) -> None:
        code = child.exit_code()
        if code is not None and not self._stop_asked:
            raise StackError(f"{child.name} ended unexpectedly ({_ended(code)}). {_evidence(child)}")

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_asked = True


def _ended(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return f"signal {signal.Signals(-code).name}"


def _evidence(child: Child) -> str:
    tail = child.log_tail()
    return f"The end of {child.log}:\n{tail}" if tail else f"Its log {child.log} is empty."
