"""Checkpoint, tiles, bundles and proofs over HTTP: open where they hold hashes, closed where they hold entries."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from services.audit.tree.bundles import decode_bundle
from services.audit.tree.checkpoints import open_checkpoint
from services.audit.tree.hashing import leaf_hash
from services.audit.tree.notes import VerifierKey
from services.audit.tree.proof_file import parse_proof
from tests.integration.audit.lab import (
    SIGNERS,
    TEMPLATE,
    Author,
    AwsServer,
    Database,
    PostgresServer,
    QueuePair,
    queue_pair,
    seal,
)
from tests.integration.audit.service import Service, running_service

KEYS = [SIGNERS[0].verifier]


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def entries() -> list[bytes]:
    """What is in the log."""
    return Author().entries(600)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def log(
    postgres_server: PostgresServer, aws_server: AwsServer, entries: list[bytes]
) -> AsyncIterator[tuple[QueuePair, Database]]:
    """A sealed log that holds the entries and nothing else; no test of this module adds to it."""
    database = await postgres_server.create_database(template=TEMPLATE)
    await database.append(entries)
    await seal(database)
    async with queue_pair(aws_server) as queue:
        yield queue, database


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(log: tuple[QueuePair, Database], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """A service that only answers."""
    async with running_service(tmp_path_factory.mktemp("proofs"), *log, receivers=0) as running:
        yield running


async def test_checkpoint_is_open_to_everybody(service: Service) -> None:
    """
    Anybody gets the newest checkpoint, signed, as text, and no proxy keeps it.
    """
    answer = await service.get("/log/checkpoint", token=None)

    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert open_checkpoint(answer.body.decode(), KEYS).tree_size == 600


async def test_keys_are_open_to_everybody(service: Service) -> None:
    """
    The service names the public key that its checkpoints verify with; it needs no credential.
    """
    answer = await service.get("/log/keys", token=None)

    key = VerifierKey.parse(answer.body.decode())
    open_checkpoint((await service.get("/log/checkpoint", token=None)).body.decode(), [key])
    assert str(key) == answer.body.decode().strip()


async def test_tiles_are_open_to_everybody(service: Service, entries: list[bytes]) -> None:
    """
    Anybody gets tiles, full and partial ones, for ever the same; they hold the hashes of the entries.
    """
    order = await leaf_order(service)
    for path, first, width in (("0/000", 0, 256), ("0/001", 256, 256), ("0/002.p/88", 512, 88), ("0/002.p/5", 512, 5)):
        answer = await service.get(f"/log/tile/{path}", token=None)
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/octet-stream")
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.body == b"".join(order[first : first + width])
    assert (await service.get("/log/tile/1/000.p/2", token=None)).status == 200
    assert set(order) == {hashlib.sha256(b"\x00" + entry).digest() for entry in entries}


async def leaf_order(service: Service) -> list[bytes]:
    """Return the leaf hashes in the order of the log."""
    answer = await service.get("/v1/events", params={"order": "asc", "limit": "1000"})
    items = answer.json()["events"]
    assert [item["leaf_index"] for item in items] == list(range(600))
    return [bytes.fromhex(item["leaf_hash"]) for item in items]


@pytest.mark.parametrize("path", ["0/003", "0/002", "0/002.p/89", "1/000", "2/000.p/1", "0/0", "x", "00/000"])
async def test_tiles_that_are_not_there(service: Service, path: str) -> None:
    """
    A tile that the tree does not have yet, or a path that is none, is not found.
    """
    assert (await service.get(f"/log/tile/{path}", token=None)).status in (401, 404)


@pytest.mark.parametrize("path", ["entries/000", "./entries/000", "%65ntries/000", "0/../entries/000", "Entries/000"])
async def test_entries_are_closed(service: Service, path: str) -> None:
    """
    Entry bundles are not given to everybody, however their path is spelled.
    """
    answer = await service.get(f"/log/tile/{path}", token=None)
    assert answer.status in (401, 404)


async def test_auditors_read_entry_bundles(service: Service, entries: list[bytes]) -> None:
    """
    With a credential a bundle gives the very entries, in the order of the log; one event a minute tells of it, also when
    several are asked for at once.
    """
    paths = ("000", "001", "002.p/88")
    answers = await asyncio.gather(*(service.get(f"/log/tile/entries/{path}") for path in paths))

    assert ["Audit-Receipt" in answer.headers for answer in answers].count(True) == 1
    bundled = [entry for answer in answers for entry in decode_bundle(answer.body)]
    assert len(bundled) == 600
    assert [leaf_hash(entry) for entry in bundled] == await leaf_order(service)
    assert set(bundled) <= set(entries)


async def test_every_event_is_proven(service: Service, entries: list[bytes]) -> None:
    """
    The proof file of an event verifies with the public key alone, and says by itself which receipt it is for.
    """
    for entry in entries[:3] + entries[298:302] + entries[-3:]:
        event_id = json.loads(entry)["event_id"]
        answer = await service.get(f"/v1/events/{event_id}/proof")

        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{event_id}.tlog-proof"'
        proof = parse_proof(answer.body.decode())
        assert proof.extra == f"{event_id}:{leaf_hash(entry).hex()}".encode()
        assert proof.verify(hashlib.sha256(b"\x00" + entry).digest(), KEYS).tree_size >= 600
        assert "Audit-Receipt" in answer.headers


async def test_what_has_no_proof(service: Service) -> None:
    """
    An unknown event is not found, one that is not sealed yet says so, and nobody without a credential learns which is which.
    """
    # The first bits of a UUIDv7 are a time; those of the second are one beyond the calendar.
    for unknown in (str(uuid4()), "ffffffff-ffff-4fff-bfff-ffffffffffff", "nonsense"):
        assert (await service.get(f"/v1/events/{unknown}/proof")).status == 404, unknown
    assert (await service.get(f"/v1/events/{uuid4()}/proof", token=None)).status == 401


async def test_not_sealed_yet(log: tuple[QueuePair, Database], postgres_server: PostgresServer, tmp_path: Path) -> None:
    """
    An event that is recorded and not sealed is shown without a place, and its proof is to be asked for again.
    """
    database = await postgres_server.create_database(template=TEMPLATE)
    entry = Author().entry()
    await database.append([entry])
    overrides = {"log_key_file": None, "sequencer_database_url_file": None}
    async with running_service(tmp_path, log[0], database, receivers=0, **overrides) as service:
        event_id = json.loads(entry)["event_id"]
        answer = await service.get(f"/v1/events/{event_id}/proof")
        assert (answer.status, answer.json()["code"], answer.headers["Retry-After"]) == (409, "not_sealed_yet", "1")
        assert (await service.get(f"/v1/events/{event_id}")).json()["leaf_index"] is None
        assert (await service.get("/log/checkpoint", token=None)).status == 404


async def test_a_damaged_log(
    log: tuple[QueuePair, Database], postgres_server: PostgresServer, entries: list[bytes], tmp_path: Path
) -> None:
    """
    A log that was changed gives no proof that would not verify: it says that it is damaged. A bundle of which an entry was
    deleted names the leaf.
    """
    database = await postgres_server.create_database(template=TEMPLATE)
    await database.append(entries)
    await seal(database)
    event_id = json.loads(entries[3])["event_id"]
    async with database.tampering() as connection, running_service(tmp_path, log[0], database, receivers=0) as service:
        for table, column in (("entries", "leaf_hash"), ("tiles", "hashes")):
            flip = f"UPDATE audit.{table} SET {column} = set_byte({column}, 5, get_byte({column}, 5) # 1)"
            await connection.execute(flip)
            answer = await service.get(f"/v1/events/{event_id}/proof")
            assert (answer.status, answer.json()["code"]) == (500, "log_damaged")
            await connection.execute(flip)
            assert (await service.get(f"/v1/events/{event_id}/proof")).status == 200

        await connection.execute(
            "DELETE FROM audit.entries e USING audit.leaves l WHERE e.event_id = l.event_id AND leaf_index = 300"
        )
        answer = await service.get("/log/tile/entries/001")
        assert (answer.status, answer.json()["code"]) == (404, "entries_missing")
        assert answer.json()["leaf_indexes"] == [300]
        assert (await service.get("/log/tile/entries/002.p/89")).status == 404
        await connection.execute("DELETE FROM audit.tiles WHERE level = 0")
        assert (await service.get(f"/v1/events/{event_id}/proof")).status == 500
