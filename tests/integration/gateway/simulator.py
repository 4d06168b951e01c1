"""The stack's Authsignal simulator: its control port, and its Client API as a browser uses it."""

import base64
from typing import Any
from urllib.parse import quote

import aiohttp

from tests.integration.gateway.soft_key import SoftKey


class Refused(Exception):
    """The simulator said no; the text is its answer."""


class Authsignal:
    """One simulator."""

    def __init__(self, http: aiohttp.ClientSession, *, api_url: str, control_url: str, secret_key: str) -> None:
        self._http, self._api_url, self._control_url = http, api_url, control_url
        self._server_headers = {"Authorization": "Basic " + base64.b64encode(f"{secret_key}:".encode()).decode()}

    async def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the control port."""
        async with self._http.request(method, self._control_url + path, json=body) as answer:
            await _require_ok(answer)
            return await answer.json()

    async def reset(self) -> None:
        """Take back clock, faults, outcomes and limits; accounts stay."""
        await self.control("POST", "/reset", {})

    async def advance(self, seconds: float) -> None:
        """Let time pass for it."""
        await self.control("POST", "/clock/advance", {"seconds": seconds})

    async def decide(self, action: str, outcome: str) -> None:
        """Set what the rules decide about an action."""
        await self.control("PUT", f"/outcomes/{action}", {"outcome": outcome})

    async def fault(self, **fault: Any) -> None:
        """Set a fault."""
        await self.control("POST", "/faults", fault)

    async def calls(self, path: str) -> list[dict[str, Any]]:
        """Return the calls under a path so far."""
        found: list[dict[str, Any]] = await self.control("GET", f"/calls?path_prefix={path}")
        return found

    async def code(self, address: str) -> str:
        """Return the code sent last to an address."""
        return str((await self.control("GET", f"/outbox?to={quote(address)}"))[0]["code"])

    async def link(self, address: str) -> str:
        """Return the link mailed last to an address."""
        return str((await self.control("GET", f"/outbox?to={quote(address)}"))[0]["url"])

    async def open_link(self, address: str) -> None:
        """Open the link mailed last to an address, as a browser on another device would."""
        async with self._http.get(await self.link(address)) as answer:
            assert answer.status == 200, await answer.text()

    async def track(self, user_id: str, action: str, **attributes: Any) -> Any:
        """Track an action with the Server API."""
        return await self.server("POST", f"users/{user_id}/actions/{action}", attributes)

    async def server(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the Server API."""
        async with self._http.request(method, f"{self._api_url}/{path}", json=body, headers=self._server_headers) as answer:
            await _require_ok(answer)
            return await answer.json()

    async def enrol(self, user_id: str, method: str, **address: str) -> str:
        """Add a factor as the integrator may; return its id."""
        added = await self.server("POST", f"users/{user_id}/authenticators", {"verificationMethod": method, **address})
        return str(added["authenticator"]["userAuthenticatorId"])

    async def methods(self, user_id: str) -> list[str]:
        """Return the methods that a user has."""
        found: list[str] = (await self.server("GET", f"users/{user_id}"))["enrolledVerificationMethods"]
        return found

    async def phone(self, user_id: str, *methods: str) -> str:
        """Give a user a phone that decides on push or QR challenges; return its id."""
        return str((await self.control("POST", "/phones", {"user_id": user_id, "methods": list(methods)}))["phone_id"])

    async def press(self, phone_id: str, *, approved: bool) -> None:
        """Let a phone approve or decline what waits for it."""
        waiting = [
            one["challenge_id"]
            for one in await self.control("GET", "/challenges")
            if any(phone["phone_id"] == phone_id for phone in one["phones"])
        ]
        assert waiting, "nothing waits for this phone"
        await self.scan(phone_id, waiting[0], approved=approved)

    async def scan(self, phone_id: str, challenge_id: str, *, approved: bool) -> None:
        """Let a phone approve or decline a challenge that it was shown."""
        body = {"challengeId": challenge_id, "approved": approved}
        await self.control("POST", f"/phones/{phone_id}/decisions", body)

    async def earn(self, token: str, address: str) -> str:
        """Do what the Web SDK does in a browser: challenge, then verify with the mailed code; return the token earned."""
        await self.client("challenge/email-otp", token, {})
        earned = await self.client("verify/email-otp", token, {"verificationCode": await self.code(address)})
        assert earned["isVerified"], earned
        return str(earned["accessToken"])

    async def earn_by_key(self, token: str, key: SoftKey, method: str) -> str:
        """Do what the Web SDK does with a passkey or security key and a token; return the token earned."""
        if method == "SECURITY_KEY":
            options = await self.client("user-authenticators/security-key/authentication-options", token, {})
            earned = await self.client("verify/security-key", token, key.sign(options))
        else:
            begun = await self.client("user-authenticators/passkey/authentication-options", token, {})
            body = {"challengeId": begun["challengeId"], "authenticationCredential": key.sign(begun["options"])}
            earned = await self.client("verify/passkey", token, body)
        return str(earned["accessToken"])

    async def earn_by_passkey(self, key: SoftKey, tenant_id: str, *, action: str | None = "signIn") -> str:
        """Do what ``passkey.signIn`` does without a token, with an action or as autofill does; return the token earned."""
        named: dict[str, Any] = {}
        if action is not None:
            named = {"challengeId": (await self.tenant("challenge", tenant_id, {"action": action}))["challengeId"]}
        begun = await self.tenant("user-authenticators/passkey/authentication-options", tenant_id, named)
        body = {"challengeId": begun["challengeId"], "authenticationCredential": key.sign(begun["options"])}
        return str((await self.tenant("verify/passkey", tenant_id, body))["accessToken"])

    async def client(self, path: str, token: str, body: dict[str, Any]) -> Any:
        """Call the Client API with a token."""
        return await self._client(path, f"Bearer {token}", body)

    async def tenant(self, path: str, tenant_id: str, body: dict[str, Any]) -> Any:
        """Call the Client API as a browser that has no token yet."""
        return await self._client(path, "Basic " + base64.b64encode(f"{tenant_id}:".encode()).decode(), body)

    async def _client(self, path: str, authorization: str, body: dict[str, Any]) -> Any:
        headers = {"Authorization": authorization}
        async with self._http.post(f"{self._api_url}/client/{path}", json=body, headers=headers) as answer:
            await _require_ok(answer)
            return await answer.json()


async def _require_ok(answer: aiohttp.ClientResponse) -> None:
    if not answer.ok:
        raise Refused(f"{answer.status}: {await answer.text()}")
