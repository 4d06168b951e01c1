"""Every other way to sign in: added on the security page, then used."""

import re
import secrets

import aiohttp
import pytest
from playwright.async_api import expect

from tests.integration.gateway.simulator import Authsignal
from tests.stack import RunningStack
from tests.system.fixtures import Profile
from tests.system.person import Person
from tests.system.phone import Phone
from tests.system.totp import STEP_SECONDS, totp

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def begins_to_add(person: Person, way: str) -> None:
    """Open the dialog that adds a way to sign in."""
    await person.follows("Security")
    await person.presses("Add a way to sign in")
    await person.chooses(way)


async def begins_with(person: Person, way: str) -> None:
    """Begin a sign-in in a way other than a code by e-mail."""
    await person.signs_out()
    await person.fills("E-mail address", person.email)
    await person.presses("Other ways to sign in")
    await person.chooses(way)


async def now_of(simulator: Authsignal) -> float:
    """The simulator's time."""
    return float((await simulator.control("GET", "/clock"))["now"])


async def test_authenticator_app(person: Person, simulator: Authsignal) -> None:
    """
    An app is added with the secret typed by hand and a first code; the next code signs in, a wrong one does not.
    """
    await begins_to_add(person, "Authenticator app")
    await person.reads("Cannot scan it?")
    await person.check_page()
    secret = (await person.page.get_by_role("dialog").locator("code").inner_text()).replace(" ", "")
    code = totp(secret, await now_of(simulator))
    await person.types_code("000000" if code != "000000" else "111111")
    await person.reads("That code did not work. Wait for the app to show the next one")
    await person.types_code(totp(secret, await now_of(simulator)))
    await person.reads("Your authenticator app is added.")
    await person.is_told("Added to your account: an authenticator app")
    await begins_with(person, "Use your authenticator app")
    await person.reads("Open your authenticator app and type the six digits")
    await person.types_code("000000")
    await person.reads("4 tries left")
    await simulator.advance(STEP_SECONDS)
    await person.types_code(totp(secret, await now_of(simulator)))
    await person.sees("Your account")
    await person.reads("With an authenticator app")


async def test_next_sign_in_begins_as_the_last_one(person: Person, simulator: Authsignal) -> None:
    """
    This browser begins with the way that worked the last time: no code is sent that nobody asked for.
    """
    await begins_to_add(person, "Authenticator app")
    secret = (await person.page.get_by_role("dialog").locator("code").inner_text()).replace(" ", "")
    await person.types_code(totp(secret, await now_of(simulator)))
    await person.reads("Your authenticator app is added.")
    await begins_with(person, "Use your authenticator app")
    await simulator.advance(STEP_SECONDS)
    await person.types_code(totp(secret, await now_of(simulator)))
    await person.sees("Your account")
    await person.signs_out()
    await person.reads("then go on with an authenticator app")
    await person.begins_sign_in()
    await person.reads("Open your authenticator app and type the six digits")


async def test_code_by_mail_comes_back(person: Person, simulator: Authsignal) -> None:
    """
    Whoever removed the code by e-mail can add it again, with a first code that shows that mail arrives.
    """
    await begins_to_add(person, "Authenticator app")
    secret = (await person.page.get_by_role("dialog").locator("code").inner_text()).replace(" ", "")
    await person.types_code(totp(secret, await now_of(simulator)))
    await person.reads("Your authenticator app is added.")
    await person.presses("Remove Code by e-mail")
    await person.presses("Remove")
    await person.reads("Code by e-mail is removed.")
    await person.presses("Add a way to sign in")
    await person.chooses("Code by e-mail")
    await person.check_page()
    await person.presses("Send a code")
    await person.check_page()
    await person.types_code(await person.code())
    await person.reads("Sign-in by code is added.")
    await person.is_told("Added to your account: sign-in by e-mail code")
    await expect(person.page.get_by_role("list", name="Ways to sign in").get_by_role("listitem")).to_have_count(2)


def new_number() -> str:
    """Return a Swedish mobile number."""
    return f"+4670{secrets.randbelow(10**7):07d}"


async def text_code(person: Person, number: str) -> str:
    """Read the next code that was sent to a number."""
    return await person.at_the_page(await person.inbox.code(f"{number}@sms.example.test"))


async def test_text_message(person: Person) -> None:
    """
    A number is added with a code sent to it, and the next code signs in.
    """
    number = new_number()
    await begins_to_add(person, "Code by text message")
    await person.fills("Phone number", "07911 123456")
    await person.presses("Send a code")
    await person.reads("Enter the number with its country code")
    await person.fills("Phone number", f"{number[:3]} {number[3:7]} {number[7:]}")
    await person.presses("Send a code")
    await person.reads(f"We sent a text message to {number}.")
    await person.types_code(await text_code(person, number))
    await person.reads("Your number is added.")
    await begins_with(person, "Send a code by text message")
    await person.types_code(await text_code(person, number))
    await person.sees("Your account")
    await person.reads("With a code by text message")


async def test_whatsapp(person: Person, stack: RunningStack, http: aiohttp.ClientSession) -> None:
    """
    Where an operator has enrolled a number for WhatsApp (no SDK does that), a code sent there signs in.
    """
    number = new_number()
    authsignal = stack["authsignal"]
    url = f"{authsignal['api_url']}/users/{await person.sub()}/authenticators"
    headers = {"Authorization": aiohttp.encode_basic_auth(authsignal["secret_key"], "")}
    async with http.post(url, json={"verificationMethod": "WHATSAPP", "phoneNumber": number}, headers=headers) as answer:
        assert answer.ok, await answer.text()
    await begins_with(person, "Send a code by WhatsApp")
    await person.types_code(await text_code(person, number))
    await person.sees("Your account")
    await person.reads("With a code by WhatsApp")


async def test_link_by_mail(person: Person, people: Profile) -> None:
    """
    A link is added by opening the first one; the next one, opened on another device, signs in the page that waits.
    """
    phone = await people()
    await begins_to_add(person, "Link by e-mail")
    await person.presses("Send the link")
    await person.reads("Waiting for you to open the link")
    await phone.page.goto(await person.link())
    await person.reads("Sign-in by link is added.")
    await begins_with(person, "Send a link by e-mail")
    await person.sees("Check your e-mail")
    await person.check_page()
    await phone.page.goto(await person.link())
    await person.sees("Your account")
    await person.reads("With a link by e-mail")


async def test_waiting_page_asks_rarely(person: Person) -> None:
    """
    While nothing happens the page holds one request open; it does not ask again and again, and stops when it is left.
    """
    looks: list[str] = []
    person.page.on("request", lambda request: looks.append(request.url) if "/v1/attempts/" in request.url else None)
    await person.signs_out()
    await person.fills("E-mail address", person.email)
    await person.presses("Other ways to sign in")
    await person.chooses("Approve on your phone")
    await person.sees("Check your phone")
    await person.page.wait_for_timeout(5_000)
    assert len(looks) <= 2, looks
    await person.page.reload()
    await person.sees("Check your phone")
    await person.presses("Try another way")
    await person.sees("Choose another way")
    seen = len(looks)
    await person.page.wait_for_timeout(2_500)
    assert len(looks) == seen


async def test_push_is_approved_on_the_phone(person: Person, simulator: Authsignal) -> None:
    """
    Approving on the phone signs in the page that waits, without a touch.
    """
    phone = await Phone.enrol(simulator, await person.sub())
    await begins_with(person, "Approve on your phone")
    await person.sees("Check your phone")
    await phone.answers("PUSH", approved=True)
    await person.sees("Your account")
    await person.reads("With an approval on the phone")


async def test_push_is_denied_on_the_phone(person: Person, simulator: Authsignal) -> None:
    """
    Denying on the phone ends the sign-in, and the page says what that means.
    """
    phone = await Phone.enrol(simulator, await person.sub())
    await begins_with(person, "Approve on your phone")
    await person.sees("Check your phone")
    await phone.answers("PUSH", approved=False)
    await person.sees("It was turned down on the phone")
    await person.follows("Start again")
    await person.sees("Sign in")


async def test_qr_code_is_scanned_and_approved(person: Person, simulator: Authsignal) -> None:
    """
    The code on the page, scanned and approved by the phone, signs in; denied, it does not.
    """
    phone = await Phone.enrol(simulator, await person.sub())
    await begins_with(person, "Scan a QR code")
    await person.sees("Scan with your phone")
    await person.check_page()
    await phone.answers("QR_CODE", approved=True)
    await person.sees("Your account")
    await person.reads("With a QR code")
    await begins_with(person, "Scan a QR code")
    await person.sees("Scan with your phone")
    await phone.answers("QR_CODE", approved=False)
    await person.sees("It was turned down on the phone")


async def test_phone_is_added_by_its_own_app(person: Person, simulator: Authsignal) -> None:
    """
    The page tells what to do on the phone, says when it is not there yet, and lists it when it is.
    """
    await begins_to_add(person, "Approval on your phone")
    await person.presses("I have done that")
    await person.reads("Your phone is not here yet")
    await Phone.enrol(simulator, await person.sub())
    await person.presses("I have done that")
    await person.reads("Your phone is added.")


async def test_other_ways_wait_for_the_cool_down(person: Person) -> None:
    """
    After a code was sent, ways that send something more say from when on; those that send nothing are open at once.
    """
    await person.signs_out()
    await person.begins_sign_in()
    await person.presses("Try another way")
    await person.reads(re.compile(r"^Possible in 0:[0-3]\d$"))
    await person.check_page()
    link = person.page.get_by_role("button", name="Send a link by e-mail")
    await expect(link).to_have_attribute("aria-disabled", "true")
    await person.chooses("Use your authenticator app")
    await person.reads("Open your authenticator app and type the six digits")
