"""Refresh tokens of our own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.sessions import refresh_tokens

TOKEN = refresh_tokens.new()


def test_a_successor_is_of_the_same_family_and_works_alone() -> None:
    """The half that names the family stays, the other is new, and a session knows only the current one."""
    successor = TOKEN.successor()

    assert (successor.family, successor.key) == (TOKEN.family, TOKEN.key)
    assert successor.secret != TOKEN.secret
    assert TOKEN.is_current(TOKEN.digest)
    assert not TOKEN.is_current(successor.digest)
    assert not TOKEN.is_current("")


def test_what_an_app_holds_is_read_back() -> None:
    """A token's text is that token again, and neither half of it is what the store knows."""
    assert refresh_tokens.parse(TOKEN.text) == TOKEN
    assert not {TOKEN.key, TOKEN.digest} & set(TOKEN)


@pytest.mark.parametrize(
    "text",
    ["", ".", TOKEN.family, f"{TOKEN.text}.x", f" {TOKEN.text}", f"{TOKEN.family}.short"],
    ids=["empty", "two empty halves", "one half", "three parts", "a space", "a short half"],
)
def test_other_texts_are_none(text: str) -> None:
    """What is not two halves of our make is no token."""
    assert refresh_tokens.parse(text) is None


@given(st.text(max_size=120))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever a client sends is read without a fault."""
    token = refresh_tokens.parse(text)

    assert token is None or token.text == text
