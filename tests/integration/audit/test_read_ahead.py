"""Reading a log over HTTP ahead of who verifies it: bounded, in order, and over at once when somebody ends it."""

import asyncio
import contextlib
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from services.audit.commands.errors import CommandFailed
from services.audit.commands.source import AHEAD, HttpSource
from services.audit.tree.checkpoints import Checkpoint
from services.audit.verifying.folder import FolderSource, copy_log
from services.audit.verifying.log import Finding, LogSource, LogVerifier, VerificationFailed
from tests.integration.audit.commands import start
from tests.integration.audit.lab import until
from tests.unit.audit.test_verifying import SIGNER, Log

ENTRIES = 12 * 256 + 44
ANSWER_SECONDS = 0.02


class LogServer(ThreadingHTTPServer):
    """Serves a log from a folder, as any web server does, and counts what it is asked for, and how much of it at once."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), LogHandler)
        self.folder = folder
        self.asked: Counter[str] = Counter()
        self.at_once = self.most_at_once = 0
        self.count_lock = threading.Lock()
        self.refused = ""
        self.may_answer = threading.Event()
        self.may_answer.set()
        # So many that ask at once let the answers go.
        self.opened_by = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class LogHandler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    server: LogServer

    def do_GET(self) -> None:
        """Answer a file, after a moment."""
        path = self.path.removeprefix("/log/")
        with self.server.count_lock:
            self.server.asked[path] += 1
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
            if self.server.at_once == self.server.opened_by:
                self.server.may_answer.set()
        if path != "checkpoint":
            time.sleep(ANSWER_SECONDS)
            self.server.may_answer.wait(30)
        file = self.server.folder / path
        status = 500 if path == self.server.refused else 200 if file.is_file() else 404
        body = file.read_bytes() if status == 200 else b""
        with self.server.count_lock:
            self.server.at_once -= 1
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the standard library gives it
        """Say nothing."""


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    """A log in a folder, and its checkpoint."""
    log = Log()
    checkpoint = log.grow(ENTRIES)
    copy_log(log, checkpoint.sign([SIGNER]), checkpoint, tmp_path, lambda done, total: None)
    return checkpoint


@pytest.fixture
def server(tmp_path: Path, checkpoint: Checkpoint) -> Iterator[LogServer]:
    """The log behind a server."""
    with LogServer(tmp_path) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.may_answer.set()
        running.shutdown()
        thread.join()


def findings(source: LogSource, checkpoint: Checkpoint) -> list[Finding]:
    """Return what a verification finds."""
    try:
        LogVerifier(source).advance(checkpoint)
    except VerificationFailed as error:
        return error.findings
    return []


def test_a_log_is_read_ahead(server: LogServer, checkpoint: Checkpoint, tmp_path: Path) -> None:
    """
    Several answers are on their way at once, and no more than that; nothing is asked for twice; a copy is made so as well.
    """
    server.may_answer.clear()
    server.opened_by = AHEAD + 1
    assert findings(HttpSource(server.url, "t"), checkpoint) == []
    assert server.most_at_once == AHEAD + 1
    leaves = [path for path in server.asked if path.startswith(("tile/0/", "tile/entries/"))]
    assert (len(leaves), {server.asked[path] for path in leaves}) == (26, {1})

    server.asked.clear()
    server.most_at_once = 0
    copy = tmp_path / "copy"
    copy_log(HttpSource(server.url, "t"), checkpoint.sign([SIGNER]), checkpoint, copy, lambda done, total: None)
    assert (1 < server.most_at_once <= AHEAD + 1, set(server.asked.values())) == (True, {1})
    assert findings(FolderSource(copy), checkpoint) == []


def test_findings_keep_their_order(server: LogServer, checkpoint: Checkpoint, tmp_path: Path) -> None:
    """
    What was changed or is missing is found as it is in a folder, in the order of the log.
    """
    for name in ("002", "007"):
        bundle = tmp_path / "tile" / "entries" / name
        bundle.write_bytes(bundle.read_bytes()[:-1] + b"!")
    (tmp_path / "tile" / "entries" / "004").unlink()

    found = findings(HttpSource(server.url, "t"), checkpoint)
    assert found == findings(FolderSource(tmp_path), checkpoint)
    assert len(found) == 3


def test_a_refusal_comes_in_its_place(server: LogServer, checkpoint: Checkpoint) -> None:
    """
    What the service refuses ends the verification where it is needed, after everything before it was checked.
    """
    server.refused = "tile/entries/005"
    done: list[int] = []
    verifier = LogVerifier(HttpSource(server.url, "t"), progress=lambda now, total: done.append(now))
    with pytest.raises(CommandFailed, match="answered tile/entries/005 with status 500"):
        verifier.advance(checkpoint)
    assert done[-1] == 5 * 256


async def test_an_end_waits_for_nobody(server: LogServer, tmp_path: Path) -> None:
    """
    Ctrl-C ends a verification at once, whatever is on its way.
    """
    server.may_answer.clear()
    arguments = ("audit", "verify", "--hashes-only", "--url", server.url, "--key", str(SIGNER.verifier))
    process = await start(*arguments, cwd=tmp_path)

    async def all_wait() -> bool:
        return server.at_once == AHEAD + 1

    await until(all_wait, "requests")
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, out, err, server.at_once) == (130, b"", b"", AHEAD + 1)
