"""Sign up and in with codes by e-mail, as a person does it."""

import re
import time

import pytest
from playwright.async_api import expect

from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault
from tests.system.person import Person

pytestmark = pytest.mark.asyncio(loop_scope="session")


def other_than(code: str) -> str:
    """A code that was not sent."""
    return "000000" if code != "000000" else "111111"


async def attempt_of(person: Person) -> str:
    """The id of the attempt under way."""
    return str(await person.page.evaluate("sessionStorage.getItem('countersign.attempt')"))


async def test_person_signs_up_and_lands_on_the_account(newcomer: Person) -> None:
    """
    A code from the inbox page, typed into the page, makes an account and opens it.
    """
    await newcomer.open("/")
    await newcomer.sees("Sign in")
    await newcomer.follows("Create an account")
    await newcomer.fills("E-mail address", newcomer.email)
    await newcomer.fills("Your name (optional)", "Ada Lovelace")
    await newcomer.presses("Continue")
    await newcomer.sees("Enter your code")
    await newcomer.reads(f"{newcomer.email[0]}***@example.test")
    await newcomer.types_code(await newcomer.code())
    await newcomer.sees("Your account")
    await newcomer.reads("Signed in as Ada Lovelace")
    await newcomer.reads(newcomer.email)
    await newcomer.reads("Confirmed")
    await newcomer.reads("With a code by e-mail")


async def test_session_cookie_is_out_of_scripts_reach(person: Person) -> None:
    """
    What signs a browser in is one HttpOnly, Secure, SameSite=Strict cookie; no storage holds a token or the address.
    """
    cookies = {cookie["name"]: cookie for cookie in await person.context.cookies(person.url)}
    session = cookies["__Host-sid"]
    assert (session["httpOnly"], session["secure"], session["sameSite"], session["path"]) == (True, True, "Strict", "/")
    assert await person.page.evaluate("Object.keys(sessionStorage)") == []
    stored = await person.page.evaluate("JSON.stringify({...localStorage})")
    assert person.email not in stored
    assert "eyJ" not in stored


async def test_person_changes_name_signs_out_and_in_again(person: Person) -> None:
    """
    A new name is kept by the account: it is there at the next sign-in.
    """
    await person.presses("Change name")
    await person.page.keyboard.type("Countess Lovelace")
    await person.page.keyboard.press("Enter")
    await person.reads("Saved")
    await person.signs_out()
    await person.signs_in()
    await person.reads("Signed in as Countess Lovelace")


async def test_wrong_codes_count_down_to_the_end(newcomer: Person) -> None:
    """
    Each wrong code leaves a try less, and the fifth ends the attempt with a way to start again.
    """
    await newcomer.begins_sign_up()
    wrong = other_than(await newcomer.code())
    for left in ("4 tries left", "3 tries left", "2 tries left", "1 try left"):
        await newcomer.types_code(wrong)
        await newcomer.reads(left)
        await newcomer.reads("That code did not work")
    await newcomer.types_code(wrong)
    await newcomer.sees("No tries left")
    await newcomer.follows("Start again")
    await newcomer.sees("Create an account")


async def test_wrong_code_then_the_right_one(newcomer: Person) -> None:
    """
    After a slip the field is typed over, and the right code still works.
    """
    await newcomer.begins_sign_up()
    code = await newcomer.code()
    await newcomer.types_code(other_than(code))
    await newcomer.reads("That code did not work")
    await newcomer.page.keyboard.type(code)
    await newcomer.sees("Your account")


async def test_expired_code_leads_to_a_new_one(newcomer: Person, simulator: Authsignal, vault: Vault) -> None:
    """
    A code past its time does not work, and a new one does.
    """
    await newcomer.begins_sign_up()
    code = await newcomer.code()
    await simulator.advance(601)
    await newcomer.types_code(code)
    await newcomer.reads("That code did not work")
    await cool_down(newcomer, vault)
    await newcomer.presses("Send a new code")
    await newcomer.reads("A new code is on its way")
    await newcomer.types_code(await newcomer.code())
    await newcomer.sees("Your account")


async def cool_down(person: Person, vault: Vault) -> None:
    """Let the cool-down be over, and look at the page again."""
    await vault.change_attempt(await attempt_of(person), resend_at=time.time() - 2)
    await person.page.reload()
    await person.sees("Enter your code")


async def test_new_code_waits_for_the_cool_down_and_replaces_the_old(newcomer: Person, vault: Vault) -> None:
    """
    The button counts down and does nothing before its time; afterwards the old code is void and the new one works.
    """
    await newcomer.begins_sign_up()
    first = await newcomer.code()
    waiting = newcomer.page.get_by_role("button", name=re.compile(r"^Send a new code in 0:[0-3]\d$"))
    await expect(waiting).to_have_attribute("aria-disabled", "true")
    await cool_down(newcomer, vault)
    await newcomer.presses("Send a new code")
    await newcomer.reads("A new code is on its way")
    second = await newcomer.code()
    await newcomer.types_code(first)
    await newcomer.reads("That code did not work")
    await newcomer.types_code(second)
    await newcomer.sees("Your account")


async def test_attempt_survives_a_reload(newcomer: Person) -> None:
    """
    A reload in the middle changes nothing: the same code still signs in.
    """
    await newcomer.begins_sign_up()
    code = await newcomer.code()
    await newcomer.page.reload()
    await newcomer.sees("Enter your code")
    await newcomer.reads("5 tries left")
    await newcomer.types_code(code)
    await newcomer.sees("Your account")


async def test_attempt_that_ran_out_says_so(newcomer: Person, vault: Vault) -> None:
    """
    When the attempt's own time is over, the page says so and leads back to the start.
    """
    await newcomer.begins_sign_up()
    await vault.expire_attempt(await attempt_of(newcomer))
    await newcomer.page.reload()
    await newcomer.sees("This took too long")


async def test_attempt_of_another_browser_is_not_shown(newcomer: Person) -> None:
    """
    An attempt's id alone opens nothing.
    """
    await newcomer.open("/sign-in")
    await newcomer.page.evaluate("sessionStorage.setItem('countersign.attempt', '0197a000-0000-7000-8000-000000000000')")
    await newcomer.open("/verify")
    await newcomer.sees("There is nothing to confirm")


async def test_unknown_address_looks_like_a_known_one(newcomer: Person) -> None:
    """
    Somebody without an account sees the very page that others see, gets no mail, and every code is wrong.
    """
    await newcomer.begins_sign_in()
    await newcomer.sees("Enter your code")
    await newcomer.reads(f"{newcomer.email[0]}***@example.test")
    await newcomer.types_code("000000")
    await newcomer.reads("That code did not work")
    await newcomer.reads("4 tries left")
    await newcomer.page.get_by_text("Did not get it?").click()
    await newcomer.follows("Create an account")
    await expect(newcomer.page.get_by_label("E-mail address")).to_have_value(newcomer.email)


async def test_address_can_be_corrected(newcomer: Person) -> None:
    """
    "Use another address" leads back to the form with the old address in it.
    """
    await newcomer.begins_sign_up()
    await newcomer.page.get_by_text("Did not get it?").click()
    await newcomer.presses("Use another address")
    await newcomer.sees("Create an account")
    await expect(newcomer.page.get_by_label("E-mail address")).to_have_value(newcomer.email)


async def test_guest_is_led_to_sign_in_and_back(person: Person) -> None:
    """
    A deep link of a guest is opened after signing in; a link away from the site is not followed.
    """
    await person.signs_out()
    await person.open("/account?from=mail")
    await person.sees("Sign in")
    await person.fills("E-mail address", person.email)
    await person.presses("Continue")
    await person.sees("Enter your code")
    await person.types_code(await person.code())
    await person.sees("Your account")
    assert person.page.url.endswith("/account?from=mail")
    await person.open("/sign-in?to=%2F%2Fexample.org%2F")
    await person.sees("Your account")
    assert person.page.url == f"{person.url}/account"


async def test_code_is_checked_in_the_browser_by_authsignals_own_sdk(person: Person) -> None:
    """
    With ?via=sdk the browser asks Authsignal itself: a wrong code is refused there, the right one signs in.
    """
    await person.signs_out()
    await person.begins_sign_in()
    await person.sees("Enter your code")
    await person.code()
    await person.page.get_by_text("Did not get it?").click()
    await person.follows("Verify in this browser")
    assert person.page.url.endswith("/verify?via=sdk")
    async with person.page.expect_request(re.compile(r"/client/challenge/email-otp$")):
        await person.presses("Send a code")
    code = await person.code()
    await person.types_code(other_than(code))
    await person.reads("That code did not work")
    await person.types_code(code)
    await person.sees("Your account")


async def test_provider_that_is_down_is_said_in_plain_words(newcomer: Person, simulator: Authsignal) -> None:
    """
    While Authsignal fails the page says so in plain words; when it is back the same press works.
    """
    await newcomer.open("/sign-up")
    await newcomer.fills("E-mail address", newcomer.email)
    await simulator.fault(kind="respond", status=503, body="{}", path_prefix="/v1", times=1)
    await newcomer.presses("Continue")
    alert = newcomer.page.get_by_role("alert")
    await expect(alert).to_contain_text(re.compile("We could not finish that|We are very busy"))
    await newcomer.presses("Continue")
    await newcomer.sees("Enter your code")
    await newcomer.types_code(await newcomer.code())
    await newcomer.sees("Your account")
    failures = [complaint for complaint in newcomer.complaints if "status of 50" in complaint]
    assert len(failures) == 1
    newcomer.complaints.remove(failures[0])
