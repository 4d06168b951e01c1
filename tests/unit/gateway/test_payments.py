"""Amounts in their one spelling."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.direct.payments import canonical_amount


@pytest.mark.parametrize(
    ("given_amount", "canonical"),
    [
        (10, "10"),
        ("10", "10"),
        ("10.00", "10"),
        ("010.50", "10.5"),
        (10.0, "10"),
        (0.1, "0.1"),
        ("0.0001", "0.0001"),
        (1e11, "100000000000"),
        ("999999999999.9999", "999999999999.9999"),
    ],
)
def test_the_same_amount_has_one_spelling(given_amount: str | float, canonical: str) -> None:
    """Zeros, points and exponents do not count; the value does, to the last decimal."""
    assert canonical_amount(given_amount) == canonical


@pytest.mark.parametrize(
    "given_amount",
    [0, -1, "0.00", "-10", "", "ten", "1,5", "10.00001", 1e-5, 1e12, "1000000000000", "nan", "inf", float("nan")],
)
def test_what_is_no_amount_has_none(given_amount: str | float) -> None:
    """Nothing, less than nothing, too much, too fine, and what is no number are refused."""
    assert canonical_amount(given_amount) is None


@given(st.decimals(min_value=Decimal("0.0001"), max_value=Decimal("999999999999.9999"), places=4))
def test_a_spelling_keeps_the_value(amount: Decimal) -> None:
    """However an amount is written, its spelling is equal to it and is its own spelling."""
    canonical = canonical_amount(str(amount))

    assert canonical is not None
    assert Decimal(canonical) == amount
    assert canonical_amount(canonical) == canonical
