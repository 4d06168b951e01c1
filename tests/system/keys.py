"""Passkeys and security keys: Chromium's virtual authenticators (WebDriver's, over CDP), with real keys and real signatures."""

from typing import Any

from playwright.async_api import CDPSession, Page


class Keys:
    """The authenticators that a page's browser sees."""

    def __init__(self, devtools: CDPSession) -> None:
        self._devtools = devtools

    @classmethod
    async def plugged_into(cls, page: Page) -> "Keys":
        """Give a page an authenticator socket, empty at first."""
        devtools = await page.context.new_cdp_session(page)
        await devtools.send("WebAuthn.enable")
        return cls(devtools)

    async def add(self, *, is_own: bool) -> str:
        """Add the device's own lock (`is_own`), or a key on USB; return its id. Whoever is asked says yes at once."""
        options = {
            "protocol": "ctap2",
            "transport": "internal" if is_own else "usb",
            "hasResidentKey": is_own,
            "hasUserVerification": is_own,
            "isUserVerified": is_own,
            "automaticPresenceSimulation": True,
        }
        added: dict[str, Any] = await self._devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return str(added["authenticatorId"])

    async def answer(self, authenticator_id: str, *, present: bool) -> None:
        """Have the person answer what the authenticator is asked from now on, or let it wait; what waits already waits on."""
        values = {"authenticatorId": authenticator_id, "enabled": present}
        await self._devtools.send("WebAuthn.setAutomaticPresenceSimulation", values)

    async def count(self, authenticator_id: str) -> int:
        """Return how many credentials an authenticator holds."""
        held = await self._devtools.send("WebAuthn.getCredentials", {"authenticatorId": authenticator_id})
        return len(held["credentials"])

    async def forget(self, authenticator_id: str) -> None:
        """Lose everything that an authenticator holds."""
        await self._devtools.send("WebAuthn.clearCredentials", {"authenticatorId": authenticator_id})
