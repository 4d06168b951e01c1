"""Completeness: whatever is killed, dropped, doubled or mixed up on the way, the report names exactly what is missing."""

import json
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.audit.storage.database import open_pool
from services.audit.storage.producers import ProducerReader
from services.audit.watch import GapMetrics, GapWatch
from shared.events import EventType, Producer
from tests.integration.audit.commands import Person
from tests.integration.audit.lab import Author, Database, QueuePair, seal, until
from tests.integration.audit.service import Service, running_service


@pytest.fixture
async def service(queue: QueuePair, database: Database, tmp_path: Path) -> AsyncIterator[Service]:
    """A whole service."""
    async with running_service(tmp_path / "service", queue, database) as running:
        yield running


async def report(running: Service, **params: str) -> dict[str, Any]:
    """Return the completeness report."""
    answer = await running.get("/v1/completeness", params=params)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
    return found


async def report_of(service: Service, author: Author) -> dict[str, Any]:
    """Return what the report says of one producer."""
    [producer] = (await report(service, instance=author.instance))["producers"]
    found: dict[str, Any] = producer
    return found


def missing_numbers(producer: dict[str, Any]) -> list[int]:
    """Return the numbers that a report names as missing."""
    return [seq for gap in producer["open_gaps"] for seq in range(gap["first_seq"], gap["last_seq"] + 1)]


async def sealed(database: Database, authors: list[Author], entries: list[bytes]) -> None:
    """Return once all these entries are sealed."""
    instances = [author.instance for author in authors]
    sql = "SELECT coalesce(sum(entry_count), 0)::int AS count FROM audit.producers WHERE instance = ANY ($1::text[]::uuid[])"

    async def all_there() -> bool:
        return bool((await database.fetch(sql, instances))[0]["count"] == len(entries))

    await until(all_there, "all entries")


async def test_dropped_doubled_and_mixed_up(service: Service, queue: QueuePair, database: Database) -> None:
    """
    Of producers whose events come in any order, some twice and some never, the report names exactly those that never came.
    """
    source = random.Random(3)
    authors = [Author(service=name) for name in ("gateway", "gateway", "challenge")]
    dropped: dict[str, list[int]] = {}
    arriving: list[bytes] = []
    for author in authors:
        entries = author.entries(120)
        lost = sorted(source.sample(range(119), 9))  # The last one is not missed: nobody knows of it.
        dropped[author.instance] = lost
        arriving += [entry for number, entry in enumerate(entries) if number not in lost]
    copies = arriving + source.sample(arriving, 80)
    source.shuffle(copies)
    await queue.send_many([copies[start : start + 7] for start in range(0, len(copies), 7)])
    await sealed(database, authors, arriving)

    whole = await report(service)
    found = {producer["instance"]: producer for producer in whole["producers"]}
    for author in authors:
        producer = found[author.instance]
        assert missing_numbers(producer) == dropped[author.instance]
        assert (producer["service"], producer["last_seq"]) == (author.service, 119)
        assert (producer["entries"], producer["missing"], producer["repeated"]) == (111, 9, 0)
        for gap in producer["open_gaps"]:
            behind = json.loads(json.dumps((await service.get(f"/v1/events/{gap['next_event_id']}")).json()))
            assert behind["event"]["producer"]["seq"] == gap["last_seq"] + 1
    assert (whole["complete"], whole["missing"]) == (False, 27)
    assert whole["sealed"]["tree_size"] >= len(arriving)


async def test_a_late_event_closes_its_gap(service: Service, queue: QueuePair, database: Database, author: Author) -> None:
    """
    A gap that is filled from its middle becomes two, as old as the one was; when all are in, there is none.
    """
    entries = author.entries(10)
    await queue.send(*entries[:2], *entries[7:])
    await sealed(database, [author], entries[:5])
    [whole] = (await report_of(service, author))["open_gaps"]
    assert (whole["first_seq"], whole["last_seq"], whole["count"]) == (2, 6, 5)

    await queue.send(entries[4])
    await sealed(database, [author], entries[:6])
    parts = (await report_of(service, author))["open_gaps"]
    assert [(gap["first_seq"], gap["last_seq"]) for gap in parts] == [(2, 3), (5, 6)]
    assert {gap["noticed_at"] for gap in parts} == {whole["noticed_at"]}

    await queue.send(*entries[2:4], *entries[5:7])
    await sealed(database, [author], entries)
    assert (await report_of(service, author))["open_gaps"] == []
    rows = await database.fetch("SELECT 1 FROM audit.gap_edges WHERE instance = $1", author.instance)
    assert rows == []


async def test_quarantine_explains(service: Service, queue: QueuePair, database: Database, author: Author) -> None:
    """
    A line in quarantine whose producer can be read is an explained gap, with its place and reason; one whose producer cannot
    be read leaves the gap open.
    """
    before, renamed, broken, after = author.entry(), author.entry(), author.entry(), author.entry()
    await queue.send(
        before, renamed.replace(b'"sign_in.started"', b'"from.the_future"'), broken.replace(b'"producer"', b'"producer'), after
    )
    await sealed(database, [author], [before, after])

    producer = await report_of(service, author)
    assert missing_numbers(producer) == [2]
    [explained] = producer["explained_gaps"]
    [first, _] = await database.quarantine()
    assert (explained["first_seq"], explained["last_seq"], explained["reason"]) == (1, 1, "not_an_event")
    assert explained["quarantine_id"] == first["quarantine_id"]


async def test_a_number_used_twice(service: Service, queue: QueuePair, database: Database, author: Author) -> None:
    """
    Two events that bear one number are both kept, and counted as a fault of their producer.
    """
    first = author.entry()
    author.seq = 0
    second = author.entry()
    await queue.send(first, second)
    await sealed(database, [author], [first, second])

    producer = await report_of(service, author)
    assert (producer["entries"], producer["repeated"], producer["missing"]) == (2, 1, 0)


async def test_states(service: Service, queue: QueuePair, database: Database) -> None:
    """
    A producer that said good-bye is stopped, one that was heard of lately runs, one that fell silent is unfinished; silence is
    no gap.
    """
    stopped, running, silent = Author(), Author(), Author()
    entries = [stopped.entry(), stopped.entry(event_type=EventType.SERVICE_STOPPED), running.entry(), silent.entry()]
    await queue.send(*entries)
    await sealed(database, [stopped, running, silent], entries)
    async with database.tampering() as connection:
        sql = "UPDATE audit.producers SET last_recorded_at = now() - interval '1 hour' WHERE instance = $1"
        await connection.execute(sql, silent.instance)

    found = {producer["instance"]: producer for producer in (await report(service))["producers"]}
    states = [found[author.instance]["status"] for author in (stopped, running, silent)]
    assert states == ["stopped", "running", "unfinished"]
    assert (await report(service, service="gateway"))["complete"]  # Of the service's own, one may be on its way.
    recent = (datetime.now(UTC) - timedelta(minutes=30)).isoformat()
    assert silent.instance not in {one["instance"] for one in (await report(service, **{"from": recent}))["producers"]}


async def test_the_service_numbers_its_own(service: Service) -> None:
    """
    The audit service is a producer like any other: its own events are in the report, complete.
    """

    async def is_there() -> bool:
        found = await report(service, service="audit")
        return bool(found["producers"]) and found["complete"]

    # Each report is itself an event, which the next one may find on its way.
    await until(is_there, "own events, none missing")


async def test_the_alarm(database: Database, author: Author) -> None:
    """
    A gap that is older than a minute raises the metrics; a younger one does not, and a filled one lowers them.
    """
    entries = author.entries(6)
    await database.append([*entries[:2], *entries[4:]])
    await seal(database)
    pool = await open_pool(database.reader_url, name="test", connections_max=1)
    registry = CollectorRegistry()
    watch = GapWatch(ProducerReader(pool), GapMetrics(registry))
    now = datetime.now(UTC)

    async def shown(moment: datetime) -> tuple[float | None, float | None]:
        await watch.look(moment)
        return tuple(registry.get_sample_value(name) for name in ("audit_missing_events", "audit_gap_oldest_seconds"))  # type: ignore[return-value]

    try:
        assert await shown(now) == (0, 0)
        missing, oldest = await shown(now + timedelta(seconds=90))
        assert missing == 2
        assert oldest == pytest.approx(90, abs=30)
        await database.append(entries[2:4])
        await seal(database)
        assert await shown(now + timedelta(seconds=90)) == (0, 0)
    finally:
        await pool.close()


async def test_the_sum_has_no_end(service: Service, database: Database) -> None:
    """
    The list shows ten thousand producers; what is missing of one behind them is counted all the same.
    """
    producers = """
    INSERT INTO audit.producers (instance, service, seqs, entry_count, first_recorded_at, last_recorded_at)
    SELECT gen_random_uuid(), 'old', int8multirange(int8range(first, 5)), 5 - first, at, at
    FROM generate_series(0, 10000) AS n, LATERAL (
        SELECT timestamptz '2026-01-01' + n * interval '1 second', CASE n WHEN 0 THEN 3 ELSE 0 END
    ) AS one (at, first)
    """
    await database.fetch(producers, role="countersign_owner")

    report = (await service.get("/v1/completeness", params={"service": "old"})).json()

    assert (len(report["producers"]), report["missing"], report["complete"]) == (10_000, 3, False)


async def test_refuses_what_makes_no_sense(service: Service) -> None:
    """
    Parameters that do not exist or do not fit are refused by name.
    """
    for params in ({"instance": "x"}, {"from": "yesterday"}, {"incomplete": "maybe"}, {"limit": "5"}):
        answer = await service.get("/v1/completeness", params=params)
        assert answer.status == 400
        assert [error["field"] for error in answer.json()["errors"]] == list(params)


async def test_the_command(
    service: Service,
    queue: QueuePair,
    database: Database,
    author: Author,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    The command names every missing event and ends with exit code 1; when none is missing it says so.
    """
    person = Person(capsys, monkeypatch)
    person.knows(service)
    odd = Author("[/oops]\x1b[2J")
    strange = odd.entries(2)
    await queue.send(strange[1])
    await sealed(database, [odd], strange[1:])
    said = await person.runs("completeness")
    assert (said.code, "[/oops]" in said.out, "\x1b" in said.out) == (1, True, False), said
    await queue.send(strange[0])
    await sealed(database, [odd], strange)
    entries = author.entries(6)
    await queue.send(entries[0], entries[2], entries[5])
    await sealed(database, [author], entries[:3])

    said = await person.runs("completeness")
    assert said.code == 1
    assert f"gateway {author.instance} number 1," in said.out
    assert f"gateway {author.instance} number 3 to 4," in said.out
    assert "3 events are missing" in said.err
    assert (await person.runs("completeness", "--instance", author.instance, "--json")).json()["missing"] == 3

    await queue.send(entries[1], *entries[3:5])
    await sealed(database, [author], entries)
    said = await person.runs("completeness", "--service", "gateway", "--from", "1h")
    assert (said.code, said.err) == (0, "")
    assert "No event is missing." in said.out


def test_producers_are_told_apart_by_process() -> None:
    """
    Two starts of one service are two producers: each counts from 0.
    """
    first, second = Author(), Author()
    assert first.instance != second.instance
    producers = [Producer(**json.loads(author.entry())["producer"]) for author in (first, second)]
    assert [producer.seq for producer in producers] == [0, 0]
