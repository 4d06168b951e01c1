"""Entry bundles: the entries of one tile of level 0, each behind its length. Source: C2SP tlog-tiles, "Log entries"."""

from collections.abc import Iterable
from typing import Final

LENGTH_BYTES: Final = 2
ENTRY_BYTES_MAX: Final = 2 ** (8 * LENGTH_BYTES) - 1


class BundleInvalid(ValueError):
    """The bytes are no entry bundle."""


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """
    Return the entries as one bundle.

    Raises:
        OverflowError: An entry is longer than `ENTRY_BYTES_MAX`.
    """
    parts: list[bytes] = []
    for entry in entries:
        parts += (len(entry).to_bytes(LENGTH_BYTES, "big"), entry)
    return b"".join(parts)


def decode_bundle(data: bytes) -> list[bytes]:
    """
    Return the entries of a bundle.

    Raises:
        BundleInvalid: It ends in the middle of an entry.
    """
    entries: list[bytes] = []
    place = 0
    while place < len(data):
        start = place + LENGTH_BYTES
        place = start + int.from_bytes(data[place:start], "big")
        if start > len(data) or place > len(data):
            raise BundleInvalid(f"entry {len(entries)} is cut off")
        entries.append(data[start:place])
    return entries
