"""
The socket over which a page shows a QR code: it asks for challenges, and hears when the newest one moves.

The sub-protocol carries who asks: `x.authsignal.token.<token>` or `x.authsignal.tenant.<tenant id>`, beside `authsignal-ws`,
which must be chosen in the answer. There is no message for an error: the socket closes.
"""

import asyncio
from typing import Any

import msgspec
from litestar import WebSocket, websocket
from litestar.di import NamedDependency
from litestar.exceptions import WebSocketDisconnect

from deploy.local.authsignal import phones
from deploy.local.authsignal.auth import read_claims
from deploy.local.authsignal.errors import ApiError, Unauthorized
from deploy.local.authsignal.methods import qr_code
from deploy.local.authsignal.model import Challenge
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.tokens import TokenClaims
from deploy.local.authsignal.views import timestamp
from deploy.local.authsignal.wire_phones import SocketMessage

PATH = "/ws-v1-challenge"
_PROTOCOL = "authsignal-ws"
_TOKEN, _TENANT = "x.authsignal.token.", "x.authsignal.tenant."
_CLOSE_REFUSED = 1008  # RFC 6455 section 7.4.1: policy violation
AnySocket = WebSocket[Any, Any, Any]


@websocket(PATH)
async def qr_socket(socket: AnySocket, tenant: NamedDependency[Tenant]) -> None:
    """Serve one page until it leaves."""
    try:
        claims = _caller(socket, tenant)
    except ApiError:
        await socket.close(code=_CLOSE_REFUSED)  # before it is accepted: the handshake fails
        return
    await socket.accept(subprotocols=_PROTOCOL)
    page = _Page(socket, tenant, claims)
    with tenant.notices.watch() as moves:
        tasks = {asyncio.create_task(page.listen()), asyncio.create_task(page.tell(moves))}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        error = task.exception()
        if isinstance(error, ApiError | msgspec.MsgspecError):
            await socket.close(code=_CLOSE_REFUSED)
        elif error is not None and not isinstance(error, WebSocketDisconnect):
            raise error


def _caller(socket: AnySocket, tenant: Tenant) -> TokenClaims | None:
    origin = socket.headers.get("origin")
    if origin is not None and origin not in tenant.settings.webauthn_origins:
        raise Unauthorized
    offered = socket.scope["subprotocols"]
    if _PROTOCOL not in offered:
        raise Unauthorized
    for item in offered:
        if item.startswith(_TOKEN):
            return read_claims(tenant, item.removeprefix(_TOKEN))
    if f"{_TENANT}{tenant.settings.tenant_id}" not in offered:
        raise Unauthorized
    return None


class _Page:
    """One page and the challenge that it shows."""

    def __init__(self, socket: AnySocket, tenant: Tenant, claims: TokenClaims | None) -> None:
        self._socket = socket
        self._tenant = tenant
        self._claims = claims
        self._shown: str | None = None
        self._told: str | None = None

    async def listen(self) -> None:
        """
        Make a challenge whenever the page asks; the one before is forgotten.

        Raises:
            WebSocketDisconnect: The page left.
            ApiError, msgspec.MsgspecError: It asked for something that there is not.
        """
        while True:
            message = msgspec.json.decode(await self._socket.receive_text(), type=SocketMessage)
            if message.type != "CREATE_CHALLENGE" or message.data.challenge_type != "QR_CODE":
                raise msgspec.ValidationError("no such message")
            asked = message.data
            pending = qr_code.begin(self._tenant, self._socket, self._claims, asked.action_code, asked.custom)
            self._shown, self._told = pending.challenge_id, None
            data = {
                "challengeId": pending.challenge_id,
                "challengeType": "QR_CODE",
                "expiresAt": timestamp(pending.expires_at),
                "state": "unclaimed",
            }
            await self._send("CHALLENGE_CREATED", data)

    async def tell(self, moves: asyncio.Queue[str]) -> None:
        """Tell the page each state of its challenge, once."""
        while True:
            challenge_id = await moves.get()
            pending = self._tenant.store.challenge(challenge_id) if challenge_id == self._shown else None
            state = _state(pending) if pending else None
            if pending is None or state is None or state == self._told:
                continue
            self._told = state
            token = phones.token_of(self._tenant, pending)
            data = {"challengeId": challenge_id, "state": state} | ({"accessToken": token} if token else {})
            await self._send("STATE_CHANGE", data)

    async def _send(self, kind: str, data: dict[str, str]) -> None:
        await self._socket.send_text(msgspec.json.encode({"type": kind, "data": data}).decode())


def _state(pending: Challenge) -> str | None:
    if pending.decision is not None:
        return pending.decision.value
    return "claimed" if pending.claimed_at is not None else None
