"""Sealing: what the state store keeps, only the gateway reads."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.sealing import Sealer

KEY, OTHER_KEY, THIRD_KEY = (secrets.token_hex(32) for _ in range(3))


@given(st.text(max_size=40), st.binary(max_size=200))
def test_what_was_sealed_opens(name: str, content: bytes) -> None:
    """Under its name and key content opens as it was."""
    sealer = Sealer([KEY])

    assert sealer.open(name, sealer.seal(name, content)) == content


def test_keys_rotate_without_a_gap() -> None:
    """What the old key sealed opens while the old key is still second; what the new one seals opens with either order."""
    sealed_before = Sealer([KEY]).seal("n", b"x")
    during = Sealer([OTHER_KEY, KEY])

    assert during.open("n", sealed_before) == b"x"
    assert Sealer([OTHER_KEY]).open("n", during.seal("n", b"y")) == b"y"
    assert Sealer([KEY, OTHER_KEY]).open("n", during.seal("n", b"y")) == b"y"


def test_a_retired_key_opens_nothing() -> None:
    """Once a key is no longer listed, what it sealed is as if it had never been."""
    assert Sealer([OTHER_KEY, THIRD_KEY]).open("n", Sealer([KEY]).seal("n", b"x")) is None


@given(st.text(max_size=20), st.text(max_size=20))
def test_sealed_content_cannot_be_moved(name: str, other: str) -> None:
    """Content sealed under one name does not open under another."""
    sealer = Sealer([KEY])

    opened = sealer.open(other, sealer.seal(name, b"x"))

    assert (opened == b"x") is (name == other)


@given(st.binary(max_size=60), st.data())
def test_tampering_is_noticed(content: bytes, data: st.DataObject) -> None:
    """No changed bit, and no cut, opens."""
    sealer = Sealer([KEY])
    sealed = bytearray(sealer.seal("n", content))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= 1 << data.draw(st.integers(0, 7))

    assert sealer.open("n", bytes(sealed)) is None


@pytest.mark.parametrize("rubbish", [b"", b"x", b"x" * 11, b"x" * 12, b"x" * 13, b"x" * 28, b"x" * 500])
def test_rubbish_does_not_open(rubbish: bytes) -> None:
    """Bytes that were never sealed, of any length, are nothing."""
    assert Sealer([KEY, OTHER_KEY]).open("n", rubbish) is None


def test_sealing_twice_looks_different() -> None:
    """The same content sealed twice shows no sign of being the same."""
    sealer = Sealer([KEY])

    assert sealer.seal("n", b"x") != sealer.seal("n", b"x")
