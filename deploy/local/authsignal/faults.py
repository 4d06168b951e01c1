"""
Faults that a test asks for: slow, down, gone, or talking rubbish. Every fault ends by itself after so many calls.

A fault applies to the APIs under `/v1`, never to the control port, so a test can always take it back.
"""

import asyncio
import uuid
from enum import StrEnum
from typing import Annotated

import msgspec
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from msgspec import Meta

from deploy.local.authsignal.asgi import answer, answer_json, http_scope
from deploy.local.authsignal.errors import error_body
from deploy.local.authsignal.protocol import abort


class FaultKind(StrEnum):
    """What goes wrong."""

    DELAY = "delay"  # answers as usual, late
    REFUSE = "refuse"  # 503 at once, nothing is executed
    DROP = "drop"  # the connection closes without a byte, nothing is executed
    DROP_ANSWER = "drop_answer"  # executed as usual, then the connection closes without a byte
    RESPOND = "respond"  # a chosen answer, nothing is executed
    CRASH = "crash"  # an exception inside the simulator


class FaultRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault to set: which calls it hits, how many of them, and what happens to them."""

    kind: FaultKind
    method: str | None = None  # any, if None
    path_prefix: Annotated[str, Meta(pattern="^/v1")] = "/v1"
    times: Annotated[int, Meta(ge=1, le=10_000)] = 1
    delay_ms: Annotated[int, Meta(ge=0, le=60_000)] = 0  # waits before any kind of fault
    status: Annotated[int, Meta(ge=200, le=599)] = 500
    body: Annotated[str, Meta(max_length=65_536)] = ""
    content_type: Annotated[str, Meta(max_length=200)] = "application/json"


class Fault(msgspec.Struct, kw_only=True):
    """A fault that is set, with what is left of it."""

    fault_id: str
    request: FaultRequest
    remaining: int
    hits: int = 0


class FaultTable:
    """The faults that are set, in the order in which they were; the first that matches a call takes it."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, request: FaultRequest) -> Fault:
        """Set a fault."""
        fault = Fault(fault_id=str(uuid.uuid4()), request=request, remaining=request.times)
        self._faults.append(fault)
        return fault

    def take(self, method: str, path: str) -> FaultRequest | None:
        """The fault for a call, if there is one; using it up by one."""
        for fault in self._faults:
            asked = fault.request
            if fault.remaining and asked.method in (None, method) and path.startswith(asked.path_prefix):
                fault.remaining -= 1
                fault.hits += 1
                return asked
        return None

    def view(self) -> list[Fault]:
        """All faults, used up or not."""
        return [*self._faults]

    def clear(self) -> None:
        """Take every fault back."""
        self._faults.clear()


class SimulatedCrash(Exception):
    """Raised by the fault `crash`, to see how the simulator answers when it fails."""


def fault_middleware(app: ASGIApp, faults: FaultTable) -> ASGIApp:
    """Wrap the APIs so that calls meet the faults that are set."""

    async def apply(scope: Scope, receive: Receive, send: Send) -> None:
        http = http_scope(scope)
        fault = faults.take(http["method"], http["path"]) if http else None
        if http is None or fault is None:
            await app(scope, receive, send)
            return
        await asyncio.sleep(fault.delay_ms / 1000)
        match fault.kind:
            case FaultKind.DELAY:
                await app(scope, receive, send)
            case FaultKind.REFUSE:
                await answer_json(send, 503, error_body("unexpected_error", "The service is unavailable."))
            case FaultKind.RESPOND:
                await answer(send, fault.status, fault.body.encode(), content_type=fault.content_type)
            case FaultKind.DROP:
                await _drop(http, receive)
            case FaultKind.DROP_ANSWER:
                await app(scope, receive, _discard)
                await _drop(http, receive)
            case FaultKind.CRASH:
                raise SimulatedCrash

    return apply


async def _discard(_: Message) -> None:
    return None


async def _drop(scope: HTTPScope, receive: Receive) -> None:
    abort(scope)
    while (await receive())["type"] != "http.disconnect":
        pass
