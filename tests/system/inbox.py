"""The mail catcher's inbox page, read as a person reads it: in a browser."""

from playwright.async_api import BrowserContext, Page, expect


class Inbox:
    """The page in a tab of its own. A message is named by how many have come to its address since: the first is 1."""

    def __init__(self, url: str, context: BrowserContext) -> None:
        self._url, self._context = url, context
        self._page: Page | None = None

    async def read(self, address: str, number: int) -> Page:
        """Open the newest of `number` messages to an address, as soon as all of them are there."""
        if self._page is None:
            self._page = await self._context.new_page()
        await self._page.goto(f"{self._url}/?to={address}")
        await expect(self._page.get_by_role("listitem")).to_have_count(number, timeout=15_000)
        await self._page.get_by_role("listitem").first.get_by_role("button").click()
        return self._page

    async def code(self, address: str, number: int) -> str:
        """Return the code in the newest of `number` messages to an address."""
        page = await self.read(address, number)
        return await page.get_by_label("Code", exact=True).inner_text()

    async def link(self, address: str, number: int) -> str:
        """Return the link in the newest of `number` messages to an address."""
        page = await self.read(address, number)
        text = await page.locator("#text").inner_text()
        return next(word for word in text.split() if word.startswith("http"))
