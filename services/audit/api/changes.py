"""Every change that the API makes is recorded before it is answered, under an event type of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from litestar import Request

from services.audit.api.problems import DoneNotRecorded, NothingChanged
from shared.audit_trail import AuditTrail, AuditUnavailable
from shared.events import Actor, Draft, EventType, HttpRef, Outcome
from shared.http.context import RequestContext
from shared.http.problems import context_of
from shared.problems import Problem, retry_after

AnyRequest = Request[Any, Any, Any]


class Asked(NamedTuple):
    """A request that changes something: who asks, and as what it is recorded."""

    context: RequestContext
    caller: Actor
    http: HttpRef

    @classmethod
    def of(cls, request: AnyRequest, route: str, status: int) -> "Asked":
        """Return what a request asks for; `status` is that of its answer when it is done."""
        http = HttpRef(method=request.method, route=route, status=status)
        return cls(context_of(request), request.scope["state"]["caller"], http)

    @property
    def by(self) -> str:
        """The caller, as it is kept."""
        return f"{self.caller.kind}:{self.caller.id}"

    def answered(self, status: int) -> "Asked":
        """Return the same request with another answer."""
        return self._replace(http=HttpRef(method=self.http.method, route=self.http.route, status=status))

    def draft(self, event_type: EventType, outcome: Outcome, data: dict[str, Any], reason: str | None = None) -> Draft:
        """Return the event that says so."""
        return Draft(
            event_type=event_type,
            outcome=outcome,
            reason=reason,
            request_id=self.context.request_id,
            trace_id=self.context.trace_id,
            actor=self.caller,
            client=self.context.client,
            http=self.http,
            data=data,
        )


@asynccontextmanager
async def recorded(trail: AuditTrail, asked: Asked, event_type: EventType, data: dict[str, Any]) -> AsyncIterator[None]:
    """
    Make a change, inside the block, that the log knows of before it is made: pending before, and then how it ended.

    What only the end knows, the block adds to `data`.

    Raises:
        NothingChanged: The queue refused the event before: the block was not entered.
        DoneNotRecorded: The queue refused the event behind it, which is offered again.
    """
    try:
        await trail.record(asked.draft(event_type, Outcome.PENDING, data))
    except AuditUnavailable as error:
        raise NothingChanged(str(error), headers=retry_after(2)) from error
    # A crash from here on leaves the pending event alone: the list says whether the change was made.
    try:
        yield
    except Problem as refusal:  # Nothing else is known to have changed nothing.
        await trail.announce(asked.answered(refusal.status).draft(event_type, Outcome.FAILURE, data, refusal.code))
        raise
    await record_done(trail, asked, event_type, data)


async def record_done(trail: AuditTrail, asked: Asked, event_type: EventType, data: dict[str, Any]) -> None:
    """
    Record a change that was made; the event is the receipt of the answer.

    Raises:
        DoneNotRecorded: The queue refused; the event is offered again.
    """
    try:
        asked.context.receipt = await trail.record(asked.draft(event_type, Outcome.SUCCESS, data))
    except AuditUnavailable as error:
        raise DoneNotRecorded(str(error), headers=retry_after(2)) from error
