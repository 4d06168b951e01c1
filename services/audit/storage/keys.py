"""
How entries about a person are kept: encrypted under a key of that person's own, so that destroying the key erases them.

Rules:

1. The owner of an entry is ``sub:<sub>``, else ``email:<hash in hex>``; an entry about nobody is stored as it is.
2. It is packed (`services.audit.storage.packing`) and stored as nonce (12 bytes), AES-256-GCM of that, tag (16 bytes), with the
   text of its ``event_id`` as associated data.
3. A data key is 32 random bytes. It is kept wrapped: nonce, AES-256-GCM under the deployment's key, tag; the 16 bytes of its
   ``key_id`` are the associated data.
4. An entry whose key was destroyed is erased. One that cannot be read for any other reason is damaged, which is never the same.

The sequencer reads what is stored by code of its own (`services.audit.sealing.opening`).
"""

import os
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.audit.storage.packing import NotPacked, pack, unpack

log = structlog.get_logger(__name__)

NONCE_BYTES: Final = 12
DATA_KEY_BYTES: Final = 32

# What a statement has to select, of audit.entries AS e, for `EntryOpener`; and the join that it needs.
SEALED_COLUMNS: Final = "e.event_id, e.entry, e.key_id, k.wrapped_key, k.destroyed_at"
JOIN_KEYS: Final = "LEFT JOIN audit.subject_keys AS k ON k.key_id = e.key_id"


class KeyUnusable(Exception):
    """A data key cannot be unwrapped: it was changed, or the deployment's key is not the one that wrapped it."""


class EntryDamaged(Exception):
    """An entry does not open with its key: one of them was changed, or the deployment's key is another."""


class Opened(NamedTuple):
    """What is left of a stored entry; `entry` is None when it was erased, or is damaged and cannot be read."""

    entry: bytes | None
    is_erased: bool = False


class KeyRing:
    """
    The deployment's keys, by which data keys are wrapped: the first wraps, each of them unwraps.

    Args:
        keys: One or two keys, 64 hex digits each.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._ciphers = [AESGCM(bytes.fromhex(key)) for key in keys]

    def wrap(self, key_id: UUID, data_key: bytes) -> bytes:
        """Return a data key as it is stored."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, data_key, key_id.bytes)

    def unwrap(self, key_id: UUID, wrapped: bytes) -> bytes:
        """
        Return a data key.

        Raises:
            KeyUnusable: No key of ours opens it.
        """
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], key_id.bytes)
            except (InvalidTag, ValueError):  # ValueError: shorter than a nonce.
                continue
        raise KeyUnusable(f"key {key_id}: no key in entry_key_file opens it")

    def opener(self) -> "EntryOpener":
        """Return what opens the rows of one answer."""
        return EntryOpener(self)


def owner_of(sub: str | None, email_hash: bytes | None) -> str | None:
    """Return whose key an entry belongs under; None for an entry about nobody."""
    if sub is not None:
        return f"sub:{sub}"
    return None if email_hash is None else f"email:{email_hash.hex()}"


def seal_entry(cipher: AESGCM, event_id: str, entry: bytes) -> bytes:
    """Return an entry as it is stored under a data key."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, pack(entry), event_id.encode())


class EntryOpener:
    """
    Opens the entries of one answer. Keys are kept no longer than that: what is destroyed is gone with the next question.

    Args:
        ring: The deployment's keys.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._ciphers: dict[UUID, AESGCM] = {}

    def open(self, row: Any) -> Opened:
        """Return the entry of a row that was selected with `SEALED_COLUMNS`."""
        if row["key_id"] is None:
            return Opened(row["entry"])
        if row["destroyed_at"] is not None:
            return Opened(None, is_erased=True)
        try:
            return Opened(self.decrypt(row))
        except EntryDamaged as error:
            log.error("audit.entry_unreadable", event_id=str(row["event_id"]), error=str(error))
            return Opened(None)

    def decrypt(self, row: Any) -> bytes:
        """
        Return the entry of such a row, which has a key that was not destroyed.

        Raises:
            EntryDamaged: Its key, or what is kept under it, is not what was stored.
        """
        stored = row["entry"]
        try:
            cipher = self._cipher(UUID(int=row["key_id"].int), row["wrapped_key"] or b"")
            return unpack(cipher.decrypt(stored[:NONCE_BYTES], stored[NONCE_BYTES:], str(row["event_id"]).encode()))
        except (KeyUnusable, InvalidTag, NotPacked, ValueError) as error:
            raise EntryDamaged(str(error) or type(error).__name__) from error

    def _cipher(self, key_id: UUID, wrapped: bytes) -> AESGCM:
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            cipher = self._ciphers[key_id] = AESGCM(self._ring.unwrap(key_id, wrapped))
        return cipher
