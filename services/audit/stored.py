"""
From what the store holds of an entry to what may be shown: the one place that knows how entries are kept.

Whoever hands entries on (exports, streams, the archive's reader) goes through `readable`, and whoever copies them as they are
stored (the archive) takes `KEY_ID`.
"""

from typing import Final

# The column of ``audit.entries AS e`` that names the key of an entry that is kept as ciphertext; null for one in the clear.
KEY_ID: Final = "e.key_id"


def readable(entry: bytes, key_id: str | None = None) -> bytes | None:
    """Return the bytes that the producer wrote; None when the key under which they were kept is gone, or not at hand."""
    return entry if key_id is None else None
