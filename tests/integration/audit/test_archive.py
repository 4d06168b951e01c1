"""The archive: every closed day once, under a lock that is really on, and provably what was sealed."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, STDOUT
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deploy.local.layout import REPOSITORY
from services.audit.archiving.bucket import ArchiveDamaged, ArchiveNotLocked
from services.audit.archiving.job import DayDamaged
from services.audit.archiving.manifest import ObjectRef
from services.audit.archiving.store import EntriesLost
from services.audit.parquet import open_duckdb
from services.audit.tree.hashing import leaf_hash
from shared.events import Client, EventType, Outcome, Subject
from tests.integration.audit.archives import PREFIX, TERMS, Locked, archive, archive_bucket, seal_was
from tests.integration.audit.commands import LOG_KEY, Person
from tests.integration.audit.consistency import findings
from tests.integration.audit.lab import DEADLINE_SECONDS, Author, AwsServer, Database, QueuePair, clear_of_midnight, seal, until
from tests.integration.audit.service import running_service, write_settings

ADA = "3f2b0c9a-0000-4000-8000-00000000000a"
KEPT = {
    "event_id", "leaf_index", "leaf_hash", "occurred_at", "occurred_us", "recorded_at", "event_type", "outcome", "service",
    "instance", "seq", "key_id", "entry",
}  # fmt: skip


@pytest.fixture
async def three_days(database: Database, author: Author) -> list[bytes]:
    """A log with entries sealed three days ago, two days ago and today, in sizes that leave partial tiles."""
    await clear_of_midnight()
    entries: list[bytes] = []
    for days_ago, count in ((3, 300), (2, 5), (0, 20)):
        about = {"subject": Subject(sub=f"{ADA[:-1]}{days_ago}"), "client": Client(ip=f"192.0.2.{days_ago}")}
        made = author.entries(count, occurred_at=datetime.now(UTC) - timedelta(days=days_ago), **about)
        await database.append(made)
        await seal(database)
        await seal_was(database, days_ago)
        entries += made
    return entries


async def manifest_of(locked: Locked, day: Any) -> Any:
    """Return a day's manifest."""
    return json.loads(await locked.bucket.read(day.manifest_key, day.manifest_version))


async def test_days_are_archived_once_under_lock(
    aws_server: AwsServer, database: Database, three_days: list[bytes], tmp_path: Path
) -> None:
    """
    Each closed day is archived, in as many files as it takes, without a column that names a person; every object is locked;
    a second run has nothing to do, and one after a crash writes the day again and does not believe what it finds.
    """
    async with archive_bucket(aws_server) as locked:
        days = await archive(database, locked, part_entries=200)
        assert [(day.first_leaf, day.end_leaf) for day in days] == [(0, 300), (300, 305), (305, 325)]
        assert await archive(database, locked) == []

        manifest = await manifest_of(locked, days[0])
        assert [(part["first_leaf"], part["end_leaf"]) for part in manifest["parts"]] == [(0, 200), (200, 300)]
        for one in [*manifest["parts"], manifest["hashes"], {"key": days[0].manifest_key, "version": days[0].manifest_version}]:
            retention = await locked.client.get_object_retention(Bucket=locked.name, Key=one["key"], VersionId=one["version"])
            assert retention["Retention"]["Mode"] == TERMS.mode
            with pytest.raises(ClientError, match="AccessDenied"):
                await locked.client.delete_object(Bucket=locked.name, Key=one["key"], VersionId=one["version"])

        part = manifest["parts"][1]
        assert part["key"] == f"{PREFIX}entries/day={days[0].day}/000000000000200.parquet"
        file = tmp_path / "part.parquet"
        file.write_bytes(await locked.bucket.read(part["key"], part["version"]))
        with open_duckdb(tmp_path) as duckdb:
            rows = duckdb.execute(f"SELECT * FROM '{file}'").fetchall()
            names = [column[0] for column in duckdb.description or []]
        assert set(names) == KEPT
        found = [dict(zip(names, row, strict=True)) for row in rows]
        stored = await database.fetch("SELECT leaf_hash, entry FROM audit.entries WHERE key_id IS NOT NULL")
        assert {(row["leaf_hash"], row["entry"]) for row in stored} >= {(one["leaf_hash"], one["entry"]) for one in found}
        assert len({one["leaf_hash"] for one in found} & {leaf_hash(entry) for entry in three_days[:300]}) == 100

        async with database.tampering() as connection:
            await connection.execute("DELETE FROM audit.archived_days WHERE first_leaf = 305")
        await locked.client.put_object(Bucket=locked.name, Key=days[2].manifest_key, Body=b"{}")
        [again] = await archive(database, locked)
        assert (again.first_leaf, again.end_leaf) == (305, 325)
        assert json.loads(await locked.bucket.read(again.manifest_key, again.manifest_version))["end_leaf"] == 325
        assert list((await locked.bucket.manifests(PREFIX)).values()) == [day.manifest_version for day in days]


async def test_what_is_not_locked_or_not_as_it_was_signed_is_not_archived(
    aws_server: AwsServer, database: Database, three_days: list[bytes]
) -> None:
    """
    A bucket without object lock is refused before anything is put there; a day with a changed or a missing entry is refused.
    """
    async with archive_bucket(aws_server, is_locked=False) as bare:
        with pytest.raises(ArchiveNotLocked, match="no object lock"):
            await archive(database, bare)
        assert "Contents" not in await bare.client.list_objects_v2(Bucket=bare.name)

    async with archive_bucket(aws_server) as locked:
        change = "UPDATE audit.entries SET entry = set_byte(entry, 20, get_byte(entry, 20) # 1) WHERE event_id = $1"
        event_id = json.loads(three_days[0])["event_id"]
        async with database.tampering() as connection:
            await connection.execute(change, event_id)
        with pytest.raises(DayDamaged, match=f"{event_id}.*does not open with its key"):
            await archive(database, locked)
        async with database.tampering() as connection:
            await connection.execute(change, event_id)
            await connection.execute("DELETE FROM audit.entries WHERE event_id = $1", event_id)
        with pytest.raises(EntriesLost, match="1 of the entries at leaves 0 to"):
            await archive(database, locked)
        assert await locked.bucket.manifests(PREFIX) == {}


async def test_the_commands_ask_and_verify_the_archive(
    queue: QueuePair,
    database: Database,
    three_days: list[bytes],
    author: Author,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    ``query --archive`` finds by every filter but the address, which it refuses, with the settings of the service;
    ``verify --archive`` proves every day and a receipt with the public key alone; what somebody puts over a manifest later is
    not read, and a file that holds something else is named.
    """
    failed = author.entry(
        event_type=EventType.SIGN_IN_FAILED, outcome=Outcome.FAILURE, reason="wrong_code", subject=Subject(sub=ADA)
    )
    await database.append([failed])
    await seal(database)
    person = Person(capsys, monkeypatch)
    monkeypatch.setenv("COUNTERSIGN_LOG_KEY", LOG_KEY)
    async with archive_bucket(queue.aws) as locked:
        days = await archive(database, locked)
        place = locked.options(tmp_path / "cache")
        settings = await asyncio.to_thread(write_settings, tmp_path / "audit", queue, database, **locked.settings())
        monkeypatch.setenv("COUNTERSIGN_SETTINGS", str(settings))
        for filters, count in (
            (("--limit", 320), 320),
            (("--subject", f"{ADA[:-1]}2", "--ip", "192.0.2.0/30"), 5),
            (("--type", "sign_in.", "--outcome", "failure", "--q", "Wrong_Code"), 1),
            (("--q", ADA), 1),
            (("--filter", 'outcome eq "failure" and reason co "CODE"'), 1),
            (("--filter", f'client.ip eq "192.0.2.2" or subject.sub eq "{ADA}"', "--type", "sign_in."), 6),
        ):
            said = await person.runs("query", *place, *filters, "--json")
            assert (said.code, len(said.out.splitlines())) == (0, count), filters
        [found] = (await person.runs("query", *place, "--subject", ADA, "--from", "1h", "--json")).out.splitlines()
        assert failed.decode() in found
        for wrong in (("--email", "ada@example.test"), ("--filter", "colour pr"), ("--ip", "here"), ("--type", "sign_in")):
            said = await person.runs("query", *place, *wrong)
            assert (said.code, said.out) == (2, ""), wrong

        said = await person.runs("verify", *place)
        assert (said.code, said.out.count("is as it was sealed")) == (0, 3), said
        receipt = f"{json.loads(failed)['event_id']}:{leaf_hash(failed).hex()}"
        said = await person.runs("verify", *place, receipt)
        assert "with the hash that was promised; the archived entry was not opened" in said.out
        lie = await person.runs("verify", *place, f"{json.loads(failed)['event_id']}:{'00' * 32}")
        assert (lie.code, "another hash than was promised" in lie.out) == (1, True)

        await locked.client.put_object(Bucket=locked.name, Key=days[0].manifest_key, Body=b"{}")
        assert (await person.runs("verify", *place)).code == 0
        listed = await person.runs("archive", "list", *place[1:], "--json")
        assert [json.loads(line)["first_leaf"] for line in listed.out.splitlines()] == [0, 300, 305]

        manifest = await manifest_of(locked, days[1])
        file = tmp_path / "cache" / f"{manifest['hashes']['sha256']}"
        file.write_bytes(bytes(32) + file.read_bytes()[32:])
        said = await person.runs("verify", *place)
        assert said.code == 1
        assert f"day {days[1].day}: its hashes do not lead to the root that was signed" in said.out
        assert "(leaf 300): does not have the hash that was sealed" in said.out
        swapped = ObjectRef(**{**manifest["hashes"], "sha256": "00" * 32})
        with pytest.raises(ArchiveDamaged, match="does not hold what was archived"):
            await locked.bucket.check_content(swapped)


async def test_the_archive_without_keys_and_with_them(
    queue: QueuePair,
    database: Database,
    three_days: list[bytes],
    author: Author,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Without the service's settings entries about people are checked by their hash and counted, and only the others are shown;
    with them all are read, erased ones are counted, and one changed byte of ciphertext is found and named.
    """
    nobody = author.entry()
    await database.append([nobody])
    await seal(database)
    person = Person(capsys, monkeypatch)
    monkeypatch.setenv("COUNTERSIGN_LOG_KEY", LOG_KEY)
    async with archive_bucket(queue.aws) as locked:
        days = await archive(database, locked)
        place = locked.options(tmp_path / "cache")
        settings = await asyncio.to_thread(write_settings, tmp_path / "audit", queue, database, **locked.settings())
        with_keys = [*place, "--settings", settings]
        of_first = json.loads(three_days[300])["event_id"]
        async with database.tampering() as connection:
            await connection.execute(
                "UPDATE audit.subject_keys SET wrapped_key = NULL, destroyed_at = now() "
                "WHERE key_id = (SELECT key_id FROM audit.entries WHERE event_id = $1::text::uuid)",
                of_first,
            )

        said = await person.runs("verify", *place)
        assert (said.code, "300 entries, 300 of them not readable here" in said.out) == (0, True), said
        said = await person.runs("query", *place, "--limit", 400, "--json")
        assert (said.code, len(said.out.splitlines())) == (0, 1), said
        assert nobody.decode() in said.out
        assert "325 entries not readable here" in said.err

        said = await person.runs("verify", *with_keys)
        later = "5 entries, 5 of them erased as the archive ends or later, by the word of the database: not checked here"
        assert (said.code, later in said.out, "not readable" in said.out) == (0, True, False), said
        said = await person.runs("query", *with_keys, "--limit", 400, "--json")
        assert (len(said.out.splitlines()), "5 entries erased" in said.err) == (321, True), said

        event_id = json.loads(three_days[7])["event_id"]
        [row] = await database.fetch(
            "SELECT entry, leaf_index FROM audit.entries JOIN audit.leaves USING (event_id) WHERE event_id = $1::text::uuid",
            event_id,
        )
        [part] = (await manifest_of(locked, days[0]))["parts"]
        file = tmp_path / "cache" / f"{part['sha256']}.parquet"
        archived = file.read_bytes()
        # Ciphertext does not compress: it lies there as it is, but where four bytes of it happen to have been there before.
        places = (archived.find(row["entry"][start : start + 12]) for start in range(12, 96, 12))
        place_of = next(one for one in places if one >= 0)
        file.write_bytes(archived[:place_of] + bytes([archived[place_of] ^ 1]) + archived[place_of + 1 :])
        said = await person.runs("verify", *with_keys)
        assert (said.code, f"entry {event_id} (leaf {row['leaf_index']}): was changed" in said.out) == (1, True), said
        said = await person.runs("query", *with_keys, "--subject", f"{ADA[:-1]}3", "--limit", 400)
        assert "1 entry damaged" in said.err


async def test_an_erased_entry_is_named_by_the_log(
    queue: QueuePair,
    database: Database,
    three_days: list[bytes],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    An archived entry counts as erased when an event of the archive has announced it. Where the key table alone says so, it is
    lost and named; where its key was destroyed when the archive ended or later, it is in a count of its own.
    """
    person = Person(capsys, monkeypatch)
    monkeypatch.setenv("COUNTERSIGN_LOG_KEY", LOG_KEY)
    async with archive_bucket(queue.aws) as locked:
        async with running_service(tmp_path / "service", queue, database) as service:
            done = await service.send("POST", "/v1/erasures", {"subject": f"{ADA[:-1]}2", "reason": "request"})
            assert (done.status, done.json()["erased_entries"]) == (201, 5)
        await archive(database, locked)
        settings = await asyncio.to_thread(write_settings, tmp_path / "audit", queue, database, **locked.settings())
        where = [*locked.options(tmp_path / "cache"), "--settings", settings]

        async def destroyed(event: bytes, ago: str) -> None:
            async with database.tampering() as connection:
                await connection.execute(
                    "UPDATE audit.subject_keys SET wrapped_key = NULL, destroyed_at = now() - $2::text::interval "
                    "WHERE key_id = (SELECT key_id FROM audit.entries WHERE event_id = $1::text::uuid)",
                    json.loads(event)["event_id"],
                    ago,
                )

        await destroyed(three_days[302], "3 days")
        said = await person.runs("verify", *where)
        assert (said.code, "5 entries, 5 of them erased\n" in said.out) == (0, True), said

        await destroyed(three_days[310], "0 days")
        said = await person.runs("verify", *where, "--json")
        verdicts = [json.loads(line) for line in said.out.splitlines()]
        assert (said.code, [(one.get("erased", 0), one.get("erased_later", 0)) for one in verdicts]) == (
            0,
            [(0, 0), (5, 0), (0, 20)],
        )

        await destroyed(three_days[310], "2 days")
        said = await person.runs("verify", *where)
        assert (said.code, said.err[:25]) == (1, "countersign: 20 findings:"), said
        assert "FAILED    entry at leaf 305: is LOST: the database says that its key was destroyed" in said.out
        assert "5 entries, 5 of them erased\n" in said.out


def stand_in_local_stack(folder: Path, aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand where the local stack runs on this AWS, with somebody else's credentials in the environment."""
    known = {"endpoint_url": aws.endpoint_url, "region": "us-east-1", "audit_queue_url": "", "audit_dlq_url": ""}
    keys = {name.removeprefix("AWS_").lower(): aws.credentials[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    (folder / ".local").mkdir()
    (folder / ".local" / "stack.json").write_text(json.dumps({"aws": {**known, **keys}}))
    monkeypatch.chdir(folder)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "nobody")


async def test_the_service_archives_and_says_so(
    queue: QueuePair,
    database: Database,
    three_days: list[bytes],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    The service archives closed days by itself and records each; ``archive run`` then finds nothing to do; GET /v1/archive
    shows them; a kept search finds in them what it finds in the log; where the local stack runs the command takes its
    credentials; with a bucket that does not lock the service does not start. The check from within finds nothing.
    """
    async with archive_bucket(queue.aws) as locked:
        async with running_service(tmp_path / "audit", queue, database, **locked.settings()) as service:

            async def said() -> list[Any]:
                return await service.events(("type", "audit.archive.written"), ("order", "asc"))

            async def are_two() -> bool:
                return len(await said()) == 2

            await until(are_two, "two archived days in the log")
            answer = (await service.get("/v1/archive")).json()
            assert [(day["first_leaf"], day["last_leaf"], day["entries"]) for day in answer["days"]] == [
                (300, 304, 5),
                (0, 299, 300),
            ]
            assert {day["sha256"] for day in answer["days"]} == {one["data"]["manifest_sha256"] for one in await said()}
            assert answer["next_cursor"] is None
            assert await findings(database) == []

            person = Person(capsys, monkeypatch)
            person.knows(service)
            path = await asyncio.to_thread(write_settings, tmp_path / "reader", queue, database, **locked.settings())
            place = (*locked.options(tmp_path / "cache"), "--settings", path)
            assert (await person.runs("searches", "save", "two", "--filter", 'client.ip eq "192.0.2.2"')).code == 0
            assert (await person.runs("searches", "save", "her", "--email", "ada@example.test")).code == 0
            kept = await person.runs("query", *place, "--saved", "two", "--json")
            assert (kept.code, len(kept.out.splitlines())) == (0, 5), kept
            kept = await person.runs("query", *place, "--saved", "her", "--json")
            assert (kept.code, kept.out, "no addresses" in kept.err) == (2, "", True), kept
        path = await asyncio.to_thread(write_settings, tmp_path / "again", queue, database, **locked.settings())
        stand_in_local_stack(tmp_path, queue.aws, monkeypatch)
        ran = await Person(capsys, monkeypatch).runs("archive", "run", "--settings", path)
        assert (ran.code, "Nothing to archive" in ran.out) == (0, True), ran

    async with archive_bucket(queue.aws, is_locked=False) as bare:
        path = await asyncio.to_thread(write_settings, tmp_path / "bare", queue, database, **bare.settings())
        ran = await Person(capsys, monkeypatch).runs("archive", "run", "--settings", path)
        assert (ran.code, "no object lock" in ran.err) == (1, True)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.audit", "--settings", str(path)), stdout=PIPE, stderr=STDOUT, cwd=REPOSITORY
        )
        out, _ = await asyncio.wait_for(process.communicate(), DEADLINE_SECONDS)
        assert (process.returncode != 0, b"no object lock" in out) == (True, True), out
