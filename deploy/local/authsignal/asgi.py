"""The few words of plain ASGI that the middleware needs."""

from collections.abc import Mapping

import msgspec
from litestar.enums import ScopeType
from litestar.types import HTTPScope, Scope, Send


def http_scope(scope: Scope) -> HTTPScope | None:
    """The scope as that of an HTTP request, or None if it is something else."""
    return scope if scope["type"] == ScopeType.HTTP else None


async def answer(send: Send, status: int, body: bytes, *, content_type: str) -> None:
    """Send a whole answer."""
    headers = [(b"content-type", content_type.encode("latin-1")), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def answer_json(send: Send, status: int, body: Mapping[str, str]) -> None:
    """Send an object."""
    await answer(send, status, msgspec.json.encode(body), content_type="application/json")
