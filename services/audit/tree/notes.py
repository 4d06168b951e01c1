"""
Signed notes: text, and Ed25519 signatures of it by named keys. Source: C2SP signed-note.

A verifier key is written ``<name>+<key id, 8 hex digits>+<base64 of 0x01 and the public key>``. It is all that somebody needs
who does not trust us.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.audit.tree.text import decode64, encode64

ED25519: Final = b"\x01"
KEY_ID_BYTES: Final = 4
SIGNATURES_MAX: Final = 64
NOTE_CHARACTERS_MAX: Final = 1_000_000
_MARK: Final = "\u2014 "


class NoteInvalid(ValueError):
    """The note is not written as a note, or is not signed as it must be; the text says what is wrong."""


class KeyInvalid(ValueError):
    """The text is no verifier key."""


class VerifierKey:
    """A public key with its name."""

    def __init__(self, name: str, public_key: bytes) -> None:
        check_name(name)
        self.name = name
        self._bytes = public_key
        self._key = Ed25519PublicKey.from_public_bytes(public_key)
        self.key_id = hashlib.sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:KEY_ID_BYTES]

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """
        Read a verifier key.

        Raises:
            KeyInvalid: The text is none, or its id does not belong to its key.
        """
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            material = decode64(encoded)
            if material[:1] != ED25519:
                raise KeyInvalid("this is no Ed25519 key")
            key = cls(name, material[1:])
        except ValueError as error:
            raise KeyInvalid(f"this is no verifier key: {error}") from error
        if key.key_id.hex() != key_id:
            raise KeyInvalid("the key id does not belong to the key: was it copied whole?")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode64(ED25519 + self._bytes)}"

    def accepts(self, text: str, signature: bytes) -> bool:
        """Say whether this key made a signature of the text."""
        try:
            self._key.verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


class Signer:
    """A private key with its name; the seed is 32 bytes."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = VerifierKey(name, self._key.public_key().public_bytes_raw())

    def sign(self, text: str) -> bytes:
        """Return the signature of a text. The same text always gives the same signature."""
        return self._key.sign(text.encode())


def check_name(name: str) -> None:
    """
    Refuse what cannot name a key.

    Raises:
        NoteInvalid: It is empty, or holds a plus sign or a space of any kind.
    """
    if not name or "+" in name or any(char.isspace() or not char.isprintable() for char in name):
        raise NoteInvalid("the name of a key must not be empty and holds no spaces and no plus sign")


def sign_note(text: str, signers: Sequence[Signer]) -> str:
    """
    Return a note: the text, which ends with a newline, and one signature line for each signer.

    Raises:
        NoteInvalid: The text has no newline at its end, or holds control characters.
    """
    _check_text(text)
    lines = []
    for signer in signers:
        key = signer.verifier
        lines.append(f"{_MARK}{key.name} {encode64(key.key_id + signer.sign(text))}\n")
    return f"{text}\n{''.join(lines)}"


def open_note(note: str, keys: Sequence[VerifierKey]) -> str:
    """
    Return the text of a note that at least one of the keys has signed.

    Signatures of other keys are passed over; one in the name of a known key that does not verify spoils the note.

    Raises:
        NoteInvalid: It is no note, no known key signed it, or a known key's signature is wrong.
    """
    text, signatures = split_note(note)
    known = {(key.name, key.key_id): key for key in keys}
    is_signed = False
    for name, key_id, signature in signatures:
        key = known.get((name, key_id))
        if key is None:
            continue
        if not key.accepts(text, signature):
            raise NoteInvalid(f"the signature of {name} is wrong")
        is_signed = True
    if not is_signed:
        raise NoteInvalid("no key that you trust has signed this")
    return text


def split_note(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """
    Return the text of a note and its signatures as name, key id and signature, none of them verified.

    Raises:
        NoteInvalid: It is no note.
    """
    if len(note) > NOTE_CHARACTERS_MAX:
        raise NoteInvalid("this is too long for a note")
    head, gap, tail = note.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise NoteInvalid("there are no signatures")
    text = head + "\n"
    _check_text(text)
    signatures = [_signature(line) for line in tail[:-1].split("\n")]
    if len(signatures) > SIGNATURES_MAX:
        raise NoteInvalid("there are too many signatures")
    return text, signatures


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line.removeprefix(_MARK).partition(" ")
    try:
        check_name(name)
        material = decode64(encoded)
    except ValueError as error:
        raise NoteInvalid("a signature line is not written as one") from error
    if not line.startswith(_MARK) or len(material) <= KEY_ID_BYTES:
        raise NoteInvalid("a signature line is not written as one")
    return name, material[:KEY_ID_BYTES], material[KEY_ID_BYTES:]


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise NoteInvalid("the text does not end with a newline")
    if any(char < " " and char != "\n" for char in text):
        raise NoteInvalid("the text holds control characters")
    try:
        text.encode()
    except UnicodeEncodeError as error:  # Half of a surrogate pair, which JSON may escape.
        raise NoteInvalid("the text is no UTF-8") from error
