"""
The way to the audit service for a signed-in browser: ``/audit/*`` goes there with the session's access token.

The browser holds only its cookie; the token is added here, refreshed where it is about to end. Who may read what is the audit
service's to decide. Answers stream through, so that a live tail stays live, and end

- when the client is gone: the connection to the audit service goes with it;
- when the session is over: nothing more is handed on. A tail ends with its access token as well, since the token says which
  groups the person was in when it was made; the browser opens the tail again, and gets what it may see by then.
"""

import asyncio
import re
import time
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
from litestar import Request

from services.gateway.cognito.faults import CognitoRefused, CognitoUnreachable
from services.gateway.sessions.model import Session
from services.gateway.sessions.refresh import Refresh
from services.gateway.sessions.service import Sessions
from shared.http.context import RequestContext
from shared.http.middleware import Receive, Scope, SendMessage
from shared.problems import NotFound, ProviderBusy, RequestTooLarge, SessionExpired, SessionRequired, retry_after

PREFIX: Final = "/audit"
BODY_BYTES_MAX: Final = 256 * 1024
CONNECT_SECONDS_MAX: Final = 5
# Longer than the tail's heartbeat.
SILENCE_SECONDS_MAX: Final = 60
# A Parquet file is made whole before its first byte leaves.
FILE_SILENCE_SECONDS_MAX: Final = 3_600
# How long a session that is over may go unnoticed while an answer streams.
LOOK_SECONDS: Final = 1.0
# Whoever asks again by a clock and not by a hand says so: the session then idles on. Who lies shortens a session of their own.
POLL: Final = "X-Countersign-Poll"
TAIL: Final = "/v1/events/tail"
EVENT_STREAM: Final = "text/event-stream"
EXPORT_FILE: Final = re.compile(r"/v1/exports/[^/]+/file")
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
    """
    Forwards requests of signed-in browsers to the audit service.

    Args:
        http: A pool of its own: a tail holds a connection for as long as it is open, and no sign-in may wait for that.
        sessions: Who is signed in.
        refresh: Gives fresh access tokens.
        audit_url: The audit service.
    """

    def __init__(self, http: aiohttp.ClientSession, sessions: Sessions, refresh: Refresh, *, audit_url: str) -> None:
        self._http = http
        self._sessions = sessions
        self._refresh = refresh
        self._audit_url = audit_url.rstrip("/")

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
        method, path = scope["method"], scope["path"].removeprefix(PREFIX) or "/"
        # The browser itself opens a tail again and again, and lets no page mark that.
        is_use = path != TAIL and POLL not in request.headers
        try:
            session = await self._sessions.require(context, request.headers.get("cookie"), is_use=is_use)
        except SessionRequired:
            if "text/html" not in request.headers.get("accept", "") or method != "GET":
                raise
            await _redirect(send, f"/sign-in?{urlencode({'to': _with_query(scope['path'], scope)})}")
            return
        if not PLAIN.fullmatch(path):
            raise NotFound("path")
        if needs_fresh_proof(method, path):
            self._sessions.require_fresh(session)
        try:
            session = await self._refresh.with_fresh_tokens(context, session)
        except (CognitoRefused, CognitoUnreachable) as fault:
            raise fault.problem() from fault
        body = await _read(receive) if method not in {"GET", "HEAD"} else None
        call = self._http.request(
            method,
            self._audit_url + _with_query(path, scope),
            headers=_headers(scope, context, session),
            data=body,
            timeout=timeout_of(path),
            allow_redirects=False,
        )
        copy = self._copy(call, session, send)
        # A write is carried through, whoever has left meanwhile.
        await (_while_connected(receive, copy) if body is None else copy)

    async def _copy(
        self, call: AbstractAsyncContextManager[aiohttp.ClientResponse], session: Session, send: SendMessage
    ) -> None:
        is_begun = False
        try:
            async with call as answer:
                back = [(n.lower().encode(), v.encode()) for n, v in answer.headers.items() if n.lower() in HANDED_BACK]
                await send({"type": "http.response.start", "status": answer.status, "headers": back})
                is_begun = True
                is_tail = answer.content_type == EVENT_STREAM
                looked_at = time.monotonic()
                async for chunk in answer.content.iter_any():
                    if time.monotonic() - looked_at >= LOOK_SECONDS:
                        if await self._is_over(session, is_tail=is_tail):
                            if is_tail:
                                break
                            # Broken off, so that a part of a file never passes for the whole.
                            raise SessionExpired("ended meanwhile")
                        looked_at = time.monotonic()
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
        except (aiohttp.ClientError, OSError) as error:
            if is_begun:
                raise
            raise ProviderBusy(f"audit: {type(error).__name__}", headers=retry_after(2)) from error

    async def _is_over(self, session: Session, *, is_tail: bool) -> bool:
        return (is_tail and not self._refresh.is_fresh(session)) or not await self._sessions.is_living(session)


def needs_fresh_proof(method: str, path: str) -> bool:
    """Say whether a request asks for what only somebody may do who proved a factor within the last minutes."""
    version, _, rest = path.removeprefix("/").partition("/")
    return version == "v1" and (method, rest.partition("/")[0]) in FRESH


def timeout_of(path: str) -> aiohttp.ClientTimeout:
    """Return how long the audit service may be silent. The whole has no deadline: a file may take its time."""
    silence = FILE_SILENCE_SECONDS_MAX if EXPORT_FILE.fullmatch(path) else SILENCE_SECONDS_MAX
    return aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS_MAX, sock_read=silence)


def _headers(scope: Scope, context: RequestContext, session: Session) -> dict[str, str]:
    headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in HANDED_ON}
    headers["Authorization"] = f"Bearer {session.access_token}"
    headers["X-Forwarded-Prefix"] = PREFIX
    headers["X-Request-Id"] = context.request_id
    headers["traceparent"] = context.traceparent()
    if context.client.ip is not None:
        headers["X-Forwarded-For"] = context.client.ip
    return headers


def _with_query(path: str, scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


async def _while_connected(receive: Receive, work: Coroutine[Any, Any, None]) -> None:
    """Do some work for as long as the client is there to get it. What the work raises is raised."""
    working, leaving = asyncio.create_task(work), asyncio.create_task(_disconnect(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.wait((working, leaving))
    if not working.cancelled():
        working.result()


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


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
