"""
What stands around the APIs: cross-origin rules, the guard of the control port, and the journal of calls.

1. Browsers of the allowed origins may call the Client API, with credentials; nothing else answers cross-origin.
2. The control port answers to this machine alone, and never to a page of another origin.
3. Every call under `/v1` is noted with its status, so that a test can count retries.
"""

import ipaddress
from collections import deque
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send, WebSocketScope

from deploy.local.authsignal.asgi import answer_json, http_scope
from deploy.local.authsignal.errors import error_body

_JOURNAL_MAX = 2_000
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_PREFLIGHT_HEADERS = [
    (b"access-control-allow-methods", b"GET, POST, PATCH, DELETE"),
    (b"access-control-allow-headers", b"authorization, content-type"),
    (b"access-control-max-age", b"600"),
]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call as it came in; `status` is None if the connection was dropped. Never a body, never a credential."""

    at: float
    method: str
    path: str
    status: int | None
    scheme: str  # of the Authorization header: basic, bearer or empty
    content_type: str


class Journal:
    """The latest calls, oldest first."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=_JOURNAL_MAX)

    def add(self, call: Call) -> None:
        """Note one call."""
        self._calls.append(call)

    def calls(self, *, method: str | None = None, path_prefix: str = "") -> list[Call]:
        """The noted calls of a method, under a path."""
        return [c for c in self._calls if method in (None, c.method) and c.path.startswith(path_prefix)]

    def clear(self) -> None:
        """Forget every call."""
        self._calls.clear()


def journal_middleware(app: ASGIApp, journal: Journal, now: Callable[[], float]) -> ASGIApp:
    """Note every call under `/v1` once it is over."""

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        http = http_scope(scope)
        if http is None or not http["path"].startswith("/v1"):
            if http is None and scope["type"] == ScopeType.WEBSOCKET:
                journal.add(_socket_call(scope, now()))
            await app(scope, receive, send)
            return
        status: int | None = None

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        at = now()
        try:
            await app(scope, receive, watch)
        finally:
            journal.add(_call(http, at, status))

    return note


def _call(scope: HTTPScope, at: float, status: int | None) -> Call:
    headers = Headers.from_scope(scope)
    return Call(
        at=at,
        method=scope["method"],
        path=scope["path"],
        status=status,
        scheme=headers.get("authorization", "").partition(" ")[0].lower(),
        content_type=headers.get("content-type", ""),
    )


def _socket_call(scope: WebSocketScope, at: float) -> Call:
    # The sub-protocol carries who calls, as the Authorization header does elsewhere.
    scheme = "bearer" if any(".token." in offer for offer in scope["subprotocols"]) else "basic"
    return Call(at=at, method="WEBSOCKET", path=scope["path"], status=None, scheme=scheme, content_type="")


def cors_middleware(app: ASGIApp, allow_origins: frozenset[str]) -> ASGIApp:
    """Answer preflights of the Client API, and mark its answers, errors included, as readable by allowed origins."""

    async def allow(scope: Scope, receive: Receive, send: Send) -> None:
        http = http_scope(scope)
        if http is None or not http["path"].startswith("/v1/client"):
            await app(scope, receive, send)
            return
        headers = Headers.from_scope(http)
        origin = headers.get("origin", "")
        granted = _granted(origin) if origin in allow_origins else [(b"vary", b"origin")]
        if http["method"] == "OPTIONS" and "access-control-request-method" in headers:
            extra = _PREFLIGHT_HEADERS if origin in allow_origins else []
            await send({"type": "http.response.start", "status": 204, "headers": [*granted, *extra]})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return

        async def mark(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableScopeHeaders.from_message(message).headers.extend(granted)
            await send(message)

        await app(scope, receive, mark)

    return allow


def _granted(origin: str) -> list[tuple[bytes, bytes]]:
    # The origin is echoed, not a star: credentialed calls need that.
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", b"retry-after"),
        (b"vary", b"origin"),
    ]


def control_guard(app: ASGIApp, own_origin: str) -> ASGIApp:
    """Keep the control port to this machine, and to pages of the simulator itself."""

    async def check(scope: Scope, receive: Receive, send: Send) -> None:
        http = http_scope(scope)
        if http is not None and http["path"].startswith("/control") and not _is_local(http, own_origin):
            await answer_json(send, 403, error_body("forbidden", "The control port answers to this machine alone."))
            return
        await app(scope, receive, send)

    return check


def _is_local(scope: HTTPScope, own_origin: str) -> bool:
    client = scope.get("client")
    if client is None or not ipaddress.ip_address(client[0]).is_loopback:
        return False
    headers = Headers.from_scope(scope)
    # A foreign name that resolves to this machine is another page's way to read what is here: the name is checked too.
    named = urlsplit(f"//{headers.get('host', '')}").hostname
    return named in (*_LOCAL_NAMES, urlsplit(own_origin).hostname) and headers.get("origin", own_origin) == own_origin
