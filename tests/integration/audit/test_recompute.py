"""Completeness by the sealed entries alone: what the database says of the numbers is compared, and not believed."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.events import Subject
from tests.integration.audit.commands import Person, Said
from tests.integration.audit.lab import Author, Database, QueuePair
from tests.integration.audit.service import Service, running_service

ADA = "3f2b0c9a-0000-4000-8000-00000000000a"


@pytest.fixture
async def service(queue: QueuePair, database: Database, tmp_path: Path) -> AsyncIterator[Service]:
    """A service whose log stands still: it takes nothing from the queue."""
    async with running_service(tmp_path / "service", queue, database, receivers=0) as running:
        yield running


@pytest.fixture
def person(service: Service, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Person:
    """Somebody at a terminal."""
    monkeypatch.chdir(tmp_path)
    person = Person(capsys, monkeypatch)
    person.knows(service)
    return person


async def tamper(database: Database, sql: str, *values: Any) -> None:
    """Change the database as its superuser."""
    async with database.tampering() as connection:
        await connection.execute(sql, *values)


async def sealed(database: Database, entries: list[bytes]) -> None:
    """Put entries into the log."""
    size = await database.tree_size() + len(entries)
    await database.append(entries)
    await database.wait_for_seal(size)


async def recomputed(person: Person, *arguments: object) -> tuple[Said, list[Any]]:
    """Return how the command ended, and each of the objects that it printed as JSON."""
    said = await person.runs("completeness", "--recompute", "--json", *arguments)
    return said, [json.loads(line) for line in said.out.splitlines()]


async def test_a_hidden_gap_is_named(person: Person, database: Database, author: Author) -> None:
    """
    Whoever owns the database can make a gap vanish from the report; the entries show it all the same, live and in a copy,
    and the service's lie is named.
    """
    entries = author.entries(600)
    await sealed(database, [*entries[:5], *entries[7:]])
    said = await person.runs("completeness", "--recompute")
    assert (said.code, said.err) == (1, "countersign: 2 events are missing\n")
    assert f"missing   gateway {author.instance} number 5 to 6, no entry bears it" in said.out
    assert "are what the service reports" in said.out

    await tamper(database, "UPDATE audit.producers SET seqs = '{[0,600)}', entry_count = 600")
    await tamper(database, "DELETE FROM audit.gap_edges")
    assert "No event is missing." in (await person.runs("completeness")).out
    said = await person.runs("completeness", "--recompute")
    assert said.code == 1
    assert f"FAILED    gateway {author.instance} number 5 to 6: the service reports it as there, and no entry" in said.out
    assert f"missing   gateway {author.instance} number 5 to 6" in said.out

    verified = await person.runs("verify")
    assert (verified.code, "2 numbers are missing: see countersign audit completeness" in verified.out) == (0, True)
    assert (await person.runs("verify", "--json")).json()["numbers_missing"] == 2
    assert (await person.runs("mirror", "copy")).code == 0
    person.knows_only_the_key()
    said = await person.runs("completeness", "--log", "copy")
    assert (said.code, said.err) == (1, "countersign: 2 events are missing for certain\n")
    assert f"missing   gateway {author.instance} number 5 to 6" in said.out


HIDDEN = {
    "trimmed": "UPDATE audit.producers SET seqs = '{[0,5)}', entry_count = 5",
    "left out": "DELETE FROM audit.producers",
}


@pytest.mark.parametrize("statement", HIDDEN.values(), ids=HIDDEN.keys())
async def test_a_producer_that_is_cut_short_is_named(
    person: Person, database: Database, author: Author, statement: str
) -> None:
    """
    A gap at which the report ends, and a producer that is not in it, are found by the numbers that entries bear.
    """
    entries = author.entries(10)
    await sealed(database, [*entries[:5], *entries[7:]])
    await tamper(database, statement)

    said, [_, outcome, verdict] = await recomputed(person)
    assert (said.code, outcome["missing"]) == (1, 2)
    named = f"gateway {author.instance} number 7 to 9"
    assert (named, "does not report it") in [(finding["place"], finding["detail"][-18:]) for finding in verdict["findings"]], (
        verdict
    )


async def test_nothing_is_missing(person: Person, database: Database) -> None:
    """
    Of a log with every number the command and ``verify`` say so; whoever resumes has not read them all and says nothing; what
    the whole log answers takes no filter.
    """
    authors = [Author(service="[red]gateway"), Author(service="challenge")]
    mixed = [entry for pair in zip(*(author.entries(300) for author in authors), strict=True) for entry in reversed(pair)]
    await sealed(database, mixed[300:] + mixed[:300])

    said = await person.runs("completeness", "--recompute")
    assert (said.code, said.err) == (0, "")
    assert "No number is missing: every one is in a sealed entry." in said.out
    assert "[red]gateway" in said.out
    first = await person.runs("verify", "--state", "seen")
    assert (first.code, "; no number is missing" in first.out) == (0, True)
    again = await person.runs("verify", "--state", "seen")
    assert (again.code, "number" in again.out) == (0, False)
    assert (await person.runs("completeness", "--recompute", "--service", "challenge")).code == 2


async def test_what_is_in_quarantine(person: Person, database: Database, author: Author) -> None:
    """
    A gap that the service explains by a line in quarantine is shown as its word, for the log does not seal that.
    """
    entries = author.entries(3)
    await sealed(database, [entries[0], entries[2]])
    await tamper(
        database,
        "INSERT INTO audit.quarantine (message_id, line_no, bytes, sha256, reason, detail, instance, seq) "
        "VALUES ('m', 1, 'x', sha256('x'), 'not_an_event', 'none', $1::text::uuid, 1)",
        author.instance,
    )

    said = await person.runs("completeness", "--recompute")
    assert (said.code, said.err) == (0, "")
    assert f"explained gateway {author.instance} number 1, in quarantine by the service's word" in said.out


async def test_erased_entries_have_no_numbers(
    person: Person, queue: QueuePair, database: Database, author: Author, tmp_path: Path
) -> None:
    """
    The numbers of erased entries cannot be read. So up to so many missing ones may be theirs, and no more: a copy says how many
    are missing for certain, and the service can put no further gap down to an erasure.
    """
    hers = author.entries(4, subject=Subject(sub=ADA))
    others = author.entries(20)
    await sealed(database, [*hers, *others[:9], *others[11:]])
    async with running_service(tmp_path / "eraser", queue, database) as eraser:
        answer = await eraser.send("POST", "/v1/erasures", {"subject": ADA, "reason": "request"})
        assert (answer.status, answer.json()["erased_entries"]) == (201, 4)

    said, [_, outcome, verdict] = await recomputed(person)
    assert (said.code, verdict["ok"], said.err) == (1, True, "countersign: 2 events are missing\n")
    assert (outcome["not_readable"], outcome["missing"], outcome["missing_for_certain"]) == (4, 2, 2)
    assert [(span["first_seq"], span["last_seq"]) for span in outcome["erased_numbers"]] == [(0, 3)]
    text = (await person.runs("completeness", "--recompute")).out
    assert "4 entries were erased or dropped, with their numbers: up to 4 of these may be theirs." in text
    assert "2 numbers are missing" in (await person.runs("verify")).out

    await tamper(
        database, "UPDATE audit.producers SET seqs = '{[0,24)}', entry_count = 24 WHERE instance = $1", author.instance
    )
    assert "No event is missing." in (await person.runs("completeness")).out
    said, [_, outcome, verdict] = await recomputed(person)
    assert (said.code, verdict["ok"], outcome["missing"]) == (1, False, 6)
    assert [finding["place"] for finding in verdict["findings"]] == [
        f"gateway {author.instance} number 0 to 3",
        f"gateway {author.instance} number 13 to 14",
    ]
    assert "of 6 such numbers at most 4 can be those of erased or dropped entries" in verdict["findings"][0]["detail"]


async def test_a_gap_that_erased_entries_may_have_filled(
    person: Person, queue: QueuePair, database: Database, author: Author, tmp_path: Path
) -> None:
    """
    Where as many entries were erased as numbers are missing, nothing is proven to be missing, and a copy says so.
    """
    entries = [author.entry(), *author.entries(2, subject=Subject(sub=ADA)), author.entry()]
    await sealed(database, entries)
    async with running_service(tmp_path / "eraser", queue, database) as eraser:
        assert (await eraser.send("POST", "/v1/erasures", {"subject": ADA, "reason": "request"})).status == 201

    assert (await person.runs("mirror", "copy")).code == 0
    said = await person.runs("completeness", "--log", "copy")
    assert (said.code, said.err) == (0, "")
    assert f"missing   gateway {author.instance} number 1 to 2" in said.out
    assert "For certain 0 are in no entry at all." in said.out
    assert "no number is missing for certain" in (await person.runs("verify")).out
    assert (await person.runs("completeness", "--recompute")).code == 0
