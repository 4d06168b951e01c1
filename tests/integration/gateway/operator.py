"""Whoever decides reviews, at the challenge service."""

from typing import Any

import aiohttp
import msgspec

from deploy.local.layout import Layout
from tests.integration.gateway.person import Answer
from tests.stack import RunningStack


class Operator:
    """
    An operator.

    Args:
        token: The credential; the stack's own without one.
    """

    def __init__(self, http: aiohttp.ClientSession, stack: RunningStack, *, token: str | None = None) -> None:
        secret = Layout(stack.state_dir).secrets / "operator_token"
        self._http, self._url = http, stack["challenge_url"]
        self._token = token if token is not None else secret.read_text(encoding="utf-8").strip()

    async def call(self, method: str, path: str, body: Any = None) -> Answer:
        """Call the challenge service."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        data = msgspec.json.encode(body) if body is not None else None
        async with self._http.request(method, self._url + path, data=data, headers=headers) as answer:
            return Answer(answer.status, answer.headers, msgspec.json.decode(await answer.read()))

    async def find(self, attempt_id: str) -> dict[str, Any] | None:
        """Return what waits under this id, or None."""
        listed = (await self.call("GET", "/v1/reviews")).body["reviews"]
        return next((review for review in listed if review["id"] == attempt_id), None)

    async def decide(self, attempt_id: str, decision: str, **more: Any) -> Answer:
        """Approve or reject."""
        body = {"decision": decision, "operator": "olivia", **more}
        return await self.call("POST", f"/v1/reviews/{attempt_id}/decision", body)
