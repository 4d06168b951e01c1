"""The stack's Authsignal simulator: its control port, and its Client API as a browser uses it."""

import base64
from typing import Any

import aiohttp


class Authsignal:
    """One simulator."""

    def __init__(self, http: aiohttp.ClientSession, *, api_url: str, control_url: str, secret_key: str) -> None:
        self._http, self._api_url, self._control_url = http, api_url, control_url
        self._server_headers = {"Authorization": "Basic " + base64.b64encode(f"{secret_key}:".encode()).decode()}

    async def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the control port."""
        async with self._http.request(method, self._control_url + path, json=body) as answer:
            assert answer.ok, await answer.text()
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
        return str((await self.control("GET", f"/outbox?to={address}"))[0]["code"])

    async def track(self, user_id: str, action: str) -> Any:
        """Track an action with the Server API."""
        url = f"{self._api_url}/users/{user_id}/actions/{action}"
        async with self._http.post(url, json={}, headers=self._server_headers) as answer:
            assert answer.ok, await answer.text()
            return await answer.json()

    async def earn(self, token: str, address: str) -> str:
        """Do what the Web SDK does in a browser: challenge, then verify with the mailed code; return the token earned."""
        await self.client("challenge/email-otp", token, {})
        earned = await self.client("verify/email-otp", token, {"verificationCode": await self.code(address)})
        assert earned["isVerified"], earned
        return str(earned["accessToken"])

    async def client(self, path: str, token: str, body: dict[str, Any]) -> Any:
        """Call the Client API with a token."""
        headers = {"Authorization": f"Bearer {token}"}
        async with self._http.post(f"{self._api_url}/client/{path}", json=body, headers=headers) as answer:
            assert answer.ok, await answer.text()
            return await answer.json()
