"""The app in a page, and the person in front of it."""

import asyncio
import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from typing import Any

import aiohttp
from playwright.async_api import BrowserContext, Error, Page

from tests.stack import RunningStack

MAIL_SECONDS_MAX = 30.0
_CALL = """
async ([path, args]) => {
  const owner = path.slice(0, -1).reduce((value, name) => value[name], window.app);
  return (await owner[path.at(-1)](...args)) ?? null;
}
"""


class Threw(Exception):
    """The page's code threw; the text begins with the error's name."""


class App:
    """
    One person's tab of the app.

    The page has an origin of its own, so every call of it to Cognito, Authsignal and the API crosses origins.
    """

    def __init__(self, stack: RunningStack, context: BrowserContext, page: Page, http: aiohttp.ClientSession) -> None:
        self._stack, self._context, self._http = stack, context, http
        self.page = page
        self.email = f"d{secrets.token_hex(6)}@example.test"
        self._read = 0

    async def open(self, origin: str, api_url: str | None = None) -> None:
        """Open the app's page, and tell it where its API is, when that is not the stack's gateway."""
        await self.page.goto(origin)
        aws, authsignal = self._stack["aws"], self._stack["authsignal"]
        settings = {
            "region": aws["region"],
            "endpoint": aws["endpoint_url"],
            "clientId": aws["direct_client_id"],
            "tenantId": authsignal["tenant_id"],
            "authsignalUrl": authsignal["api_url"],
            "gatewayUrl": api_url or self._stack["gateway_url"],
        }
        await self.page.evaluate("settings => window.openApp(settings)", settings)

    async def does(self, step: str, *args: Any) -> Any:
        """
        Do one step, such as `start` or `authsignal.email.verify`.

        Raises:
            Threw: The SDK, or the browser, threw.
        """
        try:
            return await self.page.evaluate(_CALL, [step.split("."), list(args)])
        except Error as error:
            raise Threw(error.message.removeprefix("Page.evaluate: ")) from error

    async def sdk(self, step: str, *args: Any) -> dict[str, Any]:
        """Do a step of Authsignal's Web SDK that must succeed, and return its data."""
        answer = await self.does(f"authsignal.{step}", *args)
        assert "error" not in answer, f"{step}: {answer}"
        data: dict[str, Any] = answer["data"]
        return data

    async def signs_up(self) -> str:
        """Sign up as the reference app does, by a code in an enrolment mail, and return the sub."""
        made = await self.does("signUp", self.email)
        await self.does("start", self.email)
        await self.sdk("email.enroll", {"email": self.email})
        earned = await self.sdk("email.verify", {"code": await self.code()})
        assert (await self.does("answer", earned["token"]))["isSignedIn"]
        return str(made["sub"])

    async def earns_by_code(self) -> str:
        """Ask for a code in the sign-in under way, type it, and return the token earned."""
        await self.sdk("email.challenge")
        return str((await self.sdk("email.verify", {"code": await self.code()}))["token"])

    async def signs_in(self) -> dict[str, Any]:
        """Sign in by a mailed code and return what Cognito answered last."""
        await self.does("start", self.email)
        answer: dict[str, Any] = await self.does("answer", await self.earns_by_code())
        return answer

    async def access_token(self) -> str:
        """Return the access token."""
        return str((await self.does("tokens"))["AccessToken"])

    async def api(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Call the API from the page."""
        answer: dict[str, Any] = await self.does("api", method, path, body)
        return answer

    async def client_status(self, path: str, token: str, body: dict[str, Any]) -> int:
        """Call Authsignal's Client API without the SDK, and return the status."""
        url = f"{self._stack['authsignal']['api_url']}/client/{path}"
        async with self._http.post(url, json=body, headers={"Authorization": f"Bearer {token}"}) as answer:
            return answer.status

    async def code(self) -> str:
        """Return the code in the next mail."""
        found = re.search(r"\b\d{6}\b", await self._next_mail())
        assert found is not None
        return found[0]

    async def link(self) -> str:
        """Return the link in the next mail."""
        found = re.search(r"https?://\S+", await self._next_mail())
        assert found is not None
        return found[0]

    async def has_passkeys(self) -> None:
        """Give the browser an authenticator that makes and uses passkeys without asking."""
        session = await self._context.new_cdp_session(self.page)
        await session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        await session.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    async def _next_mail(self) -> str:
        url = f"{self._stack['mail']['inbox_url']}/api/messages"
        deadline = time.monotonic() + MAIL_SECONDS_MAX
        while True:
            async with self._http.get(url, params={"to": self.email}) as answer:
                messages = await answer.json()
            if len(messages) > self._read:
                self._read += 1
                return str(messages[-self._read]["text"])
            assert time.monotonic() < deadline, "no mail came"
            await asyncio.sleep(0.05)


def claims_of(token: str) -> dict[str, Any]:
    """Read the claims of a JWT without checking it."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def attempt_of(token: str) -> str:
    """Return the idempotency key of an Authsignal token, which is the sign-in's attempt in the log."""
    return str(claims_of(token)["other"]["idempotencyKey"])


def totp(secret: str, *, steps_ahead: int = 0) -> str:
    """Return the code of an authenticator app now, or some steps of 30 s ahead. Source: RFC 6238."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, (int(time.time()) // 30 + steps_ahead).to_bytes(8, "big"), hashlib.sha1)
    at = digest[-1] & 0xF
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFF_FFFF) % 10**6:06}"
