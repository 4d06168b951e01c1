"""Entries are packed before they are encrypted: smaller, and the same bytes afterwards, for ever."""

import hashlib
import os
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from services.audit.sealing.opening import CannotOpen, Vault
from services.audit.storage.keys import EntryDamaged, KeyRing, seal_entry
from services.audit.storage.packing import DICTIONARY, PACKED, NotPacked, pack, unpack
from services.audit.tree.bundles import ENTRY_BYTES_MAX
from shared.events import Client, EventType, Subject
from tests.integration.audit.lab import Author

KEY = "17" * 32


@pytest.mark.parametrize("event_type", EventType)
def test_every_kind_of_event_becomes_smaller_and_comes_back(event_type: EventType) -> None:
    """
    An entry of any kind takes less than two thirds of its bytes, and unpacks to exactly what it was.
    """
    entry = Author().entry(
        event_type=event_type,
        subject=Subject(sub=str(uuid4()), email_hash=os.urandom(32).hex()),
        client=Client(ip="192.0.2.9", user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0"),
    )

    assert len(pack(entry)) < len(entry) * 2 / 3
    assert unpack(pack(entry)) == entry


@given(st.text(max_size=300).map(str.encode) | st.integers(0, ENTRY_BYTES_MAX - 2).map(lambda size: b"x" * size))
def test_any_line_comes_back(text: bytes) -> None:
    """
    Whatever an entry holds, and as long as one may be, it comes back; it never takes more room than it did.
    """
    entry = b"{" + text + b"}"

    assert unpack(pack(entry)) == entry
    assert len(pack(entry)) <= len(entry)


def test_what_does_not_become_smaller_stays() -> None:
    """
    An entry of noise is kept as it is.
    """
    entry = b"{" + os.urandom(2_000)

    assert pack(entry) == entry


@pytest.mark.parametrize(
    "stored",
    [PACKED, PACKED + b"\xff" * 9, pack(Author().entry())[:-1], pack(Author().entry()) + b"x", pack(b"{" + b" " * 70_000)],
)
def test_what_was_not_packed_here_is_refused(stored: bytes) -> None:
    """
    Bytes that are cut, continued, nonsense, or that unpack to more than an entry may have are damage.
    """
    with pytest.raises(NotPacked):
        unpack(stored)


def test_the_dictionary_is_part_of_the_format() -> None:
    """
    The dictionary is the one under which entries were stored since the first release that packs them.
    """
    assert hashlib.sha256(DICTIONARY).hexdigest() == "72722b4ca1605f5658e5540474588e3c9fa334529276773f4360de49803cf42f"


@pytest.mark.parametrize("is_packed", [True, False])
def test_both_readers_open_what_is_packed_and_what_is_not(is_packed: bool) -> None:
    """
    The API's reader and the sequencer's own open an entry alike, packed or as the release before packing kept it.
    """
    ring, key_id, event_id, entry = KeyRing([KEY]), uuid4(), str(uuid4()), Author().entry()
    data_key = os.urandom(32)
    nonce = os.urandom(12)
    plain = nonce + AESGCM(data_key).encrypt(nonce, entry, event_id.encode())
    stored = seal_entry(AESGCM(data_key), event_id, entry) if is_packed else plain
    wrapped = ring.wrap(key_id, data_key)
    vault = Vault([KEY])
    vault.add([str(key_id)], {str(key_id): wrapped})

    assert vault.open(event_id, str(key_id), stored) == entry
    assert ring.opener().decrypt({"event_id": event_id, "entry": stored, "key_id": key_id, "wrapped_key": wrapped}) == entry
    assert (len(stored) < len(entry)) == is_packed


def test_both_readers_refuse_what_does_not_unpack() -> None:
    """
    Bytes that open with the key and still are no entry are damage to both, not a crash.
    """
    ring, key_id, event_id = KeyRing([KEY]), uuid4(), str(uuid4())
    data_key, nonce = os.urandom(32), os.urandom(12)
    stored = nonce + AESGCM(data_key).encrypt(nonce, PACKED + b"\xff" * 9, event_id.encode())
    wrapped = ring.wrap(key_id, data_key)
    vault = Vault([KEY])
    vault.add([str(key_id)], {str(key_id): wrapped})

    with pytest.raises(CannotOpen):
        vault.open(event_id, str(key_id), stored)
    with pytest.raises(EntryDamaged):
        ring.opener().decrypt({"event_id": event_id, "entry": stored, "key_id": key_id, "wrapped_key": wrapped})
