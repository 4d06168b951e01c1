"""What a payment is, in one spelling: what is approved and what is done are compared as these texts, never as floats."""

from decimal import Decimal, InvalidOperation
from typing import Final

AMOUNT_MAX: Final = Decimal(10) ** 12
DECIMALS_MAX: Final = 4  # ISO 4217 has no currency with more


def canonical_amount(given: str | float) -> str | None:
    """
    Return an amount without trailing zeros or exponent, so that 10, "10" and "10.00" are the same; None when it is none.

    An amount is above 0, below 10^12, and has at most four decimals.
    """
    try:
        amount = Decimal(str(given))
    except InvalidOperation:
        return None
    if not amount.is_finite() or not 0 < amount < AMOUNT_MAX:
        return None
    amount = amount.normalize()
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -DECIMALS_MAX:
        return None
    return format(amount, "f")
