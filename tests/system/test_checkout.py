"""The demo shop: a payment that the rules let pass, ask about, look at, or stop."""

import pytest
from playwright.async_api import expect

from tests.integration.gateway.simulator import Authsignal
from tests.system.person import Person

pytestmark = pytest.mark.asyncio(loop_scope="session")

ACTION = "authorizePayment"


async def pays(person: Person, quantity: int = 1) -> None:
    """Put the goods into the basket and press the button."""
    await person.open("/checkout")
    await person.sees("Checkout")
    for _ in range(quantity - 1):
        await person.presses("One more")
    await person.presses(f"Pay €{quantity * 89 + 6}.00")


async def test_payment_is_confirmed_with_its_amount_in_sight(person: Person) -> None:
    """
    The dialog shows amount and payee while the code is asked for; after it the payment is done, also after a reload.
    """
    await pays(person, quantity=2)
    await expect(person.page.get_by_role("dialog")).to_contain_text("You are paying €184.00 to Northwind Outfitters.")
    await person.check_page()
    await person.types_code(await person.code())
    await person.sees("Thank you, that is paid")
    await person.reads("€184.00 to Northwind Outfitters.")
    await person.check_page()
    await person.page.reload()
    await person.sees("Thank you, that is paid")


async def test_allowed_payment_needs_nothing_more(person: Person, simulator: Authsignal) -> None:
    """
    Where the rules allow it, one press pays.
    """
    await simulator.decide(ACTION, "ALLOW")
    await pays(person)
    await person.sees("Thank you, that is paid")


async def test_rules_see_the_amount(person: Person, simulator: Authsignal) -> None:
    """
    A rule about the amount lets a small payment pass and asks about a large one.
    """
    await simulator.decide(ACTION, "ALLOW")
    conditions = {"==": [{"var": "custom.amount"}, "540.00"]}
    await simulator.control(
        "POST", "/rules", {"name": "large", "type": "CHALLENGE", "action": ACTION, "conditions": conditions}
    )
    await pays(person)
    await person.sees("Thank you, that is paid")
    await pays(person, quantity=6)
    await expect(person.page.get_by_role("dialog")).to_contain_text("€540.00")
    await simulator.control("DELETE", "/rules")


@pytest.mark.parametrize(
    ("outcome", "title", "words"),
    [
        ("REVIEW", "We are checking your payment", "Nothing is charged until then"),
        ("BLOCK", "We stopped this payment", "Nothing was charged."),
    ],
)
async def test_stopped_payment_is_told_in_plain_words(
    person: Person, simulator: Authsignal, outcome: str, title: str, words: str
) -> None:
    """
    REVIEW and BLOCK reach the page in words that a customer understands, and neither pays.
    """
    await simulator.decide(ACTION, outcome)
    await pays(person)
    await person.sees(title)
    await person.reads(words)
    await person.check_page()
    await expect(person.page.get_by_text("For developers: the grant")).to_have_count(0)


async def test_declined_payment_keeps_the_order(person: Person) -> None:
    """
    Closing the dialog pays nothing, and the order is still there.
    """
    await pays(person, quantity=3)
    await expect(person.page.get_by_role("dialog")).to_be_visible()
    await person.presses("Close")
    await person.reads("You did not confirm the payment")
    await expect(person.page.get_by_role("status", name="Quantity")).to_have_text("3")


async def test_guest_signs_in_first(newcomer: Person) -> None:
    """
    The checkout of a guest begins at the sign-in page, and comes after it.
    """
    await newcomer.open("/checkout")
    await newcomer.sees("Sign in")
    await newcomer.follows("Create an account")
    await newcomer.fills("E-mail address", newcomer.email)
    await newcomer.presses("Continue")
    await newcomer.types_code(await newcomer.code())
    await newcomer.sees("Checkout")
