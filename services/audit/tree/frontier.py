"""
The growing edge of a tree: all that is needed to append to it, and to know its root.

The edge is the partial tile of each level. It need not be trusted where it is kept: it gives the root, and the root stands in
a signed checkpoint.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from services.audit.tree.hashing import EMPTY_ROOT, node_hash, root_of
from services.audit.tree.tiles import TILE_WIDTH, Tile, edge_of, hashes_at, levels_of, split_hashes


class EdgeInvalid(Exception):
    """The tiles of the edge do not fit the size of the tree; `tile` names the first one that does not."""

    def __init__(self, tile: Tile, detail: str) -> None:
        super().__init__(f"tile/{tile.path}: {detail}")
        self.tile = tile


class GrownTile(NamedTuple):
    """A tile that is new or has grown, with all of its bytes."""

    tile: Tile
    data: bytes


class Frontier:
    """The edge of one tree; `size` is its number of leaves."""

    def __init__(self) -> None:
        self.size = 0
        self._levels: list[list[bytes]] = []

    @classmethod
    def of(cls, tree_size: int, tiles: Mapping[tuple[int, int], bytes]) -> "Frontier":
        """
        Rebuild the edge.

        Args:
            tree_size: Number of leaves.
            tiles: Level and index to the bytes of the partial tiles that `edge_of` names.

        Raises:
            EdgeInvalid: A tile is missing or has another width.
        """
        frontier = cls()
        frontier.size = tree_size
        frontier._levels = [[] for _ in range(levels_of(tree_size))]
        for tile in edge_of(tree_size):
            hashes = split_hashes(tiles.get((tile.level, tile.index), b""))
            if len(hashes) != tile.width:
                raise EdgeInvalid(tile, f"holds {len(hashes)} hashes where the tree has {tile.width}")
            frontier._levels[tile.level] = hashes
        return frontier

    def root(self) -> bytes:
        """Return the root of the tree."""
        # From the right: the smallest subtrees stand there. Each level's hashes fall into perfect subtrees, one for each
        # bit of their number, and every one of them is larger than all that stands to its right.
        root: bytes | None = None
        for hashes in self._levels:
            end = len(hashes)
            while end:
                width = end & -end
                subtree = root_of(hashes[end - width : end])
                root = subtree if root is None else node_hash(subtree, root)
                end -= width
        return EMPTY_ROOT if root is None else root

    def extend(self, leaf_hashes: Iterable[bytes]) -> list[GrownTile]:
        """Append leaves and return every tile that changed by it."""
        start = self.size
        full: list[GrownTile] = []
        for leaf in leaf_hashes:
            self.size += 1
            self._push(0, leaf, full)
        before = set(edge_of(start))
        return full + [grown for grown in self.edge() if grown.tile not in before]

    def edge(self) -> list[GrownTile]:
        """Return the partial tiles, from level 0 up."""
        return [GrownTile(tile, b"".join(self._levels[tile.level])) for tile in edge_of(self.size)]

    def _push(self, level: int, value: bytes, full: list[GrownTile]) -> None:
        if level == len(self._levels):
            self._levels.append([])
        hashes = self._levels[level]
        hashes.append(value)
        if len(hashes) == TILE_WIDTH:
            index = hashes_at(self.size, level) // TILE_WIDTH - 1
            full.append(GrownTile(Tile(level, index), b"".join(hashes)))
            self._levels[level] = []
            self._push(level + 1, root_of(hashes), full)
