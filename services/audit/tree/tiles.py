"""
Tiles: the hashes of a tree, cut into pieces that never change once they are full. Source: C2SP tlog-tiles.

Rules:

1. Tile (level, index) holds up to 256 hashes; each is the root of a perfect subtree of ``256**level`` leaves.
2. A full tile is 256 hashes, 8,192 bytes. A partial one holds 1 to 255, and is a prefix of what the full one will be.
3. The hash of a full tile is one hash of the level above; a partial tile is not hashed upwards.
4. A path is ``<level>/<index>``, the index in groups of three digits, all but the last with an ``x`` before them; a partial
   tile has ``.p/<width>`` behind it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from services.audit.tree.hashing import HASH_BYTES, root_of

TILE_WIDTH: Final = 256
TILE_HEIGHT: Final = 8
FULL_TILE_BYTES: Final = TILE_WIDTH * HASH_BYTES
LEVEL_MAX: Final = 63
ENTRIES: Final = "entries"

_PATH: Final = re.compile(r"(0|[1-9][0-9]?|entries)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


class PathInvalid(ValueError):
    """The text is no path of a tile."""


@dataclass(frozen=True, slots=True)
class Tile:
    """
    One tile, by its place: `level` counts from the leaves, `index` from the left, `width` is how many hashes it holds.

    An entry bundle has the place of the tile of level 0 that holds the hashes of its entries.
    """

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def is_full(self) -> bool:
        """Say whether it will never grow any more."""
        return self.width == TILE_WIDTH

    @property
    def path(self) -> str:
        """Return its path below ``tile/``."""
        return f"{self.level}/{self._place}"

    @property
    def bundle_path(self) -> str:
        """Return the path, below ``tile/``, of the bundle with this tile's entries."""
        return f"{ENTRIES}/{self._place}"

    @property
    def _place(self) -> str:
        groups = [f"{self.index % 1000:03}"]
        rest = self.index // 1000
        while rest:
            groups.insert(0, f"x{rest % 1000:03}")
            rest //= 1000
        return "/".join(groups) + ("" if self.is_full else f".p/{self.width}")


def parse_path(text: str) -> tuple[Tile, bool]:
    """
    Read a path below ``tile/``; the second value says whether it names an entry bundle (its tile then has level 0).

    Raises:
        PathInvalid: It is no such path, or one that is written in another way than `Tile.path` writes it.
    """
    match = _PATH.fullmatch(text)
    if match is None:
        raise PathInvalid(text)
    is_bundle = match[1] == ENTRIES
    width = int(match[3]) if match[3] else TILE_WIDTH
    tile = Tile(0 if is_bundle else int(match[1]), int(match[2].replace("x", "").replace("/", "")), width)
    if text != (tile.bundle_path if is_bundle else tile.path) or tile.level > LEVEL_MAX or width > TILE_WIDTH:
        raise PathInvalid(text)
    return tile, is_bundle


def hashes_at(tree_size: int, level: int) -> int:
    """Return how many hashes a tree of this size has in the tiles of a level."""
    return tree_size >> (TILE_HEIGHT * level)


def levels_of(tree_size: int) -> int:
    """Return how many levels of tiles a tree of this size has."""
    levels = 0
    while hashes_at(tree_size, levels):
        levels += 1
    return levels


def tile_at(tree_size: int, level: int, index: int) -> Tile:
    """Return the tile at a place with the width that it has in a tree of this size; the tree must reach there."""
    return Tile(level, index, min(TILE_WIDTH, hashes_at(tree_size, level) - index * TILE_WIDTH))


def tiles_of(tree_size: int, level: int, *, first_index: int = 0) -> Iterator[Tile]:
    """Yield the tiles of one level from left to right."""
    count = -(-hashes_at(tree_size, level) // TILE_WIDTH)
    for index in range(first_index, count):
        yield tile_at(tree_size, level, index)


def edge_of(tree_size: int) -> list[Tile]:
    """Return the partial tiles of a tree, from level 0 up; their hashes together give its root."""
    return [
        Tile(level, hashes_at(tree_size, level) // TILE_WIDTH, hashes_at(tree_size, level) % TILE_WIDTH)
        for level in range(levels_of(tree_size))
        if hashes_at(tree_size, level) % TILE_WIDTH
    ]


def split_hashes(data: bytes) -> list[bytes]:
    """Return the hashes of a tile's bytes."""
    return [data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES)]


def tile_root(data: bytes) -> bytes:
    """Return the root of a full tile: its hash in the level above."""
    return root_of(split_hashes(data))
