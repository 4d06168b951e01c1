"""Identifiers, and what is none."""

import time
from uuid import RFC_4122

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ids import is_action_code, is_uuid, uuid7


def test_a_uuid7_is_one() -> None:
    """An id has version 7, the RFC's variant and the time of its making in its first 48 bits."""
    before = time.time_ns() // 1_000_000
    identifier = uuid7()
    after = time.time_ns() // 1_000_000

    assert identifier.version == 7
    assert identifier.variant == RFC_4122
    assert before <= identifier.int >> 80 <= after


def test_uuid7_orders_by_time() -> None:
    """An id made in a later millisecond is greater, as text too."""
    earlier = uuid7()
    time.sleep(0.002)
    later = uuid7()

    assert earlier < later
    assert str(earlier) < str(later)


def test_uuid7_repeats_none() -> None:
    """Many ids of one moment are all different."""
    assert len({uuid7() for _ in range(20_000)}) == 20_000


@given(st.uuids())
def test_a_uuid_has_one_spelling(identifier: object) -> None:
    """Lower case with dashes is a UUID; the same in upper case, without dashes or with anything around it is not."""
    text = str(identifier)

    assert is_uuid(text)
    for other in (text.replace("-", ""), f"{{{text}}}", f"{text}\n", f" {text}", f"{text}/..", f"../{text}"):
        assert not is_uuid(other)
    assert is_uuid(text.upper()) is text.isdecimal() or text.upper() == text


@pytest.mark.parametrize("code", ["signIn", "a", "A-b_9", "x" * 64])
def test_action_codes(code: str) -> None:
    """1 to 64 letters, digits, underscores and hyphens are an action code."""
    assert is_action_code(code)


@pytest.mark.parametrize("code", ["", "x" * 65, "a/b", "..", "a.b", "a b", "signIn\n", "ä", "a%2Fb"])
def test_not_action_codes(code: str) -> None:
    """Nothing that could change a path is an action code."""
    assert not is_action_code(code)
