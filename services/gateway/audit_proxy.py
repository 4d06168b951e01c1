"""
The way to the audit service for a signed-in browser: ``/audit/*`` goes there with the session's access token.

The browser holds only its cookie; the token is added here, refreshed where it is about to end. Who may read what is the audit
service's to decide. Answers stream through, so that a live tail stays live.
"""

import re
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
from litestar import Request

from services.gateway.cognito.faults import CognitoRefused, CognitoUnreachable
from services.gateway.sessions.refresh import Refresh
from services.gateway.sessions.service import Sessions
from shared.http.context import RequestContext
from shared.http.middleware import Receive, Scope, SendMessage
from shared.problems import NotFound, ProviderBusy, RequestTooLarge, SessionRequired, retry_after

PREFIX: Final = "/audit"
BODY_BYTES_MAX: Final = 256 * 1024
CONNECT_SECONDS_MAX: Final = 5
HANDED_ON: Final = frozenset(
    {b"accept", b"content-type", b"idempotency-key", b"if-none-match", b"last-event-id", b"user-agent"}
)
HANDED_BACK: Final = frozenset(
    {
        "audit-receipt",
        "cache-control",
        "content-disposition",
        "content-security-policy",
        "content-type",
        "cross-origin-opener-policy",
        "etag",
        "permissions-policy",
        "retry-after",
    }
)
# What a path is made of: nothing that could be read in two ways. A path that says one thing here and another at the audit
# service would get around the rule below.
PLAIN: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~:@-]+)*/?")
# Copies of the log, the end of a person's data, and what holds that end back.
FRESH: Final = frozenset({("POST", "exports"), ("POST", "erasures"), ("POST", "holds"), ("DELETE", "holds")})


class AuditProxy:
    """Forwards requests of signed-in browsers to the audit service."""

    def __init__(self, http: aiohttp.ClientSession, sessions: Sessions, refresh: Refresh, *, audit_url: str) -> None:
        self._http = http
        self._sessions = sessions
        self._refresh = refresh
        self._audit_url = audit_url.rstrip("/")
        # No deadline on the whole: a tail lives for hours. Silence for longer than the tail's heartbeat ends it.
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS_MAX, sock_read=60)

    async def forward(self, scope: Scope, receive: Receive, send: SendMessage) -> None:
        """
        Forward one request.

        Raises:
            SessionRequired, SessionExpired: Nobody is signed in; a browser that navigates is sent to sign in instead.
            StepUpRequired: The last proof is too long ago for this.
            NotFound: The path is none that the audit service could have.
            ProviderBusy: The audit service does not answer.
        """
        request: Request[Any, Any, Any] = Request(scope)  # type: ignore[arg-type]
        context: RequestContext = scope["state"]["context"]
        context.route = f"{PREFIX}/*"
        try:
            session = await self._sessions.require(context, request.headers.get("cookie"))
        except SessionRequired:
            if "text/html" not in request.headers.get("accept", "") or scope["method"] != "GET":
                raise
            await _redirect(send, f"/sign-in?{urlencode({'to': _address(scope)})}")
            return
        path = scope["path"].removeprefix(PREFIX) or "/"
        if not PLAIN.fullmatch(path):
            raise NotFound("path")
        if needs_fresh_proof(scope["method"], path):
            self._sessions.require_fresh(session)
        try:
            session = await self._refresh.with_fresh_tokens(context, session)
        except (CognitoRefused, CognitoUnreachable) as fault:
            raise fault.problem() from fault
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in HANDED_ON}
        headers["Authorization"] = f"Bearer {session.access_token}"
        headers["X-Forwarded-Prefix"] = PREFIX
        headers["X-Request-Id"] = context.request_id
        headers["traceparent"] = context.traceparent()
        if context.client.ip is not None:
            headers["X-Forwarded-For"] = context.client.ip
        query = scope["query_string"].decode("latin-1")
        url = f"{self._audit_url}{path}{'?' + query if query else ''}"
        body = await _read(receive) if scope["method"] not in {"GET", "HEAD"} else None
        await self._stream(scope["method"], url, headers, body, send)

    async def _stream(self, method: str, url: str, headers: dict[str, str], body: bytes | None, send: SendMessage) -> None:
        is_begun = False
        try:
            async with self._http.request(
                method, url, headers=headers, data=body, timeout=self._timeout, allow_redirects=False
            ) as answer:
                back = [(n.lower().encode(), v.encode()) for n, v in answer.headers.items() if n.lower() in HANDED_BACK]
                await send({"type": "http.response.start", "status": answer.status, "headers": back})
                is_begun = True
                async for chunk in answer.content.iter_any():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
        except (aiohttp.ClientError, OSError) as error:
            if is_begun:
                raise
            raise ProviderBusy(f"audit: {type(error).__name__}", headers=retry_after(2)) from error


def needs_fresh_proof(method: str, path: str) -> bool:
    """Say whether a request asks for what only somebody may do who proved a factor within the last minutes."""
    version, _, rest = path.removeprefix("/").partition("/")
    return version == "v1" and (method, rest.partition("/")[0]) in FRESH


def _address(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    return f"{scope['path']}?{query}" if query else str(scope["path"])


async def _read(receive: Receive) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_BYTES_MAX:
            raise RequestTooLarge
        if not message.get("more_body", False):
            return body


async def _redirect(send: SendMessage, location: str) -> None:
    headers = [(b"location", location.encode()), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 302, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
