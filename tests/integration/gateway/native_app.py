"""Somebody with a native app: no cookies, Bearer credentials, tokens in the body."""

import uuid
from typing import Any

from tests.integration.gateway.person import Answer, Person

CLIENT_ID = "demo-app"  # as the local stack registers it
REFRESH = "/v1/session/refresh"


class NativeApp:
    """
    One registered app on somebody's phone.

    Args:
        person: Whose address and mailbox it uses; their cookies are left alone.
    """

    def __init__(self, person: Person, url: str | None = None) -> None:
        self._client = person.stranger()
        self._client.url = url or person.url
        self.email = person.email
        self.access_token = ""
        self.refresh_token = ""

    async def call(self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str) -> Answer:
        """Send one request with a Bearer credential: the access token, unless another is named."""
        credential = self.access_token if token is None else token
        sent = {**headers, **({"Authorization": f"Bearer {credential}"} if credential else {})}
        answer = await self._client.call(method, path, body, headers=sent)
        assert not self._client.cookies, "an app is given no cookie"
        return answer

    async def begin(self, kind: str = "sign-ins", **more: Any) -> dict[str, Any]:
        """Begin an attempt; return it, with its token."""
        field = "email" if kind == "sign-ups" else "identifier"
        answer = await self.call("POST", f"/v1/{kind}", {field: self.email, "client_id": CLIENT_ID, **more}, token="")
        assert answer.status == 202, answer.body
        attempt: dict[str, Any] = answer.body
        return attempt

    async def sign_in(self, kind: str = "sign-ins") -> Answer:
        """Sign in with a mailed code, and keep the tokens; return the last answer."""
        attempt = await self.begin(kind)
        code = await self._client.code()
        path = f"/v1/attempts/{attempt['id']}/verifications"
        answer = await self.call("POST", path, {"code": code}, token=attempt["attempt_token"])
        assert answer.status == 200, answer.body
        self.keep(answer.body["tokens"])
        return answer

    async def refresh(self, *, key: str | None = None, token: str | None = None) -> Answer:
        """Trade the refresh token held, or another, for new ones; keep nothing."""
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return await self.call("POST", REFRESH, {"refresh_token": token or self.refresh_token}, token="", **headers)

    def keep(self, tokens: dict[str, Any]) -> None:
        """Use these tokens from now on."""
        self.access_token, self.refresh_token = tokens["access_token"], tokens["refresh_token"]

    def at(self, url: str) -> "NativeApp":
        """Return the same app, talking to another copy of the gateway."""
        other = NativeApp(self._client, url)
        other.access_token, other.refresh_token = self.access_token, self.refresh_token
        return other


async def signed_in(person: Person) -> NativeApp:
    """Sign somebody up with an app."""
    app = NativeApp(person)
    await app.sign_in("sign-ups")
    return app
