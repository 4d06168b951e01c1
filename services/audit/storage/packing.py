"""
How an entry is made small before it is encrypted: what is encrypted does not compress any more, in no database and no archive.

Rules:

1. A packed entry is one byte 1, then the entry as raw DEFLATE (RFC 1951) with ``packing-1.txt`` as preset dictionary.
2. An entry that would not become shorter stays as it is. It begins with ``{``, so nobody mistakes the one for the other.
3. The dictionary is part of the format: one changed byte makes entries unreadable. A better one gets the next number.

The sequencer unpacks with code of its own (`services.audit.sealing.opening`).
"""

import zlib
from importlib.resources import files
from typing import Final

from services.audit.tree.bundles import ENTRY_BYTES_MAX

PACKED: Final = b"\x01"
# Entries are short and so is the dictionary: a window of 8 KiB reaches all of it.
WINDOW_BITS: Final = 13
# A sixth smaller than level 1 for a quarter more CPU; what is written once is kept for years.
LEVEL: Final = 6


# What entries have in common, the most frequent last.
DICTIONARY: Final = files("services.audit.storage").joinpath("packing-1.txt").read_bytes()
# Copied for each entry, so that the dictionary is digested once.
_PACKER: Final = zlib.compressobj(LEVEL, zlib.DEFLATED, -WINDOW_BITS, zdict=DICTIONARY)
_UNPACKER: Final = zlib.decompressobj(-WINDOW_BITS, zdict=DICTIONARY)


class NotPacked(Exception):
    """Bytes that claim to be a packed entry do not unpack."""


def pack(entry: bytes) -> bytes:
    """Return an entry as it is encrypted."""
    packer = _PACKER.copy()
    packed = PACKED + packer.compress(entry) + packer.flush()
    return packed if len(packed) < len(entry) else entry


def unpack(packed: bytes) -> bytes:
    """
    Return the entry.

    Raises:
        NotPacked: It was packed by no rule that is known here.
    """
    if not packed.startswith(PACKED):
        return packed
    unpacker = _UNPACKER.copy()
    try:
        # What unpacks to more than an entry may have was never packed here, and is not unpacked to its end.
        entry = unpacker.decompress(packed[1:], ENTRY_BYTES_MAX + 1)
    except zlib.error as error:
        raise NotPacked(str(error)) from error
    if not unpacker.eof or unpacker.unused_data:
        raise NotPacked("it ends too early or too late")
    return entry
