"""
Reading what is kept encrypted, for the recheck: written from the format in docs/audit-log.md, not with the writer's code.

Both layers are AES-256-GCM with a nonce of 12 bytes in front: a data key under the deployment's key, with the 16 bytes of its
id as associated data; an entry under its data key, with the text of its event id as associated data. What is found under a data
key is the entry, or a byte 1 and the entry as raw DEFLATE with a preset dictionary.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class CannotOpen(Exception):
    """The bytes cannot be read; `reason` is a word for machines."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Vault:
    """
    Opens stored entries with the data keys that it was given.

    Args:
        entry_keys: The deployment's keys, 64 hex digits each.
    """

    def __init__(self, entry_keys: Sequence[str]) -> None:
        self._entry_keys = [AESGCM(bytes.fromhex(key)) for key in entry_keys]
        self._data_keys: dict[str, AESGCM | CannotOpen] = {}
        dictionary = files("services.audit.storage").joinpath("packing-1.txt").read_bytes()
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS, zdict=dictionary)

    def lacks(self, key_ids: Iterable[str | None]) -> list[str]:
        """Return the data keys that are not known yet; one that could not be used may have been put right."""
        return sorted(key for key in {*key_ids} if key is not None and not isinstance(self._data_keys.get(key), AESGCM))

    def add(self, key_ids: Sequence[str], wrapped: Mapping[str, bytes | None]) -> None:
        """Take in data keys as they are stored: none for one that is not there, None for one that was destroyed."""
        for key_id in key_ids:
            self._data_keys[key_id] = self._unwrapped(key_id, wrapped)

    def forget(self) -> None:
        """Drop all data keys."""
        self._data_keys.clear()

    def __len__(self) -> int:
        """Return how many data keys are kept."""
        return len(self._data_keys)

    def open(self, event_id: str, key_id: str, stored: bytes) -> bytes:
        """
        Return the entry.

        Raises:
            CannotOpen: It, or its key, is not what was stored.
        """
        cipher = self._data_keys[key_id]
        if isinstance(cipher, CannotOpen):
            raise cipher
        try:
            found = cipher.decrypt(stored[:12], stored[12:], event_id.encode("ascii"))
            return self._inflated(found) if found[:1] == b"\x01" else found
        except (InvalidTag, ValueError, zlib.error) as error:
            raise CannotOpen("cannot_decrypt", f"the stored bytes do not open with key {key_id}") from error

    def _inflated(self, found: bytes) -> bytes:
        inflater = self._inflater.copy()
        return inflater.decompress(found[1:]) + inflater.flush()

    def _unwrapped(self, key_id: str, wrapped: Mapping[str, bytes | None]) -> "AESGCM | CannotOpen":
        if key_id not in wrapped:
            return CannotOpen("key_missing", f"its key {key_id} is not in the database")
        box = wrapped[key_id]
        if box is None:
            return CannotOpen("key_destroyed", f"its key {key_id} was destroyed before the entry was sealed")
        for entry_key in self._entry_keys:
            try:
                return AESGCM(entry_key.decrypt(box[:12], box[12:], UUID(key_id).bytes))
            except (InvalidTag, ValueError):
                continue
        return CannotOpen("key_unusable", f"its key {key_id} does not open with the keys in entry_key_file")
