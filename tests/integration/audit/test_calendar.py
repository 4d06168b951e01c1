"""Events that say that they occurred in the first or the last moment of the calendar: no part of the service stops at one."""

import json
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest

from services.audit.detections.detector import Detector
from services.audit.detections.parameters import DetectionParameters
from services.audit.reconciliation.sightings import COGNITO, SIGN_IN, THEIRS
from shared.events import AuthsignalRef, Client, EventType, Outcome, Subject
from tests.integration.audit.commands import Person
from tests.integration.audit.consistency import findings
from tests.integration.audit.lab import Author, Database, QueuePair, by_id, until
from tests.integration.audit.service import Service, running_service

# As strings, as a producer in another language writes them.
ENDS: Final = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z")
AHEAD: Final = "searches in the order of the log pass it by"
QUICK: Final = "\n[detections.bypass]\ngrace_seconds = 0\n"


def strange(author: Author) -> list[bytes]:
    """Return an event of each type that the detections look at, for each end of the calendar, and what comes a second apart."""
    types = sorted(Detector(DetectionParameters()).types | THEIRS, key=lambda one: one.value)
    return [_event(author, kind, occurred_at) for occurred_at, kind in product(ENDS, types)]


def _event(author: Author, kind: EventType, occurred_at: str) -> bytes:
    data: dict[str, Any] = {}
    if kind is EventType.PROVIDER_RECORD_IMPORTED:
        data = {"source": COGNITO, "kind": SIGN_IN, "record_id": f"record of {occurred_at}", "occurred_at": occurred_at}
    entry = author.entry(
        event_type=kind,
        outcome=Outcome.FAILURE if kind is EventType.SIGN_IN_FAILED else Outcome.SUCCESS,
        subject=Subject(sub="ada", email_hash="0a" * 32),
        client=Client(ip="203.0.113.9", device_id="laptop", country="SE"),
        authsignal=AuthsignalRef(action="signIn", idempotency_key=f"key of {occurred_at}", state="ALLOW"),
        data=data,
    )
    return json.dumps({**json.loads(entry), "occurred_at": occurred_at}, separators=(",", ":")).encode()


async def test_events_from_the_ends_of_the_calendar_hold_nothing_up(
    queue: QueuePair,
    database: Database,
    author: Author,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    They are stored and sealed, the detections go on behind them, searches page over them, statistics, stories, exports,
    commands and the check take them; the check names those that are ahead of the log.
    """
    entries, person = strange(author), Person(capsys, monkeypatch)
    async with running_service(tmp_path / "audit", queue, database, more=QUICK) as service:
        person.knows(service)
        await queue.send(*entries)
        for entry in entries:
            await database.wait_for_sealed(entry)
        size = await database.tree_size()

        async def is_behind_them() -> bool:
            places = await database.fetch("SELECT name, next_index FROM audit.detection_cursors")
            return {row["name"] for row in places if row["next_index"] >= size} == {"rules", "bypass"}

        await until(is_behind_them, "the detections behind them")
        ours = by_id(entries)  # Beside them are the alerts about them.
        assert [event_id for event_id in await _paged(service, "desc") if event_id in ours] == _sorted(entries)
        assert {event_id for event_id in await _paged(service, "asc") if event_id in ours} == set(ours)
        for path in ("/v1/subjects/ada", "/v1/subjects/ada/reads", "/v1/stats?by=day", "/v1/stats/top?field=ip", "/v1/alerts"):
            answer = await service.get(path)
            assert answer.status == 200, (path, answer.body)
        for form in ("ndjson", "csv", "ocsf", "parquet"):
            made = await service.send("POST", "/v1/exports", {"format": form, "params": {"subject": "ada"}})
            assert (await service.get(made.json()["url"])).status == 200, form
        said = await person.runs("query", "--subject", "ada", "--limit", "100")
        assert (said.code, said.out.count("ada") > 0) == (0, True), said
    ahead = {f"entry {event_id}" for event_id, entry in ours.items() if json.loads(entry)["occurred_at"] == ENDS[1]}
    named = [one.partition(": ") for one in await findings(database)]
    assert {(place, detail[: len(AHEAD)]) for place, _, detail in named} == {(place, AHEAD) for place in ahead}


async def _paged(service: Service, order: str) -> list[str]:
    found: list[str] = []
    cursor = ""
    while True:
        query = f"/v1/events?subject=ada&limit=3&order={order}" + (f"&cursor={cursor}" if cursor else "")
        answer = await service.get(query)
        assert answer.status == 200, (query, answer.body)
        page = answer.json()
        found += [event["event"]["event_id"] for event in page["events"]]
        cursor = page.get("next_cursor") or ""
        if not page["events"] or not cursor:
            return found


def _sorted(entries: list[bytes]) -> list[str]:
    times = {event_id: json.loads(entry)["occurred_at"] for event_id, entry in by_id(entries).items()}
    return sorted(times, key=lambda event_id: (times[event_id], event_id), reverse=True)
