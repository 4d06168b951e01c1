"""The log read by others: a tool that was written elsewhere, and one that was written from the specifications alone."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tlog_scales.backend import HttpBackend, LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey

from services.audit.tree.bundles import encode_bundle
from services.audit.tree.checkpoints import Checkpoint
from services.audit.tree.frontier import Frontier
from services.audit.tree.hashing import leaf_hash
from services.audit.tree.tiles import tiles_of
from tests.integration.audit.commands import LOG_KEY
from tests.integration.audit.lab import LOG_ORIGIN, SIGNERS, Author, Database, QueuePair, seal
from tests.integration.audit.service import SERVICE_TOKEN, Service, running_service

VERIFIER = Path(__file__).with_name("verifier.mjs")


@pytest.fixture
def entries(author: Author) -> list[bytes]:
    """What is in the log."""
    return author.entries(700)


@pytest.fixture
async def service(queue: QueuePair, database: Database, tmp_path: Path, entries: list[bytes]) -> AsyncIterator[Service]:
    """A service that answers and does not seal any further, over a log that grew in two steps."""
    for part in (entries[:300], entries[300:]):
        await database.append(part)
        await seal(database)
    overrides = {"log_key_file": None, "sequencer_database_url_file": None}
    async with running_service(tmp_path / "service", queue, database, receivers=0, **overrides) as running:
        yield running


async def node(*arguments: object) -> tuple[int, Any]:
    """Run the verifier that was written from the specifications; return its exit code and answer."""
    process = await asyncio.create_subprocess_exec(
        "node", str(VERIFIER), *map(str, arguments), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode in (0, 1), err.decode()
    assert out, err.decode()
    return process.returncode, json.loads(out)


def read_with_tlog_scales(url: str, token: str) -> None:
    """Let somebody else's tool check signature, root, every inclusion at the edges, consistency, and the entries."""
    backend = HttpBackend(f"{url}/log")
    backend.session.headers["Authorization"] = f"Bearer {token}"
    reader = TilesReader(backend)
    checkpoint = reader.get_checkpoint()
    checkpoint.verify(Vkey.from_string(LOG_KEY))
    assert (checkpoint.origin, checkpoint.size) == (LOG_ORIGIN, 700)
    assert reader.calculate_root_hash() == checkpoint.root_hash
    for index in (0, 255, 256, 299, 300, 511, 512, 699):
        leaf = leaf_hash(reader.get_entry(index))
        reader.get_inclusion_proof(index, checkpoint.size).check(leaf, checkpoint.root_hash)
    for size in (1, 256, 300, 512, 699):
        reader.get_consistency_proof(size, checkpoint.size).check(reader.mth(0, size), checkpoint.root_hash)


async def test_a_tool_of_other_peoples_accepts_the_log(service: Service) -> None:
    """
    tlog-scales, which knows nothing of us, accepts checkpoint, tiles, entries and the proofs that it makes of them.
    """
    await asyncio.to_thread(read_with_tlog_scales, service.url, SERVICE_TOKEN)


async def test_a_tool_from_the_specifications_accepts_the_log(service: Service) -> None:
    """
    The verifier in another language accepts the whole log, with entries, and without them for somebody without a token.
    """
    for token in ([SERVICE_TOKEN], []):
        code, answer = await node("log", service.url, LOG_KEY, *token)
        assert (code, answer["size"]) == (0, 700)


async def test_a_tool_from_the_specifications_accepts_proofs(service: Service, entries: list[bytes], tmp_path: Path) -> None:
    """
    The verifier in another language accepts proof files of ours, and refuses one for another entry.
    """
    for entry in (entries[0], entries[299], entries[699]):
        answer = await service.get(f"/v1/events/{json.loads(entry)['event_id']}/proof")
        (tmp_path / "proof").write_bytes(answer.body)
        (tmp_path / "entry").write_bytes(entry)
        (tmp_path / "other").write_bytes(entries[5])
        code, found = await node("proof", tmp_path / "proof", LOG_KEY, tmp_path / "entry")
        assert (code, found["size"]) == (0, 700)
        assert (await node("proof", tmp_path / "proof", LOG_KEY, tmp_path / "other"))[0] == 1


async def test_a_tool_from_the_specifications_finds_tampering(service: Service, database: Database) -> None:
    """
    The verifier in another language names the changed entry, tile or checkpoint.
    """
    flip = "UPDATE audit.{} SET {} = set_byte({}, 70, get_byte({}, 70) # 1) {}"
    of_leaf = "WHERE event_id = (SELECT event_id FROM audit.leaves WHERE leaf_index = 300)"
    changes = {
        flip.format("entries", *["entry"] * 3, of_leaf): "tile/entries/001: leaf 300",
        flip.format("tiles", *["hashes"] * 3, "WHERE level = 0 AND tile_index = 1"): "tile/1/000.p/2",
        "UPDATE audit.seals SET note = replace(note, E'\\n700\\n', E'\\n701\\n')": "checkpoint",
    }
    for statement, place in changes.items():
        async with database.tampering() as connection:
            await connection.execute(statement)
        code, answer = await node("log", service.url, LOG_KEY, SERVICE_TOKEN)
        assert code == 1
        assert answer["refused"].startswith(place), answer
        if statement.startswith("UPDATE audit.seals"):
            continue
        async with database.tampering() as connection:  # The same change once more undoes it.
            await connection.execute(statement)


def test_a_log_with_three_levels_of_tiles(tmp_path: Path) -> None:
    """
    A log of 70,000 entries in a folder, whose tiles stand on three levels, is accepted by somebody else's tool.
    """
    entries = [b"%d" % number for number in range(70_000)]
    frontier = Frontier()
    for grown in frontier.extend(map(leaf_hash, entries)):
        write(tmp_path / "tile" / grown.tile.path, grown.data)
    for tile in tiles_of(len(entries), 0):
        write(tmp_path / "tile" / tile.bundle_path, encode_bundle(entries[tile.index * 256 :][: tile.width]))
    write(tmp_path / "checkpoint", Checkpoint(LOG_ORIGIN, len(entries), frontier.root()).sign(SIGNERS).encode())

    reader = TilesReader(LocalBackend(tmp_path))
    checkpoint = reader.get_checkpoint()
    checkpoint.verify(Vkey.from_string(LOG_KEY))
    assert reader.calculate_root_hash() == checkpoint.root_hash
    for index in (0, 65_535, 65_536, 69_999):
        assert reader.get_entry(index) == entries[index]
        reader.get_inclusion_proof(index, checkpoint.size).check(leaf_hash(entries[index]), checkpoint.root_hash)


def write(path: Path, data: bytes) -> None:
    """Write a file of a log."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
