"""The Merkle tree: RFC 6962's numbers, and properties against a tree that is as naive as can be."""

import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.audit.tree.frontier import EdgeInvalid, Frontier
from services.audit.tree.hashing import EMPTY_ROOT, leaf_hash, root_of
from services.audit.tree.proofs import (
    ProofInvalid,
    check_consistency,
    check_inclusion,
    consistency_path,
    inclusion_path,
)
from services.audit.tree.reader import TileTooShort, TileTree
from services.audit.tree.tiles import FULL_TILE_BYTES, Tile, edge_of, tiles_of

# The inputs and roots of the reference implementation of RFC 6962.
INPUTS = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A, B, C = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
)
D, E = (
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
)
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
INCLUSION = {(0, 1): [], (0, 8): [A, B, C], (5, 8): [D, E, ROOTS[4]], (2, 3): [ROOTS[2]], (1, 5): [ROOTS[1], B, D]}
CONSISTENCY = {(1, 1): [], (1, 8): [A, B, C], (6, 8): [F, E, ROOTS[4]], (2, 5): [B, D]}


def naive_root(hashes: list[bytes]) -> bytes:
    """The definition of RFC 6962 section 2.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return hashlib.sha256(b"\x01" + naive_root(hashes[:split]) + naive_root(hashes[split:])).digest()


def some_hashes(count: int, seed: int = 0) -> list[bytes]:
    """Leaf hashes that differ."""
    source = random.Random(seed)
    return [source.randbytes(32) for _ in range(count)]


class Grown:
    """A tree that was grown in steps, with its tiles as a store would keep them."""

    def __init__(self, hashes: list[bytes], steps: list[int]) -> None:
        self.frontier = Frontier()
        self.stored: dict[tuple[int, int], bytes] = {}
        place = 0
        for step in [*steps, len(hashes)]:
            end = min(len(hashes), place + step)
            for tile, data in self.frontier.extend(hashes[place:end]):
                before = self.stored.get((tile.level, tile.index), b"")
                assert data[: len(before)] == before
                assert len(before) < len(data) == 32 * tile.width
                self.stored[tile.level, tile.index] = data
            place = end
            self.frontier = Frontier.of(self.frontier.size, self.stored)

    def read(self, tile: Tile) -> bytes:
        """Return a stored tile."""
        return self.stored[tile.level, tile.index]

    def tree(self, size: int) -> TileTree:
        """Return the tree as it was at a size."""
        return TileTree(size, self.read)


@pytest.mark.parametrize("size", range(9))
def test_roots_of_the_rfc(size: int) -> None:
    """
    The roots over the reference inputs are RFC 6962's.
    """
    hashes = [leaf_hash(entry) for entry in INPUTS[:size]]
    frontier = Frontier()
    frontier.extend(hashes)

    assert root_of(hashes).hex() == ROOTS[size]
    assert frontier.root().hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_inclusion_proofs_of_the_rfc(index: int, size: int) -> None:
    """
    Inclusion proofs over the reference inputs are RFC 6962's, and check.
    """
    hashes = [leaf_hash(entry) for entry in INPUTS[:size]]
    path = inclusion_path(index, size, lambda start, end: naive_root(hashes[start:end]))

    assert [value.hex() for value in path] == INCLUSION[index, size]
    check_inclusion(hashes[index], index, size, path, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_consistency_proofs_of_the_rfc(old: int, new: int) -> None:
    """
    Consistency proofs over the reference inputs are RFC 6962's, and check.
    """
    hashes = [leaf_hash(entry) for entry in INPUTS[:new]]
    path = consistency_path(old, new, lambda start, end: naive_root(hashes[start:end]))

    assert [value.hex() for value in path] == CONSISTENCY[old, new]
    check_consistency(old, bytes.fromhex(ROOTS[old]), new, bytes.fromhex(ROOTS[new]), path)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 512, 1000, 65_535, 65_536, 65_537, 70_000])
def test_large_trees(size: int) -> None:
    """
    At and around the edges of tiles the frontier, the tiles and the plain computation agree.
    """
    hashes = some_hashes(size)
    grown = Grown(hashes, [1, 254, 1, 1, 300])

    assert grown.frontier.root() == root_of(hashes) == grown.tree(size).root()
    assert {(tile.level, tile.index) for level in range(3) for tile in tiles_of(size, level)} == set(grown.stored)
    assert sum(len(data) == FULL_TILE_BYTES for data in grown.stored.values()) == size // 256 + size // 65_536


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 1200), st.lists(st.integers(0, 700), max_size=6), st.randoms(use_true_random=False))
def test_growing_in_any_steps_gives_the_same_tree(size: int, steps: list[int], choose: random.Random) -> None:
    """
    However a tree grew, its root is the naive one; inclusion and consistency proofs out of its tiles check for any sizes.
    """
    hashes = some_hashes(size)
    grown = Grown(hashes, steps)
    assert grown.frontier.root() == naive_root(hashes)

    new = choose.randint(0, size)
    old = choose.randint(0, new)
    new_root, old_root = naive_root(hashes[:new]), naive_root(hashes[:old])
    tree = grown.tree(new)
    check_consistency(old, old_root, new, new_root, consistency_path(old, new, tree.subtree_root))
    if new:
        index = choose.randrange(new)
        assert tree.leaf(index) == hashes[index]
        check_inclusion(hashes[index], index, new, inclusion_path(index, new, tree.subtree_root), new_root)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 600), st.randoms(use_true_random=False))
def test_a_bent_inclusion_proof_is_refused(size: int, choose: random.Random) -> None:
    """
    A proof with another leaf, index, size or root, a changed, missing or added hash does not check.
    """
    hashes = some_hashes(size)
    index = choose.randrange(size)
    root = naive_root(hashes)
    path = inclusion_path(index, size, lambda start, end: naive_root(hashes[start:end]))
    other = bytes(32)

    bent: list[tuple[bytes, int, int, list[bytes], bytes]] = [
        (other, index, size, path, root),
        (hashes[index], index, size, path, other),
        (hashes[index], index, size, [*path, other], root),
        (hashes[index], size, size, path, root),
        (hashes[index], -1, size, path, root),
        (hashes[index][:31], index, size, path, root),
    ]
    if path:
        place = choose.randrange(len(path))
        bent += [
            (hashes[index], index, size, path[:-1], root),
            (hashes[index], index, size, [*path[:place], other, *path[place + 1 :]], root),
            (hashes[index], index ^ 1 if index ^ 1 < size else index - 1, size, path, root),
        ]
    for leaf, at, of, along, to in bent:
        with pytest.raises(ProofInvalid):
            check_inclusion(leaf, at, of, along, to)


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 600), st.randoms(use_true_random=False))
def test_a_bent_consistency_proof_is_refused(new: int, choose: random.Random) -> None:
    """
    A consistency proof between trees of which one was changed, or with a changed, missing or added hash, does not check.
    """
    hashes = some_hashes(new)
    old = choose.randint(1, new - 1)
    roots = naive_root(hashes[:old]), naive_root(hashes)
    path = consistency_path(old, new, lambda start, end: naive_root(hashes[start:end]))
    place = choose.randrange(len(path))
    other = bytes(32)

    bent: list[tuple[int, bytes, int, bytes, list[bytes]]] = [
        (old, other, new, roots[1], path),
        (old, roots[0], new, other, path),
        (old, roots[0], new, roots[1], path[:-1]),
        (old, roots[0], new, roots[1], [*path, other]),
        (old, roots[0], new, roots[1], [*path[:place], other, *path[place + 1 :]]),
        (new, roots[1], old, roots[0], path),
        (old, roots[0], old, roots[1], []),
        (0, roots[0], new, roots[1], []),
        (old, roots[0], old, roots[0], path),
    ]
    for old_size, old_root, new_size, new_root, along in bent:
        with pytest.raises(ProofInvalid):
            check_consistency(old_size, old_root, new_size, new_root, along)


def test_an_edge_that_does_not_fit_is_named() -> None:
    """
    A stored edge that is too short or too long for its tree is refused, and the tile is named.
    """
    grown = Grown(some_hashes(300), [])
    for data in (grown.stored[0, 1][:-32], grown.stored[0, 1] + bytes(32), b""):
        with pytest.raises(EdgeInvalid) as refused:
            Frontier.of(300, {**grown.stored, (0, 1): data})
        assert refused.value.tile == Tile(0, 1, 44)


def test_a_short_tile_is_named() -> None:
    """
    A tree that is read from a tile with too few hashes says which tile it was.
    """
    grown = Grown(some_hashes(300), [])
    grown.stored[0, 0] = grown.stored[0, 0][:-32]
    with pytest.raises(TileTooShort) as refused:
        grown.tree(300).leaf(3)
    assert refused.value.tile == Tile(0, 0)


def test_proofs_for_what_is_not_there() -> None:
    """
    There is no proof for a leaf outside the tree, nor from a larger tree to a smaller one.
    """
    for index in (-1, 5):
        with pytest.raises(IndexError):
            inclusion_path(index, 5, lambda start, end: bytes(32))
    with pytest.raises(IndexError):
        consistency_path(5, 4, lambda start, end: bytes(32))


def test_the_edge_of_an_empty_tree() -> None:
    """
    An empty tree has no tiles, and the root that the RFC gives it.
    """
    assert edge_of(0) == []
    assert Frontier.of(0, {}).root() == EMPTY_ROOT
