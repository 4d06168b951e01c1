"""Reviews, as the person who waits sees them: the page goes on by itself once an operator has decided."""

import asyncio
import re

import aiohttp
import pytest
from playwright.async_api import expect

from tests.integration.gateway.operator import Operator
from tests.integration.gateway.simulator import Authsignal
from tests.stack import RunningStack
from tests.system.person import Person
from tests.system.test_checkout import ACTION, pays
from tests.system.test_passkeys import signs_up_to_the_offer

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def decides(operator: Operator, person: Person, decision: str) -> None:
    """Find the one thing that waits for this person, and decide it, as the how-to says."""
    sub = await person.sub()
    listed = (await operator.call("GET", "/v1/reviews")).body["reviews"]
    (review,) = [review for review in listed if review["sub"] == sub]
    assert (await operator.decide(review["id"], decision)).status == 200


@pytest.mark.parametrize(("decision", "title"), [("approve", "Thank you, that is paid"), ("reject", "We stopped this payment")])
async def test_payment_under_review_is_decided_while_the_page_waits(
    person: Person, simulator: Authsignal, http: aiohttp.ClientSession, stack: RunningStack, decision: str, title: str
) -> None:
    """
    The page says that somebody looks at the payment, and shows what they decided, without a reload.
    """
    await simulator.decide(ACTION, "REVIEW")
    await pays(person)
    await person.sees("We are checking your payment")
    await person.reads("Waiting for the decision")
    await person.check_page()
    await person.page.evaluate("window.untouched = true")

    await decides(Operator(http, stack), person, decision)

    await person.sees(title)
    assert await person.page.evaluate("window.untouched")
    await person.check_page()
    grant = person.page.get_by_text("For developers: the grant")
    await expect(grant).to_have_count(1 if decision == "approve" else 0)


async def test_sign_in_under_review_needs_its_proof_all_the_same(
    person: Person, simulator: Authsignal, http: aiohttp.ClientSession, stack: RunningStack
) -> None:
    """
    The page of a sign-in that was approved asks for the code that was just mailed; with it, and not before, it is signed in.
    """
    sub = await person.sub()
    await simulator.decide("signIn", "REVIEW")
    await person.signs_out()
    await person.begins_sign_in()
    await person.sees("Enter your code")
    await person.types_code(await person.code())
    await person.sees("We want to take a look first")
    await person.check_page()
    operator = Operator(http, stack)
    (review,) = [one for one in (await operator.call("GET", "/v1/reviews")).body["reviews"] if one["sub"] == sub]

    assert (await operator.decide(review["id"], "approve")).status == 200

    await person.sees("Enter your code")
    await expect(person.page).to_have_url(re.compile("/verify$"))
    await person.types_code(await person.code())
    await person.sees("Your account")


async def test_sign_up_under_review_ends_and_may_begin_again(newcomer: Person, simulator: Authsignal) -> None:
    """
    A sign-up that the rules hold back waits for nothing: the page says so and leads back; once they relent it signs in.
    """
    await simulator.decide("signUp", "REVIEW")
    await newcomer.begins_sign_up()
    await newcomer.types_code(await newcomer.code())
    await newcomer.sees("We want to take a look first")
    await newcomer.reads(re.compile("our safety rules do not let you in yet"))
    await newcomer.check_page()
    await newcomer.follows("Back to the start")
    await newcomer.sees("Create an account")
    await simulator.decide("signUp", "CHALLENGE")

    await newcomer.signs_up()


async def test_passkey_under_review_leads_to_the_address(newcomer: Person, simulator: Authsignal) -> None:
    """
    A passkey without a name that the rules hold back signs nobody in, and the page says which way a person can decide about. A
    key that goes on answering what the field suggests does not storm the gateway.
    """
    asked: list[str] = []
    newcomer.page.on("request", lambda request: asked.append(request.url))
    keys, own = await signs_up_to_the_offer(newcomer)
    await newcomer.presses("Create a passkey")
    await newcomer.sees("Your account")
    await keys.answer(own, present=False)
    await newcomer.signs_out()
    await simulator.decide("signIn", "REVIEW")
    await keys.answer(own, present=True)
    await newcomer.presses("Sign in with a passkey")

    await newcomer.reads(re.compile("Sign in with your e-mail address instead"))
    await asyncio.sleep(3)
    await newcomer.reads(re.compile("Sign in with your e-mail address instead"))
    assert 1 <= len([url for url in asked if url.endswith("/v1/sign-ins/passkey")]) <= 4

    await keys.answer(own, present=False)
    await newcomer.check_page()
