"""The sequencer: everything that is committed is sealed, once, in one tree; and nothing that was changed is signed over."""

import asyncio
import json
from typing import Any

import asyncpg
import pytest

from services.audit.reading import read_line
from services.audit.sealing.sequencer import SealStopped
from services.audit.sealing.store import LOCK_KEY
from services.audit.storage.database import DatabaseUnavailable
from services.audit.storage.entries import APPEND
from services.audit.tree.checkpoints import CheckpointInvalid, open_checkpoint
from services.audit.tree.notes import Signer
from tests.integration.audit.consistency import assert_log_consistent, assert_seals_consistent
from tests.integration.audit.lab import (
    LOG_ORIGIN,
    SIGNERS,
    Author,
    Database,
    QueuePair,
    running_consumer,
    running_sequencer,
    seal,
    sequencer_of,
    until,
)

NEXT_SIGNER = Signer(LOG_ORIGIN, bytes([8] * 32))


async def newest_note(database: Database) -> str:
    """Return the newest checkpoint."""
    rows = await database.fetch("SELECT note FROM audit.seals ORDER BY tree_size DESC LIMIT 1")
    note: str = rows[0]["note"]
    return note


async def sealed_order(database: Database) -> list[str]:
    """Return the event ids in the order of the tree."""
    rows = await database.fetch("SELECT event_id::text AS id FROM audit.leaves ORDER BY leaf_index")
    return [row["id"] for row in rows]


async def test_an_empty_log_has_a_checkpoint(database: Database) -> None:
    """
    Before anything is logged there is a signed checkpoint of the empty tree, so that nobody can begin the log twice.
    """
    assert await seal(database) == 0
    assert open_checkpoint(await newest_note(database), [SIGNERS[0].verifier]).tree_size == 0


@pytest.mark.parametrize("sizes", [[1], [255, 1, 1], [256], [300, 300, 300], [2000]], ids=str)
async def test_rounds_of_any_size_give_one_tree(database: Database, author: Author, sizes: list[int]) -> None:
    """
    However the entries fell into rounds, tree, tiles and checkpoints are those of the definition.
    """
    for size in sizes:
        await database.append(author.entries(size))
        await seal(database, round_entries_max=700)

    assert await assert_log_consistent(database) == sum(sizes)
    checkpoint = open_checkpoint(await newest_note(database), [SIGNERS[0].verifier])
    assert checkpoint.tree_size == sum(sizes)


async def test_sealed_soon_after_commit(queue: QueuePair, database: Database, author: Author) -> None:
    """
    Entries that the consumer commits while the sequencer runs are sealed within a second.
    """
    async with running_sequencer(database) as sequencer, running_consumer(queue, database):
        await database.wait_for_seal(0)
        for number in range(1, 8):
            await queue.send(*author.entries(20))
            await database.wait_for_seal(20 * number)

    # The median: a machine may stand still for a moment of its own.
    within = sequencer.registry.get_sample_value("audit_seal_lag_seconds_bucket", {"le": "1.0"}) or 0
    assert within > sequencer.count("audit_seal_lag_seconds_count") / 2
    assert sequencer.count("audit_seal_wait_seconds") == 0
    assert sequencer.count("audit_tree_size") == 140
    assert await assert_log_consistent(database) == 140


async def test_many_sequencers_make_one_tree(database: Database) -> None:
    """
    Several sequencers at once, as several processes have them, seal each entry once and in one tree.
    """
    authors = [Author() for _ in range(3)]
    async with running_sequencer(database), running_sequencer(database), running_sequencer(database):
        for _ in range(10):
            await asyncio.gather(*(database.append(author.entries(30)) for author in authors))
        await database.wait_for_seal(900)

    assert await assert_log_consistent(database) == 900


async def test_a_late_commit_is_sealed_and_holds_back_what_came_after(database: Database, author: Author) -> None:
    """
    Nothing that began after an open transaction is sealed before it ends: what it commits late is never skipped.
    """
    # Each has a text of its own: a text that is new to the log is one row, and who writes it second waits for the first.
    early, late = author.entry(reason="early"), author.entry(reason="late")
    connection = await asyncpg.connect(database.writer_url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(APPEND, *([value] for value in (*read_line(late), None)))
        await database.append([early])
        assert await seal(database) == 0
        await transaction.commit()
    finally:
        await connection.close()

    assert await seal(database) == 2
    assert await sealed_order(database) == [json.loads(entry)["event_id"] for entry in (late, early)]


FLIP = "UPDATE audit.{table} SET {column} = set_byte({column}, 3, get_byte({column}, 3) # 1)"
OTHERS_BYTES = """
UPDATE audit.entries SET (entry, leaf_hash) = (SELECT entry, leaf_hash FROM audit.entries WHERE event_id <> $1 LIMIT 1)
"""
NO_EVENT = "UPDATE audit.entries SET entry = '{}', leaf_hash = sha256('\\x007b7d')"
TAMPERED = {
    "a changed byte": (FLIP.format(table="entries", column="entry"), "hash_mismatch"),
    "a changed hash": (FLIP.format(table="entries", column="leaf_hash"), "hash_mismatch"),
    "another's bytes": (OTHERS_BYTES, "identity_mismatch"),
    "no event at all": (NO_EVENT, "unreadable"),
}


@pytest.mark.parametrize(("statement", "reason"), TAMPERED.values(), ids=TAMPERED.keys())
async def test_a_changed_entry_stops_the_sealing(database: Database, author: Author, statement: str, reason: str) -> None:
    """
    An entry that was changed between commit and seal is named and never signed over; what came before it is sealed.
    """
    before, changed, after = author.entries(5), author.entry(), author.entries(5)
    for entries in (before, [changed], after):
        await database.append(entries)
    event_id = json.loads(changed)["event_id"]
    async with database.tampering() as connection:
        await connection.execute(f"{statement} WHERE event_id = $1", event_id)

    async with sequencer_of(database) as sequencer:
        while (await sequencer.sequencer.seal_once()).sealed_count == 0:
            pass
        for _ in range(2):
            with pytest.raises(SealStopped) as stopped:
                await sequencer.sequencer.seal_once()
        assert (stopped.value.reason, stopped.value.place) == (reason, f"entry {event_id}")

    assert await assert_seals_consistent(database) == 5


async def test_a_stop_is_an_alarm_and_ends_when_it_is_mended(database: Database, author: Author) -> None:
    """
    A stop raises the metric and is recorded once, naming the entry; when the entry is as it was, sealing goes on by itself.
    """
    entry = author.entry()
    await database.append([entry])
    event_id = json.loads(entry)["event_id"]
    change = "UPDATE audit.entries SET entry = $2 WHERE event_id = $1"
    async with database.tampering() as connection:
        await connection.execute(change, event_id, entry.replace(b"success", b"failure"))

    async with running_sequencer(database, stopped_seconds=0.2) as sequencer:
        await until(lambda: reached(len(sequencer.events.bodies), 1), "alarm")
        [event] = sequencer.events.bodies
        assert sequencer.count("audit_seal_stopped") == 1
        assert (event["event_type"], event["reason"], event["outcome"]) == ("audit.seal.stopped", "hash_mismatch", "error")
        assert event["data"]["place"] == f"entry {event_id}"
        assert sequencer.count("audit_seal_wait_seconds") > 0
        async with database.tampering() as connection:
            await connection.execute(change, event_id, entry)
        await until(lambda: reached(len(sequencer.events.bodies), 2), "end of the alarm")
        assert [body["event_type"] for body in sequencer.events.bodies] == ["audit.seal.stopped", "audit.seal.resumed"]
        assert sequencer.count("audit_seal_stopped") == 0

    assert await assert_log_consistent(database) == 1


TILE = "tile/0/000.p/10"
TAMPERED_TREES = {
    "a tile": (FLIP.format(table="tiles", column="hashes"), "tile_mismatch", TILE),
    "a shorter tile": ("UPDATE audit.tiles SET hashes = substr(hashes, 1, 288)", "tile_mismatch", TILE),
    "a lost tile": ("DELETE FROM audit.tiles", "tile_mismatch", TILE),
    "a root": (
        FLIP.format(table="seals", column="root_hash") + " WHERE tree_size = 10",
        "checkpoint_mismatch",
        "checkpoint 10",
    ),
    "a note": ("UPDATE audit.seals SET note = replace(note, '10', '11')", "checkpoint_mismatch", "checkpoint 10"),
    "a lost checkpoint": ("DELETE FROM audit.seals WHERE tree_size = 10", "tree_conflict", "tiles"),
}


@pytest.mark.parametrize(("statement", "reason", "place"), TAMPERED_TREES.values(), ids=TAMPERED_TREES.keys())
async def test_a_changed_tree_stops_the_sealing(
    database: Database, author: Author, statement: str, reason: str, place: str
) -> None:
    """
    A tree that is not what was signed is not grown any further, and what was changed is named.
    """
    await database.append(author.entries(10))
    await seal(database)
    async with database.tampering() as connection:
        await connection.execute(statement)
    await database.append(author.entries(3))

    async with sequencer_of(database) as sequencer:
        with pytest.raises(SealStopped) as stopped:
            await sequencer.sequencer.seal_once()
    assert (stopped.value.reason, stopped.value.place) == (reason, place)


# To the state in which the log had five leaves, and every signature and hash in it fits; or to the beginning.
PUT_BACK = """
DELETE FROM audit.seals WHERE tree_size > {size};
DELETE FROM audit.entries WHERE event_id IN (SELECT event_id FROM audit.leaves WHERE leaf_index >= {size});
DELETE FROM audit.leaves WHERE leaf_index >= {size};
UPDATE audit.tiles SET hashes = substr(hashes, 1, 32 * {size});
"""
EMPTIED = "TRUNCATE audit.entries, audit.leaves, audit.tiles, audit.seals"


@pytest.mark.parametrize(
    ("change", "place"),
    [(PUT_BACK.format(size=5), "checkpoint 5"), (EMPTIED, "checkpoint")],
    ids=["older state", "nothing"],
)
async def test_a_log_that_is_put_back_under_a_sequencer_is_not_gone_on_with(
    database: Database, author: Author, change: str, place: str
) -> None:
    """
    A log that was put back to an older state of its own stops whoever has seen the newer one, also when somebody who has not
    has let it grow since; whoever starts anew takes it as it is.
    """
    async with sequencer_of(database) as sequencer:
        for _ in range(2):
            await database.append(author.entries(5))
            while (await sequencer.sequencer.seal_once()).sealed_count == 0:
                pass
        async with database.tampering() as connection:
            await connection.execute(change)

        with pytest.raises(SealStopped) as stopped:
            await sequencer.sequencer.seal_once()
        assert (stopped.value.reason, stopped.value.place) == ("log_put_back", place)

        await database.append(author.entries(300))
        size = await seal(database)
        with pytest.raises(SealStopped) as stopped:
            await sequencer.sequencer.seal_once()
        assert (stopped.value.reason, stopped.value.place) == ("log_put_back", f"checkpoint {size}")


async def test_what_others_sealed_is_gone_on_with(database: Database, author: Author) -> None:
    """
    A sequencer that had no turn for a while goes on with what others have sealed meanwhile, whatever the sizes.
    """
    async with sequencer_of(database) as sequencer:
        for count in (0, 1, 254, 1, 1, 255, 3, 700):
            await database.append(author.entries(count))
            await seal(database)
            await sequencer.sequencer.seal_once()
            await database.append(author.entries(2))
            assert (await sequencer.sequencer.seal_once()).sealed_count == 2

    assert await assert_log_consistent(database) == 1215 + 16


async def test_another_key_does_not_go_on_with_the_log(database: Database, author: Author) -> None:
    """
    A sequencer with a key that did not sign the last checkpoint stops, and one with both keys hands the log over.
    """
    await database.append(author.entries(3))
    await seal(database)
    await database.append(author.entries(3))
    async with sequencer_of(database, signers=[NEXT_SIGNER]) as stranger:
        with pytest.raises(SealStopped, match="none of our keys"):
            await stranger.sequencer.seal_once()

    await seal(database, signers=[*SIGNERS, NEXT_SIGNER])
    both = await newest_note(database)
    for signer in (*SIGNERS, NEXT_SIGNER):
        assert open_checkpoint(both, [signer.verifier]).tree_size == 6

    await database.append(author.entries(3))
    assert await seal(database, signers=[NEXT_SIGNER]) == 9
    with pytest.raises(CheckpointInvalid):
        open_checkpoint(await newest_note(database), [SIGNERS[0].verifier])
    assert await assert_log_consistent(database) == 9


GRANTS: dict[str, list[str]] = {
    "countersign_sequencer": [
        "UPDATE audit.entries SET entry = 'x'",
        "INSERT INTO audit.entries (event_id, entry, leaf_hash) VALUES (gen_random_uuid(), 'x', sha256('x'))",
        "SELECT * FROM audit.entry_search",
        "SELECT * FROM audit.quarantine",
        "UPDATE audit.seals SET note = 'x'",
        "DELETE FROM audit.seals",
        "UPDATE audit.leaves SET leaf_index = 0",
        "DELETE FROM audit.leaves",
        "DELETE FROM audit.tiles",
        "UPDATE audit.tiles SET tile_index = 7",
        "TRUNCATE audit.tiles",
        "INSERT INTO audit.seals (tree_size, root_hash, note, through_xid, through_id, sealed_at) "
        "VALUES (0, sha256(''), 'x', '0', gen_random_uuid(), now() - interval '1 day')",
    ],
    "countersign_writer": ["SELECT * FROM audit.leaves", "INSERT INTO audit.leaves VALUES (gen_random_uuid(), 1)"],
    "countersign_reader": ["INSERT INTO audit.tiles VALUES (0, 0, sha256('x'))", "DELETE FROM audit.gap_edges"],
    "countersign_clerk": [
        "INSERT INTO audit.entries (event_id, entry, leaf_hash) VALUES (gen_random_uuid(), 'x', sha256('x'))",
        "INSERT INTO audit.leaves VALUES (gen_random_uuid(), 1)",
        "UPDATE audit.seals SET note = 'x'",
        "DELETE FROM audit.tiles",
    ],
    "countersign_owner": [
        "UPDATE audit.seals SET note = 'x'",
        "DELETE FROM audit.leaves",
        "DELETE FROM audit.tiles",
        "TRUNCATE audit.seals CASCADE",
        "TRUNCATE audit.leaves",
    ],
}


@pytest.fixture
async def sealed(database: Database, author: Author) -> Database:
    """A log with some sealed entries."""
    await database.append(author.entries(3))
    await seal(database)
    return database


@pytest.mark.parametrize("role", GRANTS)
async def test_each_role_does_its_own_work_only(sealed: Database, role: str) -> None:
    """
    Nobody changes what is sealed, and only the sequencer adds to it.
    """
    for statement in GRANTS[role]:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await sealed.fetch(statement, role=role)
    assert await assert_log_consistent(sealed) == 3


@pytest.mark.parametrize(
    "hashes",
    ["sha256('x')", "hashes", "substr(hashes, 1, 32)", "hashes || 'x'", "sha256('x') || substr(hashes, 33) || sha256('x')"],
)
async def test_a_tile_only_grows(sealed: Database, hashes: str) -> None:
    """
    Even the sequencer cannot change a hash of a tile, nor shorten it.
    """
    with pytest.raises(asyncpg.CheckViolationError):
        await sealed.fetch(f"UPDATE audit.tiles SET hashes = {hashes}", role="countersign_sequencer")
    assert await assert_log_consistent(sealed) == 3


async def test_the_tree_cannot_fork(sealed: Database) -> None:
    """
    The database refuses a second checkpoint on top of one that has a successor.
    """
    sql = (
        "INSERT INTO audit.seals (tree_size, previous_size, root_hash, note, through_xid, through_id) "
        "VALUES (2, 0, sha256('x'), 'x', '1', gen_random_uuid())"
    )
    with pytest.raises(asyncpg.UniqueViolationError):
        await sealed.fetch(sql, role="countersign_sequencer")


async def test_a_hanging_sequencer_loses_its_turn(database: Database, author: Author) -> None:
    """
    A sequencer that stands still in its turn is cut off by the database, and another goes on.
    """
    await database.append(author.entries(3))
    hanging = await asyncpg.connect(database.sequencer_url)
    try:
        await hanging.execute("BEGIN")
        assert await hanging.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK_KEY)
        async with sequencer_of(database) as other:
            assert not (await other.sequencer.seal_once()).has_turn
        await hanging.execute("SET idle_in_transaction_session_timeout = 1000")
        async with running_sequencer(database):
            await database.wait_for_seal(3)
    finally:
        hanging.terminate()
    assert await assert_log_consistent(database) == 3


async def test_a_log_restored_on_another_server_goes_on(database: Database, author: Author) -> None:
    """
    After a dump and restore, when transaction numbers begin anew, nothing is skipped and nothing gets a second place.
    """
    await database.append(author.entries(5))
    await seal(database)
    unsealed, fresh = author.entries(5), author.entries(5)
    await database.append(unsealed)
    async with database.tampering() as connection:
        # As a server sees it that has not come that far: rows and the sequencer's position bear numbers of the future.
        for table, column in (("entries", "recorded_xid"), ("seals", "through_xid")):
            ahead = f"({column}::text::bigint + 1000000000)::text::xid8"
            await connection.execute(f"UPDATE audit.{table} SET {column} = {ahead}")

    assert await seal(database, round_entries_max=3) == 10
    await database.append(fresh)
    assert await seal(database, round_entries_max=3) == 15
    assert await assert_log_consistent(database) == 15


async def test_without_a_database_it_waits(database: Database) -> None:
    """
    A sequencer that cannot reach its database says that it should be tried again.
    """
    async with sequencer_of(database, url="postgresql://nobody:x@127.0.0.1:9/none") as sequencer:
        with pytest.raises(DatabaseUnavailable):
            await sequencer.sequencer.seal_once()


async def reached(value: float, wanted: float) -> bool:
    """Say whether a value is at least as large as wanted."""
    return value >= wanted


def test_numbers_of_a_producer_that_are_far_apart() -> None:
    """
    The largest number that a line may bear fits the ranges in which numbers are kept.
    """
    made: Any = read_line(Author(seq=2**63 - 2).entry())
    assert made.seq + 1 == 2**63 - 1
