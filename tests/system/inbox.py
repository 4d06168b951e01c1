"""The mail catcher's inbox page, read as a person reads it: in a browser."""

from collections import Counter

from playwright.async_api import BrowserContext, Page, expect

CODE, LINK = "is your verification code", "Confirm that it is you"


class Inbox:
    """
    The page in a tab of its own. Messages of one kind to one address are read in turn, each once.

    Where several people of one test run share an address, they share what was `read` of it.
    """

    def __init__(self, url: str, context: BrowserContext, read: Counter[tuple[str, str]] | None = None) -> None:
        self._url, self._context = url, context
        self._page: Page | None = None
        self._read: Counter[tuple[str, str]] = Counter() if read is None else read

    async def open(self, address: str, subject: str) -> Page:
        """Open the next message whose subject holds these words, as soon as it is there."""
        if self._page is None:
            self._page = await self._context.new_page()
        self._read[address, subject] += 1
        await self._page.goto(f"{self._url}/?to={address}")
        messages = self._page.get_by_role("listitem").filter(has_text=subject)
        await expect(messages).to_have_count(self._read[address, subject])
        await messages.first.get_by_role("button").click()
        return self._page

    async def code(self, address: str) -> str:
        """Return the next code."""
        page = await self.open(address, CODE)
        return await page.get_by_label("Code", exact=True).inner_text()

    async def link(self, address: str) -> str:
        """Return the next link."""
        page = await self.open(address, LINK)
        text = await page.locator("#text").inner_text()
        return next(word for word in text.split() if word.startswith("http"))
