"""Erasure: what identifies a person is gone, from the files as well, and everything that proves the log stays."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.audit.__main__ import WORKS
from services.audit.storage.keys import JOIN_KEYS, SEALED_COLUMNS, KeyRing
from services.audit.storage.maintain import MaintenanceFailed, compact, rewrap
from services.audit.storage.migrate import migrate, released_migrations
from shared.events import Client, Subject, email_hash
from tests.integration.audit.commands import LOG_KEY, Person
from tests.integration.audit.consistency import assert_log_consistent
from tests.integration.audit.lab import ENTRY_KEY, RING, Author, Database, PostgresServer, QueuePair, until
from tests.integration.audit.service import EMAIL_HASH_KEY, SERVICE_TOKEN, Service, running_service
from tests.integration.audit.test_foreign_tools import node

PEOPLE = 200
ADD_OLD_ALERT = """
INSERT INTO audit.alerts (alert_id, rule, rule_version, severity, title, first_leaf, last_leaf, first_seen, last_seen,
    event_ids, event_count, data, is_replayed)
VALUES (gen_random_uuid(), 'credential_stuffing', 1, 'low', $1, 0, 1, now(), now(), '{}', 1, '{}', true)
"""
ADD_ALERT = """
WITH alert AS (
    INSERT INTO audit.alerts (alert_id, rule, rule_version, severity, title, first_leaf, last_leaf, first_seen, last_seen,
        event_ids, event_count, data, is_replayed)
    VALUES (gen_random_uuid(), 'r', 1, 'low', $1, 0, 1, now(), now(), $5::text[]::uuid[], 1, '{}', true) RETURNING alert_id
)
INSERT INTO audit.alert_people (alert_id, key, subject, ips) SELECT alert_id, $2, $3, $4::text[] FROM alert
"""


def sub_of(number: int) -> str:
    """The account of a person."""
    return f"7e57ab1e-0000-4000-8000-{number:012x}"


def address_of(number: int) -> str:
    """The address of a person."""
    return f"person-{number}@example.test"


def hash_of(number: int) -> str:
    """The keyed hash of a person's address."""
    return email_hash(address_of(number), EMAIL_HASH_KEY.encode())


def ip_of(number: int) -> str:
    """Where a person is: each in a network of their own, and no address is the beginning of another."""
    return f"198.{100 + number // 100}.{100 + number % 100}.77"


def marker_of(number: int) -> str:
    """A user agent that only one person has."""
    return f"Marker/{number:04}.of.one.person"


def story(author: Author, number: int) -> list[bytes]:
    """What happened to a person: before there was an account, and after."""
    client = Client(ip=ip_of(number), user_agent=marker_of(number))
    both = Subject(sub=sub_of(number), email_hash=hash_of(number))
    return [
        author.entry(subject=Subject(email_hash=hash_of(number)), client=client),
        author.entry(subject=both, client=client, data={"marker": marker_of(number)}),
        author.entry(subject=Subject(sub=sub_of(number)), client=client),
    ]


@pytest.fixture
async def service(queue: QueuePair, database: Database, tmp_path: Path) -> AsyncIterator[Service]:
    """A service that does everything, and leaves a log in which everything fits."""
    async with running_service(tmp_path / "service", queue, database) as running:
        yield running
    assert await assert_log_consistent(database)


@pytest.fixture
def person(service: Service, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Person:
    """Somebody at a terminal."""
    monkeypatch.chdir(tmp_path)
    person = Person(capsys, monkeypatch)
    person.knows(service)
    return person


async def erase(service: Service, subject: str) -> dict[str, Any]:
    """Erase somebody and return the answer's body, with its status."""
    answer = await service.send("POST", "/v1/erasures", {"subject": subject, "reason": "asked for it"})
    body: dict[str, Any] = answer.json()
    return {**body, "status": answer.status}


async def files_with(database: Database, needles: list[bytes], folder: str) -> set[str]:
    """Return the files below a folder of the database server that hold any of some bytes."""
    await database.fetch("CHECKPOINT", role="postgres")
    found = set()
    for file in (database.server.postgres.data / folder).rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        if any(needle in content for needle in needles):
            found.add(file.name)
    return found


async def own_files(database: Database) -> str:
    """Return the folder of this very database."""
    rows = await database.fetch("SELECT oid FROM pg_database WHERE datname = $1", database.name)
    return f"base/{rows[0]['oid']}"


def searchable_traces(number: int) -> list[bytes]:
    """Return what identifies a person as a search finds it; an inet is its family, the length of its prefix, its address."""
    octets = bytes(int(part) for part in ip_of(number).split("."))
    marker = marker_of(number).encode()
    return [sub_of(number).encode(), bytes.fromhex(hash_of(number)), b"\x02\x20" + octets, marker, marker.lower()]


def written_traces(number: int) -> list[bytes]:
    """Return what identifies a person as only an entry has it."""
    return [hash_of(number).encode(), ip_of(number).encode()]


@pytest.fixture
async def unrecycled_wal(database: Database) -> AsyncIterator[None]:
    """A server that removes what it does not need of its write-ahead log, instead of keeping the files for later."""
    for change in ("SET wal_recycle = off", "RESET wal_recycle"):
        await database.fetch(f"ALTER SYSTEM {change}", role="postgres")
        await database.fetch("SELECT pg_reload_conf()", role="postgres")
        if change.startswith("SET"):
            yield


@pytest.mark.usefixtures("unrecycled_wal")
async def test_half_of_the_people_are_erased(service: Service, person: Person, database: Database, author: Author) -> None:
    """
    Of 200 people 100 are erased and 5 of those who stay are on hold.

    The held ones refuse; the rest stays as it was; nothing is missing; the whole log verifies, live and as a copy, for our
    verifier and for the foreign one, which say how many entries were erased; one changed byte of any other entry is found; and
    neither the files of the database nor its write-ahead log hold anything of those who were erased.
    """
    entries = {number: story(author, number) for number in range(PEOPLE)}
    await database.append([entry for one in entries.values() for entry in one])
    await database.fetch("ANALYZE", role="postgres")  # The planner's statistics hold values, too.
    await until(lambda: sealed_all(database), "sealed entries")
    gone, held, kept = range(100), range(100, 105), range(105, PEOPLE)
    some, folder = (*gone[:3], *gone[-3:]), await own_files(database)
    searchable = [trace for number in some for trace in searchable_traces(number)]
    written = [trace for number in some for trace in written_traces(number)]
    assert all([await files_with(database, [trace], folder) for trace in searchable])
    assert await files_with(database, written, folder) == set()  # They were never there but encrypted.

    for number in held:
        placed = await service.send("POST", "/v1/holds", {"subject": sub_of(number), "reason": "a case"})
        assert (placed.status, placed.json()["subject"]) == (201, sub_of(number))
    turns = asyncio.Semaphore(8)

    async def one(number: int) -> dict[str, Any]:
        async with turns:
            return await erase(service, sub_of(number) if number % 2 else address_of(number))

    answers = await asyncio.gather(*(one(number) for number in gone))
    assert {(answer["status"], answer["erased_entries"], answer["erased_keys"]) for answer in answers} == {(201, 3, 2)}
    for number in held:
        assert (await erase(service, sub_of(number)))["code"] == "legal_hold"
        assert (await erase(service, address_of(number)))["code"] == "legal_hold"
    assert (await erase(service, sub_of(0)))["code"] == "nothing_found"

    left = await database.entries()
    for number in (*held, *kept):
        assert all(left[json.loads(entry)["event_id"]] == entry for entry in entries[number])
    assert not any(json.loads(entry)["event_id"] in left for number in gone for entry in entries[number])
    erased_id = json.loads(entries[0][1])["event_id"]
    shown = (await service.get(f"/v1/events/{erased_id}")).json()
    assert (shown["event"], shown["erased"], shown["event_id"]) == (None, True, erased_id)
    assert (await service.get("/v1/events", params={"subject": sub_of(0)})).json()["events"] == []

    async def is_complete() -> bool:
        return bool((await service.get("/v1/completeness")).json()["complete"])

    await until(is_complete, "the service's own last events, none missing")

    said = await person.runs("verify")
    assert (said.code, "300 of them erased" in said.out) == (0, True), said
    receipt = f"{erased_id}:{shown['leaf_hash']}"
    assert (await person.runs("verify", receipt)).code == 0
    assert (await person.runs("mirror", "copy")).code == 0
    assert "300 of them erased" in (await person.runs("verify", "--log", "copy")).out
    code, foreign = await node("log", service.url, LOG_KEY, SERVICE_TOKEN)
    assert (code, foreign["erased"]) == (0, 300), foreign

    tables, has_checkpoint = await compact(database.owner_url)
    assert "audit.subject_keys" in tables
    assert not has_checkpoint  # Only the superuser, or who has its leave, takes one.
    assert await files_with(database, [*searchable, *written], folder) == set()
    await database.fetch("SELECT pg_switch_wal()", role="postgres")
    assert await files_with(database, [*searchable, *written], "pg_wal") == set()
    assert await compact(database.owner_url) == ([], False)
    told = (await service.get("/v1/erasures")).json()["erasures"]
    assert (len(told), all(one["compacted_at"] for one in told)) == (100, True)
    await one_changed_byte_is_found(person, database, json.loads(entries[150][1])["event_id"])


async def test_what_people_made_around_the_log(service: Service, database: Database, author: Author) -> None:
    """
    Alerts, kept searches and prepared exports lose the person who was erased, and keep everybody else.
    """
    both = [Subject(sub=sub_of(number), email_hash=hash_of(number)) for number in (1, 2)]
    shared = author.entry(subject=both[0], client=Client(ip="203.0.113.9"))
    device = Client(ip=ip_of(1), device_id="device-of-one")
    ids = {"session_ref": "session-of-one", "attempt_id": "attempt-of-one", "request_id": "request-of-one"}
    mine = author.entry(subject=both[0], client=device, **ids)
    theirs = [author.entry(subject=both[1], client=Client(ip=ip)) for ip in (ip_of(2), "203.0.113.9")]
    await database.append([shared, mine, *theirs])
    alerts = {
        "mine": (sub_of(1), sub_of(1), [ip_of(1)], [mine]),
        "of_address": ("203.0.113.9", None, ["203.0.113.9"], [shared, mine]),
        "of_both": ("many", None, [ip_of(1), ip_of(2), "203.0.113.9"], [mine, *theirs]),
    }
    for title, (key, subject, ips, entries) in alerts.items():
        values = title, key, subject, ips, [json.loads(entry)["event_id"] for entry in entries]
        await database.fetch(ADD_ALERT, *values, role="countersign_clerk")
    searches = {
        "by sub": {"subject": sub_of(1)},
        "by address": {"email": address_of(1)},
        "by filter": {"filter": f'subject.sub eq "{sub_of(1)}" and outcome eq "failure"'},
        "by session": {"session": "session-of-one"},
        "by attempt": {"filter": 'outcome eq "failure" and (attempt_id eq "attempt-of-one")'},
        "by request": {"request": "request-of-one"},
        "by device": {"filter": 'client.device_id eq "device-of-one"'},
        "by network": {"ip": ip_of(1)},
        "of another": {"email": address_of(2)},
        "of another's network": {"ip": ip_of(2)},
        "of both": {"ip": "203.0.113.9"},
    }
    for name, params in searches.items():
        assert (await service.send("POST", "/v1/searches", {"name": name, "params": params, "is_shared": False})).status == 201
    for email in (address_of(1), address_of(2)):
        made = await service.send("POST", "/v1/exports", {"format": "csv", "params": {"email": email}})
        assert made.status == 201, made.json()

    assert (await erase(service, sub_of(1)))["status"] == 201
    named = await database.fetch("SELECT title, key, subject, ips FROM audit.alert_people JOIN audit.alerts USING (alert_id)")
    assert {row["title"]: row["ips"] for row in named} == {"of_both": [ip_of(2), "203.0.113.9"]}
    kept = (await service.get("/v1/searches")).json()["searches"]
    assert {one["name"] for one in kept if one["params"]} == {"of another", "of another's network", "of both"}
    assert len(kept) == len(searches)
    exports = (await service.get("/v1/exports")).json()["exports"]
    assert [one["params"] is None for one in exports] == [False, True]
    gone = await service.get(exports[1]["url"])
    assert gone.status == 410, gone.json()


async def test_whom_an_erasure_leaves_alone(service: Service, database: Database, author: Author) -> None:
    """
    An address that two accounts were seen with does not say who is meant, and stays when one of them is erased.
    """
    shared = Subject(email_hash=hash_of(1))
    before = author.entry(subject=shared)
    mine, yours = (author.entry(subject=Subject(sub=sub_of(number), email_hash=hash_of(1))) for number in (1, 2))
    await database.append([before, mine, yours])

    assert (await erase(service, address_of(1)))["code"] == "several_accounts"
    assert (await erase(service, sub_of(1)))["erased_entries"] == 1
    assert set((await database.entries()).values()) >= {before, yours}
    assert (await erase(service, address_of(1)))["erased_entries"] == 2
    assert mine not in (await database.entries()).values()


async def test_what_comes_later(service: Service, database: Database, author: Author, queue: QueuePair) -> None:
    """
    What happens after an erasure is kept under a new key, and can be erased as well; a message that comes again is a duplicate.
    """
    early, late = (author.entry(subject=Subject(sub=sub_of(1))) for _ in range(2))
    await database.append([early])
    first = await erase(service, sub_of(1))
    await queue.send(early, late)
    await until(lambda: has(database, late), "late entry")

    assert early not in (await database.entries()).values()
    second = await erase(service, sub_of(1))
    assert (first["subject_ref"], first["erased_entries"]) == (second["subject_ref"], second["erased_entries"])
    assert late not in (await database.entries()).values()
    assert await database.quarantine() == []


async def has(database: Database, entry: bytes) -> bool:
    """Say whether an entry can be read."""
    return entry in (await database.entries()).values()


async def test_appends_and_erasures_at_one_time(service: Service, database: Database, author: Author) -> None:
    """
    While events about people arrive without a pause each of them is erased at the first request: what had come goes, and was
    named before; what comes meanwhile is under a new key and stays.
    """
    people = [Subject(sub=sub_of(number)) for number in range(8)]
    is_over = asyncio.Event()

    async def arrive() -> int:
        rounds = 0
        while not is_over.is_set():
            await database.append([author.entry(subject=one) for one in people])
            rounds += 1
        return rounds

    await database.append([author.entry(subject=one) for one in people])
    writing = asyncio.create_task(arrive())
    answers = await asyncio.gather(*(erase(service, sub_of(number)) for number in range(4)))
    is_over.set()
    rounds = await writing
    assert [answer["status"] for answer in answers] == [201] * 4
    assert all(0 < answer["erased_entries"] < rounds + 1 for answer in answers)
    readable = [json.loads(entry).get("subject") for entry in (await database.entries()).values()]
    for number, answer in enumerate(answers):
        assert readable.count({"sub": sub_of(number)}) == rounds + 1 - answer["erased_entries"]
    rows = await database.fetch(
        "SELECT EXISTS (SELECT FROM audit.erasures r WHERE r.leaves @> l.leaf_index) AS is_named FROM audit.entries e "
        "JOIN audit.subject_keys k USING (key_id) LEFT JOIN audit.leaves l USING (event_id) WHERE k.destroyed_at IS NOT NULL"
    )
    assert {row["is_named"] for row in rows} == {True}


async def test_entries_from_before_there_were_keys(service: Service, database: Database, author: Author) -> None:
    """
    Entries that an older release has stored in clear are emptied, and so are lines in quarantine that name the person; released
    holds forget whom they named.
    """
    old = [author.entry(subject=Subject(sub=sub_of(1), email_hash=hash_of(1))) for _ in range(2)]
    await database.append(old)
    async with database.tampering() as connection:
        for entry in old:
            event_id = json.loads(entry)["event_id"]
            await connection.execute("UPDATE audit.entries SET entry = $2, key_id = NULL WHERE event_id = $1", event_id, entry)
    await database.append([author.entry()], flawed=[b'{"sub":"' + sub_of(1).encode() + b'"}', b"of somebody else"])
    hold = await service.send("POST", "/v1/holds", {"subject": address_of(1), "reason": "a case"})
    assert (await erase(service, sub_of(1)))["code"] == "legal_hold"
    assert (await service.send("DELETE", f"/v1/holds/{hold.json()['id']}")).status == 200
    assert (await service.send("DELETE", f"/v1/holds/{hold.json()['id']}")).status == 404

    assert (await erase(service, sub_of(1)))["erased_entries"] == 2
    kept = await database.fetch("SELECT entry FROM audit.entries WHERE key_id IS NOT NULL")
    assert [row["entry"] for row in kept] == [b"\0"] * 2
    assert sorted(line["bytes"] for line in await database.quarantine()) == [b"", b"of somebody else"]
    [told] = (await service.get("/v1/holds")).json()["holds"]
    assert (told["subject"], told["reason"], told["released_at"] is None) == (None, "a case", False)
    assert await compact(database.owner_url)
    assert await files_with(database, [sub_of(1).encode()], await own_files(database)) == set()


async def test_titles_of_older_alerts_go_from_the_files(
    postgres_server: PostgresServer, queue: QueuePair, author: Author, tmp_path: Path
) -> None:
    """
    The title of an alert from an older release, which named a network and lost it in a migration, is in no file afterwards.
    """
    database = await postgres_server.create_database()
    await migrate(database.owner_url, released_migrations()[:8])
    await database.fetch(ADD_OLD_ALERT, f"60 sign-ins failed from {ip_of(1)}", role="countersign_clerk")
    await migrate(database.owner_url)
    await database.append([author.entry(subject=Subject(sub=sub_of(1)))])
    needles, folder = [ip_of(1).encode()], await own_files(database)
    async with running_service(tmp_path, queue, database) as service:
        assert (await erase(service, sub_of(1)))["status"] == 201
    assert len(await files_with(database, needles, folder)) == 1

    tables, _ = await compact(database.owner_url)
    assert "audit.alerts" in tables
    assert await files_with(database, needles, folder) == set()


async def test_every_change_is_in_the_log(service: Service, database: Database, author: Author) -> None:
    """
    Erasures, refusals and holds are events of their own, which name nobody but by the keyed reference and by ids.
    """
    await database.append([author.entry(subject=Subject(sub=sub_of(1)))])
    hold = (await service.send("POST", "/v1/holds", {"subject": sub_of(1), "reason": "a case"})).json()
    await erase(service, sub_of(1))
    await service.send("DELETE", f"/v1/holds/{hold['id']}")
    done = await erase(service, sub_of(1))

    types = (
        "audit.hold.placed",
        "audit.erasure.refused",
        "audit.hold.released",
        "audit.erasure.started",
        "audit.subject.erased",
    )
    await until(lambda: tells(service, types[-1]), "closing event")
    events = {kind: (await service.events(("type", kind)))[0] for kind in types}
    assert [events[kind]["outcome"] for kind in types] == ["success", "denied", "success", "pending", "success"]
    for kind in ("audit.hold.placed", "audit.hold.released"):
        both = await service.events(("type", kind), ("order", "asc"))
        assert [event["outcome"] for event in both] == ["pending", "success"]
    assert events["audit.erasure.refused"]["reason"] == "legal_hold"
    assert {one["actor"]["id"] for one in events.values()} == {"nightly-export"}
    closing = events["audit.subject.erased"]["data"]
    assert (closing["subject_ref"], closing["entries"], len(closing["key_ids"])) == (done["subject_ref"], 1, 1)
    assert sub_of(1) not in json.dumps(events)
    for method, path in (("POST", "/v1/erasures"), ("POST", "/v1/holds"), ("DELETE", f"/v1/holds/{hold['id']}")):
        assert (await service.send(method, path, {"subject": "x", "reason": "x"}, token="wrong")).status == 401
    for body in ({"subject": "x"}, {"subject": "", "reason": "x"}, {"subject": "x", "reason": "x", "more": 1}):
        assert (await service.send("POST", "/v1/erasures", body)).json()["code"] == "invalid_request"


async def tells(service: Service, kind: str) -> bool:
    """Say whether an event of this type is in the log."""
    return bool(await service.events(("type", kind)))


async def test_erasing_at_a_terminal(service: Service, person: Person, database: Database, author: Author) -> None:
    """
    The same by command line: it asks first, says what was done, and shows holds and erasures.
    """
    await database.append([author.entry(subject=Subject(sub=sub_of(1)))])
    assert (await person.runs("hold", "place", sub_of(1), "--reason", "case 4")).code == 0
    held = (await person.runs("holds", "--json")).json()
    assert (held["subject"], held["reason"]) == (sub_of(1), "case 4")
    refused = await person.runs("erase", sub_of(1), "--reason", "request 17", "--yes")
    assert (refused.code, "legal hold" in refused.err) == (1, True)
    asked = await person.runs("erase", sub_of(1), "--reason", "request 17")
    assert (asked.code, "--yes" in asked.err) == (2, True)

    assert (await person.runs("hold", "release", held["id"], "--yes")).code == 0
    said = await person.runs("erase", sub_of(1), "--reason", "request 17", "--yes")
    assert (said.code, "1 entry and 1 key erased" in said.out) == (0, True), said
    assert "request 17" in (await person.runs("erasures")).out
    assert "Nobody is on hold" in (await person.runs("holds")).out
    shown = await person.runs("query")
    assert (shown.code, "erased" in shown.out) == (0, True), shown


async def test_maintenance(service: Service, database: Database, author: Author) -> None:
    """
    Files are not called clean while an open transaction may see what was removed; and once keys are wrapped anew, the older key
    of the deployment opens nothing any more.
    """
    mine, yours = (author.entry(subject=Subject(sub=sub_of(number))) for number in (1, 2))
    await database.append([mine, yours])
    reading = await asyncpg.connect(database.reader_url)
    try:
        async with reading.transaction(isolation="repeatable_read"):
            await reading.fetch("SELECT FROM audit.seals")
            await erase(service, sub_of(1))
            with pytest.raises(MaintenanceFailed, match="still open"):
                await compact(database.owner_url)
    finally:
        await reading.close()
    works = [await asyncio.to_thread(WORKS["compact"][1], service.settings) for _ in range(2)]
    assert ("compacted audit.subject_keys" in works[0], works[1]) == (True, ["nothing to compact"])

    newer = "0f" * 32
    assert await rewrap(database.owner_url, KeyRing([newer, ENTRY_KEY])) == 2
    rows = await database.fetch(f"SELECT {SEALED_COLUMNS} FROM audit.entries AS e {JOIN_KEYS} WHERE e.key_id IS NOT NULL")
    assert {KeyRing([newer]).opener().open(row).entry for row in rows} == {None, yours}
    assert {RING.opener().open(row).entry for row in rows} == {None}
    assert await rewrap(database.owner_url, KeyRing([ENTRY_KEY, newer])) == 2


async def sealed_all(database: Database) -> bool:
    """Say whether all of the stories are sealed."""
    return await database.tree_size() >= 3 * PEOPLE


async def one_changed_byte_is_found(person: Person, database: Database, event_id: str) -> None:
    """Change a byte of an entry that is kept encrypted, and one of a key; each time the entry is named."""
    place = (await database.fetch("SELECT leaf_index FROM audit.leaves WHERE event_id = $1::text::uuid", event_id))[0][0]
    of_entry = f"WHERE event_id = '{event_id}'"
    of_key = f"WHERE key_id = (SELECT key_id FROM audit.entries {of_entry})"
    for table, column, where in (("entries", "entry", of_entry), ("subject_keys", "wrapped_key", of_key)):
        flip = f"UPDATE audit.{table} SET {column} = set_byte({column}, 30, get_byte({column}, 30) # 1) {where}"
        async with database.tampering() as connection:
            await connection.execute(flip)
        said = await person.runs("verify")
        assert (said.code, f"(leaf {place})" in said.out) == (1, True), said
        async with database.tampering() as connection:
            await connection.execute(flip)
    async with database.tampering() as connection:
        kept = await connection.fetchval(f"SELECT wrapped_key FROM audit.subject_keys {of_key}")
        await connection.execute(f"UPDATE audit.subject_keys SET wrapped_key = NULL, destroyed_at = now() {of_key}")
        said = await person.runs("verify")
        await connection.execute(f"UPDATE audit.subject_keys SET wrapped_key = $1, destroyed_at = NULL {of_key}", kept)
    assert (said.code, f"entry at leaf {place}" in said.out) == (1, True), said
