"""``countersign`` in this process, quicker than a process for each call; and in one of its own, as a terminal starts it."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.local.layout import REPOSITORY
from services.audit.cli import main
from tests.integration.audit.lab import SIGNERS
from tests.integration.audit.service import SERVICE_TOKEN, Service

LOG_KEY = str(SIGNERS[0].verifier)


@dataclass
class Said:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return the JSON that it printed."""
        return json.loads(self.out)


class Person:
    """Somebody at a terminal who knows one audit service and its log's public key."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def knows(self, service: Service) -> None:
        """Set the environment up for a service."""
        self._monkeypatch.setenv("COUNTERSIGN_AUDIT_URL", service.url)
        self._monkeypatch.setenv("COUNTERSIGN_AUDIT_TOKEN", SERVICE_TOKEN)
        self._monkeypatch.setenv("COUNTERSIGN_LOG_KEY", LOG_KEY)

    def knows_only_the_key(self) -> None:
        """Forget the service."""
        self._monkeypatch.delenv("COUNTERSIGN_AUDIT_URL")
        self._monkeypatch.delenv("COUNTERSIGN_AUDIT_TOKEN")

    async def runs(self, *arguments: object) -> Said:
        """Run ``countersign audit`` with these arguments."""
        self._capsys.readouterr()
        code = await asyncio.to_thread(main, ["audit", *map(str, arguments)])
        out, err = self._capsys.readouterr()
        # The service runs in this process too and logs to standard output: its lines are not the command's.
        own = [line for line in out.splitlines() if "[info" not in line and "[warning" not in line and "[error" not in line]
        return Said(code, "\n".join(own), err)


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    def lines(self) -> list[dict[str, object]]:
        """Return its JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


def environment(**extra: str) -> dict[str, str]:
    """Return an environment that holds nothing about a service but what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COUNTERSIGN_", "AWS_"))}
    return {**kept, "PYTHONPATH": str(REPOSITORY), **extra}


async def start(*arguments: str, cwd: Path, **extra: str) -> asyncio.subprocess.Process:
    """Start the command line."""
    return await start_into(asyncio.subprocess.PIPE, *arguments, cwd=cwd, **extra)


async def start_into(stdout: int, *arguments: str, cwd: Path, **extra: str) -> asyncio.subprocess.Process:
    """Start the command line, with its results going to a file descriptor."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.audit.cli", *arguments),
        cwd=cwd,
        env=environment(**extra),
        stdout=stdout,
        stderr=asyncio.subprocess.PIPE,
        # As a terminal starts it: a suite that runs in the background may ignore Ctrl-C, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


async def run(*arguments: str, cwd: Path, **extra: str) -> Ran:
    """Run the command line to its end."""
    process = await start(*arguments, cwd=cwd, **extra)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return Ran(process.returncode or 0, out.decode(), err.decode())
