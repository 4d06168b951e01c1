"""The log recomputed from its entries alone: what every test that writes to it ends with."""

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.audit.checking.check import SEALED_SECONDS_MAX, Check, CheckFailed
from services.audit.checking.store import CheckStore
from services.audit.reading import read_line
from services.audit.storage.database import open_pool
from tests.integration.audit.lab import ENTRY_KEY, RING, Database

DICTIONARY = files("services.audit.storage").joinpath("packing-1.txt").read_bytes()
TEXT_COLUMNS = (
    *("request_id", "attempt_id", "session_ref", "subject_sub", "email_hash", "method", "state", "reason", "country"),
    *("device_id", "user_agent", "action", "operation", "error", "route", "status", "actor_kind", "actor_id"),
)


async def assert_log_consistent(database: Database) -> int:
    """
    Recompute everything that the log claims, with code that shares nothing with the writer where that is possible.

    Every leaf hash fits its bytes; the id in the bytes is the id of the row; each entry has exactly one row in entry_search, no
    row there lacks its entry, and each says what the bytes say; and what `assert_seals_consistent` says. Returns how many
    entries there are.
    """
    rows = await database.fetch(
        "SELECT e.event_id::text AS id, e.entry, e.leaf_hash, e.key_id, k.wrapped_key, k.destroyed_at, s.* "
        "FROM audit.entries e LEFT JOIN audit.subject_keys k USING (key_id) FULL JOIN audit.entry_search s USING (event_id)"
    )
    for row in rows:
        assert row["entry"] is not None, "a row of entry_search has no entry"
        assert row["event_type"] is not None, f"entry {row['id']} cannot be found by a search"
        if row["destroyed_at"] is not None:
            assert [row[column] for column in ("subject_sub", "email_hash", "ip", "words_id")] == [None] * 4
            continue
        entry = opened(row["id"], row)
        event = json.loads(entry)
        assert ("subject" in event) == (row["key_id"] is not None)
        assert row["leaf_hash"] == hashlib.sha256(b"\x00" + entry).digest(), f"leaf hash of {row['id']}"
        assert row["id"] == event["event_id"]
        assert (row["event_type"], row["outcome"]) == (event["event_type"], event["outcome"])
        assert (str(row["instance"]), row["seq"]) == (event["producer"]["instance"], event["producer"]["seq"])
        assert row["occurred_at"] == datetime.fromisoformat(event["occurred_at"])
        derived = read_line(entry)
        for column in TEXT_COLUMNS:
            assert row[column] == getattr(derived, column), f"{column} of {row['id']}"
        assert str(row["words_id"]) == str(UUID(derived.words_id))
        assert (None if row["ip"] is None else str(row["ip"])) == derived.ip
    assert len({row["id"] for row in rows}) == len(rows)
    await assert_seals_consistent(database)
    return len(rows)


async def assert_seals_consistent(database: Database) -> int:
    """
    Recompute the tree from the entries alone, by its definition, and compare every checkpoint and tile with it.

    Leaves are 0, 1, 2, ... without a hole and each has its entry; every checkpoint stands on the one before and has the root of
    its size; every tile holds the hashes that it must, none is missing and none too many; and the producers' numbers are the
    entries'. Returns how many entries are sealed.
    """
    leaves = await database.fetch(
        "SELECT l.leaf_index, l.event_id::text AS id, e.entry, e.leaf_hash, e.key_id, k.wrapped_key, k.destroyed_at, "
        "s.instance::text AS instance, s.seq FROM audit.leaves l LEFT JOIN audit.entries e USING (event_id) "
        "LEFT JOIN audit.subject_keys k USING (key_id) LEFT JOIN audit.entry_search s USING (event_id) ORDER BY l.leaf_index"
    )
    assert [row["leaf_index"] for row in leaves] == list(range(len(leaves)))
    hashes = [
        row["leaf_hash"] if row["destroyed_at"] else hashlib.sha256(b"\x00" + opened(row["id"], row)).digest() for row in leaves
    ]
    seals = await database.fetch("SELECT tree_size, previous_size, root_hash, note FROM audit.seals ORDER BY tree_size")
    assert [seal["previous_size"] for seal in seals[1:]] == [seal["tree_size"] for seal in seals[:-1]]
    # The definition of the root is slow: the first, the last and some checkpoints between have to do.
    for seal in {*seals[:2], *seals[-2:], *seals[:: max(1, len(seals) // 10)]}:
        assert seal["root_hash"] == defined_root(hashes[: seal["tree_size"]]), f"root of {seal['tree_size']}"
        text = seal["note"].splitlines()
        assert text[1:3] == [str(seal["tree_size"]), base64.b64encode(seal["root_hash"]).decode()]
    size = seals[-1]["tree_size"] if seals else 0
    assert size == len(leaves)
    await _assert_tiles_consistent(database, hashes)
    await _assert_producers_consistent(database, leaves)
    return size


async def _assert_tiles_consistent(database: Database, hashes: list[bytes]) -> None:
    rows = await database.fetch("SELECT level, tile_index, hashes FROM audit.tiles")
    stored = {(row["level"], row["tile_index"]): row["hashes"] for row in rows}
    level, count = 0, 0
    while hashes:
        for start in range(0, len(hashes), 256):
            assert stored[level, start // 256] == b"".join(hashes[start : start + 256]), f"tile {level}/{start // 256}"
            count += 1
        hashes = [defined_root(hashes[start : start + 256]) for start in range(0, len(hashes) // 256 * 256, 256)]
        level += 1
    assert len(stored) == count


async def _assert_producers_consistent(database: Database, authors: Sequence[Mapping[str, Any]]) -> None:
    rows = await database.fetch("SELECT p.instance, p.entry_count, unnest(p.seqs) AS run FROM audit.producers p")
    numbers: dict[str, set[int]] = {}
    counts: dict[str, int] = {}
    for row in rows:
        numbers.setdefault(str(row["instance"]), set()).update(range(row["run"].lower, row["run"].upper))
        counts[str(row["instance"])] = row["entry_count"]
    expected: dict[str, set[int]] = {}
    for author in authors:
        expected.setdefault(author["instance"], set()).add(author["seq"])
    assert numbers == expected
    assert sum(counts.values()) == len(authors)


async def findings(database: Database, *, sealed_seconds_max: float = SEALED_SECONDS_MAX) -> list[str]:
    """Check a database as the operator does, from within, and return what is named."""
    pool = await open_pool(database.reader_url, name="test", connections_max=1, plans_each=True)
    try:
        await Check(CheckStore(pool), RING, sealed_seconds_max=sealed_seconds_max).run()
    except CheckFailed as error:
        return [f"{one.place}: {one.detail}" for one in error.findings]
    finally:
        await pool.close()
    return []


def opened(event_id: str, row: Mapping[str, Any]) -> bytes:
    """Return the entry of a stored row, decrypted from the format alone."""
    stored: bytes = row["entry"]
    if row["key_id"] is None:
        return stored
    box = row["wrapped_key"]
    data_key = AESGCM(bytes.fromhex(ENTRY_KEY)).decrypt(box[:12], box[12:], row["key_id"].bytes)
    found = AESGCM(data_key).decrypt(stored[:12], stored[12:], event_id.encode())
    if not found.startswith(b"\x01"):
        return found
    return zlib.decompressobj(-15, zdict=DICTIONARY).decompress(found[1:])


def defined_root(hashes: list[bytes]) -> bytes:
    """Return the root of a tree by the definition in RFC 6962 section 2.1."""
    if len(hashes) <= 1:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + defined_root(hashes[:split]) + defined_root(hashes[split:])).digest()
