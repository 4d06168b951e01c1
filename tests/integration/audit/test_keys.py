"""How entries about a person are kept: encrypted under a key of theirs, and readable by nobody without it."""

import asyncio
import json
from typing import Any

import asyncpg
import pytest

from services.audit.reading import Origin, read_line
from services.audit.sealing.sequencer import SealStopped
from services.audit.storage.database import DatabaseUnavailable, open_pool
from services.audit.storage.entries import EntryStore
from services.audit.storage.keys import KeyRing
from services.audit.storage.log import LogReader
from services.audit.storage.migrate import migrate, released_migrations
from services.audit.storage.search import EntryReader, Filters
from shared.events import Subject
from tests.integration.audit.consistency import assert_log_consistent
from tests.integration.audit.lab import ENTRY_KEY, RING, Author, Database, PostgresServer, seal, sequencer_of

ADA = Subject(sub="3f2b0c9a-0000-4000-8000-00000000000a", email_hash="ad" * 32)
ADDRESS = Subject(email_hash="ad" * 32)


async def stored(database: Database) -> dict[str, Any]:
    """Return the rows of audit.entries by event id."""
    rows = await database.fetch("SELECT event_id::text AS id, entry, key_id, leaf_hash FROM audit.entries")
    return {row["id"]: row for row in rows}


def ids(*entries: bytes) -> list[str]:
    """Return the ids of entries."""
    return [json.loads(entry)["event_id"] for entry in entries]


async def test_entries_about_a_person_are_kept_encrypted(database: Database, author: Author) -> None:
    """
    An entry with a subject is stored under the key of its account, else of its address, and is read back byte for byte; one
    about nobody is stored as it is; all are sealed, over what was written.
    """
    account, address, nobody = author.entry(subject=ADA), author.entry(subject=ADDRESS), author.entry()
    await database.append([account, address, nobody])
    await database.append([account, author.entry(subject=ADA)])

    rows = await stored(database)
    kept = [rows[event_id] for event_id in ids(account, address, nobody)]
    assert len({row["key_id"] for row in rows.values()}) == 3
    assert [row["key_id"] is None for row in kept] == [False, False, True]
    assert not any(b"ad" * 32 in row["entry"] for row in kept)
    assert kept[2]["entry"] == nobody
    assert await seal(database) == 4
    assert await assert_log_consistent(database) == 4

    pool = await open_pool(database.reader_url, name="test", connections_max=1)
    try:
        found = await EntryReader(pool, RING).search(Filters(subject=ADA.sub), after=None, limit=9)
        assert [(one.entry, one.is_erased) for one in found][-1] == (account, False)
        strangers = await EntryReader(pool, KeyRing(["00" * 32])).search(Filters(subject=ADA.sub), after=None, limit=9)
        assert [(one.entry, one.is_erased) for one in strangers] == [(None, False)] * 2
        assert (await LogReader(pool, RING).leaf(found[0].event_id)) is not None
    finally:
        await pool.close()


async def test_the_deployments_key_rotates(database: Database, author: Author) -> None:
    """
    With a second key in the file what the first one wrapped is still read, and an owner keeps its key; without the first,
    appending waits for the right file.
    """
    before, after = author.entry(subject=ADA), author.entry(subject=ADA)
    await database.append([before])
    pool = await open_pool(database.writer_url, name="test", connections_max=1)
    try:
        newer = KeyRing(["0f" * 32, ENTRY_KEY])
        await EntryStore(pool, newer).append([(Origin("m", 1), read_line(after))], [])
        rows = await stored(database)
        assert len({rows[event_id]["key_id"] for event_id in ids(before, after)}) == 1
        with pytest.raises(DatabaseUnavailable, match="entry_key_file"):
            await EntryStore(pool, KeyRing(["0f" * 32])).append([(Origin("m", 1), read_line(author.entry(subject=ADA)))], [])
    finally:
        await pool.close()


async def test_two_consumers_make_one_key(database: Database, author: Author) -> None:
    """
    However many consumers meet an owner for the first time at one moment, the owner has one key in the end.
    """
    owners = [Subject(sub=f"3f2b0c9a-0000-4000-8000-{number:012}") for number in range(50)]
    await asyncio.gather(*(database.append([author.entry(subject=owner) for owner in owners]) for _ in range(6)))

    rows = await database.fetch("SELECT count(*) AS made, count(DISTINCT owner) AS owners FROM audit.subject_keys")
    assert tuple(rows[0]) == (51, 51)  # And the key by which owners are hashed.
    assert len({row["key_id"] for row in (await stored(database)).values()}) == 50
    assert await assert_log_consistent(database) == 300


async def test_a_log_from_before_there_were_keys(postgres_server: PostgresServer, author: Author) -> None:
    """
    A log that holds entries is migrated as it stands: what is there is read and sealed, what comes is kept encrypted.
    """
    database = await postgres_server.create_database()
    await migrate(database.owner_url, released_migrations()[:3])
    before, after = author.entry(subject=ADA), author.entry(subject=ADA)
    row = read_line(before)
    await database.fetch(
        "INSERT INTO audit.entries (event_id, entry, leaf_hash) VALUES ($1, $2, $3)",
        *(row.event_id, row.entry, row.leaf_hash),
        role="countersign_writer",
    )
    assert [one.version for one in await migrate(database.owner_url)][:1] == [4]
    await database.append([after])

    rows = await stored(database)
    assert [rows[event_id]["key_id"] is None for event_id in ids(before, after)] == [True, False]
    assert await database.entries() == dict(zip(ids(before, after), (before, after), strict=True))
    assert await seal(database) == 2


DAMAGES = {
    "a changed byte": ("UPDATE audit.entries SET entry = set_byte(entry, 20, get_byte(entry, 20) # 1)", "cannot_decrypt"),
    "another's key": (
        "UPDATE audit.subject_keys SET wrapped_key = set_byte(wrapped_key, 20, get_byte(wrapped_key, 20) # 1)",
        "key_unusable",
    ),
    "a key that is gone": ("DELETE FROM audit.subject_keys", "key_missing"),
    "a destroyed key": ("UPDATE audit.subject_keys SET wrapped_key = NULL, destroyed_at = now()", "key_destroyed"),
}


@pytest.mark.parametrize(("statement", "reason"), DAMAGES.values(), ids=DAMAGES.keys())
async def test_what_cannot_be_read_is_not_sealed(database: Database, author: Author, statement: str, reason: str) -> None:
    """
    An entry that cannot be decrypted stops the sealing, by name; put right, it is sealed by the sequencer that had refused it.
    """
    entry = author.entry(subject=ADA)
    await database.append([entry])
    async with database.tampering() as connection, sequencer_of(database) as running:
        await connection.execute("CREATE TABLE kept AS TABLE audit.subject_keys")
        await connection.execute("CREATE TABLE entries_kept AS TABLE audit.entries")
        owner = " WHERE owner <> decode(repeat('00', 32), 'hex')" if "subject_keys" in statement else ""
        await connection.execute(statement + owner)
        await running.sequencer.seal_once()
        with pytest.raises(SealStopped) as stopped:
            await running.sequencer.seal_once()
        assert (stopped.value.reason, stopped.value.place) == (reason, f"entry {ids(entry)[0]}")

        await connection.execute("DELETE FROM audit.subject_keys; INSERT INTO audit.subject_keys TABLE kept")
        await connection.execute("UPDATE audit.entries e SET entry = k.entry FROM entries_kept k WHERE k.event_id = e.event_id")
        assert (await running.sequencer.seal_once()).sealed_count == 1


CHANGES = [
    ("countersign_owner", "UPDATE audit.entries SET key_id = gen_random_uuid()"),
    ("countersign_owner", "UPDATE audit.entries SET entry = '\\x00', key_id = (SELECT key_id FROM audit.subject_keys LIMIT 1)"),
    ("countersign_owner", "UPDATE audit.entry_search SET subject_sub = NULL"),
    ("countersign_owner", "UPDATE audit.entry_search SET " + "subject_sub = NULL, email_hash = NULL, words_id = NULL"),
    ("countersign_owner", "DELETE FROM audit.subject_keys"),
    ("countersign_owner", "UPDATE audit.subject_keys SET owner = sha256('x')"),
    ("countersign_owner", "TRUNCATE audit.subject_keys"),
    ("countersign_writer", "UPDATE audit.subject_keys SET wrapped_key = NULL, destroyed_at = now()"),
    ("countersign_sequencer", "UPDATE audit.subject_keys SET wrapped_key = NULL, destroyed_at = now()"),
    ("countersign_clerk", "UPDATE audit.subject_keys SET wrapped_key = NULL, destroyed_at = now()"),
    ("countersign_clerk", "SELECT wrapped_key FROM audit.subject_keys"),
    ("countersign_clerk", "SELECT audit.empty_what_identifies(gen_random_uuid(), 'x', '{}', '{}', '{}')"),
    ("countersign_reader", "SELECT audit.erase_person(gen_random_uuid(), 'x', '{}', '{}', sha256('x'), '{}', '{}', 'x', 'x')"),
    ("countersign_writer", "SELECT audit.erase_person(gen_random_uuid(), 'x', '{}', '{}', sha256('x'), '{}', '{}', 'x', 'x')"),
    ("countersign_writer", "SELECT audit.close_keys_of_person('x', '{}', '{}')"),
    ("countersign_reader", "SELECT audit.erased_among('{}')"),
]


async def test_nobody_else_empties_anything(database: Database, author: Author) -> None:
    """
    No role destroys a key or empties a row but through the erasure, which only the clerk may call; and nobody, the owner
    included, empties what belongs to a key that is not destroyed.
    """
    await database.append([author.entry(subject=ADA)])
    for role, statement in CHANGES:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.fetch(statement, role=role)
    assert await assert_log_consistent(database) == 1
