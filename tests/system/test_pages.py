"""What holds on every page: accessibility, width, keyboard, policy."""

import json
from typing import Any

import pytest
from playwright.async_api import expect

from tests.system.fixtures import Profile
from tests.system.keys import Keys
from tests.system.person import Person

pytestmark = pytest.mark.asyncio(loop_scope="session")

SMALL, LARGE = {"width": 320, "height": 640}, {"width": 1280, "height": 860}


@pytest.mark.parametrize("viewport", [SMALL, LARGE], ids=["320", "1280"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_of_a_guest_is_accessible(people: Profile, scheme: str, viewport: dict[str, int]) -> None:
    """
    No page on the way in has a serious finding of axe, in light and dark, small and large; none is wider than the window.
    """
    guest = await people(color_scheme=scheme, viewport=viewport)
    await guest.open("/sign-in")
    await guest.sees("Sign in")
    await guest.check_page()
    await guest.presses("Continue")
    await guest.reads("Enter your e-mail address.")
    await guest.check_page()
    await guest.open("/no/such/page")
    await guest.sees("This page does not exist")
    await guest.check_page()
    await guest.open("/verify")
    await guest.sees("There is nothing to confirm")
    await guest.check_page()
    await guest.begins_sign_up()
    await guest.check_page()
    await guest.types_code("000000")
    await guest.reads("That code did not work")
    await guest.page.get_by_text("Did not get it?").click()
    await guest.check_page()
    await guest.types_code(await guest.code())
    await guest.sees("Your account")
    await guest.reads("Confirmed")
    await guest.check_page()


@pytest.mark.parametrize("viewport", [SMALL, LARGE], ids=["320", "1280"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_inside_is_accessible(people: Profile, scheme: str, viewport: dict[str, int]) -> None:
    """
    The same holds for the offer of a passkey, the security page with its dialogs, the ways to sign in, and the checkout.
    """
    person = await people(color_scheme=scheme, viewport=viewport)
    keys = await Keys.plugged_into(person.page)
    own = await keys.add(is_own=True)
    await person.begins_sign_up()
    await person.types_code(await person.code())
    await person.sees("Faster next time, with a passkey")
    await person.check_page()
    await person.presses("Create a passkey")
    await person.sees("Your account")
    await keys.answer(own, present=False)
    await person.follows("Security")
    await expect(person.page.get_by_role("list", name="Recent activity")).to_be_visible()
    await person.check_page()
    await person.presses("Remove Code by e-mail")
    await person.check_page()
    await person.presses("Keep it")
    await person.presses("Add a way to sign in")
    await person.check_page()
    await person.chooses("Passkey")
    await person.check_page()
    await person.presses("Close")
    await person.open("/checkout")
    await person.sees("Checkout")
    await person.check_page()
    await person.open("/account")
    await person.signs_out()
    await person.presses("Other ways to sign in")
    await person.check_page()


async def test_whole_story_by_keyboard(newcomer: Person) -> None:
    """
    Signing up, changing the name and signing out needs no pointer: the focus is always where one goes on.
    """
    page = newcomer.page
    await newcomer.open("/sign-up")
    await expect(page.get_by_label("E-mail address")).to_be_focused()
    await page.keyboard.type(newcomer.email)
    await page.keyboard.press("Tab")
    await page.keyboard.type("Ada")
    await page.keyboard.press("Enter")
    await newcomer.sees("Enter your code")
    code = await newcomer.code()
    await page.bring_to_front()
    await expect(page.get_by_label("Six-digit code")).to_be_focused()
    await page.keyboard.type(code)
    await expect(page.get_by_role("heading", level=1, name="Your account")).to_be_focused()
    await tab_to(newcomer, "Change name")
    await page.keyboard.press("Enter")
    await page.keyboard.type("Augusta")
    await page.keyboard.press("Enter")
    await newcomer.reads("Saved")
    await expect(page.get_by_role("button", name="Change name")).to_be_focused()
    await tab_to(newcomer, "Sign out")
    await page.keyboard.press("Enter")
    await newcomer.reads("You are signed out")


async def tab_to(person: Person, name: str) -> None:
    """Press Tab until a button has the focus, round the whole page if need be."""
    for _ in range(60):
        focused = await person.page.evaluate(
            "document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent"
        )
        if focused == name:
            return
        await person.page.keyboard.press("Tab")
    raise AssertionError(f"Tab never reaches {name}")


async def test_scheme_is_chosen_and_kept(newcomer: Person) -> None:
    """
    Dark, once chosen, is there before the first paint of the next page.
    """
    await newcomer.open("/sign-in")
    await newcomer.page.get_by_title("Dark", exact=True).click()
    await newcomer.page.reload(wait_until="commit")
    await expect(newcomer.page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")


async def test_policy_admits_nothing_foreign(newcomer: Person) -> None:
    """
    The page's policy stops an inline script and a foreign connection; the page itself, which kept to it, still works.
    """
    await newcomer.open("/sign-in")
    await newcomer.sees("Sign in")
    seen: list[dict[str, Any]] = json.loads(
        await newcomer.page.evaluate(
            """async () => {
              const seen = [];
              document.addEventListener("securitypolicyviolation", e => seen.push({
                what: e.effectiveDirective, uri: e.blockedURI}));
              const script = document.createElement("script");
              script.textContent = "window.foreign = true";
              document.body.append(script);
              await fetch("http://localhost:9/").catch(() => undefined);
              // Both are told of in a task of their own; then as long again, in which a third would be.
              for (let look = 0; look < 200 && seen.length < 2; look += 1) await new Promise(done => setTimeout(done, 50));
              await new Promise(done => setTimeout(done, 50));
              return JSON.stringify(seen);
            }"""
        )
    )
    assert [violation["what"] for violation in seen] == ["script-src-elem", "connect-src"]
    assert await newcomer.page.evaluate("window.foreign") is None
    assert len(newcomer.complaints) >= 2
    newcomer.complaints.clear()
