"""Erasures and other changes when something else fails or takes long: a process dies, the queue refuses, a lock is held."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.audit.erasure.closer import ErasureCloser
from services.audit.erasure.subject import Subject as SomeSubject
from services.audit.storage.database import DatabaseUnavailable, open_pool
from services.audit.storage.erasing import ErasureStore
from shared.audit_trail import AuditTrail
from shared.events import Subject
from shared.ids import uuid7
from tests.integration.audit.consistency import assert_log_consistent
from tests.integration.audit.lab import RING, Author, Database, QueuePair, until
from tests.integration.audit.service import Service, running_service
from tests.integration.audit.test_erasure import ADD_OLD_ALERT, erase, sub_of

# Short, since two statements wait for as long; long enough for what waits for nobody on a busy machine.
SECONDS_MAX = 2.5


@pytest.fixture
async def store(database: Database) -> AsyncIterator[ErasureStore]:
    """The database's side of erasures; no statement may run for longer than `SECONDS_MAX` unless it has a limit of its own."""
    reading = await open_pool(database.reader_url, name="test", connections_max=1, seconds_max=SECONDS_MAX)
    clerk = await open_pool(database.clerk_url, name="test", connections_max=1, seconds_max=SECONDS_MAX)
    yield ErasureStore(reading, clerk, RING)
    await reading.close()
    await clerk.close()


@pytest.fixture
async def service(queue: QueuePair, database: Database, tmp_path: Path) -> AsyncIterator[Service]:
    """A service that does everything, and leaves a log in which everything fits."""
    async with running_service(tmp_path / "service", queue, database) as running:
        yield running
    assert await assert_log_consistent(database)


async def test_an_erasure_waits_for_its_turn(store: ErasureStore, database: Database, author: Author) -> None:
    """
    An erasure and the closing of keys wait for whoever appends for longer than other statements may run; a hold that gets no
    turn in time, or that cannot be released, is a database that is not available, never a question that is too broad.
    """
    await database.append([author.entry(subject=Subject(sub=sub_of(1)))])
    subject = SomeSubject(sub_of(1), ())
    appending = await asyncpg.connect(database.writer_url)
    try:
        person = await store.person(subject)
        assert person is not None
        hold = await store.place(uuid7(), subject, reason="a case", by="somebody")
        async with appending.transaction():
            await appending.execute("SELECT pg_advisory_xact_lock(hashtextextended('countersign.audit.erasure', 0))")
            with pytest.raises(DatabaseUnavailable):
                await store.place(uuid7(), subject, reason="a case", by="somebody")
            closing = asyncio.create_task(store.close_keys(person))
            await asyncio.sleep(SECONDS_MAX + 0.5)
            assert not closing.done()
        await closing
        async with database.tampering() as connection, connection.transaction():
            await connection.execute("LOCK TABLE audit.holds")
            with pytest.raises(DatabaseUnavailable):
                await store.release(hold.hold_id, by="somebody")
        assert (await store.erase(uuid7(), person, [], typed=[], reason="", by="somebody")).verdict == "legal_hold"
    finally:
        await appending.close()


async def test_a_closing_event_that_was_lost(
    service: Service, store: ErasureStore, database: Database, author: Author, queue: QueuePair
) -> None:
    """
    An erasure whose process died after the commit is closed by whoever looks, in the name of who asked; one that the log tells
    of is not told of again.
    """

    async def send(body: str) -> None:
        await queue.client.send_message(QueueUrl=queue.url, MessageBody=body)

    async def told() -> list[dict[str, Any]]:
        return await service.events(("type", "audit.subject.erased"), ("order", "asc"))

    async def both_are_told() -> bool:
        return len(await told()) == 2

    await database.append([author.entry(subject=Subject(sub=sub_of(number))) for number in (1, 2)])
    await erase(service, sub_of(2))
    await until(told, "closing event")
    trail = AuditTrail(send, "audit")
    try:
        person = await store.person(SomeSubject(sub_of(1), ()))
        assert person is not None
        await store.close_keys(person)
        leaves = (await store.plan(person)).leaves
        done = await store.erase(uuid7(), person, leaves, typed=[], reason="asked for it", by="service:nightly")
        assert (done.verdict, (await erase(service, sub_of(1)))["code"]) == ("erased", "nothing_found")
        await ErasureCloser(store, trail).look()
        closer = ErasureCloser(store, trail, timedelta())
        await closer.look()
        await closer.look()
        await until(both_are_told, "the closing event of the other one")
        await ErasureCloser(store, trail, timedelta()).look()
        assert await store.unclosed(timedelta()) == []
    finally:
        await trail.close()
    await until(queue.is_empty, "empty queue")
    _, event = await told()
    assert (event["actor"], event["data"]["subject_ref"]) == ({"kind": "service", "id": "nightly"}, person.reference.hex())
    assert (event["data"]["entries"], event["data"]["key_ids"]) == (1, [str(key_id) for key_id in done.key_ids])


async def test_no_hold_changes_unrecorded(database: Database, queue: QueuePair, tmp_path: Path) -> None:
    """
    While the queue refuses events no hold is placed and none is released: each would be recorded as pending before.
    """
    hold_id = uuid7()
    sql = "INSERT INTO audit.holds (hold_id, subject_sub, email_hashes, reason, created_by) VALUES ($1, $2, '{}', 'case', 'x')"
    await database.fetch(sql, hold_id, sub_of(1), role="countersign_clerk")
    gone = queue.url.replace("audit-", "gone-")
    async with running_service(tmp_path, queue, database, audit_queue_url=gone, receivers=0) as service:
        answers = [
            await service.send("POST", "/v1/holds", {"subject": sub_of(2), "reason": "a case"}),
            await service.send("DELETE", f"/v1/holds/{hold_id}"),
        ]

    assert {(answer.status, answer.json()["code"]) for answer in answers} == {(503, "audit_unavailable")}
    rows = await database.fetch("SELECT hold_id, released_at FROM audit.holds")
    assert [tuple(row) for row in rows] == [(hold_id, None)]


async def test_no_kept_search_changes_unrecorded(database: Database, queue: QueuePair, tmp_path: Path) -> None:
    """
    While the queue refuses events no search is kept, changed or removed: each would be recorded as pending before.
    """
    search_id = uuid7()
    sql = """
    INSERT INTO audit.saved_searches (search_id, owner_kind, owner_id, name, params, is_shared)
    VALUES ($1, 'service', 'nightly-export', 'mine', '{"q": "x"}', false)
    """
    await database.fetch(sql, search_id, role="countersign_clerk")
    other = {"name": "another", "params": {"q": "y"}}
    gone = queue.url.replace("audit-", "gone-")
    async with running_service(tmp_path, queue, database, audit_queue_url=gone, receivers=0) as service:
        answers = [
            await service.send("POST", "/v1/searches", other),
            await service.send("PUT", f"/v1/searches/{search_id}", other),
            await service.send("DELETE", f"/v1/searches/{search_id}"),
        ]

    assert {(answer.status, answer.json()["code"]) for answer in answers} == {(503, "audit_unavailable")}
    rows = await database.fetch("SELECT search_id, name FROM audit.saved_searches", role="countersign_clerk")
    assert [tuple(row) for row in rows] == [(search_id, "mine")]


async def test_nothing_else_changes_unrecorded(database: Database, queue: QueuePair, author: Author, tmp_path: Path) -> None:
    """
    While the queue refuses events no alert is closed, no export made, no range looked at again and no line repaired.
    """
    await database.fetch(ADD_OLD_ALERT, "something", role="countersign_clerk")
    [alert] = await database.fetch("SELECT alert_id FROM audit.alerts")
    [line] = await database.fetch(
        "INSERT INTO audit.quarantine (message_id, line_no, bytes, sha256, reason, detail) "
        "VALUES ('m', 1, 'x', sha256('x'), 'not_json', 'none') RETURNING quarantine_id",
        role="countersign_writer",
    )
    bodies: dict[str, dict[str, Any]] = {
        f"/v1/alerts/{alert['alert_id']}/close": {"note": "a test"},
        "/v1/exports": {"format": "ndjson"},
        "/v1/detections/replay": {"from_leaf": 0, "to_leaf": 1},
        f"/v1/quarantine/{line['quarantine_id']}/repair": {"entry": author.entry().decode()},
    }
    gone = queue.url.replace("audit-", "gone-")
    async with running_service(tmp_path, queue, database, audit_queue_url=gone, receivers=0) as service:
        answers = [(await service.send("POST", path, body)).json() for path, body in bodies.items()]

    assert {(answer["status"], answer["code"], answer["title"]) for answer in answers} == {
        (503, "audit_unavailable", "Changes are paused")
    }
    tables = ("alert_states", "exports", "detection_runs", "quarantine_repairs")
    left = {table: await database.fetch(f"SELECT 1 FROM audit.{table}", role="countersign_clerk") for table in tables}
    assert not any(left.values())
