"""The details that a step-up is bound to: what hashes alike, what does not, and how much is taken."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.step_ups import details
from shared.problems import InvalidRequest

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBER = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
DETAILS = st.dictionaries(TEXT, TEXT | NUMBER | st.booleans(), max_size=6)


@given(DETAILS, st.randoms())
def test_the_order_of_names_does_not_matter(one: dict[str, Any], random: Any) -> None:
    """The same details in another order hash alike."""
    names = list(one)
    random.shuffle(names)

    assert details.digest({name: one[name] for name in names}) == details.digest(one)


@given(DETAILS, TEXT, TEXT | NUMBER | st.booleans())
def test_another_value_is_another_hash(one: dict[str, Any], name: str, value: Any) -> None:
    """A detail that is added, or that means something else, changes the hash."""
    other = {**one, name: value}
    same = name in one and _spelt(one[name]) == _spelt(value)

    assert (details.digest(other) == details.digest(one)) is same


def _spelt(value: Any) -> str:
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    return json.dumps(whole)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"amount": "10.00"}, {"amount": "10.0"}),
        ({"amount": "10"}, {"amount": 10}),
        ({"amount": 1}, {"amount": True}),
        ({"amount": 0}, {"amount": False}),
        ({"a": "b", "c": "d"}, {"a": 'b","c":"d'}),
        ({"amount": 10}, {"amount": 10, "payee": ""}),
        ({"amount": 2**60}, {"amount": 2**60 + 1}),
    ],
)
def test_what_only_looks_alike_does_not_hash_alike(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Texts are compared as texts; a number, a truth and a text are three things."""
    assert details.digest(one) != details.digest(other)


def test_ten_is_ten() -> None:
    """A whole number hashes alike with and without a decimal point, as JSON has but one kind of number."""
    assert details.digest({"amount": 10.0}) == details.digest({"amount": 10})


@pytest.mark.parametrize(
    "too_much",
    [{f"n{number}": 1 for number in range(21)}, {"x" * 201: 1}, {"memo": "x" * 201}, {"number": 10**200}],
    ids=["names", "a name", "a text", "a number"],
)
def test_details_are_small(too_much: dict[str, Any]) -> None:
    """More than twenty names, or a name or value of more than 200 characters, is refused."""
    with pytest.raises(InvalidRequest):
        details.checked(too_much)


def test_the_largest_are_taken() -> None:
    """Twenty names with values of 200 characters are kept as they are."""
    largest: dict[str, Any] = {f"n{number}": "x" * 200 for number in range(20)}

    assert details.checked(largest) == largest
