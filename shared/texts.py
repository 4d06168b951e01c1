"""
To which telephone numbers texts go, and how many.

Texts cost money, and whoever owns a range of numbers earns a part of it: so they make us send there ("SMS pumping").

1. Default deny: a text goes only to a mobile number of a country that the operator lists. What cannot be read as such a number,
   or belongs to no country, gets none.
2. In any hour at most so many go to one number, to one range of numbers (those that begin alike), to one country, and in all.
3. A number that is refused takes no place, and is never written into the log: its country is.

Every service that sends texts, or has them sent, asks here first; they count together where they share a state store.
"""

from typing import Annotated, Final, NamedTuple

from msgspec import Meta, Struct
from phonenumbers import (
    NumberParseException,
    PhoneNumberFormat,
    PhoneNumberType,
    format_number,
    number_type,
    parse,
    region_code_for_number,
)

from shared.state import StateStore, Window

SPAN_SECONDS: Final = 3600
MOBILE: Final = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
NOWHERE: Final = "none"  # Of a number that is no mobile number of any country.

Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}$")]
Count = Annotated[int, Meta(ge=1)]


class TextRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    The operator's choice: countries by ISO 3166-1 code, none as delivered, and texts in any hour.

    `prefix_digits` are the digits, the country code's included, with which all numbers of one range begin: ranges are handed
    out by the thousand or ten thousand, and seven digits leave ten thousand numbers of the usual eleven digits.
    """

    countries: tuple[Country, ...] = ()
    prefix_digits: Annotated[int, Meta(ge=3, le=12)] = 7
    per_number_max: Count = 10
    per_prefix_max: Count = 20
    per_country_max: Count = 300
    budget_max: Count = 1000


class TextRefusal(NamedTuple):
    """
    Why a text may not go.

    `unreported` is set when the refusal is to be recorded, and is the number of those before it that were not.
    """

    reason: str
    country: str
    unreported: int | None


class Destination(NamedTuple):
    """A number that can be sent to: in E.164 form, with its country."""

    number: str
    country: str


def destination_of(number: str | None) -> Destination | None:
    """Return where a text to a number would go; None for what is no mobile number of any country."""
    try:
        parsed = parse(number or "", None)
    except NumberParseException:
        return None
    country = region_code_for_number(parsed)
    if country is None or number_type(parsed) not in MOBILE:
        return None
    return Destination(format_number(parsed, PhoneNumberFormat.E164), country)


class TextLimits:
    """Counts texts."""

    def __init__(self, state: StateStore, rules: TextRules) -> None:
        self._state = state
        self._rules = rules

    async def refusal(self, number: str | None) -> TextRefusal | None:
        """Count one more text to a number, before it is sent; return why it must not be, or None when it may."""
        destination = destination_of(number)
        country = destination.country if destination is not None else NOWHERE
        if destination is None or country not in self._rules.countries:
            # No places at all: asked for only to have refusals reported once in a span, as every other's are.
            named = [("text_country", Window(f"limit:text_refused:{country}", 0, SPAN_SECONDS))]
        else:
            named = self._windows(destination)
        taking = await self._state.take([window for _, window in named])
        if taking.refused_by is None:
            return None
        return TextRefusal(named[taking.refused_by][0], country, taking.unreported)

    def _windows(self, destination: Destination) -> list[tuple[str, Window]]:
        rules = self._rules
        prefix = destination.number[: 1 + rules.prefix_digits]  # With its plus sign.
        limits = {
            "texts_per_number": (destination.number, rules.per_number_max),
            "texts_per_prefix": (prefix, rules.per_prefix_max),
            "texts_per_country": (destination.country, rules.per_country_max),
            "texts_in_all": ("all", rules.budget_max),
        }
        return [
            (name, Window(f"limit:{name}:{value}", places_max, SPAN_SECONDS)) for name, (value, places_max) in limits.items()
        ]
