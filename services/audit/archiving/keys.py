"""
What opens archived entries: they are kept as ciphertext, and the keys of persons are in the audit service's database alone.

So the archive can be verified by anybody, and read by whoever may read that database and has the deployment's keys.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.audit.archiving.lack import Lack
from services.audit.storage.database import Pool, fetch
from services.audit.storage.keys import EntryDamaged, EntryOpener, KeyRing

_KEYS: Final = "SELECT key_id, wrapped_key, destroyed_at FROM audit.subject_keys WHERE key_id = ANY($1::uuid[])"


class Read(NamedTuple):
    """What reading an archived entry gave: its bytes as they were written, or why not; of an erased one, since when."""

    entry: bytes | None
    lack: Lack | None = None
    erased_at: datetime | None = None


class Reading:
    """Opens entries with the keys that it was given; without any, those that are kept in the clear."""

    def __init__(self, opener: EntryOpener | None, keys: dict[str, Any]) -> None:
        self._opener = opener
        self._keys = keys

    def read(self, event_id: str, key_id: str | None, stored: bytes) -> Read:
        """Return an entry of the archive."""
        if key_id is None:
            return Read(stored)
        if self._opener is None:
            return Read(None, Lack.NO_KEYS)
        key = self._keys.get(key_id)
        if key is None:
            return Read(None, Lack.DAMAGED)
        if key["destroyed_at"] is not None:
            return Read(None, Lack.ERASED, key["destroyed_at"])
        try:
            return Read(self._opener.decrypt({"event_id": event_id, "entry": stored, **key}))
        except EntryDamaged:
            return Read(None, Lack.DAMAGED)


class ArchiveKeys:
    """
    Finds the keys of archived entries.

    Args:
        pool: Connections of the role ``countersign_reader``.
        ring: The deployment's keys.
    """

    def __init__(self, pool: Pool, ring: KeyRing) -> None:
        self._pool = pool
        self._ring = ring

    async def reading(self, key_ids: Sequence[str]) -> Reading:
        """
        Return what opens the entries under these keys, as the keys are now.

        Raises:
            DatabaseUnavailable, QueryTooSlow: Try again later.
        """
        rows = await fetch(self._pool, _KEYS, [UUID(key_id) for key_id in key_ids])
        return Reading(self._ring.opener(), {str(row["key_id"]): dict(row) for row in rows})
