"""The security page: what may be changed and when, sessions, activity."""

import time

import pytest
from playwright.async_api import expect

from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault
from tests.system.fixtures import Profile
from tests.system.person import Person

pytestmark = pytest.mark.asyncio(loop_scope="session")

OPENINGS_MAX = 60
SIX_MINUTES = 360


async def goes_stale(person: Person, vault: Vault) -> None:
    """Let six minutes pass since the session's last proof."""
    await vault.change_session(await person.session(), proven_at=time.time() - SIX_MINUTES)


async def signs_in_elsewhere(person: Person, people: Profile) -> Person:
    """The same person, on a phone."""
    agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"
    phone = await people(user_agent=agent, viewport={"width": 390, "height": 844})
    phone.email, phone.inbox = person.email, person.inbox
    await phone.begins_sign_in()
    await phone.types_code(await person.inbox.code(person.email))
    await phone.sees("Your account")
    return phone


async def test_change_needs_a_fresh_proof(person: Person, vault: Vault) -> None:
    """
    Five minutes after the last proof, adding asks for a code first, in a dialog; then it goes on where it was.
    """
    await goes_stale(person, vault)
    await person.follows("Security")
    await person.presses("Add a way to sign in")
    await person.chooses("Authenticator app")
    await person.reads("Before you change how you sign in, confirm that it is you.")
    await person.check_page()
    await person.types_code(await person.code())
    await person.reads("Cannot scan it?")


async def test_declined_confirmation_changes_nothing(person: Person, vault: Vault) -> None:
    """
    Escape closes the confirmation alone; the dialog below is still there, and nothing was changed.
    """
    await goes_stale(person, vault)
    await person.follows("Security")
    await person.presses("Rename Code by e-mail")
    await person.fills("Name", "My mail")
    await person.presses("Save")
    await person.reads("Before you change how you sign in")
    await expect(person.page.get_by_role("dialog")).to_have_count(2)
    await person.page.keyboard.press("Escape")
    await expect(person.page.get_by_role("dialog")).to_have_count(1)
    await expect(person.page.get_by_label("Name", exact=True)).to_have_value("My mail")
    await person.page.keyboard.press("Escape")
    await expect(person.page.get_by_role("button", name="Rename Code by e-mail")).to_be_focused()


async def test_confirmation_counts_wrong_codes(person: Person, vault: Vault) -> None:
    """
    The fifth wrong code ends the confirmation, and the dialog below says that nothing was changed.
    """
    await goes_stale(person, vault)
    await person.follows("Security")
    await person.presses("Remove Code by e-mail")
    await person.presses("Remove")
    await person.reads("Before you change how you sign in")
    code = await person.code()
    wrong = "000000" if code != "000000" else "111111"
    for left in ("4 tries left", "3 tries left", "2 tries left", "1 try left"):
        await person.types_code(wrong)
        await person.reads(left)
    await person.types_code(wrong)
    await person.reads("That was not confirmed")
    await expect(person.page.get_by_role("dialog")).to_have_count(1)


async def test_last_way_in_cannot_be_removed(person: Person) -> None:
    """
    Whoever has one way to sign in keeps it, and is told why.
    """
    await person.follows("Security")
    await person.presses("Remove Code by e-mail")
    await person.presses("Remove")
    await person.reads("This is your only way in")
    await person.presses("Keep it")
    await expect(person.page.get_by_role("list", name="Ways to sign in").get_by_role("listitem")).to_have_count(1)


async def test_another_session_is_signed_out(person: Person, people: Profile) -> None:
    """
    Each session is listed with its device; one press ends it, and its next click leads to the sign-in page.
    """
    phone = await signs_in_elsewhere(person, people)
    await person.follows("Security")
    sessions = person.page.get_by_role("list", name="Sessions").get_by_role("listitem")
    await expect(sessions).to_have_count(2)
    await expect(sessions.filter(has_text="This device")).to_have_count(1)
    await person.presses("Sign out Safari on iPhone")
    await person.reads("Safari on iPhone is signed out.")
    await expect(sessions).to_have_count(1)
    await phone.open("/account")
    await phone.sees("Sign in")


async def test_signing_out_everywhere(person: Person, people: Profile) -> None:
    """
    "Sign out everywhere" asks once more, and then ends every session, this one too.
    """
    phone = await signs_in_elsewhere(person, people)
    await person.follows("Security")
    await person.presses("Sign out everywhere")
    await person.page.get_by_role("dialog").get_by_role("button", name="Sign out everywhere").click()
    await person.sees("Sign in")
    await person.reads("Here and on every other device.")
    await phone.open("/account/security")
    await phone.sees("Sign in")


async def test_account_is_deleted_with_the_keyboard_alone(person: Person, people: Profile, vault: Vault) -> None:
    """
    The address must be typed, and with an old proof a code as well; then the account is gone, on the phone too, a mail says
    so, and none of the pages on the way has a serious accessibility fault.
    """
    phone = await signs_in_elsewhere(person, people)
    await goes_stale(person, vault)
    await person.follows("Security")
    keyboard, ask = person.page.keyboard, person.page.get_by_role("button", name="Delete my account")
    await ask.focus()
    await keyboard.press("Enter")
    await expect(person.page.get_by_label("Your e-mail address")).to_be_focused()
    await keyboard.type("somebody-else@example.test\n")
    await expect(person.page.get_by_label("Your e-mail address")).to_have_attribute("aria-invalid", "true")
    await person.check_page()
    await keyboard.press("Escape")
    await expect(ask).to_be_focused()
    await keyboard.press("Enter")
    await keyboard.type(f"{person.email}\n")
    await person.reads("Before your account is deleted, confirm that it is you.")
    await person.types_code(await person.code())
    await person.sees("Your account is deleted")
    await person.check_page()
    await person.is_told("Your account was deleted")
    await person.follows("Create a new account")
    await person.sees("Create an account")
    await phone.open("/account")
    await phone.sees("Sign in")


async def test_activity_comes_from_the_log(person: Person) -> None:
    """
    What happened is listed, newest first, each entry with its receipt to copy.
    """
    await person.signs_out()
    await person.signs_in()
    await person.follows("Security")
    activity = person.page.get_by_role("list", name="Recent activity").get_by_role("listitem")
    created, signed_in = activity.filter(has_text="Your account was created"), activity.filter(has_text="Signed in")
    # The list is what the log held when the page was opened: on a busy machine an event is there a moment later.
    nothing = person.page.get_by_text("Nothing in the last 30 days.")
    for _ in range(OPENINGS_MAX):
        await expect(activity.first.or_(nothing)).to_be_visible()
        if await created.count() and await signed_in.count():
            break
        await person.page.wait_for_timeout(250)
        await person.page.reload()
    await expect(created).to_have_count(1)
    await expect(signed_in).not_to_have_count(0)
    await person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await person.presses("Copy receipt of “Your account was created”")
    receipt = await person.page.evaluate("navigator.clipboard.readText()")
    event_id, _, leaf_hash = receipt.partition(":")
    assert (len(event_id), len(leaf_hash)) == (36, 64)


async def test_list_that_cannot_be_had_is_said_and_tried_again(person: Person, simulator: Authsignal) -> None:
    """
    While Authsignal fails, the list of ways says so and the rest of the page works; a press tries again.
    """
    await simulator.fault(kind="respond", status=503, body="{}", path_prefix="/v1/users", times=100)
    await person.follows("Security")
    await expect(person.page.get_by_role("list", name="Sessions")).to_be_visible()
    await expect(person.page.get_by_role("alert")).to_be_visible()
    await simulator.control("DELETE", "/faults")
    # The gateway asks again some seconds after so many failures, and not before.
    again = person.page.get_by_role("button", name="Try again")
    ways = person.page.get_by_role("list", name="Ways to sign in")
    for _ in range(30):
        if await ways.is_visible():
            break
        if await again.is_visible():
            await again.click()
        await person.page.wait_for_timeout(1_000)
    await expect(ways).to_be_visible()
    person.complaints[:] = [complaint for complaint in person.complaints if "status of 50" not in complaint]
