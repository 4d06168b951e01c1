"""``countersign audit verify``, ``proof``, ``checkpoint`` and ``mirror``: with the public key alone, and nothing on trust."""

import asyncio
import json
from collections.abc import AsyncIterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from services.audit.tree.hashing import leaf_hash
from shared.ids import uuid7
from tests.integration.audit.commands import Person
from tests.integration.audit.lab import Author, Database, QueuePair, running_sequencer, seal
from tests.integration.audit.service import Service, running_service


@pytest.fixture
def entries(author: Author) -> list[bytes]:
    """What is in the log."""
    return author.entries(300)


@pytest.fixture
async def service(queue: QueuePair, database: Database, tmp_path: Path, entries: list[bytes]) -> AsyncIterator[Service]:
    """A service that answers and seals, over a log with entries."""
    await database.append(entries)
    await seal(database)
    async with running_service(tmp_path / "service", queue, database, receivers=0) as running:
        yield running


@pytest.fixture
def person(service: Service, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Person:
    """Somebody in a folder of their own."""
    folder = tmp_path / "desk"
    folder.mkdir()
    monkeypatch.chdir(folder)
    person = Person(capsys, monkeypatch)
    person.knows(service)
    return person


def keep(name: str, data: bytes) -> None:
    """Write a file on the desk."""
    Path(name).write_bytes(data)


def kept(name: str) -> str:
    """Return the text of a file on the desk."""
    return Path(name).read_text()


def change(name: str, old: bytes, new: bytes) -> None:
    """Change a file on the desk."""
    keep(name, Path(name).read_bytes().replace(old, new))


def receipt_of(entry: bytes) -> str:
    """The receipt that the answer to a request carried."""
    return f"{json.loads(entry)['event_id']}:{leaf_hash(entry).hex()}"


async def test_a_receipt_against_the_live_log(person: Person, entries: list[bytes]) -> None:
    """
    A receipt of an event that is in the log verifies.
    """
    said = await person.runs("verify", receipt_of(entries[7]))
    assert (said.code, said.err) == (0, "")
    assert "verified" in said.out
    assert json.loads(entries[7])["event_id"] in said.out


async def test_a_lost_event_is_reported(person: Person) -> None:
    """
    An event that was promised and is not there after the deadline is a loss: exit code 1, and the event is named.
    """
    receipt = f"{uuid7()}:{'ab' * 32}"
    said = await person.runs("verify", receipt, "--deadline", 1)

    assert said.code == 1
    assert "LOST" in said.out
    assert receipt.split(":")[0] in said.out


async def test_another_server_loses_nothing(person: Person) -> None:
    """
    A server that is not the audit service knows no event: that is a wrong address, and no loss.
    """
    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        said = await person.runs("verify", f"{uuid7()}:{'ab' * 32}", "--deadline", 1, "--url", url)
        server.shutdown()

    assert (said.code, "LOST" in said.out + said.err) == (1, False), said
    assert "no audit service answers there" in said.err


async def test_a_line_end_is_no_part_of_an_entry(person: Person, entries: list[bytes]) -> None:
    """
    An entry that an editor saved with a line end behind it is told from one that was changed.
    """
    keep("entry", entries[3] + b"\n")
    said = await person.runs("verify", receipt_of(entries[3]), "--entry", "entry")
    assert (said.code, "line end" in said.err) == (2, True), said

    keep("entry", entries[4])
    said = await person.runs("verify", receipt_of(entries[3]), "--entry", "entry")
    assert (said.code, "is not the one of this receipt" in said.out) == (1, True), said


async def test_a_promise_is_waited_for(person: Person, database: Database, author: Author) -> None:
    """
    Before the deadline a promised event is waited for: it may still be on its way.
    """
    entry = author.entry()
    waiting = asyncio.create_task(person.runs("verify", receipt_of(entry)))
    await asyncio.sleep(0.5)
    await database.append([entry])
    assert (await waiting).code == 0


async def test_a_receipt_with_another_hash(person: Person, entries: list[bytes]) -> None:
    """
    A receipt whose event is in the log with other bytes does not verify.
    """
    event_id = json.loads(entries[7])["event_id"]
    said = await person.runs("verify", f"{event_id}:{'00' * 32}", "--json")
    assert said.code == 1
    assert said.json()["findings"][0]["place"] == f"event {event_id}"


async def test_a_proof_file_without_a_network(person: Person, entries: list[bytes], tmp_path: Path) -> None:
    """
    A proof that was fetched once verifies alone, with its receipt and with the entry itself; a bent one does not.
    """
    entry, receipt = entries[7], receipt_of(entries[7])
    event_id = json.loads(entry)["event_id"]
    fetched = await person.runs("proof", receipt)
    assert (fetched.code, fetched.out) == (0, f"{event_id}.tlog-proof")
    person.knows_only_the_key()
    keep("entry.json", entry)
    keep("other.json", entries[8])

    for arguments in ([fetched.out], [fetched.out, "--entry", "entry.json"], [receipt, "--proof", fetched.out]):
        said = await person.runs("verify", *arguments)
        assert (said.code, said.err) == (0, ""), said
    for arguments in ([fetched.out, "--entry", "other.json"], [receipt_of(entries[8]), "--proof", fetched.out]):
        assert (await person.runs("verify", *arguments)).code == 1

    text = kept(fetched.out)
    place = text.index("\n", text.index("index ")) + 5
    keep("bent.tlog-proof", (text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]).encode())
    assert (await person.runs("verify", "bent.tlog-proof")).code == 1


async def test_the_whole_live_log(person: Person) -> None:
    """
    The live log verifies, with its entries, and by its hashes alone without a token.
    """
    said = await person.runs("verify")
    assert (said.code, said.err) == (0, "")
    assert "300 entries" in said.out
    assert (await person.runs("verify", "--hashes-only", "--token", "")).code == 0


async def test_a_copy_of_the_log(person: Person, entries: list[bytes], database: Database, author: Author) -> None:
    """
    A copied log verifies without a network, whole and receipt by receipt, and knows what it does not hold.
    """
    assert (await person.runs("mirror", "copy")).out == "300 entries in copy"
    late = author.entry()
    await database.append([late])
    await database.wait_for_sealed(late)
    assert (await person.runs("mirror", "newer")).out == "301 entries in newer"
    person.knows_only_the_key()

    assert (await person.runs("verify", "--log", "copy")).code == 0
    assert (await person.runs("verify", receipt_of(entries[9]), "--log", "copy")).code == 0
    lost = await person.runs("verify", receipt_of(late), "--log", "copy")
    assert (lost.code, "LOST" in lost.out) == (1, True)
    assert (await person.runs("verify", receipt_of(late), "--log", "newer")).code == 0
    consistent = await person.runs("verify", "copy/checkpoint", "newer/checkpoint", "--log", "newer")
    assert (consistent.code, "only grew" in consistent.out) == (0, True)


async def test_two_checkpoints_of_the_live_log(person: Person, database: Database, author: Author) -> None:
    """
    Two checkpoints of the log are consistent, in any order; a forged one is refused.
    """
    keep("old", ((await person.runs("checkpoint")).out + "\n").encode())
    late = author.entry()
    await database.append([late])
    await database.wait_for_sealed(late)
    keep("new", ((await person.runs("checkpoint")).out + "\n").encode())

    for pair in (("old", "new"), ("new", "old"), ("old", "old")):
        assert (await person.runs("verify", *pair)).code == 0
    keep("new", kept("new").replace("301", "302").encode())
    assert (await person.runs("verify", "old", "new")).code == 1


async def test_a_rewritten_log_is_noticed(person: Person, database: Database, author: Author) -> None:
    """
    Who remembers what was verified notices a log that was begun anew with the same key, however sound it looks.
    """
    first, again = [await person.runs("verify", "--state", "seen") for _ in range(2)]
    assert (first.code, "before" in first.out) == (0, False)
    assert (again.code, "; the first 300 were verified before and not read again" in again.out) == (0, True)
    async with database.tampering() as connection:
        for table in ("leaves", "tiles", "seals", "producers", "gap_edges"):
            await connection.execute(f"DELETE FROM audit.{table}")
        await connection.execute("DELETE FROM audit.entries WHERE event_id IN (SELECT event_id FROM audit.entries LIMIT 1)")
    await database.append(author.entries(30))
    # The service does not go on with it: it has seen the other one.
    async with running_sequencer(database):
        await database.wait_for_seal(329)

    assert (await person.runs("verify")).code == 0
    said = await person.runs("verify", "--state", "seen")
    assert said.code == 1
    assert "the log does not begin with the 300 entries that were verified before: it was rewritten" in said.out


async def test_what_a_state_is_of(person: Person) -> None:
    """
    A file that holds no checkpoint of this log is named, as no fault of the log's; nothing but the whole log has a state.
    """
    keep("notes", b"nothing of the kind")

    said = await person.runs("verify", "--state", "notes")
    beside = await person.runs("verify", "--state", "seen", "--archive")

    assert (said.code, said.out) == (2, "")
    assert "notes holds no checkpoint of this log to go on from" in said.err
    assert (beside.code, "--state goes with the whole log" in beside.err) == (2, True)


TAMPERED = {
    "entry": (
        "UPDATE audit.entries e SET entry = set_byte(entry, 60, get_byte(entry, 60) # 1) FROM audit.leaves l "
        "WHERE l.event_id = e.event_id AND leaf_index = 270",
        "(leaf 270)",
    ),
    "deleted entry": (
        "DELETE FROM audit.entries e USING audit.leaves l WHERE l.event_id = e.event_id AND leaf_index = 270",
        "entry at leaf 270",
    ),
    "tile": ("UPDATE audit.tiles SET hashes = set_byte(hashes, 5, get_byte(hashes, 5) # 1) WHERE level = 1", "tile/1/000.p/1"),
    "checkpoint": ("UPDATE audit.seals SET note = replace(note, E'\\n300\\n', E'\\n301\\n')", "checkpoint"),
}


@pytest.mark.parametrize(("statement", "place"), TAMPERED.values(), ids=TAMPERED.keys())
async def test_tampering_is_found_and_named(person: Person, database: Database, statement: str, place: str) -> None:
    """
    One changed byte of one stored entry, tile or checkpoint, and an entry that was deleted, are found and named.
    """
    async with database.tampering() as connection:
        await connection.execute(statement)

    said = await person.runs("verify", "--json")
    assert said.code == 1
    assert [finding["place"] for finding in said.json()["findings"]] != []
    assert place in said.json()["findings"][0]["place"]


async def test_a_finding_that_quotes_what_came_from_outside(person: Person, entries: list[bytes]) -> None:
    """
    What a changed entry says stands in the finding as it is: it colours nothing, moves nothing, and begins no line of its own.
    """
    assert (await person.runs("mirror", "copy")).code == 0
    hostile = "[red]x[/oops]\x1b[2J\nverified"
    # The log orders what it stored at once by id, and ids of one millisecond are in no order.
    event_id = max(json.loads(entry)["event_id"] for entry in entries)
    change("copy/tile/entries/001.p/44", event_id.encode(), json.dumps(hostile)[1:-1].encode().ljust(36, b"."))

    said = await person.runs("verify", "--log", "copy")
    assert (said.code, said.out.count("\n")) == (1, 0), said
    assert said.out.startswith("FAILED    entry [red]x[/oops]\ufffd[2J\ufffdverified..")


async def test_mistakes_are_one_clear_line(person: Person, entries: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Whatever cannot be understood is one line that says what to give instead, with exit code 2.
    """
    mistakes = [
        ("verify", "nonsense"),
        ("verify", "--key", "name+00000000+AQ=="),
        ("verify", receipt_of(entries[0]), receipt_of(entries[1]), "--proof", "x"),
        ("proof", "nonsense"),
    ]
    for arguments in mistakes:
        said = await person.runs(*arguments)
        assert (said.code, said.out) == (2, ""), arguments
        assert len(said.err.splitlines()) == 1
    monkeypatch.delenv("COUNTERSIGN_LOG_KEY")
    assert "--key" in (await person.runs("verify")).err
