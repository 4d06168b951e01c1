"""Detections at work: the log is followed, alerts are kept once, shown, delivered, closed, and found again by a replay."""

import asyncio
import contextlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from services.audit.alerting.delivery import Deliverer, WebhookChannel
from services.audit.alerting.follower import LEFT_AFTER, RuleFollower
from services.audit.alerting.metrics import AlertMetrics
from services.audit.alerting.records import LogRecords
from services.audit.api.query import parse_alerts, parse_nothing
from services.audit.detections.model import Alert, Severity
from services.audit.detections.parameters import DetectionParameters
from services.audit.erasure.subject import Subject as SomeSubject
from services.audit.pulse import Pulse
from services.audit.storage.alerts import AlertReader, AlertStore, add_alerts
from services.audit.storage.database import open_pool
from services.audit.storage.erasing import ErasureStore
from services.audit.storage.migrate import migrate, released_migrations
from services.audit.storage.search import EntryReader, Found
from shared.audit_trail import AuditTrail
from shared.events import Client, EventType, Subject
from shared.ids import uuid7
from shared.problems import InvalidRequest
from tests.integration.audit.alarms import Receiver, receiver, stuffing, topic
from tests.integration.audit.commands import Person
from tests.integration.audit.lab import RING, Author, Database, PostgresServer, QueuePair, SentDrafts, seal, until
from tests.integration.audit.service import SERVICE_TOKEN, Service, running_service

SECRETS = ["the-secret-of-today", "the-secret-of-tomorrow"]


@pytest.fixture
def person(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Person:
    """Somebody at a terminal."""
    return Person(capsys, monkeypatch)


def takeover(author: Author, *, now: datetime) -> list[bytes]:
    """Return a sign-in from an old device, one from a new device, and the removal of a factor."""

    def event(event_type: EventType, minutes_ago: float, device: str) -> bytes:
        occurred_at = now - timedelta(minutes=minutes_ago)
        client = Client(ip="198.51.100.7", device_id=device)
        return author.entry(event_type=event_type, occurred_at=occurred_at, client=client, subject=Subject(sub="ada"))

    return [
        event(EventType.SIGN_IN_SUCCEEDED, 5_000, "laptop"),
        event(EventType.SIGN_IN_SUCCEEDED, 20, "unknown"),
        event(EventType.AUTHENTICATOR_REMOVED, 1, "unknown"),
    ]


async def alerts_of(service: Service, *params: tuple[str, str]) -> list[dict[str, Any]]:
    """Return the alerts that a list shows."""
    answer = await service.get("/v1/alerts", params=list(params))
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.json()["alerts"]
    return found


async def post(service: Service, path: str, body: Any, *, token: str = SERVICE_TOKEN) -> tuple[int, Any]:
    """Have something done."""
    headers = {"Authorization": f"Bearer {token}"}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers["Content-Type"] = "application/json"
    async with service.http.post(service.url + path, data=data, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


def is_signed(taken: tuple[str, bytes], secret: str) -> bool:
    """Check a delivery as its receiver does, from the description alone."""
    header, body = taken
    marks = dict(part.split("=", 1)[::-1] for part in header.split(","))
    seconds = header.split(",")[0].removeprefix("t=")
    return marks.get(hmac.digest(secret.encode(), f"{seconds}.".encode() + body, "sha256").hex()) == "v1"


async def test_a_stuffing_run_from_queue_to_closed_alert(
    queue: QueuePair, database: Database, author: Author, person: Person, tmp_path: Path
) -> None:
    """
    What arrives by the queue becomes alerts: shown by API and CLI, in the log, at the webhook once it is up, at the topic; a
    replay finds the same ones and nothing new; a closed one stays closed and says who closed it.
    """
    now = datetime.now(UTC)
    (tmp_path / "webhook_secret").write_text("\n".join(SECRETS))
    async with receiver(failures=1) as hook, topic(queue) as bell:
        options = {
            "alert_webhook_url": hook.url,
            "alert_webhook_secret_file": str(tmp_path / "webhook_secret"),
            "alert_topic_arn": bell.arn,
        }
        async with running_service(tmp_path / "audit", queue, database, **options) as service:
            person.knows(service)
            *sign_ins, removal = takeover(author, now=now)
            await queue.send(*stuffing(author, network="203.0.113", since=now), *sign_ins)
            for entry in sign_ins:
                await database.wait_for_sealed(entry)
            await queue.send(removal)

            async def has_both() -> bool:
                return len(await alerts_of(service)) == 2

            await until(has_both, "two alerts")
            by_rule = {alert["rule"]: alert for alert in await alerts_of(service, ("state", "open"))}
            stuffed, taken_over = by_rule["credential_stuffing"], by_rule["factor_removed_from_new_device"]
            assert (stuffed["key"], stuffed["event_count"], stuffed["severity"]) == ("203.0.113.0/24", 10, "high")
            assert (taken_over["subject"], taken_over["event_count"]) == ("ada", 2)
            listed = await person.runs("alerts", "list", "--rule", "credential_stuffing", "--json")
            assert [json.loads(line)["id"] for line in listed.out.splitlines()] == [stuffed["id"]]
            assert "203.0.113.0/24" in (await person.runs("alerts", "list")).out
            await _assert_shown(person, stuffed)
            await _assert_delivered(service, hook, {stuffed["id"], taken_over["id"]})
            rung: list[dict[str, Any]] = []

            async def has_rung() -> bool:
                rung.extend(await bell.alerts())
                return len(rung) == 2

            await until(has_rung, "two alerts at the topic")
            assert {alert["id"] for alert in rung} == {stuffed["id"], taken_over["id"]}
            await _assert_replay_finds_the_same(service, person, {stuffed["id"], taken_over["id"]})
            await _assert_closing(service, person, stuffed["id"])
            assert (await service.get(f"/v1/alerts/{taken_over['id']}")).status == 200

            async def is_told() -> bool:
                reads = (await service.get("/v1/subjects/ada/reads", params={"limit": "1000"})).json()["reads"]
                return {"/v1/alerts", "/v1/alerts/{alert_id}"} <= {read["route"] for read in reads}

            await until(is_told, "who looked at the alerts about a person")


async def _assert_shown(person: Person, alert: dict[str, Any]) -> None:
    """A person gets a table, and is told when there is more; a machine gets one JSON object a line."""
    one = await person.runs("alerts", "list", "--limit", "1")
    every = await person.runs("alerts", "list")
    assert ("These are the last 1; --limit shows more." in one.out, "--limit" in every.out) == (True, False), one
    for arguments in (("alerts", "show", alert["id"]), ("detections", "list")):
        said = await person.runs(*arguments, "--json")
        assert (len(said.out.splitlines()), isinstance(said.json(), dict)) == (1, True), said
    shown = await person.runs("alerts", "show", alert["id"])
    assert (shown.code, "203.0.113.0/24" in shown.out, "{" in shown.out) == (0, True, False), shown


async def _assert_delivered(service: Service, hook: Receiver, ids: set[str]) -> None:
    async def is_delivered() -> bool:
        return {alert["id"] for alert in hook.alerts()} == ids

    async def is_logged() -> bool:
        raised = await service.events(("type", "audit.alert.raised"))
        return {event["data"]["alert_id"] for event in raised} == ids

    await until(is_delivered, "alerts at the webhook, which refused the first")
    assert all(is_signed(taken, secret) for taken in hook.taken for secret in SECRETS)
    assert not any(is_signed(taken, "another-secret") for taken in hook.taken)
    await until(is_logged, "the alerts as events of the log")


async def _assert_replay_finds_the_same(service: Service, person: Person, ids: set[str]) -> None:
    replayed = await person.runs("detections", "replay", "--json")

    assert replayed.code == 0, replayed.err
    assert {json.loads(line)["id"] for line in replayed.out.splitlines()} == ids
    detections = (await service.get("/v1/detections")).json()
    run = detections["runs"][0]
    assert (run["kind"], run["alerts"], run["new_alerts"], run["from_leaf"]) == ("replay", 2, 0, 0)
    assert {rule["id"] for rule in detections["rules"]} >= {"credential_stuffing", "impossible_travel", "gateway_bypass"}
    assert all(rule["parameters"] for rule in detections["rules"] if rule["id"] != "refresh_reuse")
    for first, end, field in ((5, 5, "to_leaf"), (10**12, 10**12 + 5, "from_leaf"), (2**63, 2**63 + 5, None)):
        status, problem = await post(service, "/v1/detections/replay", {"from_leaf": first, "to_leaf": end})
        assert status == 400
        assert field is None or [error["field"] for error in problem["errors"]] == [field]

    async def is_logged() -> bool:
        events = await service.events(("type", "audit.detection.run"), ("order", "asc"))
        return [(event["outcome"], "run_id" in event["data"]) for event in events] == [("pending", False), ("success", True)]

    await until(is_logged, "the replay as two events of the log, one before and one behind it")


async def _assert_closing(service: Service, person: Person, alert_id: str) -> None:
    for note in ("", " ", "a\0b"):
        assert (await post(service, f"/v1/alerts/{alert_id}/close", {"note": note}))[0] == 400
    closed = await person.runs("alerts", "close", alert_id, "--note", "a test of ours", "--json")
    assert (closed.code, len(closed.out.splitlines()), closed.json()["state"]) == (0, 1, "closed")
    assert "a test of ours" in (await person.runs("alerts", "show", alert_id)).out

    status, problem = await post(service, f"/v1/alerts/{alert_id}/close", {"note": "again"})
    shown = (await service.get(f"/v1/alerts/{alert_id}")).json()

    assert (status, problem["code"], problem["title"]) == (409, "conflict", "Already done")
    assert (shown["state"], shown["note"], shown["closed_by"]) == ("closed", "a test of ours", "service:nightly-export")
    assert [alert["id"] for alert in await alerts_of(service, ("state", "closed"))] == [alert_id]
    assert alert_id not in {alert["id"] for alert in await alerts_of(service, ("state", "open"))}
    assert (await service.get("/v1/alerts/00000000-0000-4000-8000-000000000000")).status == 404
    assert (await post(service, f"/v1/alerts/{alert_id}/close", {"note": "x"}, token="nobody"))[0] == 401

    async def is_logged() -> bool:
        closed = await service.events(("type", "audit.alert.closed"))
        refused = await service.events(("type", "audit.access.refused"))
        outcomes = sorted(event["outcome"] for event in closed)
        return outcomes == ["pending", "success"] and [event["http"]["route"] for event in refused] == [
            "/v1/alerts/{alert_id}/close"
        ]

    await until(is_logged, "closing and refusal as events of the log")


@pytest.mark.parametrize(("status", "taken"), [(400, [2]), (401, [1, 2]), (503, [1, 2])])
async def test_a_refused_alert_holds_up_no_other(database: Database, status: int, taken: list[int]) -> None:
    """
    An alert that the webhook refuses for good is counted and not sent again, and the next one arrives; a webhook that is away,
    or does not know us, gets both once it is mended.
    """
    clerk = await open_pool(database.clerk_url, name="test", connections_max=2)
    registry, stop = CollectorRegistry(), asyncio.Event()
    seen: Any = {
        "first_seen": datetime.now(UTC),
        "last_seen": datetime.now(UTC),
        "event_ids": (),
        "event_count": 1,
        "behind": (),
    }
    about: Any = {"rule": "impossible_travel", "rule_version": 1, "severity": Severity.HIGH, "title": "Far away", "ips": ()}
    alerts = [Alert(id=uuid7(), key="ada", subject="ada", first_leaf=n, last_leaf=n, **about, **seen) for n in (1, 2)]
    try:
        async with receiver(failures=1, status=status) as hook, aiohttp.ClientSession() as http:
            async with clerk.acquire() as connection, connection.transaction():
                await add_alerts(connection, alerts, is_replayed=False)
            channels = [WebhookChannel(http, hook.url, SECRETS)]
            deliverer = Deliverer(AlertStore(clerk), channels, AlertMetrics(registry), raised=Pulse(), pause_seconds_min=0.05)
            work = asyncio.create_task(deliverer.run(stop))

            async def is_done() -> bool:
                return [alert["first_leaf"] for alert in hook.alerts()] == taken

            await until(is_done, "alerts at the webhook")
            stop.set()
            await work
    finally:
        await clerk.close()
    assert (registry.get_sample_value("audit_alerts_refused_total", {"channel": "webhook"}) or 0) == 2 - len(taken)


@contextlib.asynccontextmanager
async def followers(database: Database, clock: list[datetime], events: SentDrafts) -> AsyncIterator[Callable[[], RuleFollower]]:
    """Give a way to make followers of one log, as processes of their own have them, until the block ends."""
    reading = await open_pool(database.reader_url, name="test", connections_max=2)
    clerk = await open_pool(database.clerk_url, name="test", connections_max=2)
    trail = AuditTrail(events, "audit")

    def follower() -> RuleFollower:
        records = LogRecords(EntryReader(reading, RING), AlertReader(reading))
        return RuleFollower(
            AlertStore(clerk),
            records,
            DetectionParameters(),
            AlertMetrics(CollectorRegistry()),
            trail,
            sealed=Pulse(),
            raised=Pulse(),
            clock=lambda: clock[0],
        )

    try:
        yield follower
    finally:
        await trail.close()
        await reading.close()
        await clerk.close()


async def test_whoever_takes_over_finds_what_one_would_have(database: Database, author: Author) -> None:
    """
    Two processes share a stuffing run over a restart: the second leaves the log to the first until nobody has gone on for a
    while, then knows what the first had seen; no step is taken twice, and an hour's work is one run of the record.
    """
    entries = stuffing(author, network="203.0.113", since=datetime.now(UTC))
    clock, events = [datetime.now(UTC)], SentDrafts()
    async with followers(database, clock, events) as follower:
        first, second = follower(), follower()
        await database.append(entries[:6])
        await seal(database)
        assert await first.step()
        assert not await second.step()
        await database.append(entries[6:])
        await seal(database)
        clock[0] += timedelta(hours=2)
        assert not await second.step()
        assert not await second.step()
        clock[0] += LEFT_AFTER
        assert await second.step()
        assert not await first.step()
        rows = await database.fetch("SELECT rule, event_count, is_replayed FROM audit.alerts")
        assert [tuple(row) for row in rows] == [("credential_stuffing", 10, False)]
        runs = await database.fetch("SELECT kind, from_leaf, to_leaf, entries, alerts FROM audit.detection_runs")
        assert [tuple(row) for row in runs] == [("live", 0, 12, 12, 1)]
    assert [event["event_type"] for event in events.bodies] == ["audit.detection.run"]


async def test_one_follows_and_the_others_read_nothing(
    database: Database, author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    However many processes take turns, one follows the log, in stretches, and reads no entry twice; the others read none.
    """
    monkeypatch.setattr("services.audit.alerting.records.STEP_LEAVES", 5)
    read: list[int] = []
    found = EntryReader.follow

    async def counted(self: EntryReader, *arguments: Any, **options: Any) -> list[Found]:
        entries = await found(self, *arguments, **options)
        read.extend(one.log_cursor().next_index - 1 for one in entries)
        return entries

    monkeypatch.setattr(EntryReader, "follow", counted)
    clock = [datetime.now(UTC)]
    async with followers(database, clock, SentDrafts()) as follower:
        several = [follower() for _ in range(3)]
        for begin in (0, 12):
            since = datetime.now(UTC)
            await database.append(stuffing(author, network=f"203.0.{begin}", since=since))
            await seal(database)
            for _ in range(4):
                for one in several:
                    await one.step()
                clock[0] += timedelta(seconds=1)
        places = await database.fetch("SELECT next_index FROM audit.detection_cursors WHERE name = 'rules'")
    assert [row["next_index"] for row in places] == [24]
    assert read == list(range(24))


async def test_what_rules_remember_of_an_erased_person(database: Database, author: Author) -> None:
    """
    A follower that has seen a person's events before they are erased raises no alert about that person alone, and one about
    many people names all but that one.
    """
    now = datetime.now(UTC)
    entries = stuffing(author, network="203.0.113", since=now)
    sub, gone = "sub-3", "203.0.113.4"

    def sign_in(country: str) -> bytes:
        client = Client(ip=gone, country=country)
        kind = EventType.SIGN_IN_SUCCEEDED
        return author.entry(event_type=kind, occurred_at=now, client=client, subject=Subject(sub=sub))

    reading = await open_pool(database.reader_url, name="test", connections_max=2)
    clerk = await open_pool(database.clerk_url, name="test", connections_max=2)
    trail = AuditTrail(SentDrafts(), "audit")
    records = LogRecords(EntryReader(reading, RING), AlertReader(reading))
    metrics = AlertMetrics(CollectorRegistry())
    follower = RuleFollower(
        AlertStore(clerk), records, DetectionParameters(), metrics, trail, sealed=Pulse(), raised=Pulse(), clock=lambda: now
    )
    store = ErasureStore(reading, clerk, RING)
    try:
        await database.append([*entries[:6], sign_in("NZ")])
        await seal(database)
        assert await follower.step()
        person = await store.person(SomeSubject(sub, ()))
        assert person is not None
        await store.close_keys(person)
        plan = await store.plan(person)
        done = await store.erase(uuid7(), person, plan.leaves, typed=[], reason="asked for it", by="somebody")
        assert (done.verdict, done.entry_count) == ("erased", 2)
        await database.append([*entries[6:], sign_in("DE")])
        await seal(database)
        assert await follower.step()
    finally:
        await trail.close()
        await reading.close()
        await clerk.close()

    rows = await database.fetch("SELECT rule, event_count, event_ids::text[], ips FROM audit.alerts JOIN audit.alert_people"
                                " USING (alert_id)")  # fmt: skip
    assert [tuple(row)[:2] for row in rows] == [("credential_stuffing", 9)]
    assert (len(rows[0]["event_ids"]), json.loads(entries[3])["event_id"] in rows[0]["event_ids"]) == (9, False)
    assert (len(rows[0]["ips"]), gone in rows[0]["ips"]) == (9, False)


OLD_TITLES = {
    "refresh_reuse": ("The refresh token of session abc was used twice", "A refresh token was used twice"),
    "credential_stuffing": (
        "12 people failed to sign in from 203.0.113.0/24",
        "12 people failed to sign in from one network",
    ),
    "identifier_spray": (
        "60 identifiers were tried from 203.0.113.9, 3 of them unknown",
        "60 identifiers were tried from one network, 3 of them unknown",
    ),
    "mfa_fatigue": ("One person was asked 9 times from habit", "One person was asked 9 times from habit"),
}


async def test_titles_of_older_alerts_forget_whom_they_named(postgres_server: PostgresServer) -> None:
    """
    Titles from before an erasure could reach what they said lose the session or network when the database is migrated; the
    others stay, and nobody may change one afterwards.
    """
    database = await postgres_server.create_database()
    await migrate(database.owner_url, released_migrations()[:8])
    for rule, (before, _) in OLD_TITLES.items():
        await database.fetch(
            "INSERT INTO audit.alerts (alert_id, rule, rule_version, severity, title, first_leaf, last_leaf, first_seen,"
            " last_seen, event_ids, event_count, data, is_replayed)"
            " VALUES (gen_random_uuid(), $1, 1, 'low', $2, 0, 1, now(), now(), '{}', 1, '{}', true)",
            *(rule, before),
            role="countersign_clerk",
        )
    await migrate(database.owner_url)

    rows = await database.fetch("SELECT rule, title FROM audit.alerts")
    assert {row["rule"]: row["title"] for row in rows} == {rule: after for rule, (_, after) in OLD_TITLES.items()}
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.fetch("UPDATE audit.alerts SET title = ''", role="countersign_owner")


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/alerts", [("state", "ajar")]),
        ("/v1/alerts", [("colour", "red")]),
        ("/v1/alerts", [("cursor", "-1")]),
        ("/v1/detections", [("limit", "1")]),
    ],
)
def test_questions_are_strict(path: str, params: list[tuple[str, str]]) -> None:
    """A parameter that is wrong or not known is named, not ignored."""
    with pytest.raises(InvalidRequest) as caught:
        parse_alerts(params) if path == "/v1/alerts" else parse_nothing(params)

    assert [error["field"] for error in caught.value.extensions["errors"]] == [params[0][0]]
