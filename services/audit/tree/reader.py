"""Roots of any range of leaves, out of tiles: what proofs are made from."""

from collections.abc import Callable, Sequence

from services.audit.tree.hashing import HASH_BYTES, node_hash, root_of
from services.audit.tree.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, edge_of, hashes_at, levels_of, split_hashes, tile_at

# Returns the bytes of a tile, or raises what its source raises; may return a wider tile than asked for.
ReadTile = Callable[[Tile], bytes]


class TileTooShort(Exception):
    """A tile holds fewer hashes than the tree has there; `tile` names it."""

    def __init__(self, tile: Tile, width: int) -> None:
        super().__init__(f"tile/{tile.path} holds {width} hashes")
        self.tile = tile


class TileTree:
    """
    A tree of a given size whose hashes are read from tiles.

    Args:
        tree_size: Number of leaves, from a checkpoint.
        read: Where tiles come from. Each is read once.
    """

    def __init__(self, tree_size: int, read: ReadTile) -> None:
        self.tree_size = tree_size
        self._read = read
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def leaf(self, index: int) -> bytes:
        """Return the hash of one leaf."""
        return self.hashes(0, index // TILE_WIDTH)[index % TILE_WIDTH]

    def root(self) -> bytes:
        """Return the root of the whole tree."""
        return self.subtree_root(0, self.tree_size)

    def subtree_root(self, start: int, end: int) -> bytes:
        """Return the root of the leaves from `start` to before `end`: a range that the tree's definition cuts off."""
        if end == start:
            return root_of([])
        size = end - start
        if size & (size - 1) == 0 and start % size == 0:
            return self._perfect(start, size)
        middle = start + (1 << ((size - 1).bit_length() - 1))
        return node_hash(self.subtree_root(start, middle), self.subtree_root(middle, end))

    def hashes(self, level: int, index: int) -> list[bytes]:
        """
        Return the hashes of one tile.

        Raises:
            TileTooShort: What was read is shorter than the tree's size asks for.
        """
        found = self._tiles.get((level, index))
        if found is None:
            tile = tile_at(self.tree_size, level, index)
            data = self._read(tile)
            found = self._tiles[level, index] = split_hashes(data[: tile.width * HASH_BYTES])
            if len(data) < tile.width * HASH_BYTES:
                raise TileTooShort(tile, len(data) // HASH_BYTES)
        return found

    def _perfect(self, start: int, size: int) -> bytes:
        height = size.bit_length() - 1
        level = height // TILE_HEIGHT
        # A subtree that is itself a whole tile is one hash of the level above, if there is one of it.
        first = start >> (level * TILE_HEIGHT)
        count = size >> (level * TILE_HEIGHT)
        hashes = self.hashes(level, first // TILE_WIDTH)
        place = first % TILE_WIDTH
        return root_of(hashes[place : place + count])


def tiles_for(indexes: Sequence[int], tree_size: int) -> list[Tile]:
    """
    Return the tiles that hold all the hashes for proofs about some leaves.

    For an inclusion proof that is its own leaf; for a consistency proof the last leaf of the older tree.
    """
    tiles = {(tile.level, tile.index): tile for tile in edge_of(tree_size)}
    for level in range(levels_of(tree_size)):
        for index in indexes:
            place = (index >> (TILE_HEIGHT * level)) // TILE_WIDTH
            if place * TILE_WIDTH < hashes_at(tree_size, level):
                tiles[level, place] = tile_at(tree_size, level, place)
    return list(tiles.values())
