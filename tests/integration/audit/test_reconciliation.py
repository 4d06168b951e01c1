"""Reconciliation and quarantine against the running service: what providers know and we do not, and lines that are repaired."""

import base64
import gzip
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.session import get_session

from deploy.local.parts import aws
from shared.events import AuthsignalRef, EventType, Producer, Subject
from tests.integration.audit.commands import Person
from tests.integration.audit.lab import Author, Database, QueuePair, until
from tests.integration.audit.service import Service, running_service

# A grace of nothing: what the tests put into the log is judged at once.
QUICK = "\n[detections.bypass]\ngrace_seconds = 0\n"


@pytest.fixture
def person(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Person:
    """Somebody at a terminal."""
    return Person(capsys, monkeypatch)


@pytest.fixture
async def service(tmp_path: Path, queue: QueuePair, database: Database, person: Person) -> AsyncIterator[Service]:
    """A running service that the person knows."""
    async with running_service(tmp_path / "audit", queue, database, more=QUICK) as running:
        person.knows(running)
        yield running


def cognito_line(record_id: str, sub: str, at: datetime) -> str:
    """Return a line of Cognito's log export."""
    message = {"eventId": record_id, "eventType": "SIGN_IN", "eventResponse": "Pass", "userSub": sub, "ipAddress": "192.0.2.9"}
    stamp = str(int(at.timestamp() * 1000))
    return json.dumps({"eventTimestamp": stamp, "eventSource": "USER_AUTH_EVENTS", "logLevel": "INFO", "message": message})


async def test_who_went_around_the_gateway_is_named(
    queue: QueuePair, database: Database, author: Author, service: Service, person: Person, tmp_path: Path
) -> None:
    """
    Cognito's export, from a file and from a bucket, becomes events of the log; the report pairs what we know with what it
    knows; the sign-in that only it knows is an alert, once, and the report's exit code says so.
    """
    at = datetime.now(UTC) - timedelta(hours=2)
    ours = author.entry(event_type=EventType.SESSION_CREATED, occurred_at=at, subject=Subject(sub="ada"))
    await queue.send(ours)
    await database.wait_for_sealed(ours)
    matched, around = cognito_line("c1", "ada", at + timedelta(seconds=3)), cognito_line("c2", "bob", at)
    (tmp_path / "export.jsonl").write_text("\n".join([matched, "no record", '{"eventType":"SIGN_IN","eventResponse":"Fail"}']))

    done = await person.runs("reconcile", "import", tmp_path / "export.jsonl", "--json")
    assert done.json() == {"imported": 1, "others": 1, "unreadable": 1}
    (tmp_path / "notes.txt").write_text("no record\nnor this\n")
    wrong = await person.runs("reconcile", "import", tmp_path / "notes.txt")
    assert (wrong.code, "could be read: Cognito's export has one JSON object a line" in wrong.err) == (2, True)
    async with get_session().create_client("s3", region_name=aws.REGION, endpoint_url=queue.aws.endpoint_url) as s3:
        await s3.create_bucket(Bucket="cognito-export")
        for name in ("logs/one.gz", "logs/again.gz"):
            await s3.put_object(Bucket="cognito-export", Key=name, Body=gzip.compress(around.encode()))
    where = ("--region", aws.REGION, "--endpoint-url", queue.aws.endpoint_url)
    done = await person.runs("reconcile", "import", "s3://cognito-export/logs/", *where, "--json")
    assert done.json() == {"imported": 2, "others": 0, "unreadable": 0}, done.err

    async def is_raised() -> bool:
        return len((await service.get("/v1/alerts?rule=gateway_bypass")).json()["alerts"]) == 1

    await until(is_raised, "alert")
    alert = (await service.get("/v1/alerts?rule=gateway_bypass")).json()["alerts"][0]
    assert (alert["subject"], alert["severity"], alert["ips"]) == ("bob", "critical", ["192.0.2.9"])
    report = await person.runs("reconcile", "report", "--json")
    assert report.code == 1
    assert "1 record of a provider's" in report.err
    assert len(report.out.splitlines()) == 1
    answer = report.json()
    assert answer["matched"] == 1
    assert answer["only_ours"] == []
    assert [(one["source"], one["ref"], one["subject"]) for one in answer["only_theirs"]] == [("cognito", "c2", "bob")]
    assert not answer["sources"]["authsignal"]["has_records"]
    await _assert_an_action_of_nobody_is_found(queue, database, author, service, person, at)
    await _assert_an_odd_name_is_shown(person, tmp_path, at)
    wide = await service.get("/v1/reconciliation?from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z")
    assert wide.status == 400


async def _assert_an_odd_name_is_shown(person: Person, tmp_path: Path, at: datetime) -> None:
    """What a provider wrote is neither markup nor obeyed by a terminal."""
    (tmp_path / "odd.jsonl").write_text(cognito_line("[/oops]\x1b[2J", "[red]eve", at))
    assert (await person.runs("reconcile", "import", tmp_path / "odd.jsonl")).code == 0

    async def is_told() -> bool:
        said = await person.runs("reconcile", "report")
        assert (said.code, "\x1b" in said.out) == (1, False), said
        return "[red]eve [/oops]" in said.out

    await until(is_told, "the odd record in the report")


async def _assert_an_action_of_nobody_is_found(
    queue: QueuePair, database: Database, author: Author, service: Service, person: Person, at: datetime
) -> None:
    """Authsignal's log webhook tells of an action that we began and of one that we did not; a replay finds the same."""
    tracked = Author("challenge").entry(
        event_type=EventType.ACTION_TRACKED,
        occurred_at=at,
        authsignal=AuthsignalRef(action="signIn", idempotency_key="ours"),
    )
    logged = [
        author.entry(
            event_type=EventType.ACTION_LOGGED,
            authsignal=AuthsignalRef(action="signIn", idempotency_key=key, state="CHALLENGE_SUCCEEDED"),
            data={"created_at": at.isoformat()},
        )
        for key in ("ours", "theirs")
    ]
    await queue.send(tracked)
    await database.wait_for_sealed(tracked)
    await queue.send(*logged)

    async def keys() -> set[str]:
        alerts = (await service.get("/v1/alerts?rule=gateway_bypass")).json()["alerts"]
        return {alert["key"] for alert in alerts}

    async def is_raised() -> bool:
        return len(await keys()) == 2

    await until(is_raised, "alert about Authsignal's record")
    assert await keys() == {"cognito c2", "authsignal theirs"}
    replayed = await person.runs("detections", "replay", "--json")
    assert {json.loads(line)["key"] for line in replayed.out.splitlines()} == await keys()


async def test_a_quarantined_line_is_repaired_and_stays(
    queue: QueuePair, database: Database, author: Author, service: Service, person: Person, tmp_path: Path
) -> None:
    """
    A malformed line can be looked at byte for byte; its repair comes into the log by the queue, is linked, fills the gap and
    proves; the original stays; repairing twice is harmless with the same text and refused with another.
    """
    first, good, third = author.entries(3)
    broken = good[:-1] + b',"colour":"red"}'
    await queue.send(first, broken, third)
    await database.wait_for_sealed(third)
    line = (await service.get("/v1/quarantine?reason=not_an_event")).json()["lines"][0]
    assert base64.b64decode(line["bytes_base64"]) == broken
    assert (line["text"], line["instance"], line["seq"]) == (broken.decode(), author.instance, 1)
    file = tmp_path / "line.json"

    for wrong, words in ((broken, "not_an_event"), (b"{", "not_json"), (_stolen(author, first), "another entry")):
        file.write_bytes(wrong)
        refused = await person.runs("quarantine", "repair", line["id"], file)
        assert refused.code == 2
        assert words in refused.err
    file.write_bytes(good + b"\n")
    for _ in range(2):
        done = await person.runs("quarantine", "repair", line["id"], file, "--json")
        assert done.code == 0, done.err
        assert done.json()["repaired_as"] == json.loads(good)["event_id"]
    await database.wait_for_sealed(good)
    file.write_bytes(author.entry())
    assert (await person.runs("quarantine", "repair", line["id"], file)).code == 1

    shown = (await person.runs("quarantine", "show", line["id"], "--json")).json()
    told = await person.runs("quarantine", "show", line["id"])
    assert (told.code, broken.decode() in told.out) == (0, True)
    assert f"event {shown['repaired_as']} stands for it" in told.out
    assert base64.b64decode(shown["bytes_base64"]) == broken
    assert (await database.quarantine())[0]["bytes"] == broken
    event_id = json.loads(good)["event_id"]
    assert (await service.get(f"/v1/events/{event_id}/proof")).status == 200
    report = (await service.get(f"/v1/completeness?instance={author.instance}")).json()
    assert (report["complete"], report["producers"][0]["explained_gaps"]) == (True, [])

    async def is_logged() -> bool:
        repaired = await service.events(("type", "audit.quarantine.repaired"))
        outcomes = sorted(event["outcome"] for event in repaired)
        return outcomes == ["pending"] * 2 + ["success"] * 2 and {event["data"]["event_id"] for event in repaired} == {event_id}

    await until(is_logged, "the repair as an event of the log")
    assert (await service.get("/v1/quarantine/999999")).status == 404


def _stolen(author: Author, entry: bytes) -> bytes:
    """Return another entry under the id of one that the log holds."""
    fields: dict[str, Any] = {"producer": Producer(service="gateway", instance=author.instance, seq=1)}
    return author.entry(event_id=json.loads(entry)["event_id"], **fields)
