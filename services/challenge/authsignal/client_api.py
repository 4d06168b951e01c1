"""
Authsignal's Client API, used from here in the person's name: so the token of a challenge, and the stronger one that a proof
earns, never reach a browser.

Only WebAuthn needs the browser itself, since a passkey signs for the page that asks.
"""

import base64
import json
from typing import Any, Final

from services.challenge.authsignal.answers import Proven, Sent
from services.challenge.authsignal.calls import Caller
from services.challenge.authsignal.transport import Answer, AwaitedSession

# Method -> path segment (contract of the Client API).
SENT: Final = {
    "SMS": "sms",
    "WHATSAPP": "whatsapp",
    "EMAIL_MAGIC_LINK": "email-magic-link",
    "PUSH": "push",
    "QR_CODE": "qr-code",
}
TYPED: Final = {"SMS": "sms", "WHATSAPP": "whatsapp", "AUTHENTICATOR_APP": "totp"}
AWAITED: Final = {"EMAIL_MAGIC_LINK": "email-magic-link/finalize", "PUSH": "push", "QR_CODE": "qr-code"}


class ClientApi:
    """
    The calls that a person's own device would make.

    Args:
        session: The transport, shared with the Server API.
        api_url: Base URL with ``/v1``.
        tenant_id: Needed to poll a QR challenge, which Authsignal answers to the tenant and not to the person.
        caller: Makes the calls.
    """

    def __init__(self, session: AwaitedSession, *, api_url: str, tenant_id: str | None, caller: Caller) -> None:
        self._session = session
        self._url = f"{api_url}/client"
        self._tenant_id = tenant_id
        self._caller = caller

    @property
    def methods(self) -> frozenset[str]:
        """The methods that can be challenged and proven from here."""
        methods = frozenset(SENT) | frozenset(TYPED)
        return methods if self._tenant_id is not None else methods - {"QR_CODE"}

    async def send(self, method: str, token: str, *, action: str) -> Sent:
        """Send a code, a link or a prompt, or make a QR code; never repeated by itself."""
        body = {"action": action} if method in {"PUSH", "QR_CODE"} else None
        return await self._caller.ask(
            f"challenge {method}", lambda: self._post(f"/challenge/{SENT[method]}", token, body), Sent
        )

    async def check(self, method: str, token: str, code: str) -> Proven:
        """Check a code that was typed; a wrong one counts, so it is never repeated by itself."""
        body = {"verificationCode": code}
        path = f"/verify/{TYPED[method]}"
        return await self._caller.ask(f"verify {method}", lambda: self._post(path, token, body), Proven)

    async def poll(self, method: str, token: str, *, challenge_id: str, device_code: str | None) -> Proven:
        """Ask whether a link was opened, a prompt approved, or a QR code scanned and approved."""
        path = f"/verify/{AWAITED[method]}"
        if method == "QR_CODE":
            body: dict[str, Any] = {"challengeId": challenge_id, "deviceCode": device_code}
            return await self._caller.ask("poll QR_CODE", lambda: self._post_as_tenant(path, body), Proven, safe=True)
        body = {"challengeId": challenge_id}
        return await self._caller.ask(f"poll {method}", lambda: self._post(path, token, body), Proven, safe=True)

    async def _post(self, path: str, token: str, body: dict[str, Any] | None) -> Answer:
        return await self._session.request("POST", self._url + path, _encoded(body), authorization=f"Bearer {token}")

    async def _post_as_tenant(self, path: str, body: dict[str, Any]) -> Answer:
        tenant = base64.b64encode(f"{self._tenant_id}:".encode()).decode()
        return await self._session.request("POST", self._url + path, _encoded(body), authorization=f"Basic {tenant}")


def _encoded(body: dict[str, Any] | None) -> str | None:
    return json.dumps(body) if body is not None else None
