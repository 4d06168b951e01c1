"""Verifying a whole log: all is well when it is, and whatever was changed is named."""

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.audit.tree.checkpoints import Checkpoint
from services.audit.tree.frontier import Frontier
from services.audit.tree.hashing import leaf_hash
from services.audit.tree.notes import Signer
from services.audit.tree.tiles import Tile
from services.audit.verifying.folder import FolderSource, copy_log
from services.audit.verifying.log import LogVerifier, Missing, VerificationFailed

ORIGIN = "log.example.test"
SIGNER = Signer(ORIGIN, bytes(32))


def event_id(index: int) -> str:
    """The id of an entry."""
    return str(UUID(int=index))


@dataclass
class Log:
    """A log in memory, to be tampered with."""

    entries: list[bytes] = field(default_factory=list)
    tiles: dict[tuple[int, int], bytes] = field(default_factory=dict)
    frontier: Frontier = field(default_factory=Frontier)
    lost: set[int] = field(default_factory=set)

    def grow(self, count: int) -> Checkpoint:
        """Append entries and return the checkpoint."""
        made = [json.dumps({"event_id": event_id(len(self.entries) + place)}).encode() for place in range(count)]
        self.entries += made
        for grown in self.frontier.extend(map(leaf_hash, made)):
            self.tiles[grown.tile.level, grown.tile.index] = grown.data
        return Checkpoint(ORIGIN, self.frontier.size, self.frontier.root())

    def expect(self, tiles: Iterable[Tile], *, with_bundles: bool) -> None:
        """See `LogSource`."""

    def checkpoint(self) -> str:
        """See `LogSource`."""
        return Checkpoint(ORIGIN, self.frontier.size, self.frontier.root()).sign([SIGNER])

    def tile(self, tile: Tile) -> bytes:
        """See `LogSource`."""
        try:
            return self.tiles[tile.level, tile.index]
        except KeyError as error:
            raise Missing(f"tile/{tile.path}") from error

    def bundle(self, tile: Tile) -> list[bytes]:
        """See `LogSource`."""
        place = range(tile.index * 256, tile.index * 256 + tile.width)
        if gone := sorted(self.lost.intersection(place)):
            raise Missing(f"tile/{tile.bundle_path}", gone)
        return self.entries[place.start : place.stop]

    def flip_tile(self, level: int, index: int, byte: int) -> None:
        """Change one byte of a tile."""
        data = bytearray(self.tiles[level, index])
        data[byte] ^= 1
        self.tiles[level, index] = bytes(data)


def places(log: Log, checkpoint: Checkpoint, *, with_entries: bool = True, resume: Checkpoint | None = None) -> list[str]:
    """Return what a verification finds."""
    verifier = LogVerifier(log, with_entries=with_entries)
    try:
        if resume is not None:
            verifier.resume(resume)
        verifier.advance(checkpoint)
        verifier.check_erased()
    except VerificationFailed as error:
        return [finding.place for finding in error.findings]
    assert verifier.tree_size == checkpoint.tree_size
    return []


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 600), min_size=1, max_size=5), st.booleans())
def test_a_log_that_grows(steps: list[int], with_entries: bool) -> None:
    """
    A sound log verifies at every checkpoint, by one verifier that follows it and by one that resumes.
    """
    log = Log()
    follower = LogVerifier(log, with_entries=with_entries)
    before = log.grow(0)
    for step in steps:
        checkpoint = log.grow(step)
        follower.advance(checkpoint)
        assert places(log, checkpoint, with_entries=with_entries, resume=before) == []
        before = checkpoint
    assert follower.tree_size == sum(steps)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 1500), st.randoms(use_true_random=False))
def test_one_changed_entry_is_named(size: int, choose: random.Random) -> None:
    """
    Whichever byte of whichever entry is changed, that entry is named, and nothing else.
    """
    log = Log()
    checkpoint = log.grow(size)
    index = choose.randrange(size)
    entry = log.entries[index]
    log.entries[index] = entry.replace(b'"event_id"', b'"event_id" ', 1)

    assert places(log, checkpoint) == [f"entry {event_id(index)} (leaf {index})"]


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 1500), st.randoms(use_true_random=False))
def test_one_changed_tile_is_named(size: int, choose: random.Random) -> None:
    """
    Whichever byte of whichever tile is changed, that tile is named, and nothing else.
    """
    log = Log()
    checkpoint = log.grow(size)
    level, index = choose.choice(sorted(log.tiles))
    log.flip_tile(level, index, choose.randrange(len(log.tiles[level, index])))

    found = places(log, checkpoint)
    assert len(found) == 1
    assert found[0].startswith(f"tile/{Tile(level, index).path}")


def test_a_tile_of_a_high_level() -> None:
    """
    In a log that is high enough to have three levels of tiles a change in the highest is found as well.
    """
    log = Log()
    checkpoint = log.grow(65_540)
    for level, index in ((2, 0), (1, 0), (0, 255)):
        log.flip_tile(level, index, 5)
        assert places(log, checkpoint)[0].startswith(f"tile/{Tile(level, index).path}")
        log.flip_tile(level, index, 5)
    assert places(log, checkpoint) == []


CHANGES: dict[str, tuple[Callable[[Log], object], list[str]]] = {
    "an entry": (lambda log: log.lost.add(300), ["entry at leaf 300"]),
    "two entries": (lambda log: log.lost.update((300, 301)), ["entry at leaf 300", "entry at leaf 301"]),
    "a full tile": (lambda log: log.tiles.pop((0, 0)), ["tile/0/000"]),
    "the last tile": (lambda log: log.tiles.pop((0, 2)), ["tile/0/002.p/88"]),
    "a higher tile": (lambda log: log.tiles.pop((1, 0)), ["tile/1/000.p/2"]),
}


@pytest.mark.parametrize(("change", "named"), CHANGES.values(), ids=CHANGES.keys())
def test_what_is_lost_is_named(change: Callable[[Log], object], named: list[str]) -> None:
    """
    A sealed entry or a tile that is not there any more is named.
    """
    log = Log()
    checkpoint = log.grow(600)
    change(log)
    assert places(log, checkpoint) == named


def test_another_root_is_the_checkpoints_fault() -> None:
    """
    A checkpoint with a root that this log does not have is named itself.
    """
    log = Log()
    log.grow(600)
    assert places(log, Checkpoint(ORIGIN, 600, bytes(32))) == ["checkpoint 600"]


def test_entry_and_tiles_rewritten_together() -> None:
    """
    Whoever rewrites an entry and the whole tree over it cannot sign the root: the checkpoint shows it.
    """
    log = Log()
    checkpoint = log.grow(600)
    forged = Log()
    forged.grow(600)
    forged.entries[17] = b'{"event_id":"another"}'
    frontier = Frontier()
    for grown in frontier.extend(map(leaf_hash, forged.entries)):
        forged.tiles[grown.tile.level, grown.tile.index] = grown.data

    assert places(forged, checkpoint) == ["checkpoint 600"]


def test_a_rewritten_past_is_noticed_by_who_remembers() -> None:
    """
    A log that was cut back and grown anew, validly signed, does not pass for the one that was verified before.
    """
    log = Log()
    before = log.grow(300)
    other = Log()
    other.entries = [b'{"event_id":"x"}']
    other.frontier.extend([leaf_hash(other.entries[0])])
    other.tiles[0, 0] = leaf_hash(other.entries[0])
    after = other.grow(400)

    assert places(other, after) == []
    assert places(other, after, resume=before) == ["checkpoint 300"]
    follower = LogVerifier(log)
    follower.advance(before)
    with pytest.raises(VerificationFailed, match="has shrunk"):
        follower.advance(Checkpoint(ORIGIN, 299, bytes(32)))


def test_hashes_only() -> None:
    """
    Without entries a change in any tile is still found, though not always by its own name.
    """
    log = Log()
    checkpoint = log.grow(600)
    assert places(log, checkpoint, with_entries=False) == []
    for level, index in log.tiles:
        log.flip_tile(level, index, 7)
        assert places(log, checkpoint, with_entries=False)
        log.flip_tile(level, index, 7)


def test_a_copy_in_a_folder(tmp_path: Path) -> None:
    """
    A copied log verifies from its folder alone; brought up to date, it holds what is new; a changed file is named.
    """
    log = Log()
    for step in (300, 0, 500):
        checkpoint = log.grow(step)
        copy_log(log, log.checkpoint(), checkpoint, tmp_path, lambda done, total: None)
        verifier = LogVerifier(FolderSource(tmp_path))
        verifier.advance(checkpoint)

    bundle = tmp_path / "tile" / "entries" / "001"
    data = bytearray(bundle.read_bytes())
    data[-3] ^= 1
    bundle.write_bytes(data)
    with pytest.raises(VerificationFailed) as failed:
        LogVerifier(FolderSource(tmp_path)).advance(checkpoint)
    [finding] = failed.value.findings
    assert finding.place.endswith("(leaf 511)")


def record_of(index: int, leaves: str, service: str = "audit", event_type: str = "audit.erasure.started") -> bytes:
    """An event that names leaves as about to be erased."""
    event = {
        "event_id": event_id(index),
        "event_type": event_type,
        "producer": {"service": service},
        "data": {"leaves": leaves},
    }
    return json.dumps(event).encode()


def with_record(record: bytes, erased: list[int]) -> tuple[Log, Checkpoint]:
    """Return a log of 600 entries, a record, and some more entries, of which some are empty now."""
    log = Log()
    log.grow(600)
    log.entries.append(record)
    for grown in log.frontier.extend([leaf_hash(record)]):
        log.tiles[grown.tile.level, grown.tile.index] = grown.data
    checkpoint = log.grow(50)
    for index in erased:
        log.entries[index] = b""
    return log, checkpoint


def test_erased_entries_that_are_named() -> None:
    """
    A log verifies without the entries that an erasure has named, says how many there are, and still names one changed byte of
    any other entry, and of the tile that holds an erased entry's hash.
    """
    log, checkpoint = with_record(record_of(600, "3,255-257,599"), [3, 255, 256, 599])
    verifier = LogVerifier(log)
    verifier.advance(checkpoint)
    verifier.check_erased()
    assert verifier.erased_count == 4

    log.entries[4] += b" "
    assert places(log, checkpoint) == [f"entry {event_id(4)} (leaf 4)"]
    log.entries[4] = log.entries[4][:-1]
    log.flip_tile(0, 0, 3 * 32)
    assert places(log, checkpoint)


UNNAMED = {
    "no record": record_of(600, "4"),
    "of another service": record_of(600, "3", service="gateway"),
    "of another type": record_of(600, "3", event_type="audit.erasure.started.not"),
    "with nonsense": record_of(600, "0-x"),
    "no event": b'"audit.erasure.started"',
}


@pytest.mark.parametrize("record", UNNAMED.values(), ids=UNNAMED.keys())
def test_an_entry_that_is_gone_without_a_record(record: bytes) -> None:
    """
    An empty entry that no sealed erasure of the audit service names is a loss.
    """
    log, checkpoint = with_record(record, [3])
    assert places(log, checkpoint) == ["entry at leaf 3"]


def test_a_record_names_only_what_was_there() -> None:
    """
    An erasure excuses nothing that was sealed behind it.
    """
    log, checkpoint = with_record(record_of(600, "0-999999"), [3, 620])
    assert places(log, checkpoint) == ["entry at leaf 620"]


def test_an_erasure_while_the_log_is_read() -> None:
    """
    What is erased during a verification is explained by the checkpoint that comes next.
    """
    log = Log()
    first = log.grow(300)
    log.entries[7] = b""
    verifier = LogVerifier(log)
    verifier.advance(first)
    assert verifier.has_unexplained
    record = record_of(300, "7")
    log.entries.append(record)
    for grown in log.frontier.extend([leaf_hash(record)]):
        log.tiles[grown.tile.level, grown.tile.index] = grown.data
    verifier.advance(log.grow(0))
    verifier.check_erased()
    assert verifier.erased_count == 1
