"""
Idempotency-Key: a write that is sent twice happens once.

The first request with a key runs; its answer is kept for ten minutes, sealed, with the cookies that it set. The same request
again gets that answer; the same key with another body, path or cookie is refused; a twin that comes while the first still runs
is told so. Answers that ask for a retry (5xx, 429) are not kept: the retry must run. The answer to a refresh is kept for
seconds only: a refresh token that comes later than any retry would is a stolen one, whatever key comes with it.
"""

import hashlib
from typing import Final

import msgspec
from msgspec import Struct

from services.gateway import cookies
from services.gateway.guard import SIGNED_PATHS
from services.gateway.sealing import Sealer
from shared.audit_trail import Receipt
from shared.http.context import RequestContext
from shared.http.middleware import AsgiApp, Headers, Message, Receive, Scope, SendMessage
from shared.problems import Conflict, IdempotencyMismatch, InvalidRequest, RequestTooLarge
from shared.state import StateStore

KEEP_SECONDS: Final = 600
REFRESH_PATH: Final = "/v1/session/refresh"
REFRESH_GRACE_SECONDS: Final = 10
RUNNING_SECONDS: Final = 60
KEY_CHARACTERS_MAX: Final = 128
WRITES: Final = frozenset({"POST", "PATCH", "DELETE"})


class _Kept(Struct, frozen=True):
    """An answer, or the mark that one is being made (`status` 0)."""

    fingerprint: bytes
    status: int = 0
    headers: list[tuple[bytes, bytes]] = []
    body: bytes = b""
    context_headers: list[tuple[bytes, bytes]] = []
    receipt: tuple[str, str] | None = None


class IdempotencyMiddleware:
    """Wraps the application; looks only at writes under ``/v1`` that carry a key."""

    def __init__(self, app: AsgiApp, state: StateStore, sealer: Sealer, *, body_bytes_max: int) -> None:
        self._app = app
        self._state = state
        self._sealer = sealer
        self._body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: SendMessage) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http" or scope["method"] not in WRITES or scope["path"] in SIGNED_PATHS:
            await self._app(scope, receive, send)
            return
        headers: Headers = dict(scope["headers"])
        given = headers.get(b"idempotency-key")
        if given is None:
            await self._app(scope, receive, send)
            return
        if not 1 <= len(given) <= KEY_CHARACTERS_MAX:
            message = f"Use 1 to {KEY_CHARACTERS_MAX} characters."
            raise InvalidRequest(extensions={"errors": [{"field": "Idempotency-Key", "message": message}]})
        body = await self._read(receive)
        context: RequestContext = scope["state"]["context"]
        is_refresh = scope["path"] == REFRESH_PATH
        key = f"idempotency:{_scope_of(given, headers, context, body if is_refresh else b'')}"
        fingerprint = _fingerprint(scope, body)
        mark = self._seal(key, _Kept(fingerprint))
        if not await self._state.add(key, mark, ttl_seconds=RUNNING_SECONDS):
            await self._answer_again(key, fingerprint, context, send)
            return
        await self._run(key, fingerprint, scope, body, send)

    async def _run(self, key: str, fingerprint: bytes, scope: Scope, body: bytes, send: SendMessage) -> None:
        context: RequestContext = scope["state"]["context"]
        keep_seconds = REFRESH_GRACE_SECONDS if scope["path"] == REFRESH_PATH else KEEP_SECONDS
        answer: list[Message] = []
        is_read = False

        async def receive_again() -> Message:
            nonlocal is_read
            if is_read:
                return {"type": "http.disconnect"}
            is_read = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def keep(message: Message) -> None:
            answer.append(dict(message))

        is_kept = False
        try:
            await self._app(scope, receive_again, keep)
            status = answer[0]["status"]
            if status < 500 and status != TooMany:
                receipt = context.receipt
                kept = _Kept(
                    fingerprint,
                    status,
                    [(bytes(name), bytes(value)) for name, value in answer[0]["headers"]],
                    b"".join(message.get("body", b"") for message in answer[1:]),
                    [header for header in context.response_headers if not header[0].startswith(b"ratelimit")],
                    (receipt.event_id, receipt.leaf_hash) if receipt is not None else None,
                )
                # Kept before it is sent: an answer that gets lost on its way can be asked for again.
                await self._state.put(key, self._seal(key, kept), ttl_seconds=keep_seconds)
                is_kept = True
        finally:
            if not is_kept:
                await self._state.delete(key)
        for message in answer:
            await send(message)

    async def _answer_again(self, key: str, fingerprint: bytes, context: RequestContext, send: SendMessage) -> None:
        sealed = await self._state.get(key)
        opened = self._sealer.open(key, sealed) if sealed is not None else None
        if opened is None:
            raise Conflict("twin request just ended")
        kept = msgspec.msgpack.decode(opened, type=_Kept)
        if kept.fingerprint != fingerprint:
            raise IdempotencyMismatch
        if kept.status == 0:
            raise Conflict("twin request under way")
        context.response_headers.extend(kept.context_headers)
        context.receipt = Receipt(*kept.receipt) if kept.receipt is not None else None
        headers = [*kept.headers, (b"idempotent-replayed", b"true")]
        await send({"type": "http.response.start", "status": kept.status, "headers": headers})
        await send({"type": "http.response.body", "body": kept.body})

    async def _read(self, receive: Receive) -> bytes:
        body: bytes = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > self._body_bytes_max:
                raise RequestTooLarge
            if not message.get("more_body", False):
                return body

    def _seal(self, key: str, kept: _Kept) -> bytes:
        return self._sealer.seal(key, msgspec.msgpack.encode(kept))


TooMany: Final = 429


def _fingerprint(scope: Scope, body: bytes) -> bytes:
    target = f"{scope['method']} {scope['path']}?".encode() + scope["query_string"]
    return hashlib.sha256(target + b"\n" + body).digest()


def _scope_of(given: bytes, headers: Headers, context: RequestContext, token: bytes) -> str:
    """A key belongs to whoever sent it: a refresh `token`, the session, else the client's address."""
    if token:
        # A phone that lost the answer with its network asks again from another address.
        return hashlib.sha256(token + b"\n" + given).hexdigest()
    cookie = headers.get(b"cookie", b"").decode("latin-1")
    # A direct client has no cookie of ours; people behind one address must not get each other's answers.
    bearer = headers.get(b"authorization", b"").decode("latin-1")
    owner = bearer or cookies.read(cookie, cookies.SESSION) or cookies.read(cookie, cookies.ATTEMPT) or context.client.ip or ""
    return hashlib.sha256(owner.encode() + b"\n" + given).hexdigest()
