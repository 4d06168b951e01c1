"""The security team's day at a terminal: the same questions, and the same answers."""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from deploy.local.layout import REPOSITORY
from tests.integration.audit.commands import Person as Auditor
from tests.integration.gateway.person import Person
from tests.stack import RunningStack

pytestmark = pytest.mark.asyncio(loop_scope="session")

WAIT_SECONDS = 30


@pytest.fixture
def auditor(stack: RunningStack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Auditor:
    """Somebody at a terminal who knows the stack's audit service, and its log's public key."""
    monkeypatch.setenv("COUNTERSIGN_AUDIT_URL", stack["audit_url"])
    monkeypatch.setenv("COUNTERSIGN_AUDIT_TOKEN", stack["audit_token"])
    monkeypatch.setenv("COUNTERSIGN_LOG_KEY", stack["log_public_key"])
    return Auditor(capsys, monkeypatch)


@contextlib.asynccontextmanager
async def tail(*arguments: str) -> AsyncIterator[asyncio.StreamReader]:
    """The output of ``countersign audit tail``, while the block lasts."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.audit.cli", "audit", "tail", "--json", *arguments),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.terminate()
        await process.wait()


async def test_day_by_cli(auditor: Auditor, stack: RunningStack, http: aiohttp.ClientSession, tmp_path: Path) -> None:
    """
    A sign-in is tailed, found and proven offline; OCSF, alerts and completeness answer; a held person stays, then is erased.
    """
    person = Person(http, stack["gateway_url"], stack["mail"]["inbox_url"])
    await person.sign_up()
    sub = (await person.call("GET", "/v1/me")).body["sub"]

    async with tail("--subject", sub, "--type", "sign_in.succeeded", "--from", "1m") as lines:
        receipt = ":".join((await person.stranger().sign_in()).receipt)
        line = await asyncio.wait_for(lines.readline(), WAIT_SECONDS)
    arrived = json.loads(line)
    found = await auditor.runs("query", "--email", person.email, "--type", "sign_in.succeeded", "--json")
    assert found.json()["leaf_hash"] == arrived["leaf_hash"]

    proof = tmp_path / "sign-in.tlog-proof"
    assert (await auditor.runs("proof", receipt, "-o", proof)).code == 0
    assert (await auditor.runs("verify", receipt, "--proof", proof)).code == 0
    whole = await auditor.runs("verify")
    assert whole.code == 0, whole.err

    file = tmp_path / "ocsf.ndjson"
    assert (await auditor.runs("export", "--format", "ocsf", "--subject", sub, "--out", file)).code == 0
    assert {json.loads(one)["metadata"]["version"] for one in file.read_text(encoding="utf-8").splitlines()} == {"1.8.0"}
    assert (await auditor.runs("alerts", "list", "--json")).code == 0
    # Batches of one producer may be sealed out of order: until the one between is there, its events count as missing.
    deadline = time.monotonic() + WAIT_SECONDS
    while (complete := await auditor.runs("completeness", "--json")).code and time.monotonic() < deadline:
        pass
    assert complete.code == 0, complete.err
    assert complete.json()["complete"] is True

    hold = (await auditor.runs("hold", "place", sub, "--reason", "case 4", "--json")).json()
    refused = await auditor.runs("erase", sub, "--reason", "request 17", "--yes")
    assert refused.code == 1
    assert "hold" in refused.err
    assert (await auditor.runs("hold", "release", hold["id"], "--yes")).code == 0
    erased = await auditor.runs("erase", sub, "--reason", "request 17", "--yes", "--json")
    assert erased.code == 0
    assert erased.json()["erased_entries"] > 0
    assert (await auditor.runs("verify", receipt, "--proof", proof)).code == 0
    assert (await auditor.runs("query", "--subject", sub, "--json")).out == ""
