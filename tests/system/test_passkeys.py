"""Passkeys and security keys, from the first offer to the removal."""

import pytest
from playwright.async_api import expect

from tests.system.fixtures import Profile
from tests.system.keys import Keys
from tests.system.person import Person

pytestmark = pytest.mark.asyncio(loop_scope="session")

OFFER = "Faster next time, with a passkey"


# How many requests for suggestions wait in the browser, and how many did at most.
COUNTS_SUGGESTIONS = """
window.waiting = 0; window.most = 0;
const get = CredentialsContainer.prototype.get;
CredentialsContainer.prototype.get = function (options) {
  if (options?.mediation !== "conditional") return get.call(this, options);
  window.waiting += 1; window.most = Math.max(window.most, window.waiting);
  return get.call(this, options).finally(() => { window.waiting -= 1; });
};
"""


async def signs_up_to_the_offer(person: Person) -> tuple[Keys, str]:
    """Sign up with a device that has a lock of its own; ends at the offer of a passkey."""
    keys = await Keys.plugged_into(person.page)
    own = await keys.add(is_own=True)
    await person.begins_sign_up()
    await person.types_code(await person.code())
    await person.sees(OFFER)
    return keys, own


async def test_offered_passkey_is_created_and_listed(newcomer: Person) -> None:
    """
    After sign-up a passkey is offered; one press creates it, the account lists it, and its owner is told by mail.
    """
    keys, own = await signs_up_to_the_offer(newcomer)
    await newcomer.presses("Create a passkey")
    await newcomer.sees("Your account")
    assert await keys.count(own) == 1
    await newcomer.follows("Security")
    ways = newcomer.page.get_by_role("list", name="Ways to sign in")
    await expect(ways.get_by_role("listitem")).to_have_count(2)
    await expect(ways.get_by_role("listitem").filter(has_text="Passkey")).to_have_count(1)
    await newcomer.is_told("Added to your account: a passkey")


async def test_declined_offer_does_not_come_again(newcomer: Person) -> None:
    """
    "Not now" is remembered in this browser: the next sign-in goes straight to the account.
    """
    await signs_up_to_the_offer(newcomer)
    await newcomer.presses("Not now")
    await newcomer.sees("Your account")
    await newcomer.signs_out()
    await newcomer.signs_in()


async def test_offer_leads_on_to_where_the_person_wanted(newcomer: Person) -> None:
    """
    The page that somebody wanted before signing in comes after the offer.
    """
    keys = await Keys.plugged_into(newcomer.page)
    await keys.add(is_own=True)
    await newcomer.open("/sign-up?to=%2Faccount%2Fsecurity")
    await newcomer.fills("E-mail address", newcomer.email)
    await newcomer.presses("Continue")
    await newcomer.types_code(await newcomer.code())
    await newcomer.sees(OFFER)
    await newcomer.presses("Not now")
    await newcomer.sees("Security")


async def test_button_signs_in_without_a_name(newcomer: Person) -> None:
    """
    The button takes the place of the suggestion that waits in the field, and one touch signs in; nothing is typed.
    """
    await newcomer.page.add_init_script(COUNTS_SUGGESTIONS)
    keys, own = await signs_up_to_the_offer(newcomer)
    await newcomer.presses("Create a passkey")
    await newcomer.sees("Your account")
    await keys.answer(own, present=False)
    await newcomer.signs_out()
    await newcomer.waits_for("window.waiting === 1")
    await keys.answer(own, present=True)
    await newcomer.presses("Sign in with a passkey")
    await newcomer.sees("Your account")
    await newcomer.reads("With a passkey")


async def test_autofill_signs_in_without_a_name(newcomer: Person) -> None:
    """
    Choosing the passkey among the suggestions of the address field signs in: no name, no button.
    """
    keys, own = await signs_up_to_the_offer(newcomer)
    await newcomer.presses("Create a passkey")
    await newcomer.sees("Your account")
    await keys.answer(own, present=False)
    await newcomer.signs_out()
    await newcomer.sees("Sign in")
    await keys.answer(own, present=True)
    await newcomer.open("/sign-in")
    await newcomer.sees("Your account")
    await newcomer.reads("With a passkey")


async def test_suggestions_end_when_the_page_is_left(newcomer: Person) -> None:
    """
    One request for suggestions waits in the browser at a time, and none after the sign-in page is left.
    """
    await newcomer.page.add_init_script(COUNTS_SUGGESTIONS)
    keys = await Keys.plugged_into(newcomer.page)
    own = await keys.add(is_own=True)
    await keys.answer(own, present=False)
    await newcomer.open("/sign-in")
    for _ in range(3):
        await newcomer.waits_for("window.waiting === 1")
        await newcomer.follows("Create an account")
        await newcomer.sees("Create an account")
        await newcomer.waits_for("window.waiting === 0")
        await newcomer.follows("Sign in")
    assert await newcomer.page.evaluate("window.most") == 1


async def test_passkey_after_the_address(newcomer: Person) -> None:
    """
    A passkey also answers a sign-in that began with the address: the browser is asked for one of this person's.
    """
    keys, own = await signs_up_to_the_offer(newcomer)
    await newcomer.presses("Create a passkey")
    await newcomer.sees("Your account")
    await keys.answer(own, present=False)
    await newcomer.signs_out()
    await newcomer.begins_sign_in()
    await newcomer.sees("Enter your code")
    await newcomer.presses("Try another way")
    await newcomer.chooses("Use your passkey")
    await newcomer.sees("Use your passkey")
    await keys.answer(own, present=True)
    await newcomer.presses("Continue with your passkey")
    await newcomer.sees("Your account")
    await newcomer.reads("With a passkey")


async def test_passkey_that_nobody_has_is_no_dead_end(newcomer: Person) -> None:
    """
    Somebody without a passkey who chooses it anyway is told that nothing was confirmed, and can choose another way.
    """
    await newcomer.signs_up()
    await newcomer.signs_out()
    keys = await Keys.plugged_into(newcomer.page)
    await keys.add(is_own=True)
    await newcomer.begins_sign_in()
    await newcomer.presses("Try another way")
    await newcomer.chooses("Use your passkey")
    await newcomer.presses("Continue with your passkey")
    await newcomer.reads("Nothing was confirmed")
    await newcomer.presses("Try another way")
    await newcomer.sees("Choose another way")


async def test_removed_passkey_does_not_sign_in(newcomer: Person) -> None:
    """
    A passkey gets a name, is removed after a question, and then opens nothing, though the device still holds it.
    """
    keys, own = await signs_up_to_the_offer(newcomer)
    await newcomer.presses("Create a passkey")
    await newcomer.sees("Your account")
    await newcomer.follows("Security")
    row = newcomer.page.get_by_role("listitem").filter(has_text="Passkey")
    await row.get_by_role("button", name="Rename").click()
    await newcomer.fills("Name", "Work laptop")
    await newcomer.presses("Save")
    await newcomer.reads("The new name is saved.")
    await newcomer.presses("Remove Work laptop")
    await expect(newcomer.page.get_by_role("dialog")).to_contain_text("Remove “Work laptop”?")
    await newcomer.presses("Remove")
    await newcomer.reads("Work laptop is removed. We sent you a mail about it.")
    await newcomer.is_told("Removed from your account: a passkey")
    assert await keys.count(own) == 1
    await keys.answer(own, present=False)
    await newcomer.signs_out()
    await keys.answer(own, present=True)
    await newcomer.presses("Sign in with a passkey")
    await newcomer.reads("That one is not known here")


async def test_security_key_is_added_and_signs_in(people: Profile) -> None:
    """
    A key on USB is added with a name, and answers a sign-in.
    """
    person = await people()
    keys = await Keys.plugged_into(person.page)
    await keys.add(is_own=False)
    await person.signs_up()
    await person.follows("Security")
    await person.presses("Add a way to sign in")
    await person.chooses("Security key")
    await person.fills("Name of the key (optional)", "Blue key")
    await person.presses("Add the key")
    await person.reads("Your security key is added.")
    await expect(person.page.get_by_role("list", name="Ways to sign in")).to_contain_text("Blue key")
    await person.signs_out()
    await person.begins_sign_in()
    await person.presses("Try another way")
    await person.chooses("Use your security key")
    await person.presses("Continue with your security key")
    await person.sees("Your account")
    await person.reads("With a security key")
