"""What the state store keeps for us, it cannot read: AES-256-GCM, the key's name bound in as associated data."""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES: Final = 12


class Sealer:
    """
    Seals with the first key and opens with either, so that keys rotate without ending anybody's session.

    Args:
        keys: One or two keys, 64 hex digits each.
    """

    def __init__(self, keys: list[str]) -> None:
        self._ciphers = [AESGCM(bytes.fromhex(key)) for key in keys]

    def seal(self, name: str, content: bytes) -> bytes:
        """Encrypt `content`; it opens again only under the same `name`."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, content, name.encode())

    def open(self, name: str, sealed: bytes) -> bytes | None:
        """Return what was sealed, or None when no live key opens it: then it is as if it had never been there."""
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], name.encode())
            except (InvalidTag, ValueError):  # ValueError: shorter than a nonce.
                continue
        return None
