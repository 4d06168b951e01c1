"""
Cross-origin requests to `/v1/direct`, from the origins that the operator lists, and to nothing else.

Nothing here ever lets a browser send our cookies along: these routes take a bearer token, and the answers never say
``Access-Control-Allow-Credentials``. Whatever is not listed gets no header, which is a no. Source: Fetch, section 3.3.
"""

from collections.abc import Iterable
from typing import Final

import structlog

from shared.http.middleware import AsgiApp, Headers, Message, Receive, Scope, SendMessage

PREFIX: Final = "/v1/direct/"
METHODS: Final = (b"GET", b"POST", b"DELETE")
REQUEST_HEADERS: Final = b"authorization, content-type, idempotency-key"
ANSWER_HEADERS: Final = b"audit-receipt, idempotent-replayed, retry-after, www-authenticate, x-request-id"
PREFLIGHT_SECONDS: Final = b"600"
VARY: Final = (b"vary", b"origin")

log = structlog.get_logger("http")


class DirectCors:
    """
    Wraps the whole gateway, so that refusals carry the headers too, and a page can read why it was refused.

    Args:
        app: The gateway.
        origins: Origins whose pages may call.
    """

    def __init__(self, app: AsgiApp, origins: Iterable[str]) -> None:
        self._app = app
        self._origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: SendMessage) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        headers: Headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"")
        is_listed = origin in self._origins
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            await _answer_preflight(headers, origin, send, is_listed=is_listed)
            return
        added = [VARY]
        if is_listed:
            added += [(b"access-control-allow-origin", origin), (b"access-control-expose-headers", ANSWER_HEADERS)]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *added]
            await send(message)

        await self._app(scope, receive, send_with_headers)


async def _answer_preflight(headers: Headers, origin: bytes, send: SendMessage, *, is_listed: bool) -> None:
    is_allowed = is_listed and headers[b"access-control-request-method"] in METHODS
    log.info("http.preflight_answered", allowed=is_allowed)
    answer = [VARY, (b"content-length", b"0"), (b"cache-control", b"no-store")]
    if is_allowed:
        answer += [
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-methods", b", ".join(METHODS)),
            (b"access-control-allow-headers", REQUEST_HEADERS),
            (b"access-control-max-age", PREFLIGHT_SECONDS),
        ]
    await send({"type": "http.response.start", "status": 204 if is_allowed else 403, "headers": answer})
    await send({"type": "http.response.body", "body": b""})
