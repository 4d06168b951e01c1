"""
Inclusion and consistency proofs: made from a tree, checked against roots. Source: RFC 9162 section 2.1.

Making and checking are different algorithms on purpose: the first follows the recursive definition, the second the bits of
the index, so that a mistake in one is caught by the other.
"""

from collections.abc import Callable, Sequence
from typing import Final

from services.audit.tree.hashing import EMPTY_ROOT, HASH_BYTES, node_hash

# Root of the leaves from `start` (inclusive) to `end` (exclusive).
SubtreeRoot = Callable[[int, int], bytes]

PROOF_HASHES_MAX: Final = 63


class ProofInvalid(Exception):
    """The proof does not prove what it is said to."""


def inclusion_path(index: int, tree_size: int, subtree_root: SubtreeRoot) -> list[bytes]:
    """
    Prove that one leaf is under the root of a tree.

    Args:
        index: 0-based, ``0 <= index < tree_size``.
        tree_size: Number of leaves.
        subtree_root: Returns the root over a range of leaves.

    Returns:
        Sibling hashes from the leaf up to below the root.

    Raises:
        IndexError: The leaf is not in this tree.

    Source: RFC 9162 section 2.1.3.1.
    """
    if not 0 <= index < tree_size:
        raise IndexError(f"no leaf {index} in a tree of {tree_size}")
    path: list[bytes] = []
    start, end = 0, tree_size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(subtree_root(middle, end))
            end = middle
        else:
            path.append(subtree_root(start, middle))
            start = middle
    path.reverse()
    return path


def consistency_path(old_size: int, new_size: int, subtree_root: SubtreeRoot) -> list[bytes]:
    """
    Prove that a tree is the beginning of a larger one.

    Args:
        old_size: ``0 <= old_size <= new_size``; nothing has to be proven for 0 and for two equal sizes.
        new_size: Number of leaves of the larger tree.
        subtree_root: Returns the root over a range of leaves.

    Raises:
        IndexError: The sizes are the wrong way round.

    Source: RFC 9162 section 2.1.4.1.
    """
    if not 0 <= old_size <= new_size:
        raise IndexError(f"a tree of {old_size} is not the beginning of one of {new_size}")
    if old_size in (0, new_size):
        return []
    path: list[bytes] = []
    start, end = 0, new_size
    is_old_root_known = True
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append(subtree_root(middle, end))
            end = middle
        else:
            path.append(subtree_root(start, middle))
            start = middle
            is_old_root_known = False
    if not is_old_root_known:
        path.append(subtree_root(start, end))
    path.reverse()
    return path


def check_inclusion(leaf: bytes, index: int, tree_size: int, path: Sequence[bytes], root: bytes) -> None:
    """
    Check that a leaf hash stands at an index of the tree with this root.

    Raises:
        ProofInvalid: It does not, or nothing is proven.

    Source: RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < tree_size:
        raise ProofInvalid(f"leaf {index} is not in a tree of {tree_size}")
    _check_hashes(leaf, root, *path)
    place, last = index, tree_size - 1
    computed = leaf
    for sibling in path:
        if last == 0:
            raise ProofInvalid("the proof is longer than the tree is high")
        if place & 1 or place == last:
            computed = node_hash(sibling, computed)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofInvalid("the proof is shorter than the tree is high")
    if computed != root:
        raise ProofInvalid("the proof leads to another root")


def check_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]) -> None:
    """
    Check that the tree with the old root is the beginning of the tree with the new one.

    Raises:
        ProofInvalid: It is not, or nothing is proven.

    Source: RFC 9162 section 2.1.4.2, and for the empty tree and for equal sizes section 2.1.4.
    """
    _check_hashes(old_root, new_root, *path)
    if not 0 <= old_size <= new_size:
        raise ProofInvalid(f"the tree went back from {old_size} to {new_size} leaves")
    if old_size in (0, new_size):
        _check_trivial(old_size, old_root, new_size, new_root, path)
        return
    hashes = list(path)
    if not old_size & (old_size - 1):  # The old tree is perfect: its root is a node of the new one.
        hashes.insert(0, old_root)
    if not hashes:
        raise ProofInvalid("the proof is empty")
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ProofInvalid("the proof is longer than the tree is high")
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofInvalid("the proof is shorter than the tree is high")
    if old != old_root:
        raise ProofInvalid("the proof leads to another old root")
    if new != new_root:
        raise ProofInvalid("the proof leads to another new root")


def _check_trivial(old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]) -> None:
    if path:
        raise ProofInvalid("the proof holds hashes where there is nothing to prove")
    if old_size == new_size and old_root != new_root:
        raise ProofInvalid(f"two different trees of {old_size} leaves")
    if old_size == 0 and old_root != EMPTY_ROOT:
        raise ProofInvalid("the root of an empty tree is another")


def _check_hashes(*hashes: bytes) -> None:
    if len(hashes) > PROOF_HASHES_MAX + 2:
        raise ProofInvalid("the proof is longer than any tree is high")
    if any(len(value) != HASH_BYTES for value in hashes):
        raise ProofInvalid("a hash is not 32 bytes long")


def _split(size: int) -> int:
    """Return the largest power of two below `size`, which is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)
