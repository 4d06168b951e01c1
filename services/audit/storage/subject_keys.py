"""
The consumer's data keys: found or made by owner, and used only while none was closed since they were read.

Keys are closed under a lock held alone, that every append holds together with the others, and a closing leaves its number. So a
batch whose keys were read under the newest number uses no closed key, and no key of it is closed before it is committed. Only
closed keys are ever destroyed.
"""

import hmac
import os
from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.audit.storage.keys import DATA_KEY_BYTES, KeyRing

# The row whose data key is not an owner's, but the one by which owners are hashed.
OWNER_OF_OWNERS: Final = bytes(32)
CACHED_MAX: Final = 20_000

_NEWEST_CLOSING: Final = "SELECT coalesce(max(closing_no), 0) FROM audit.subject_keys"
_JOIN_APPENDERS: Final = "SELECT pg_advisory_xact_lock_shared(hashtextextended('countersign.audit.erasure', 0))"
_FIND: Final = """
SELECT key_id, owner, wrapped_key FROM audit.subject_keys
WHERE owner = ANY($1::bytea[]) AND closing_no IS NULL AND destroyed_at IS NULL
"""
_MAKE: Final = """
INSERT INTO audit.subject_keys (key_id, owner, wrapped_key) SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::bytea[])
ON CONFLICT (owner) WHERE closing_no IS NULL AND destroyed_at IS NULL DO NOTHING
"""


class DataKey(NamedTuple):
    """A key of one owner, ready to be used."""

    key_id: UUID
    cipher: AESGCM


class LiveKeys:
    """Data keys by owner, as they were after the closing with this number."""

    def __init__(self, closing_no: int) -> None:
        self.closing_no = closing_no
        self._keys: dict[str, DataKey] = {}

    def __getitem__(self, owner: str) -> DataKey:
        """Return the key of an owner for whom it was asked."""
        return self._keys[owner]

    def lacks(self, owners: Iterable[str]) -> list[str]:
        """Return the owners whose keys are not here."""
        return [owner for owner in owners if owner not in self._keys]

    def add(self, owner: str, key: DataKey) -> None:
        """Keep a key."""
        self._keys[owner] = key

    @property
    def is_full(self) -> bool:
        """Say whether it is time to begin anew."""
        return len(self._keys) >= CACHED_MAX


class SubjectKeys:
    """
    Finds and makes data keys on the writer's connections.

    Args:
        ring: The deployment's keys.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._owner_key: bytes | None = None
        self._live = LiveKeys(-1)

    async def of(self, connection: Any, owners: Collection[str]) -> LiveKeys:
        """
        Return keys for these owners. New ones are committed at once, outside of any transaction of the caller's.

        Raises:
            KeyUnusable: The deployment's keys do not open what is stored.
        """
        live = self._live
        if live.is_full or live.lacks(owners):
            # The number first: a closing that ends while keys are read makes them look old, never the other way round.
            closing_no = await connection.fetchval(_NEWEST_CLOSING)
            if live.is_full or live.closing_no != closing_no:
                live = self._live = LiveKeys(closing_no)
            await self._fill(connection, live, sorted(live.lacks(owners)))
        return live

    async def hold(self, connection: Any, live: LiveKeys) -> bool:
        """
        Keep closings out until the end of the transaction; False when one came first: then ask for the keys again.
        """
        await connection.execute(_JOIN_APPENDERS)
        if await connection.fetchval(_NEWEST_CLOSING) == live.closing_no:
            return True
        if self._live is live:
            self._live = LiveKeys(-1)
        return False

    async def _fill(self, connection: Any, live: LiveKeys, owners: list[str]) -> None:
        if self._owner_key is None:
            self._owner_key = (await self._found_or_made(connection, [OWNER_OF_OWNERS]))[OWNER_OF_OWNERS][1]
        hashes = {hash_owner(self._owner_key, owner): owner for owner in owners}
        for owner_hash, (key_id, data_key) in (await self._found_or_made(connection, list(hashes))).items():
            live.add(hashes[owner_hash], DataKey(key_id, AESGCM(data_key)))

    async def _found_or_made(self, connection: Any, owners: list[bytes]) -> dict[bytes, tuple[UUID, bytes]]:
        found: dict[bytes, tuple[UUID, bytes]] = {}
        while missing := sorted(owner for owner in owners if owner not in found):
            for row in await connection.fetch(_FIND, missing):
                key_id = UUID(int=row["key_id"].int)
                found[row["owner"]] = key_id, self._ring.unwrap(key_id, row["wrapped_key"])
            made = [(key_id := uuid4(), owner, self._new_key(key_id)) for owner in missing if owner not in found]
            if made:
                # Whoever comes second finds the first one's key in the next round. In one order, so that nobody deadlocks.
                await connection.execute(_MAKE, *zip(*made, strict=True))
        return found

    def _new_key(self, key_id: UUID) -> bytes:
        return self._ring.wrap(key_id, os.urandom(DATA_KEY_BYTES))


def hash_owner(owner_key: bytes, owner: str) -> bytes:
    """Return the keyed hash under which an owner's key is kept, 32 bytes."""
    return hmac.digest(owner_key, owner.encode(), "sha256")
