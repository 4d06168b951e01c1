"""The check from within: whatever the owner of the database changes beside the entries is named."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest

from services.audit.__main__ import main
from services.audit.checking.entry import COLUMNS
from shared.events import Client, EventType, Subject
from tests.integration.audit.consistency import findings
from tests.integration.audit.lab import (
    TEMPLATE,
    Author,
    AwsServer,
    Database,
    PostgresServer,
    QueuePair,
    queue_pair,
    until,
)
from tests.integration.audit.service import Service, running_service
from tests.integration.audit.stories import ADA, BOB, story

ERASED, HELD, FREED = (f"3f2b0c9a-0000-4000-8000-0000000000{number}" for number in ("e1", "d1", "f1"))
DAY: Final = {"day": "2026-11-01", "manifest_sha256": "ab" * 32}
ADD_DAY = """
INSERT INTO audit.archived_days (day, first_leaf, end_leaf, bucket, manifest_key, manifest_version, manifest_sha256,
    object_count, byte_count, lock_mode, lock_until)
VALUES ('2026-11-01', 0, 1, 'b', 'k', 'v', decode(repeat('ab', 32), 'hex'), 1, 1, 'COMPLIANCE', now())
"""
ADD_ALERT = """
INSERT INTO audit.alerts (alert_id, rule, rule_version, severity, title, first_leaf, last_leaf, first_seen, last_seen,
    event_ids, event_count, data, is_replayed)
VALUES (gen_random_uuid(), 'r', 1, 'low', 'something', 0, 1, now(), now(), '{}', 1, '{}', true)
"""


def odd(author: Author) -> list[bytes]:
    """Events whose values the database keeps in another form than they came in."""
    numbers = {"big": 1e23, "long": 2**60 + 1, "small": 1.5e-7, "zero": -0.0, "text": 'ä"\\ \u2028', "list": [1, None, True]}
    return [
        author.entry(data=numbers, client=Client(ip="2001:DB8:0:0::00FF", user_agent="")),
        author.entry(data={"nul": "a\0b"}, client=Client(ip="::ffff:192.0.2.1", user_agent="Agent\0" + "x" * 400), reason=""),
        author.entry(data={"long": "x" * 5000}, client=Client(ip="not an address", user_agent="Ä")),
    ]


async def make_log(service: Service, database: Database, queue: QueuePair) -> None:
    """Fill a log by way of the queue: people, an erasure, holds, alerts, quarantine, an archived day, reads."""
    author, audit = Author(), Author("audit")
    await queue.send(*odd(author), *story(author).values())
    await queue.send(*(entry for sub in (ERASED, HELD, FREED) for entry in author.entries(3, subject=Subject(sub=sub))))
    await queue.send(audit.entry(event_type=EventType.AUDIT_ARCHIVE_WRITTEN, data=DAY))
    await queue.send(b"no event")
    await queue.send(b"no event either")
    await database.wait_for_seal(author.seq + 1)
    await database.fetch(ADD_DAY, role="countersign_clerk")
    for _ in range(2):
        await database.fetch(ADD_ALERT, role="countersign_clerk")
    for sub in (HELD, FREED):
        assert (await service.send("POST", "/v1/holds", {"subject": sub, "reason": "case"})).status == 201
    freed = (await service.get("/v1/holds")).json()["holds"][0]["id"]
    assert (await service.send("DELETE", f"/v1/holds/{freed}")).status == 200
    assert (await service.send("POST", "/v1/erasures", {"subject": ERASED, "reason": "asked"})).status == 201
    assert await service.events(("subject", ADA))
    alert = (await service.get("/v1/alerts")).json()["alerts"][0]["id"]
    assert (await service.send("POST", f"/v1/alerts/{alert}/close", {"note": "seen"})).status == 200
    await until(database.quarantine, "the lines that are no events")
    line, repaired = (await database.quarantine())[0]["quarantine_id"], {"entry": author.entry().decode()}
    assert (await service.send("POST", f"/v1/quarantine/{line}/repair", repaired)).status == 200
    await until(lambda: is_counted(database), "the events of all that, sealed and counted")


async def is_counted(database: Database) -> bool:
    """Say whether all that was done is in the log and in the counts."""
    [row] = await database.fetch("""
        SELECT (SELECT leaf_count FROM audit.counted) = (SELECT max(tree_size) FROM audit.seals)
            AND (SELECT count(*) FROM audit.entries) = (SELECT count(*) FROM audit.leaves)
            AND (SELECT count(*) FROM audit.entry_search WHERE event_type = 'audit.alert.raised') = 2
            AND (SELECT count(*) FROM audit.quarantine) = 2
            AND EXISTS (SELECT FROM audit.entry_search WHERE event_type = 'audit.alert.closed')
            AND EXISTS (SELECT FROM audit.entry_search WHERE event_type = 'audit.quarantine.repaired')
            AND EXISTS (SELECT FROM audit.entry_search WHERE event_type = 'audit.subject.erased')
            AND EXISTS (SELECT FROM audit.entry_search WHERE subject_refs IS NOT NULL) AS is_done
    """)
    return bool(row["is_done"])


@pytest.fixture(scope="module")
def made(postgres_server: PostgresServer, aws_server: AwsServer, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A database with a log that a service made, at rest: the attacks are made on copies of it."""

    async def make() -> Database:
        database = await postgres_server.create_database(template=TEMPLATE)
        async with queue_pair(aws_server) as queue, running_service(tmp_path_factory.mktemp("service"), queue, database) as one:
            await make_log(one, database, queue)
        return database

    return asyncio.run(make())


@pytest.fixture
async def copy(made: Database) -> Database:
    """A copy of that database, of this test's own."""
    return await made.server.create_database(template=made.name)


async def test_what_the_service_made_fits(copy: Database) -> None:
    """
    A log that only the service has written passes, with what was erased, placed, released, closed and archived.
    """
    assert await findings(copy) == []


OTHER_VALUES: Final = {
    **dict.fromkeys(COLUMNS, "'other'"),
    "occurred_at": "occurred_at + interval '1 day'",
    "outcome": "CASE outcome WHEN 'denied' THEN 'error' ELSE 'denied' END",
    "instance": f"'{uuid4()}'",
    "seq": "seq + 1",
    "email_hash": "sha256('x')",
    "ip": "inet '203.0.113.9'",
    "status": "599",
    "data": "'{\"try\": 3}'",
    "subject_refs": "ARRAY['\\x00'::bytea]",
    "words_id": f"'{uuid4()}'",
}


ALWAYS_THERE: Final = {"occurred_at", "event_type", "outcome", "service", "instance", "seq"}
ENTRY_WITH: Final = """
SELECT s.event_id FROM audit.entry_search AS s JOIN audit.entries USING (event_id)
LEFT JOIN audit.subject_keys AS k USING (key_id) WHERE s.{} IS NOT NULL AND k.destroyed_at IS NULL LIMIT 1
"""


@pytest.mark.parametrize(
    "others", [OTHER_VALUES, dict.fromkeys(OTHER_VALUES.keys() - ALWAYS_THERE, "NULL")], ids=["other", "none"]
)
async def test_each_column_that_is_searched_is_compared(copy: Database, others: dict[str, str]) -> None:
    """
    Whichever column of a search row says something else than its entry, or nothing any more, entry and column are named.
    """
    sql = "SELECT attname FROM pg_attribute WHERE attrelid = 'audit.entry_search'::regclass AND attnum > 0 AND NOT attisdropped"
    assert {row["attname"] for row in await copy.fetch(sql)} == {"event_id", *OTHER_VALUES}
    async with copy.tampering() as connection:
        changed = {column: await connection.fetchval(ENTRY_WITH.format(column)) for column in others}
        for column, value in others.items():
            await connection.execute(f"UPDATE audit.entry_search SET {column} = {value} WHERE event_id = $1", changed[column])

    named = [one.partition(": searches are told something else: ") for one in await findings(copy)]

    assert {(place, column) for place, _, columns in named if columns for column in columns.split(", ")} == {
        (f"entry {event_id}", column) for column, event_id in changed.items()
    }


# $1 is an entry about Ada, $2 one about Bob, both sealed.
ATTACKS: Final = {
    "search row removed": ("DELETE FROM audit.entry_search WHERE event_id = $1", "entry {0}: no search finds it"),
    "search row without an entry": (
        "INSERT INTO audit.entry_search SELECT (jsonb_populate_record(s, jsonb_build_object('event_id', gen_random_uuid()))).* "
        "FROM audit.entry_search AS s WHERE event_id = $1",
        "searches and counts know it, and there is no entry",
    ),
    "text removed": (
        "DELETE FROM audit.known_words WHERE words_id = (SELECT words_id FROM audit.entry_search WHERE event_id = $1)",
        "entry {0}: free text does not find it",
    ),
    "text changed": (
        "UPDATE audit.known_words SET words = 'x' "
        "WHERE words_id = (SELECT words_id FROM audit.entry_search WHERE event_id = $1)",
        "entry {0}: free text does not find it",
    ),
    "rows hidden from those who search": (
        f"ALTER TABLE audit.entry_search ENABLE ROW LEVEL SECURITY; CREATE POLICY hidden ON audit.entry_search "
        f"USING (subject_sub IS DISTINCT FROM '{ADA}')",
        "entry {0}: no search finds it",
    ),
    "entry and all that stands beside it removed": (
        "DELETE FROM audit.entries WHERE event_id = $1; DELETE FROM audit.entry_search WHERE event_id = $1; "
        "DELETE FROM audit.leaves WHERE event_id = $1",
        "log: 1 sealed entries are not there",
    ),
    "time of a checkpoint": (
        "UPDATE audit.seals SET sealed_at = '2026-10-30' "
        "WHERE tree_size > (SELECT leaf_index FROM audit.leaves WHERE event_id = $1)",
        "entry {0}: searches in the order of the log pass it by",
    ),
    "place without an entry": (
        "INSERT INTO audit.leaves (event_id, leaf_index) VALUES (gen_random_uuid(), 3)",
        "leaf 3 names it, and there is no entry",
    ),
    "places swapped": (
        "UPDATE audit.leaves SET leaf_index = "
        "(SELECT sum(leaf_index) FROM audit.leaves WHERE event_id IN ($1, $2)) - leaf_index WHERE event_id IN ($1, $2)",
        "entry {1}: leaf ",
    ),
    "bytes and hash of another entry": (
        "UPDATE audit.entries SET (entry, leaf_hash, key_id) = "
        "(SELECT entry, leaf_hash, key_id FROM audit.entries WHERE event_id = $2) WHERE event_id = $1",
        "entry {0}: its bytes do not open with its key",
    ),
    "hash": ("UPDATE audit.entries SET leaf_hash = sha256('x') WHERE event_id = $1", "entry {0}: its bytes are not those of"),
    "what was erased, filled again": (
        f"UPDATE audit.entry_search SET subject_sub = '{BOB}' WHERE event_type = 'sign_in.started' AND words_id IS NULL",
        "what was erased can still be searched: subject_sub",
    ),
    "key given to somebody else": (
        "UPDATE audit.subject_keys SET owner = sha256('x') "
        "WHERE key_id = (SELECT key_id FROM audit.entries WHERE event_id = $1)",
        "entry {0}: it is not kept under a key of whom it is about",
    ),
    "entry kept under nobody's key": (
        "UPDATE audit.entries SET key_id = NULL WHERE event_id = $1",
        "entry {0}: its bytes cannot be read as an event",
    ),
    "key of the owners": (
        "UPDATE audit.subject_keys SET wrapped_key = substr(sha256('x') || sha256('y'), 1, 60) "
        "WHERE owner = decode(repeat('00', 32), 'hex')",
        "subject_keys: owners of keys cannot be told",
    ),
    "key destroyed": (
        "UPDATE audit.subject_keys SET destroyed_at = now(), wrapped_key = NULL "
        "WHERE key_id = (SELECT key_id FROM audit.entries WHERE event_id = $1)",
        "is destroyed, and by no erasure",
    ),
    "count raised": (
        "UPDATE audit.hourly_counts SET entry_count = entry_count + 1 WHERE outcome = 'failure'",
        "counts by event_type and outcome of 2026-11-01 00:00: ",
    ),
    "count removed": (
        "DELETE FROM audit.hourly_words WHERE dimension = 'country' AND word = 'DE'",
        "counts by country of 2026-11-01 00:00: DE: 0, and the log holds ",
    ),
    "count moved to another word": (
        "UPDATE audit.hourly_words SET word = 'curious' WHERE dimension = 'service' AND word = 'gateway'",
        "counts by service of 2026-11-01 00:00: gateway: 0",
    ),
    "leaves said to be counted": ("UPDATE audit.counted SET leaf_count = leaf_count + 9", "counts by method: hold "),
    "hold released": (
        "UPDATE audit.holds SET released_at = now(), released_by = 'x' WHERE released_at IS NULL",
        "hold released {2}: stands in the database, and no event of the log says so",
    ),
    "hold removed": ("DELETE FROM audit.holds WHERE hold_id = $3", "hold placed {2}: stands in the log, and no more"),
    "hold placed again": (
        "UPDATE audit.holds SET released_at = NULL, released_by = NULL",
        "stands in the log, and no more, or otherwise, in the database",
    ),
    "alerts removed": ("DELETE FROM audit.alerts", "stands in the log, and no more"),
    "alerts closed": (
        "INSERT INTO audit.alert_states (alert_id, state, note, by_kind, by_id) "
        "SELECT alert_id, 'closed', '', 'user', 'x' FROM audit.alerts",
        "stands in the database, and no event of the log says so",
    ),
    "line said to be repaired": (
        "INSERT INTO audit.quarantine_repairs (quarantine_id, event_id, leaf_hash, by_kind, by_id) "
        "SELECT max(quarantine_id), $1, sha256('x'), 'user', 'x' FROM audit.quarantine",
        " {0}: stands in the database, and no event of the log says so",
    ),
    "erasure removed": ("DELETE FROM audit.erasures", "erasure "),
    "manifest of an archived day": (
        "UPDATE audit.archived_days SET manifest_sha256 = sha256('x')",
        f"day archived 2026-11-01 {'ab' * 32}: stands in the log",
    ),
    "month said to be dropped": (
        "INSERT INTO audit.retention_statements (month, leaves, entry_count, note, archive_key) "
        "VALUES ('2026-09-01', '{[0,1)}', 1, '', '')",
        "month dropped 2026-09: stands in the database",
    ),
}


@pytest.mark.parametrize(("statements", "said"), ATTACKS.values(), ids=ATTACKS.keys())
async def test_what_the_owner_changes_is_named(copy: Database, statements: str, said: str) -> None:
    """
    Triggers off, one change beside the entries: the check names it.
    """
    async with copy.tampering() as connection:
        names = [
            str(await connection.fetchval(sql, *values))
            for sql, *values in (
                ("SELECT event_id FROM audit.entry_search WHERE subject_sub = $1 ORDER BY 1 LIMIT 1", ADA),
                ("SELECT event_id FROM audit.entry_search WHERE subject_sub = $1 ORDER BY 1 LIMIT 1", BOB),
                ("SELECT hold_id FROM audit.holds WHERE released_at IS NULL",),
            )
        ]
        for number, name in enumerate(names, 1):
            statements = statements.replace(f"${number}", f"'{name}'")
        await connection.execute(statements)

    found = await findings(copy)

    assert any(said.format(*names) in one for one in found), found


@pytest.mark.parametrize(
    ("place", "said"),
    [(None, "is shown by searches and not sealed"), (2, "leaf 2 was not sealed with its hash")],
    ids=["without a place", "at the place of another"],
)
async def test_an_entry_behind_the_sequencer_is_named(copy: Database, place: int | None, said: str) -> None:
    """
    An entry that is put where no sequencer looks any more, so that searches show it, is named; with a made-up place as well.
    """
    entry = Author().entry()
    await copy.append([entry])
    event_id = json.loads(entry)["event_id"]
    async with copy.tampering() as connection:
        await connection.execute("UPDATE audit.entries SET recorded_xid = '3' WHERE event_id = $1", event_id)
        if place is not None:
            await connection.execute("INSERT INTO audit.leaves (event_id, leaf_index) VALUES ($1, $2)", event_id, place)

    assert f"entry {event_id}: {said}" in await findings(copy, sealed_seconds_max=0)


def run_check(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the operator's command."""
    monkeypatch.setattr(sys, "argv", ["audit", "check", "--settings", str(folder / "audit.toml")])
    main()


async def test_the_command_beside_a_service_at_work(
    queue: QueuePair, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Beside a service that stores, seals, counts, erases and answers the command finds nothing, and says which lines it cannot
    check; after a change it ends with 1 and names the entry, and says nothing of a person.
    """
    author, damaged = Author(), Author()
    async with running_service(tmp_path / "service", queue, database) as service:
        await queue.send(b"no event", damaged.entry().replace(b'"sign_in.started"', b'"sign_in.imagined"'))
        for number in range(6):
            await queue.send_many([author.entries(40, subject=Subject(sub=ERASED if number else HELD)) for _ in range(5)])
            if number == 3:
                assert (await service.send("POST", "/v1/erasures", {"subject": ERASED, "reason": "asked"})).status == 201
            await asyncio.to_thread(run_check, tmp_path / "service", monkeypatch)
            assert "searches, counts and records say what the log says" in capsys.readouterr().out
        await database.wait_for_seal(author.seq)
        await asyncio.to_thread(run_check, tmp_path / "service", monkeypatch)
        said = "cannot be checked: lines in quarantine, 2; 1 of them name no producer, and nothing would miss these\n"
        assert capsys.readouterr().out.endswith(said)
        async with database.tampering() as connection:
            changed = await connection.fetchval(
                "UPDATE audit.entry_search SET subject_sub = $1 WHERE event_id = "
                "(SELECT event_id FROM audit.entry_search WHERE subject_sub = $2 LIMIT 1) RETURNING event_id",
                BOB,
                HELD,
            )
        with pytest.raises(SystemExit) as ended:
            await asyncio.to_thread(run_check, tmp_path / "service", monkeypatch)
    assert f"  entry {changed}: searches are told something else: subject_sub" in str(ended.value)
    assert BOB not in str(ended.value)
    assert HELD not in str(ended.value)
