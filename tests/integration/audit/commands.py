"""``countersign`` in this process: quicker than a process for each call."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import pytest

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
