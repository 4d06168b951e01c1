"""Programs under test: started on one core, their CPU clock read from outside, stopped at the end."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[2]
START_SECONDS_MAX: Final = 60.0
# Counting instructions makes a program some fifty times slower.
START_SECONDS_COUNTED_MAX: Final = 300.0
STOP_SECONDS_MAX: Final = 10.0
LEAVE_AGAIN_SECONDS: Final = 0.05
_CPUCLOCK_SCHED: Final = 2
_COUNTER: Final = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--quiet")
_THREAD_TOTALS: Final = re.compile(r"Th\s+\d+\s+([\d,]+)")


class StartFailed(Exception):
    """A program under test ended or did not listen in time; the text names its log."""


class Program:
    """
    One child process, on one core or on any.

    Args:
        name: Names its log file.
        argv: Program and arguments.
        port: Where it will listen on 127.0.0.1; the constructor returns once it does.
        core: The only core that it and its threads may use; None for all that this process has.
        logs: Folder of the log file.
        environment: Added to the few variables that every child gets.
        is_counted: Run it under valgrind's callgrind, so that `instructions` can be read.

    Raises:
        StartFailed: It ended, or nobody listens after `START_SECONDS_MAX` (`START_SECONDS_COUNTED_MAX` when counted).
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        port: int,
        core: int | None,
        logs: Path,
        environment: Mapping[str, str] | None = None,
        is_counted: bool = False,
    ) -> None:
        self.name = name
        self.port = port
        self.log = logs / f"{name}.log"
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                # taskset rather than a hook after fork: this process runs an event loop, and may run threads.
                [*(() if core is None else ("taskset", "--cpu-list", str(core))), *(_COUNTER if is_counted else ()), *argv],
                cwd=REPOSITORY,
                env=_environment(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_listening(START_SECONDS_COUNTED_MAX if is_counted else START_SECONDS_MAX)
        except BaseException:
            self.stop()
            raise

    def cpu_seconds(self) -> float:
        """Return the CPU time that the process has used so far, all its threads together, to the nanosecond."""
        # clock_getcpuclockid(3): the clock of another process is its inverted number beside the kind of clock.
        clock = (~self._process.pid << 3) | _CPUCLOCK_SCHED
        return time.clock_gettime_ns(clock) / 1e9

    def instructions(self) -> int:
        """Return how many instructions a counted program has executed so far, all its threads together."""
        done = subprocess.run(
            ["callgrind_control", "-e", str(self._process.pid)], capture_output=True, text=True, check=True, timeout=30
        )
        return sum(int(total.replace(",", "")) for total in _THREAD_TOTALS.findall(done.stdout))

    def memory_mebibytes(self) -> float:
        """Return the resident memory."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def stop(self) -> None:
        """End the process; it is killed when it does not leave by itself in time."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait_listening(self, seconds_max: float) -> None:
        deadline = time.monotonic() + seconds_max
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise StartFailed(f"{self.name} ended with status {self._process.returncode}: see {self.log}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise StartFailed(f"{self.name} does not listen on port {self.port}: see {self.log}")


def leave_on_terminate() -> None:
    """Make SIGTERM end this process as an exception does, so that what it started is stopped first."""
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, _leave)
    sys.unraisablehook = _leave_later


def _leave(*_: object) -> None:
    sys.exit(128 + signal.SIGTERM)


def _leave_later(dropped: "sys.UnraisableHookArgs") -> None:
    # Python drops what is raised inside a destructor or a weak reference's callback: leave once that is over.
    if dropped.exc_type is SystemExit:
        signal.setitimer(signal.ITIMER_REAL, LEAVE_AGAIN_SECONDS)
    else:
        sys.__unraisablehook__(dropped)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    # Proxies and AWS settings of the person's own shell stay out: all traffic is for this machine alone.
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONHASHSEED": "0", "NO_PROXY": "*", **extra}
