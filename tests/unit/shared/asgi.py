"""One request into an ASGI application, without a server."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Reply:
    """What an application sent."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        """Return the decoded body."""
        return json.loads(self.body)


async def request(
    app: Any,
    method: str = "GET",
    path: str = "/",
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    pieces: int = 1,
    client: str = "192.0.2.1",
    state: dict[str, Any] | None = None,
) -> Reply:
    """
    Send one request.

    Args:
        app: The application.
        method: The method.
        path: The path.
        headers: Sent as they are, names lower-cased.
        body: The body.
        pieces: In how many messages the body comes.
        client: The address of the peer.
        state: What an outer layer has put into the scope.
    """
    size = max(1, -(-len(body) // pieces))
    chunks = [body[start : start + size] for start in range(0, len(body), size)] or [b""]
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": number < len(chunks)} for number, chunk in enumerate(chunks, 1)
    ]
    reply = Reply()

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            reply.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
        else:
            reply.body += message.get("body", b"")

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()],
        "client": (client, 1234),
        "state": state if state is not None else {},
    }
    await app(scope, receive, send)
    return reply
