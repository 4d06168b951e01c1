"""
The hashes of a Merkle tree. Source: RFC 6962 section 2.1.

Nothing here comes from `shared`: the writer hashes an entry with its own code, and the log signs only what both agree on.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

_sha256 = hashlib.sha256
_LEAF = _sha256(b"\x00")
_NODE: Final = b"\x01"


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf: SHA-256 over a zero byte and the entry."""
    state = _LEAF.copy()
    state.update(entry)
    return state.digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256 over a one byte and the two hashes below it."""
    return _sha256(_NODE + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """
    Return the root of the tree whose leaves have these hashes, in order.

    Pairs are joined level by level; a last one without a partner moves up as it is, which gives the same root as the
    recursive definition of the RFC.
    """
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        pairs = iter(level)
        joined = [node_hash(left, right) for left, right in zip(pairs, pairs, strict=False)]
        if len(level) % 2:
            joined.append(level[-1])
        level = joined
    return level[0]
