"""``countersign`` and where its output goes: narrow terminals, closed pipes, full disks."""

import asyncio
import contextlib
import os
import pty
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.events import Client, EventType, Outcome, Subject
from tests.integration.audit.commands import start, start_into
from tests.integration.audit.lab import Author, Database, QueuePair
from tests.integration.audit.service import SERVICE_TOKEN, running_service

ADA_SUB = "3f2b0c9a-0000-4000-8000-00000000000a"


@pytest.fixture
async def known(queue: QueuePair, database: Database, author: Author, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """The environment of a person who knows a service, over a log of one refused code."""
    refused = author.entry(
        event_type=EventType.CHALLENGE_REJECTED,
        outcome=Outcome.FAILURE,
        reason="wrong_code",
        subject=Subject(sub=ADA_SUB),
        client=Client(ip="192.0.2.7", user_agent="Jürgen/140"),
    )
    await database.append([refused])
    async with running_service(tmp_path / "service", queue, database) as service:
        yield {"COUNTERSIGN_AUDIT_URL": service.url, "COUNTERSIGN_AUDIT_TOKEN": SERVICE_TOKEN}


@pytest.mark.parametrize("form", [(), ("--json",)], ids=("table", "json"))
async def test_a_reader_that_has_seen_enough_is_no_failure(
    tmp_path: Path, known: dict[str, str], form: tuple[str, ...]
) -> None:
    """
    Where the pipe is closed (``| head -1``) a command ends quietly, with exit code 0.
    """
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        process = await start_into(write_end, "audit", "query", *form, cwd=tmp_path, **known)
        _, err = await asyncio.wait_for(process.communicate(), 30)
    finally:
        os.close(write_end)
    assert (process.returncode, err) == (0, b"")


@pytest.mark.parametrize(
    "command", [("query",), ("query", "--json"), ("export", "--format", "csv", "--out", "-")], ids=" ".join
)
async def test_output_that_cannot_be_written_is_one_clear_line(
    tmp_path: Path, known: dict[str, str], command: tuple[str, ...]
) -> None:
    """
    A full disk is said in one line, with exit code 1.
    """
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        process = await start_into(full, "audit", *command, cwd=tmp_path, **known)
        _, err = await asyncio.wait_for(process.communicate(), 30)
    finally:
        os.close(full)
    words = b"countersign: the output cannot be written: No space left on device\n"
    assert (process.returncode, err) == (1, words)


@pytest.mark.parametrize("columns", [60, 80])
async def test_a_narrow_terminal_shows_all_of_an_event(tmp_path: Path, known: dict[str, str], columns: int) -> None:
    """
    On a narrow terminal each event takes lines of its own below its name, and neither a name nor an outcome is cut.
    """
    terminal, child = pty.openpty()
    process = await start_into(child, "audit", "query", cwd=tmp_path, COLUMNS=str(columns), LINES="24", TERM="dumb", **known)
    os.close(child)
    shown = (await asyncio.to_thread(_everything, terminal)).decode()
    assert await process.wait() == 0
    lines = shown.splitlines()
    assert max(map(len, lines)) <= columns
    rejected = next(number for number, line in enumerate(lines) if line.rstrip().endswith("failure  challenge.rejected"))
    below = " ".join(line.strip() for line in lines[rejected + 1 : rejected + 4])
    assert all(text in below for text in (ADA_SUB[:13], "192.0.2.7", "wrong_code"))


@pytest.mark.parametrize("form", [(), ("--json",)], ids=("table", "json"))
async def test_another_locale_changes_nothing_in_a_pipe(tmp_path: Path, known: dict[str, str], form: tuple[str, ...]) -> None:
    """
    Where the locale knows only ASCII, what goes into a pipe is UTF-8 all the same; a terminal shows what it can.
    """
    ascii_only = {**known, "LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    process = await start("audit", "query", *form, cwd=tmp_path, **ascii_only)
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, err) == (0, b"")
    assert ("Jürgen" if form else "·") in out.decode()

    terminal, child = pty.openpty()
    process = await start_into(child, "audit", "query", *form, cwd=tmp_path, **ascii_only)
    os.close(child)
    shown = await asyncio.to_thread(_everything, terminal)
    _, err = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, err, b"wrong_code" in shown) == (0, b"", True)


async def test_parquet_is_kept_from_a_terminal(tmp_path: Path, known: dict[str, str]) -> None:
    """
    A terminal gets a line of words instead of the bytes of a Parquet file; a pipe gets the file.
    """
    terminal, child = pty.openpty()
    process = await start_into(child, "audit", "export", "--format", "parquet", "--out", "-", cwd=tmp_path, **known)
    os.close(child)
    shown = await asyncio.to_thread(_everything, terminal)
    _, err = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, shown, err.count(b"\n"), b"through a pipe" in err) == (2, b"", 1, True)

    piped = await start("audit", "export", "--format", "parquet", "--out", "-", cwd=tmp_path, **known)
    out, _ = await asyncio.wait_for(piped.communicate(), 30)
    assert (piped.returncode, out[:4], out[-4:]) == (0, b"PAR1", b"PAR1")


def _everything(terminal: int) -> bytes:
    """Read what comes to a terminal until nobody holds its other end."""
    found = b""
    with contextlib.suppress(OSError):  # How the end is told.
        while piece := os.read(terminal, 65_536):
            found += piece
    os.close(terminal)
    return found
