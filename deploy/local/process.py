"""One child process: its environment, its log, its start and its end."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from deploy.local.layout import REPOSITORY

_PR_SET_PDEATHSIG = 1
_TAIL_BYTES = 16_384


@dataclass(frozen=True)
class Command:
    """
    How to run one part.

    Args:
        name: What people call it; also the name of its log.
        argv: Program and arguments.
        environment: Added to the small environment that every child gets.
        stop_signal: What tells it to finish its work and leave.
        stop_seconds: How long it may take before it is killed.
        follows_parent: The kernel sends the stop signal when this process dies. Off for a program that changes its
            user, which forgets the wish and has to make it again by itself.
    """

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 15.0
    follows_parent: bool = True


class Child:
    """A running command."""

    def __init__(self, command: Command, log: Path) -> None:
        """
        Start the command.

        Raises:
            OSError: The program is missing or cannot be run.
        """
        self.command = command
        self.log = log
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        with log.open("wb") as output:
            self._process = _spawn(command, output)

    @property
    def name(self) -> str:
        """What people call this part."""
        return self.command.name

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """Return the exit code, negative for a signal, or None while it runs."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """Send the stop signal; a child that has left already is fine."""
        if self.exit_code() is None:
            self._process.send_signal(self.command.stop_signal)

    def wait_stopped(self, deadline: float) -> bool:
        """
        Wait for the end, and kill what is left at the deadline.

        Args:
            deadline: On the clock of ``time.monotonic``.

        Returns:
            Whether it left by itself.
        """
        try:
            self._process.wait(timeout=max(0.0, deadline - time.monotonic()))
            left_by_itself = True
        except subprocess.TimeoutExpired:
            left_by_itself = False
        self._kill_group()
        self._process.wait()
        return left_by_itself

    def log_tail(self, lines: int = 15) -> str:
        """Return the last lines of its log."""
        with self.log.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - _TAIL_BYTES))
            text = log.read().decode("utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def _kill_group(self) -> None:
        # Each child leads a group of its own, so this also ends helpers that it left behind (warm Lambda workers).
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return


def run(command: Command, log: Path, timeout_seconds: float) -> int:
    """
    Run a command to its end and return its exit code.

    Raises:
        subprocess.TimeoutExpired: It took too long, and was killed.
    """
    with log.open("ab") as output:
        process = _spawn(command, output)
        try:
            return process.wait(timeout=timeout_seconds)
        except BaseException:
            process.kill()
            process.wait()
            raise


def child_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """
    Build a child's environment: enough to run, and nothing that would change what it does.

    AWS settings and proxies of the person's own shell stay out: the stack talks to loopback alone.
    """
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "USER") if key in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1", "NO_PROXY": "*", **extra}


def _spawn(command: Command, output: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        list(command.argv),
        cwd=REPOSITORY,
        env=child_environment(command.environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        # A group of its own: Ctrl-C at the terminal reaches the supervisor alone, which stops the parts in order.
        start_new_session=True,
        preexec_fn=_die_with_parent(command.stop_signal) if command.follows_parent else None,  # noqa: PLW1509 (no threads)
    )


def follow_parent(stop_signal: signal.Signals) -> None:
    """Ask the kernel to send this process a signal when its parent ends, however that comes (Linux only)."""
    parent = os.getppid()
    ask = _die_with_parent(stop_signal)
    if ask is not None:
        ask()
        if os.getppid() != parent:  # it ended before the kernel was asked
            os.kill(os.getpid(), stop_signal)


def _die_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    """Ask the kernel to stop the child when this process is killed and cannot do it any more (Linux only)."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def before_exec() -> None:
        prctl(_PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)

    return before_exec
