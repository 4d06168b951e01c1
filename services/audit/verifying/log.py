"""
Verify a whole log against its signed checkpoints, and name what was changed.

The tree is computed anew from the entries, and from the stored leaf hashes where the two differ. Whichever of them leads to the
root that was signed is what was sealed; what differs from it was changed since. Between two checkpoints the computation goes on
where it stood, so that the second is also shown to contain the first.

An entry that was erased is empty, and has to be named by an event of the log (`services.audit.verifying.erasures`). When the
erasure came while the log was read, that event may be sealed behind the checkpoint: `check_erased` asks at the end.
"""

import copy
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Final, NamedTuple, Protocol

import msgspec

from services.audit.tree.checkpoints import Checkpoint
from services.audit.tree.frontier import EdgeInvalid, Frontier, GrownTile
from services.audit.tree.hashing import HASH_BYTES, leaf_hash
from services.audit.tree.tiles import TILE_WIDTH, Tile, edge_of, split_hashes, tiles_of
from services.audit.verifying.erasures import ErasedLeaves
from services.audit.verifying.numbers import Numbers

FINDINGS_MAX: Final = 100

Progress = Callable[[int, int], None]


class Missing(Exception):
    """The source does not have what was asked for; `indexes` are the leaves that it lacks, when it knows."""

    def __init__(self, place: str, indexes: Sequence[int] = ()) -> None:
        super().__init__(f"{place} is missing")
        self.place = place
        self.indexes = tuple(indexes)


class LogSource(Protocol):
    """Where a log is read from. Every method but the first may raise `Missing`."""

    def expect(self, tiles: Iterable[Tile], *, with_bundles: bool) -> None:
        """Take in which tiles will be asked for next, in this order, each before its bundle: they may be fetched ahead."""

    def checkpoint(self) -> str:
        """Return the newest checkpoint, not verified."""

    def tile(self, tile: Tile) -> bytes:
        """Return the bytes of a tile; they may be wider than asked for."""

    def bundle(self, tile: Tile) -> list[bytes]:
        """Return the entries of a bundle; there may be more than asked for. An erased one is empty."""


class Finding(NamedTuple):
    """Something that is not as it was sealed: `place` names the entry, tile or checkpoint."""

    place: str
    detail: str


class _Named(msgspec.Struct):
    event_id: str


class _LeafDifference(NamedTuple):
    leaf_index: int
    entry: bytes | None


class _Side:
    """One way to compute the tree: its frontier, and the stored tiles above level 0 that do not fit it."""

    def __init__(self, frontier: Frontier) -> None:
        self.frontier = frontier
        self.misfits: dict[tuple[int, int], Tile] = {}

    def extend(self, hashes: Sequence[bytes], read: Callable[[Tile], bytes | None]) -> None:
        """Append leaf hashes and compare the tiles that became full."""
        self.compare((grown for grown in self.frontier.extend(hashes) if grown.tile.is_full), read)

    def compare(self, tiles: Iterable[GrownTile], read: Callable[[Tile], bytes | None]) -> None:
        """Compare computed tiles above level 0 with the stored ones."""
        for grown in tiles:
            if grown.tile.level and read(grown.tile) != grown.data:
                self.misfits[grown.tile.level, grown.tile.index] = grown.tile


class LogVerifier:
    """
    Verifies one log, from checkpoint to checkpoint.

    Args:
        source: Where the log is read from.
        with_entries: Hash the entries themselves; else only that tiles and checkpoints fit each other is shown.
        dropped: Leaves whose entries were let go, by signed statements: first inclusive, last exclusive. They are empty, as
            erased ones are, and their hashes are still checked.
        progress: Told how many leaves are checked, and how many there are.
    """

    def __init__(
        self,
        source: LogSource,
        *,
        with_entries: bool = True,
        dropped: Sequence[tuple[int, int]] = (),
        progress: Progress = lambda done, total: None,
    ) -> None:
        self._source = source
        self._dropped = sorted(dropped)
        self._dropped_count = 0
        self._with_entries = with_entries
        self._progress = progress
        self._frontier = Frontier()
        self._findings: list[Finding] = []
        self._erased = ErasedLeaves()
        # Of the entries that were read; whoever resumes has not read the ones before.
        self.numbers = Numbers()

    @property
    def tree_size(self) -> int:
        """How many leaves have been verified."""
        return self._frontier.size

    @property
    def erased_count(self) -> int:
        """How many of the entries were erased."""
        return self._erased.explained_count

    @property
    def dropped_count(self) -> int:
        """How many of the entries were let go."""
        return self._dropped_count

    @property
    def has_unexplained(self) -> bool:
        """Say whether entries are empty that no erasure has named so far."""
        return bool(self._erased.unexplained)

    def check_erased(self) -> None:
        """
        Insist that every empty entry was named by an erasure.

        Raises:
            VerificationFailed: Some were not: they are lost.
        """
        detail = "is LOST: it was sealed, is empty now, and no erasure in the log names it"
        lost = [Finding(f"entry at leaf {index}", detail) for index in self._erased.unexplained]
        if lost:
            raise VerificationFailed(lost[:FINDINGS_MAX])

    def resume(self, checkpoint: Checkpoint) -> None:
        """
        Begin behind a checkpoint that was verified before, instead of at the first leaf.

        Raises:
            Missing: The log has lost tiles that it had then.
            VerificationFailed: The tree is not the beginning of which that checkpoint was signed.
        """
        size = checkpoint.tree_size
        tiles = {(tile.level, tile.index): self._source.tile(tile)[: tile.width * HASH_BYTES] for tile in edge_of(size)}
        try:
            frontier = Frontier.of(size, tiles)
        except EdgeInvalid as error:
            raise VerificationFailed([Finding(f"tile/{error.tile.path}", str(error))]) from error
        if frontier.root() != checkpoint.root:
            detail = (
                f"the log does not begin with the {size:,} entries that were verified before: it was rewritten, or is another"
            )
            raise VerificationFailed([Finding(f"checkpoint {size}", detail)])
        self._frontier = frontier

    def advance(self, checkpoint: Checkpoint) -> None:
        """
        Verify everything up to a checkpoint, whose signature the caller has checked.

        Raises:
            VerificationFailed: With everything that was found.
        """
        self._findings = []
        start = self._frontier.size
        if checkpoint.tree_size < start:
            detail = f"the log has shrunk: {start:,} entries were verified before"
            raise VerificationFailed([Finding(f"checkpoint {checkpoint.tree_size}", detail)])
        computed = _Side(copy.deepcopy(self._frontier))
        stored: _Side | None = None
        differences: list[_LeafDifference] = []
        tiles = [*tiles_of(checkpoint.tree_size, 0, first_index=start // TILE_WIDTH)]
        self._source.expect(tiles, with_bundles=self._with_entries)
        for tile in tiles:
            first = max(start, tile.index * TILE_WIDTH)
            hashes, kept = self._leaves(tile, first, differences)
            if stored is None and hashes != kept:
                stored = _Side(copy.deepcopy(computed.frontier))
            computed.extend(hashes, self._read)
            if stored is not None:
                stored.extend(kept, self._read)
            self._progress(min(checkpoint.tree_size, first + len(hashes)), checkpoint.tree_size)
        self._judge(checkpoint, computed, stored, differences)
        if self._findings:
            raise VerificationFailed(self._findings)
        self._frontier = computed.frontier

    def _leaves(self, tile: Tile, first: int, differences: list[_LeafDifference]) -> tuple[list[bytes], list[bytes]]:
        """Return the leaf hashes of a tile from `first` on: computed from the entries, and as stored."""
        skip = first - tile.index * TILE_WIDTH
        data = self._read(tile)
        kept = split_hashes(data)[skip : tile.width] if data is not None else []
        if not self._with_entries:
            return self._only_stored(tile, skip, kept)
        try:
            entries = self._source.bundle(tile)[skip : tile.width]
        except Missing as error:
            for index in self._lost(error.indexes or [first]):
                self._found(f"entry at leaf {index}", "is missing: it was sealed and is not in the log any more")
            return self._only_stored(tile, skip, kept)
        if len(entries) != tile.width - skip:
            self._found(f"tile/{tile.bundle_path}", f"holds {len(entries) + skip} entries where the log has {tile.width}")
            return self._only_stored(tile, skip, kept)
        if len(kept) != len(entries):
            self._found(f"tile/{tile.path}", "is missing or too short")
            hashes = [leaf_hash(entry) for entry in entries]
            return hashes, hashes
        hashes = [self._leaf(first + place, entry, kept[place]) for place, entry in enumerate(entries)]
        for place, (ours, theirs) in enumerate(zip(hashes, kept, strict=True)):
            if ours != theirs:
                differences.append(_LeafDifference(first + place, entries[place]))
        return hashes, kept

    def _leaf(self, leaf_index: int, entry: bytes, kept: bytes) -> bytes:
        """Return the hash of an entry; of one that was dropped or erased, the stored hash."""
        if not entry and self._is_dropped(leaf_index):
            self._dropped_count += 1
            return kept
        if not entry:
            self._erased.found_empty(leaf_index)
            return kept
        self._erased.read(leaf_index, entry)
        self.numbers.read(entry)
        return leaf_hash(entry)

    def _lost(self, indexes: Sequence[int]) -> list[int]:
        """Return the missing leaves that nobody said were let go."""
        return [index for index in indexes if not self._is_dropped(index)]

    def _is_dropped(self, leaf_index: int) -> bool:
        place = bisect_right(self._dropped, leaf_index, key=itemgetter(0))
        return place > 0 and leaf_index < self._dropped[place - 1][1]

    def _only_stored(self, tile: Tile, skip: int, kept: list[bytes]) -> tuple[list[bytes], list[bytes]]:
        if len(kept) != tile.width - skip:
            self._found(f"tile/{tile.path}", "is missing or too short")
            raise VerificationFailed(self._findings)
        return kept, kept

    def _judge(self, checkpoint: Checkpoint, computed: _Side, stored: _Side | None, differences: list[_LeafDifference]) -> None:
        for side in filter(None, (computed, stored)):
            side.compare(side.frontier.edge(), self._read)
        if computed.frontier.root() == checkpoint.root:
            for difference in differences:
                tile = Tile(0, difference.leaf_index // TILE_WIDTH)
                detail = f"hash {difference.leaf_index % TILE_WIDTH} was changed: it is not the hash of the sealed entry"
                self._found(f"tile/{tile.path}", detail)
            self._tiles_differ(computed)
        elif stored is not None and stored.frontier.root() == checkpoint.root:
            for difference in differences:
                detail = "was changed after it was sealed: its bytes do not give the hash that was signed"
                self._found(f"entry {_name(difference)} (leaf {difference.leaf_index})", detail)
            self._tiles_differ(stored)
        else:
            for difference in differences:
                detail = "does not fit its leaf hash, and neither of the two leads to the signed root"
                self._found(f"entry {_name(difference)} (leaf {difference.leaf_index})", detail)
            self._tiles_differ(computed)
            detail = "its root is not the root of this log: another tree was signed, or entries and tiles were changed together"
            self._found(f"checkpoint {checkpoint.tree_size}", detail)

    def _tiles_differ(self, side: _Side) -> None:
        for tile in side.misfits.values():
            self._found(f"tile/{tile.path}", "was changed or is missing: it does not hold the roots of the tiles below it")

    def _read(self, tile: Tile) -> bytes | None:
        try:
            return self._source.tile(tile)[: tile.width * HASH_BYTES]
        except Missing:
            return None

    def _found(self, place: str, detail: str) -> None:
        finding = Finding(place, detail)
        if len(self._findings) < FINDINGS_MAX and finding not in self._findings:
            self._findings.append(finding)


class VerificationFailed(Exception):
    """The log is not as it was sealed; `findings` says where."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(f"{finding.place} {finding.detail}" for finding in findings))
        self.findings = list(findings)


def _name(difference: _LeafDifference) -> str:
    try:
        return msgspec.json.decode(difference.entry or b"", type=_Named).event_id
    except msgspec.MsgspecError:
        return "that cannot be read"
