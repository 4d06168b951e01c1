"""Exports: who may fetch what, in which format, and that a file of any size is whole."""

import asyncio
import base64
import csv
import io
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from services.audit.exporting.pages import PAGE_ENTRIES
from services.audit.tree.hashing import leaf_hash
from shared.events import Client, EventType, Outcome, Subject
from tests.integration.audit.commands import Person
from tests.integration.audit.lab import Author, Database, QueuePair, by_id, seal, until
from tests.integration.audit.service import CLIENT_ID, SERVICE_TOKEN, Service, running_service, token_issuer

ADA = "3f2b0c9a-0000-4000-8000-00000000000a"
HEADERS = {"Authorization": f"Bearer {SERVICE_TOKEN}"}
FORMULA = '=HYPERLINK("http://192.0.2.1")'


async def ask(service: Service, export_format: str, params: dict[str, Any] | None = None) -> Any:
    """Ask for an export."""
    body = {"format": export_format, "params": params or {}}
    async with service.http.post(f"{service.url}/v1/exports", json=body, headers=HEADERS) as answer:
        return answer.status, await answer.json()


async def fetch(service: Service, export_format: str, params: dict[str, Any] | None = None) -> bytes:
    """Ask for an export and fetch its file."""
    status, made = await ask(service, export_format, params)
    assert status == 201, made
    answer = await service.get(made["url"])
    assert answer.status == 200
    assert "attachment" in answer.headers["content-disposition"]
    return answer.body


async def test_every_format_holds_what_was_asked_for(
    tmp_path: Path, queue: QueuePair, database: Database, author: Author
) -> None:
    """
    A file holds what fits and was sealed when it was asked for, more than a page of it, in the order of the log; NDJSON and
    Parquet hold the entries byte for byte; a cell never is a formula; what was asked for is recorded without its terms.
    """
    client = Client(ip="192.0.2.7", user_agent=FORMULA)
    entries = author.entries(PAGE_ENTRIES + 5, subject=Subject(sub=ADA), client=client, event_type=EventType.SIGN_IN_FAILED)
    await database.append([*entries, *author.entries(3)])
    await seal(database)
    async with running_service(tmp_path / "audit", queue, database, receivers=0) as service:
        params = {"subject": ADA, "outcome": ["success", "failure"]}
        lines = [json.loads(line) for line in (await fetch(service, "ndjson", params)).splitlines()]
        raw = (await fetch(service, "ndjson", params)).splitlines()
        table = list(csv.DictReader(io.StringIO((await fetch(service, "csv", params)).decode())))
        ocsf = [json.loads(line) for line in (await fetch(service, "ocsf", params)).splitlines()]
        (tmp_path / "export.parquet").write_bytes(await fetch(service, "parquet", params))
        everything = await fetch(service, "ndjson")

    expected = by_id(entries)
    assert [line["leaf_index"] for line in lines] == sorted(line["leaf_index"] for line in lines)
    assert {line["event_id"] for line in lines} == set(expected)
    assert all(expected[line["event_id"]] in text for line, text in zip(lines, raw, strict=True))
    assert [row["event_id"] for row in table] == [line["event_id"] for line in lines]
    assert {row["user_agent"] for row in table} == {"'" + FORMULA}
    assert [event["metadata"]["uid"] for event in ocsf] == [line["event_id"] for line in lines]
    rows = duckdb.execute(f"SELECT event_id, entry FROM '{tmp_path / 'export.parquet'}' ORDER BY leaf_index").fetchall()
    assert rows == [(line["event_id"], expected[line["event_id"]]) for line in lines]
    assert len(everything.splitlines()) == PAGE_ENTRIES + 8
    await until(lambda: sent(queue, 12), "the exports' events")


async def test_an_erased_entry_goes_out_without_its_event(
    tmp_path: Path, queue: QueuePair, database: Database, author: Author
) -> None:
    """
    In every format, and so in every stream, an erased entry is its id, place, hash and times; a damaged one is not called
    erased.
    """
    gone, damaged, kept = (author.entry(subject=Subject(sub=f"{ADA[:-1]}{digit}")) for digit in "abc")
    gone_id, damaged_id, kept_id = (json.loads(entry)["event_id"] for entry in (gone, damaged, kept))
    await database.append([gone, damaged, kept])
    async with running_service(tmp_path / "audit", queue, database) as service:
        erased = await service.send("POST", "/v1/erasures", {"subject": ADA, "reason": "asked for it"})
        assert erased.status == 201, erased.json()
        async with database.tampering() as connection:
            await connection.execute(
                "UPDATE audit.entries SET entry = decode('00', 'hex') WHERE event_id = $1::text::uuid", damaged_id
            )
        params = {"type": json.loads(gone)["event_type"]}
        ndjson = {line["event_id"]: line for line in map(json.loads, (await fetch(service, "ndjson", params)).splitlines())}
        table = list(csv.DictReader(io.StringIO((await fetch(service, "csv", params)).decode())))
        ocsf = [json.loads(line) for line in (await fetch(service, "ocsf", params)).splitlines()]
        (tmp_path / "export.parquet").write_bytes(await fetch(service, "parquet", params))

    assert set(ndjson) == {gone_id, damaged_id, kept_id}
    assert ndjson[gone_id]["leaf_hash"] == leaf_hash(gone).hex()
    assert [(ndjson[one]["event"], ndjson[one]["erased"]) for one in (gone_id, damaged_id)] == [(None, True), (None, False)]
    assert "erased" not in ndjson[kept_id]
    row = {name: value for row in table if row["event_id"] == gone_id for name, value in row.items() if value}
    assert set(row) == {"event_id", "leaf_index", "leaf_hash", "recorded_at", "occurred_at"}
    events = {event["metadata"]["uid"]: event for event in ocsf}
    assert [(events[one]["class_uid"], events[one]["activity_name"]) for one in (gone_id, damaged_id)] == [
        (0, "Erased"),
        (0, "Damaged"),
    ]
    rows = duckdb.execute(f"SELECT event_id, event_type, entry FROM '{tmp_path / 'export.parquet'}'").fetchall()
    assert (gone_id, None, None) in rows


async def sent(queue: QueuePair, count: int) -> bool:
    """Say whether so many messages wait on the queue."""
    return (await queue.counts())[0] >= count


async def test_an_export_is_its_owners_and_for_ten_minutes(
    tmp_path: Path, queue: QueuePair, database: Database, author: Author
) -> None:
    """
    Another caller finds nothing, in the list as little as at the address; after ten minutes the file is gone and what was
    asked for is forgotten; what cannot be asked is named; creation is an event that holds the names of the filters alone.
    """
    async with token_issuer() as issuer:
        overrides = {"receivers": 2, "jwks_url": issuer.url, "client_ids": [CLIENT_ID]}
        async with running_service(tmp_path / "audit", queue, database, **overrides) as service:
            status, made = await ask(service, "ndjson", {"subject": ADA})
            assert status == 201
            auditor = {"token": issuer.token()}
            assert (await service.get(made["url"], **auditor)).status == 404
            assert (await service.get("/v1/exports", **auditor)).json() == {"exports": [], "next_cursor": None}
            [listed] = (await service.get("/v1/exports")).json()["exports"]
            assert listed == made
            assert made["params"] == {"subject": ADA}
            assert (await service.get(made["url"])).status == 200

            async def is_told() -> bool:
                reads = (await service.get(f"/v1/subjects/{ADA}/reads")).json()["reads"]
                return {"/v1/exports", "/v1/exports/{export_id}/file"} <= {read["route"] for read in reads}

            await until(is_told, "who exported a person's events")

            for params, field in (({"limit": "5"}, "limit"), ({"nonsense": "x"}, "nonsense"), ({"ip": "none"}, "ip")):
                status, problem = await ask(service, "csv", params)
                assert (status, problem["errors"][0]["field"]) == (400, field)
            status, problem = await ask(service, "xml")
            assert (status, problem["errors"][0]["field"]) == (400, "body")

            late = base64.urlsafe_b64encode(f"9999-12-31T23:00:00-12:00 {made['id']}".encode()).decode()
            assert (await service.get("/v1/exports", params={"cursor": late})).status == 400

            long_ago = datetime.now(UTC) - timedelta(hours=1)
            async with database.tampering() as connection:
                await connection.execute(
                    "UPDATE audit.exports SET created_at = $1, expires_at = $2", long_ago, long_ago + timedelta(minutes=10)
                )
            assert (await service.get(made["url"])).json()["code"] == "export_expired"
            await ask(service, "ndjson", {})
            assert [one["params"] for one in (await service.get("/v1/exports")).json()["exports"]] == [{}, None]
            [row] = await database.fetch(
                "SELECT params FROM audit.exports WHERE created_at = $1", long_ago, role="countersign_clerk"
            )
            assert row["params"] is None

            events = [event async for event in export_events(service)]
    assert [event["data"]["filters"] for event in events] == [["subject"], []]
    assert all(ADA not in json.dumps(event) for event in events)


async def export_events(service: Service) -> Any:
    """Yield the events that say that an export was made, oldest first, once there are two; each was recorded before as well."""

    async def found() -> list[dict[str, Any]]:
        return await service.events(("type", "audit.export.created"), ("order", "asc"))

    async def are_there() -> bool:
        return len(await found()) == 4

    await until(are_there, "two exports in the log")
    events = await found()
    assert [event["outcome"] for event in events] == ["pending", "success"] * 2
    for event in events[1::2]:
        yield event


async def test_a_file_that_breaks_off_does_not_look_whole(
    tmp_path: Path,
    queue: QueuePair,
    database: Database,
    author: Author,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    When an entry on the second page cannot be written, the transfer is cut; the command says so and leaves no file.
    """
    await database.append(author.entries(PAGE_ENTRIES + 5))
    await seal(database)
    async with database.tampering() as connection:
        await connection.execute(
            "UPDATE audit.entries SET entry = '{}' WHERE event_id = (SELECT event_id FROM audit.leaves WHERE leaf_index = $1)",
            PAGE_ENTRIES + 1,
        )
    person = Person(capsys, monkeypatch)
    async with running_service(tmp_path / "audit", queue, database, receivers=0) as service:
        person.knows(service)
        said = await person.runs("export", "--format", "csv", "--out", tmp_path / "out.csv")

    assert (said.code, "the file broke off" in said.err) == (1, True)
    assert sorted(os.listdir(tmp_path)) == ["audit"]


async def test_the_command_writes_a_file(
    tmp_path: Path,
    queue: QueuePair,
    database: Database,
    author: Author,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    ``countersign audit export`` writes what fits to a file that is whole or not there; a link and a named pipe stay what
    they are.
    """
    await database.append([*author.entries(3, outcome=Outcome.FAILURE), *author.entries(2)])
    await seal(database)
    person = Person(capsys, monkeypatch)
    async with running_service(tmp_path / "audit", queue, database, receivers=0) as service:
        person.knows(service)
        out = tmp_path / "out.ndjson"
        said = await person.runs("export", "--format", "ndjson", "--out", out, "--outcome", "failure")
        assert (said.code, said.err) == (0, "")
        assert said.out == f"3 lines, 0.0 MB in {out}"
        assert len(out.read_bytes().splitlines()) == 3
        (tmp_path / "link").symlink_to(out)
        linked = await person.runs("export", "--format", "ndjson", "--out", tmp_path / "link", "--outcome", "success")
        assert (linked.code, len(out.read_bytes().splitlines())) == (0, 2)
        os.mkfifo(tmp_path / "pipe")
        reader = asyncio.create_task(asyncio.to_thread((tmp_path / "pipe").read_bytes))
        piped = await person.runs("export", "--format", "ndjson", "--out", tmp_path / "pipe", "--outcome", "failure")
        assert (tmp_path / "pipe").is_fifo()
        assert (piped.code, len((await asyncio.wait_for(reader, 30)).splitlines())) == (0, 3)
        refused = await person.runs("export", "--format", "csv", "--out", tmp_path / "none.csv", "--ip", "none")
        assert refused.code == 2
        assert "ip: Give an IP address" in refused.err

    assert sorted(os.listdir(tmp_path)) == ["audit", "link", "out.ndjson", "pipe"]
    assert (tmp_path / "link").is_symlink()
