"""Where texts may go, and how many."""

import pytest

from shared.state.memory import MemoryState
from shared.texts import Destination, TextLimits, TextRefusal, TextRules, destination_of

STOCKHOLM, NEIGHBOUR, FAR = "+46701234567", "+46701239999", "+46709876543"
AUCKLAND = "+64211234567"


def limits(**rules: int) -> TextLimits:
    """Return limits that admit Sweden and New Zealand."""
    return TextLimits(MemoryState(), TextRules(countries=("SE", "NZ"), **rules))


@pytest.mark.parametrize(
    "number",
    [None, "", "+", "0701234567", "+99912345678", "+8811234567", "+19001234567", "+46900123456", "+15551234567", "+46812345"],
    ids=["none", "empty", "plus", "national", "unknown code", "satellite", "premium", "premium abroad", "no area", "a desk"],
)
async def test_what_is_no_mobile_number_gets_none(number: str | None) -> None:
    """A number that cannot be read, belongs to no country, or is no mobile number is refused before anything is sent."""
    assert destination_of(number) is None
    assert await limits().refusal(number) == TextRefusal("text_country", "none", 0)


async def test_only_listed_countries_get_texts() -> None:
    """Texts go to the countries on the list, and as delivered to none; refusals of a country are reported once in a span."""
    assert destination_of("+46 70-123 45 67") == Destination(STOCKHOLM, "SE")
    assert await limits().refusal(STOCKHOLM) is None
    some = limits()
    assert [await some.refusal("+4915112345678") for _ in range(3)] == [
        TextRefusal("text_country", "DE", unreported) for unreported in (0, None, None)
    ]
    assert await TextLimits(MemoryState(), TextRules()).refusal(STOCKHOLM) == TextRefusal("text_country", "SE", 0)


@pytest.mark.parametrize(
    ("rule", "sent", "refused", "admitted"),
    [
        ("per_number", (STOCKHOLM, STOCKHOLM), STOCKHOLM, NEIGHBOUR),
        ("per_prefix", (STOCKHOLM, NEIGHBOUR), "+46701231111", FAR),
        ("per_country", (STOCKHOLM, FAR), NEIGHBOUR, AUCKLAND),
    ],
)
async def test_each_count_holds_its_own(rule: str, sent: tuple[str, str], refused: str, admitted: str) -> None:
    """A number, a range of numbers, or a country that had its share gets no more, and another still does."""
    some = limits(**{f"{rule}_max": 2})
    for number in sent:
        assert await some.refusal(number) is None

    assert await some.refusal(refused) == TextRefusal(f"texts_{rule}", "SE", 0)
    assert await some.refusal(refused) == TextRefusal(f"texts_{rule}", "SE", None)
    assert await some.refusal(admitted) is None


async def test_the_budget_holds_for_all() -> None:
    """When the hour's budget is spent nobody gets a text, wherever it would go; what was refused did not spend it."""
    some = limits(budget_max=2, per_number_max=1)
    assert await some.refusal(STOCKHOLM) is None
    assert (await some.refusal(STOCKHOLM) or TextRefusal("", "", None)).reason == "texts_per_number"
    assert await some.refusal(NEIGHBOUR) is None

    assert await some.refusal(AUCKLAND) == TextRefusal("texts_in_all", "NZ", 0)
