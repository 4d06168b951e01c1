"""Retention: a month goes at once, only when nothing stands against it, and everything about it stays provable."""

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.audit.retention.plan import MonthFacts, blocks
from services.audit.retention.statement import StatementInvalid, open_statement
from services.audit.retention.store import PARENTS, MonthChanged, RetentionStore, Statement, open_owner
from services.audit.storage.database import open_pool
from services.audit.storage.search import EntryReader, Filters
from services.audit.streaming.settings import S3Stream
from services.audit.streaming.store import StreamState
from services.audit.tree.hashing import leaf_hash
from shared.events import Client, Subject
from shared.ids import uuid7
from tests.integration.audit.archives import Locked, archive, archive_bucket, archive_job
from tests.integration.audit.commands import Person
from tests.integration.audit.consistency import findings
from tests.integration.audit.lab import RING, SIGNERS, Author, Database, QueuePair, by_id, clear_of_midnight, count, seal, until
from tests.integration.audit.months import id_in, make_month, months_ago
from tests.integration.audit.service import Service, running_service, write_settings

ADA = "3f2b0c9a-0000-4000-8000-00000000000a"
SEEN_ELSEWHERE = bytes([7] * 32)
HOLD = "INSERT INTO audit.holds (hold_id, subject_sub, email_hashes, reason, created_by) VALUES ($1, $2, $3, $4, $5)"
KEYS = [SIGNERS[0].verifier]
# Milliseconds on a machine at rest, and under a second where it is measured; one that is busy stands still at times.
DROP_SECONDS_MAX = 10


@pytest.fixture
async def old(database: Database, author: Author) -> list[bytes]:
    """A log with 300 entries of an old month between others, of Ada, whose address is named in another month only."""
    await clear_of_midnight()
    await make_month(database, months_ago(4))
    month = datetime.combine(months_ago(4), time(), UTC)
    made = [author.entry(event_id=id_in(month), occurred_at=month, subject=Subject(sub=ADA)) for _ in range(300)]
    seen = Subject(sub=ADA, email_hash=SEEN_ELSEWHERE.hex())
    for entries in (author.entries(10, subject=seen), made, author.entries(40)):
        await database.append(entries)
        await seal(database)
    async with database.tampering() as connection:
        # A log of some age has transactions with fewer digits: compared as texts, the oldest of these would be the newest.
        await connection.execute(
            "UPDATE audit.entries SET recorded_xid = '9' WHERE event_id = $1", json.loads(made[0])["event_id"]
        )
    await count(database)
    return made


class Operator:
    """Somebody who runs ``countersign audit retention`` with the service's settings."""

    def __init__(self, person: Person, path: Path, month: str) -> None:
        self._person = person
        self._path = path
        self._month = month

    async def refused(self) -> str:
        """Try to drop the month and return why it stays."""
        said = await self._person.runs("retention", "drop", "--month", self._month, "--settings", self._path)
        assert said.code == 1, said
        return said.err

    async def drops(self) -> Any:
        """Drop the month."""
        said = await self._person.runs("retention", "drop", "--month", self._month, "--settings", self._path, "--json")
        assert said.code == 0, said
        return said.json()

    async def plan(self) -> dict[str, list[str]]:
        """Return what stands against each month."""
        said = await self._person.runs("retention", "plan", "--settings", self._path, "--json")
        assert said.code == 0, said
        return {line["month"]: line["blocks"] for line in map(json.loads, said.out.splitlines())}


async def test_a_month_goes_and_stays_provable(
    tmp_path: Path,
    queue: QueuePair,
    database: Database,
    old: list[bytes],
    author: Author,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    A month stays while it is not archived, while somebody in it is on hold, while a required
    stream lacks it; then it goes at once. What is left is a signed statement, here and in the archive, and an event;
    the whole log verifies, a receipt of the month verifies in the archive, and a kept proof verifies without a network.
    """
    month = f"{months_ago(4):%Y-%m}"
    person = Person(capsys, monkeypatch)
    receipt = f"{json.loads(old[7])['event_id']}:{leaf_hash(old[7]).hex()}"
    async with archive_bucket(queue.aws) as locked:
        lake = {"kind": "s3", "name": "lake", "bucket": locked.name, "prefix": "lake/", "is_required": True}
        path = write_settings(tmp_path / "operator", queue, database, streams=[lake], **locked.settings())
        operator = Operator(person, path, month)

        why = await operator.refused()
        assert ("reaches to leaf 309" in why, "stream lake has not" in why) == (True, True)
        await archive(database, locked)
        for sub, hashes in ((ADA, []), (None, [SEEN_ELSEWHERE])):
            values = (uuid7(), sub, hashes, "lawsuit", "lawyer")
            await database.fetch(HOLD, *values, role="countersign_clerk")
        assert "2 legal holds on people in it" in await operator.refused()
        await database.fetch("UPDATE audit.holds SET released_at = now(), released_by = 'lawyer'", role="countersign_clerk")
        await database.fetch("INSERT INTO audit.streams (name, next_leaf) VALUES ('lake', 309)", role="countersign_clerk")
        assert "stream lake has not" in await operator.refused()
        await database.fetch("UPDATE audit.streams SET next_leaf = 310", role="countersign_clerk")
        plan = await operator.plan()
        assert (plan[month], plan[f"{months_ago(0):%Y-%m}"][0][:16]) == ([], "it is too young:")

        async with running_service(tmp_path / "audit", queue, database) as service:
            person.knows(service)
            assert (await person.runs("proof", receipt, "-o", tmp_path / "kept")).code == 0
            dropped = await operator.drops()
            assert (dropped["entry_count"], dropped["seconds"] < DROP_SECONDS_MAX) == (300, True)
            statement = open_statement(dropped["note"], KEYS)
            assert (statement.month, statement.runs) == (month, [(10, 310)])
            await assert_kept(locked, dropped["note"], month)

            async def is_recorded() -> bool:
                events = await service.events(("type", "audit.retention.dropped"), ("order", "asc"))
                return [event["outcome"] for event in events] == ["pending", "success"]

            await until(is_recorded, "the events of the drop")
            said = await person.runs("verify")
            assert (said.code, "300 of them dropped" in said.out) == (0, True), said
            assert (await person.runs("mirror", tmp_path / "copy")).code == 0
            said = await person.runs("verify", "--log", tmp_path / "copy")
            assert (said.code, "300 of them dropped" in said.out) == (0, True), said
            answer = await service.get(f"/v1/events/{json.loads(old[7])['event_id']}")
            assert (answer.status, answer.json()["code"]) == (410, "dropped_by_retention")
            gone = await person.runs("verify", receipt)
            assert (gone.code, "verify --archive" in gone.err) == (1, True)
            person.knows_only_the_key()
            assert (await person.runs("verify", tmp_path / "kept")).code == 0
            place = locked.options(tmp_path / "cache")
            assert (await person.runs("verify", *place)).code == 0
            assert (await person.runs("verify", *place, receipt)).code == 0

            async with database.tampering() as connection:
                await connection.execute("DELETE FROM audit.entries WHERE event_id IN (SELECT event_id FROM audit.leaves"
                                         " WHERE leaf_index = 330)")  # fmt: skip
            person.knows(service)
            lost = await person.runs("verify")
            assert (lost.code, "entry at leaf 330" in lost.out, "leaf 309" in lost.out) == (1, True, False)

    assert await database.fetch("SELECT to_regclass($1) IS NULL AS gone", f"audit.entries_{month.replace('-', '_')}") == [
        (True,)
    ]


async def assert_kept(locked: Locked, note: str, month: str) -> None:
    """The statement lies in the archive, under lock."""
    key = f"audit/retention/{month}.note"
    listed = await locked.client.list_object_versions(Bucket=locked.name, Prefix=key)
    [version] = [one["VersionId"] for one in listed["Versions"]]
    assert await locked.bucket.read(key, version) == note.encode()
    retention = await locked.client.get_object_retention(Bucket=locked.name, Key=key, VersionId=version)
    assert retention["Retention"]["Mode"] == "GOVERNANCE"


async def test_a_damaged_archive_keeps_the_month(
    tmp_path: Path,
    queue: QueuePair,
    database: Database,
    old: list[bytes],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    An object that is gone, and a lock that was taken off, each keep the month; so does an entry that is not sealed, archived or
    counted.
    """
    async with archive_bucket(queue.aws) as locked:
        [day] = await archive(database, locked)
        path = write_settings(tmp_path / "operator", queue, database, **locked.settings())
        operator = Operator(Person(capsys, monkeypatch), path, f"{months_ago(4):%Y-%m}")
        late = Author().entry(event_id=id_in(months_ago(4)))
        await database.append([late])
        assert "1 of its entries are not sealed" in await operator.refused()
        await seal(database)
        why = await operator.refused()
        assert ("to leaf 350, and the archive to 349" in why, "to leaf 350, and the hourly counts to 349" in why) == (
            True,
            True,
        )

        async with database.tampering() as connection:
            for table in ("leaves", "entry_search", "entries"):
                await connection.execute(f"DELETE FROM audit.{table} WHERE event_id = $1", json.loads(late)["event_id"])
        manifest = json.loads(await locked.bucket.read(day.manifest_key, day.manifest_version))
        place = {"Bucket": locked.name, "Key": manifest["hashes"]["key"], "VersionId": manifest["hashes"]["version"]}
        lock = {"Mode": "GOVERNANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(days=1)}
        await locked.client.put_object_retention(**place, Retention=lock, BypassGovernanceRetention=True)
        assert "is locked as GOVERNANCE until" in await operator.refused()
        await locked.client.delete_object(**place, BypassGovernanceRetention=True)
        assert "is not there any more" in await operator.refused()

    assert len(await database.entries()) == 350


async def test_a_month_with_erased_entries_goes(
    tmp_path: Path,
    queue: QueuePair,
    database: Database,
    old: list[bytes],
    author: Author,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    A person with entries in an old month is erased; the month is archived and dropped, its words are forgotten and its hours
    still counted; the whole log verifies here, in a new copy and in the archive, and the check from within finds nothing.
    """
    person = Person(capsys, monkeypatch)
    words = Client(ip="192.0.2.1", user_agent="An agent of that month")
    month = datetime.combine(months_ago(4), time(), UTC)
    in_month = author.entry(event_id=id_in(month), occurred_at=month, client=words)
    grace = author.entry(event_id=id_in(month), occurred_at=month, subject=Subject(sub=f"{ADA[:-1]}b"))
    await database.append([in_month, grace])
    async with archive_bucket(queue.aws) as locked, running_service(tmp_path / "audit", queue, database) as service:
        person.knows(service)
        hold = await service.send("POST", "/v1/holds", {"subject": f"{ADA[:-1]}b", "reason": "a case"})
        assert hold.status == 201
        done = await service.send("POST", "/v1/erasures", {"subject": ADA, "reason": "asked for it"})
        assert (done.status, done.json()["erased_entries"]) == (201, 310)
        await until(lambda: is_told(service, "audit.subject.erased"), "the end of the erasure")
        await archive(database, locked)
        await count(database)
        path = write_settings(tmp_path / "operator", queue, database, **locked.settings())
        operator = Operator(person, path, f"{months_ago(4):%Y-%m}")
        assert "1 legal hold on people in it" in await operator.refused()
        assert (await service.send("DELETE", f"/v1/holds/{hold.json()['id']}")).status == 200
        known = "SELECT FROM audit.known_words WHERE words LIKE '%agent of that month%'"
        assert await database.fetch(known)
        assert (await operator.drops())["entry_count"] == 302
        assert await database.fetch(known) == []

        said = await person.runs("verify")
        assert (said.code, "10 of them erased, 302 of them dropped" in said.out) == (0, True), said
        assert (await person.runs("mirror", tmp_path / "copy")).code == 0
        said = await person.runs("verify", "--log", tmp_path / "copy")
        assert (said.code, "10 of them erased, 302 of them dropped" in said.out) == (0, True), said
        said = await person.runs("verify", *locked.options(tmp_path / "cache"), "--settings", path)
        assert (said.code, "310 of them erased" in said.out, "or later" in said.out) == (0, True, False), said
        await until(lambda: is_told(service, "audit.retention.dropped"), "the event of the drop")
        assert await findings(database) == []


async def test_a_month_may_go_while_it_is_searched(
    database: Database, old: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A search that has found entries of a month which is dropped before their bytes are read shows the others, in their order.
    """
    pool = await open_pool(database.reader_url, name="test", connections_max=2)
    reader, fetched = EntryReader(pool, RING), EntryReader._fetch

    async def dropping(self: EntryReader, sql: str, values: list[Any]) -> list[Any]:
        rows = await fetched(self, sql, values)
        for parent in PARENTS if values[-1] == 1_000 else ():
            await database.fetch(f"DROP TABLE audit.{parent}_{months_ago(4):%Y_%m}", role="countersign_owner")
        return rows

    try:
        whole = await reader.search(Filters(), after=None, limit=1_000)
        monkeypatch.setattr(EntryReader, "_fetch", dropping)
        left = await reader.search(Filters(), after=None, limit=1_000)
    finally:
        await pool.close()

    gone = set(by_id(old))
    assert (len(whole), len(left)) == (350, 50)
    assert left == [found for found in whole if str(found.event_id) not in gone]


async def test_a_person_whose_months_went_is_erased(
    tmp_path: Path,
    queue: QueuePair,
    database: Database,
    old: list[bytes],
    author: Author,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Of somebody whose only month was dropped the key is destroyed all the same, and a kept search forgets them; somebody who is
    still there loses the key of their address as well, which only the dropped month was kept under. The archive has none of it.
    """
    person = Person(capsys, monkeypatch)
    grace = f"{ADA[:-1]}b"
    before = author.entry(event_id=id_in(months_ago(4)), subject=Subject(email_hash=SEEN_ELSEWHERE.hex()))
    await database.append([before, author.entry(event_id=id_in(months_ago(4)), subject=Subject(sub=grace))])
    await seal(database)
    await count(database)
    async with archive_bucket(queue.aws) as locked, running_service(tmp_path / "audit", queue, database) as service:
        person.knows(service)
        await archive(database, locked)
        path = write_settings(tmp_path / "operator", queue, database, **locked.settings())
        assert (await Operator(person, path, f"{months_ago(4):%Y-%m}").drops())["entry_count"] == 302
        search = {"name": "hers", "params": {"subject": grace}, "is_shared": False}
        assert (await service.send("POST", "/v1/searches", search)).status == 201

        done = await service.send("POST", "/v1/erasures", {"subject": grace, "reason": "asked for it"})
        assert (done.status, done.json()["erased_entries"], done.json()["erased_keys"]) == (201, 0, 1)
        [kept] = (await service.get("/v1/searches")).json()["searches"]
        assert kept["params"] == {}
        done = await service.send("POST", "/v1/erasures", {"subject": ADA, "reason": "asked for it"})
        assert (done.status, done.json()["erased_entries"], done.json()["erased_keys"]) == (201, 10, 2)
        for subject in (grace, ADA):
            again = await service.send("POST", "/v1/erasures", {"subject": subject, "reason": "asked for it"})
            assert (again.status, again.json()["code"]) == (404, "nothing_found")

        said = await person.runs("verify", *locked.options(tmp_path / "cache"), "--settings", path)
        later = "312 of them erased as the archive ends or later, by the word of the database: not checked here"
        assert (said.code, later in said.out) == (0, True), said
        said = await person.runs("verify")
        assert (said.code, "10 of them erased, 302 of them dropped" in said.out) == (0, True), said
        await until(lambda: is_told(service, "audit.subject.erased"), "the end of the erasure")
        erased = await service.events(("type", "audit.subject.erased"), ("order", "asc"))
        assert (erased[0]["data"]["entries"], len(erased[0]["data"]["key_ids"])) == (0, 1)

        # No announcement could name the leaves of the dropped month: the keys are named, once the day of the erasure is there.
        await until(lambda: are_told(service, "audit.subject.erased", 2), "the end of both erasures")
        async with archive_job(database, locked) as job:
            assert await job.run(datetime.now(UTC) + timedelta(days=3))
        async with database.tampering() as connection:
            await connection.execute("UPDATE audit.subject_keys SET destroyed_at = destroyed_at - interval '2 days'")
        said = await person.runs("verify", *locked.options(tmp_path / "cache"), "--settings", path)
        assert (said.code, "312 of them erased\n" in said.out) == (0, True), said


async def is_told(service: Service, kind: str) -> bool:
    """Say whether an event of this type is in the log."""
    return await are_told(service, kind, 1)


async def are_told(service: Service, kind: str, count: int) -> bool:
    """Say whether so many events of this type are in the log."""
    return len(await service.events(("type", kind))) >= count


@pytest.mark.parametrize("is_restored", [False, True], ids=["grown", "restored"])
async def test_a_late_entry_keeps_the_month(database: Database, author: Author, is_restored: bool) -> None:
    """
    An entry that commits between plan and drop keeps its month, also in a restored log, whose transactions have higher numbers
    than any that comes. So do counts that are made anew meanwhile. Once it is sealed, counted and planned with, the month goes.
    """
    await clear_of_midnight()
    month = months_ago(4)
    await make_month(database, month)
    await database.append([author.entry(event_id=id_in(month)) for _ in range(3)])
    await seal(database)
    if is_restored:
        async with database.tampering() as connection:
            await connection.execute("UPDATE audit.entries SET recorded_xid = '1000000000000'")
    owner = await open_owner(database.owner_url)
    try:
        store, statement = RetentionStore(owner), Statement("a statement", "a/key")
        planned = await store.facts(month)
        await database.append([author.entry(event_id=id_in(month))])

        with pytest.raises(MonthChanged):
            await store.drop(planned, statement)

        found = await database.fetch(f"SELECT count(*) FROM audit.entries_{month:%Y_%m}", role="countersign_owner")
        assert found[0]["count"] == 4
        await seal(database)
        await count(database)
        planned = await store.facts(month)
        await database.fetch("UPDATE audit.counted SET leaf_count = 0", role="countersign_clerk")
        with pytest.raises(MonthChanged, match="made anew"):
            await store.drop(planned, statement)
        await database.fetch("UPDATE audit.counted SET leaf_count = 4", role="countersign_clerk")
        assert await store.drop(planned, statement) < DROP_SECONDS_MAX
        assert month not in await store.months()
    finally:
        await owner.close()


def test_what_stands_against_a_month() -> None:
    """
    A month with nothing in it may go when the month after it is over, not a day sooner; a stream that is not required does not
    matter.
    """
    facts = MonthFacts(date(2026, 1, 1), 0, 0, [], 0, 0)
    optional = S3Stream(name="lake", bucket="b")
    states: dict[str, StreamState] = {}

    assert blocks(facts, today=date(2026, 3, 1), archived_end=0, streams=[optional], states=states) == []
    assert len(blocks(facts, today=date(2026, 2, 28), archived_end=0, streams=[], states=states)) == 1
    announcing = facts._replace(announced_count=1)
    [why] = blocks(announcing, today=date(2026, 3, 1), archived_end=0, streams=[], states=states)
    assert "drop that one first" in why


def test_a_checkpoint_is_no_statement() -> None:
    """
    What the same key signed as a checkpoint is not taken for a statement, nor a statement that was changed.
    """
    with pytest.raises(StatementInvalid):
        open_statement("log.example.test/audit\n1\nAAAA\n\n— log.example.test/audit AAAA\n", KEYS)
