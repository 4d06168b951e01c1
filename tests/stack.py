"""
The local stack for tests: the very one that ``make run`` starts, in a directory and on ports of its own.

``stack`` is the whole product and ``aws_account`` the AWS emulator with the template alone; both live for the session.
Both are read like ``stack.json``: ``stack["gateway_url"]``, ``stack["aws"]["user_pool_id"]``.
"""

import contextlib
import json
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import boto3
import pytest

from deploy.local.layout import REPOSITORY
from deploy.local.ports import HOST, Ports, is_free

START_SECONDS_MAX = 180.0
STOP_SECONDS_MAX = 90.0
# Below the ports that the kernel hands out to clients, so that none is taken between the check and the start.
_BASE_MIN, _BASE_MAX = 11_000, 32_000
# A port of each base that no part of a stack takes. Bound, it says that the base is somebody's.
_HOLDER = 19
_held: Final[list[socket.socket]] = []


class StackNotStarted(Exception):
    """The stack ended before it was ready, or took too long. The text holds everything that it printed."""


class RunningStack:
    """A stack in a process of its own."""

    def __init__(self, state_dir: Path, port_base: int, arguments: Sequence[str] = ()) -> None:
        self.state_dir, self.port_base = state_dir, port_base
        self.output = state_dir.with_name(f"{state_dir.name}.out")
        # A test run that is killed must not leave a stack behind: --with-parent.
        self._arguments = [*arguments, "--with-parent", "--state-dir", str(state_dir), "--port-base", str(port_base)]
        self._process: subprocess.Popen[bytes] | None = None
        self.info: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        return self.info[key]

    @property
    def pid(self) -> int:
        """The process id of the supervisor."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """
        Start the stack and wait until it is ready.

        Raises:
            StackNotStarted: It ended first, or was not ready in time.
        """
        process = self.launch()
        stack_file = self.state_dir / "stack.json"
        deadline = time.monotonic() + START_SECONDS_MAX
        while not stack_file.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise StackNotStarted(self.text())
            time.sleep(0.1)
        self.info = json.loads(stack_file.read_text(encoding="utf-8"))

    def launch(self) -> subprocess.Popen[bytes]:
        """
        Start the process and return at once.

        To be called in the main thread: the stack ends with the thread that started it.
        """
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "deploy.local", "up", *self._arguments],
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self._process

    def wait(self) -> int:
        """Wait for the end and return the exit code."""
        assert self._process is not None
        return self._process.wait(timeout=STOP_SECONDS_MAX)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask the stack to stop, as Ctrl-C or a service manager does, and return its exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    def text(self) -> str:
        """Return everything that the stack has printed."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def aws(self, service: str) -> Any:
        """Return a boto3 client with the rights of the account's root."""
        aws = self["aws"]
        return boto3.client(
            service,
            endpoint_url=aws["endpoint_url"],
            region_name=aws["region"],
            aws_access_key_id=aws["access_key_id"],
            aws_secret_access_key=aws["secret_access_key"],
        )


def free_port_base() -> int:
    """
    Return a base at which every port of a stack is free, and which nobody else is given while this process lives.

    A stack takes its last ports many seconds after its first, and a test may stop and start one: meanwhile nothing but the
    holder tells another process, of this run or of another, that they are taken.
    """
    while True:
        base = random.randrange(_BASE_MIN, _BASE_MAX, 20)
        holder = socket.socket()
        try:
            # Without SO_REUSEADDR, so that nobody else can bind it.
            holder.bind((HOST, base + _HOLDER))
        except OSError:
            holder.close()
            continue
        if all(is_free(port) for port in Ports.from_base(base).by_name().values()):
            _held.append(holder)
            return base
        holder.close()


@contextlib.contextmanager
def running_stack(state_dir: Path, *arguments: str) -> Iterator[RunningStack]:
    """Run a stack while the block lasts."""
    running = RunningStack(state_dir, free_port_base(), arguments)
    running.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def app_origin() -> str:
    """The web origin of an app under development, which the stack admits; nothing listens there until a test does."""
    return f"http://localhost:{free_port_base()}"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, app_origin: str) -> Iterator[RunningStack]:
    """The whole product."""
    with running_stack(tmp_path_factory.mktemp("stack") / "state", "--origins", app_origin) as running:
        yield running


@pytest.fixture(scope="session")
def aws_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The AWS emulator with everything that the template makes, and no service."""
    with running_stack(tmp_path_factory.mktemp("aws") / "state", "--only", "aws") as running:
        yield running
