"""Somebody with a browser of their own."""

import re
import secrets
from functools import cache

from playwright.async_api import BrowserContext, ConsoleMessage, Page, expect

from deploy.local.layout import REPOSITORY
from tests.system.inbox import Inbox

AXE = REPOSITORY / "services/gateway/web/node_modules/axe-core/axe.min.js"
# The browser itself reports every refused request. Those are part of the story: no session yet, an attempt that ended, a code
# that was wrong, a passkey that is not known, a change that needs a confirmation first.
_REFUSAL = re.compile(r"Failed to load resource: the server responded with a status of (40[01349]|410)")
_FIND_WIDE = """
() => [...document.querySelectorAll("body *")]
  .filter(e => !e.closest("svg, [class*=frame]") && getComputedStyle(e).position !== "absolute")
  .filter(e => e.getBoundingClientRect().right > innerWidth + 0.5)
  .map(e => e.tagName + "." + e.className)
"""

WAIT_TRIES = 600
SERIOUS = {"serious", "critical"}


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


class Person:
    """One visitor of the sign-in app, with an e-mail address that nobody has used."""

    def __init__(self, url: str, context: BrowserContext, page: Page, inbox: Inbox) -> None:
        self.url, self.context, self.page, self.inbox = url, context, page, inbox
        self.email = f"u{secrets.token_hex(6)}@example.test"
        self.complaints: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))

    async def open(self, path: str) -> None:
        """Open a page of the app."""
        await self.page.goto(self.url + path)

    async def sees(self, heading: str) -> None:
        """Wait until the page with this heading is there."""
        await expect(self.page.get_by_role("heading", level=1, name=heading, exact=True)).to_be_visible()

    async def reads(self, text: str | re.Pattern[str]) -> None:
        """Wait until a text is on the page."""
        await expect(self.page.get_by_text(text).first).to_be_visible()

    async def presses(self, button: str | re.Pattern[str]) -> None:
        """Press a button."""
        await self.page.get_by_role("button", name=button, exact=isinstance(button, str)).click()

    async def chooses(self, way: str) -> None:
        """Press the row of a list of ways whose title this is."""
        ways = self.page.get_by_role("listitem").get_by_role("button")
        await ways.filter(has=self.page.get_by_text(way, exact=True)).click()

    async def waits_for(self, condition: str) -> None:
        """Wait until a condition holds in the page. Playwright's own way would need a policy that lets strings run."""
        for _ in range(WAIT_TRIES):
            if await self.page.evaluate(condition):
                return
            await self.page.wait_for_timeout(50)
        raise AssertionError(f"never: {condition}")

    async def follows(self, link: str) -> None:
        """Follow a link."""
        await self.page.get_by_role("link", name=link, exact=True).click()

    async def fills(self, label: str, text: str) -> None:
        """Fill in a field."""
        await self.page.get_by_label(label, exact=True).fill(text)

    async def code(self) -> str:
        """Read the next code on the inbox page."""
        return await self.at_the_page(await self.inbox.code(self.email))

    async def link(self) -> str:
        """Read the next link on the inbox page."""
        return await self.at_the_page(await self.inbox.link(self.email))

    async def is_told(self, subject: str) -> None:
        """Wait for a mail with this subject."""
        await self.inbox.open(self.email, subject)
        await self.page.bring_to_front()

    async def at_the_page(self, text: str) -> str:
        """Come back from the inbox to the page, with what was read there."""
        await self.page.bring_to_front()
        return text

    async def sub(self) -> str:
        """The id of the person's account."""
        return str(await self.page.evaluate("fetch('/v1/me').then(answer => answer.json()).then(me => me.sub)"))

    async def session(self) -> str:
        """The value of the session's cookie."""
        cookies = await self.context.cookies(self.url)
        return next(cookie["value"] for cookie in cookies if cookie["name"] == "__Host-sid")

    async def types_code(self, code: str) -> None:
        """Type a code over whatever is in the field."""
        field = self.page.get_by_label("Six-digit code")
        await field.click()
        await self.page.keyboard.press("ControlOrMeta+a")
        await self.page.keyboard.type(code)

    async def begins_sign_up(self, name: str = "Ada Lovelace") -> None:
        """Fill in the sign-up form and send it off."""
        await self.open("/sign-up")
        await self.fills("E-mail address", self.email)
        await self.fills("Your name (optional)", name)
        await self.presses("Continue")
        await self.sees("Enter your code")

    async def signs_up(self, name: str = "Ada Lovelace") -> None:
        """Make an account; ends on the account page."""
        await self.begins_sign_up(name)
        await self.types_code(await self.code())
        await self.sees("Your account")

    async def begins_sign_in(self) -> None:
        """Fill in the sign-in form and send it off."""
        await self.open("/sign-in")
        await self.fills("E-mail address", self.email)
        await self.presses("Continue")

    async def signs_in(self) -> None:
        """Sign in with a code by e-mail; ends on the account page."""
        await self.begins_sign_in()
        await self.sees("Enter your code")
        await self.types_code(await self.code())
        await self.sees("Your account")

    async def signs_out(self) -> None:
        """Sign out; ends on the sign-in page."""
        await self.presses("Sign out")
        await self.reads("You are signed out")

    async def check_page(self) -> None:
        """Require that the page has no serious accessibility fault (axe), and fits its width."""
        await self.page.evaluate("Promise.all(document.getAnimations().map(a => a.finished.catch(() => undefined)))")
        # Evaluated, not added as a script: the page's policy would refuse that, as it should.
        await self.page.evaluate(_axe())
        found = (await self.page.evaluate("axe.run(document)"))["violations"]
        serious = {fault["id"]: [node["target"] for node in fault["nodes"]] for fault in found if fault["impact"] in SERIOUS}
        assert serious == {}, f"{self.page.url}: {serious}"
        assert await self.page.evaluate(_FIND_WIDE) == [], f"{self.page.url} is wider than the window"

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not _REFUSAL.match(message.text):
            self.complaints.append(f"{message.type}: {message.text}")
