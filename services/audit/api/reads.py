"""Every read is recorded before it is answered: who, from where, which filters, how many rows; never the terms."""

from typing import Any, Final

from services.audit.api.problems import ReadNotRecorded
from shared.audit_trail import AuditTrail, AuditUnavailable
from shared.events import Actor, Draft, EventType, HttpRef, Outcome
from shared.http.context import RequestContext
from shared.problems import retry_after


class ReadRecorder:
    """Puts `audit.query.executed` on the queue, as any producer does."""

    def __init__(self, trail: AuditTrail) -> None:
        self._trail: Final = trail

    async def record(self, context: RequestContext, caller: Actor, route: str, data: dict[str, Any]) -> None:
        """
        Record one read.

        Raises:
            ReadNotRecorded: The queue refused: show nothing.
        """
        try:
            context.receipt = await self._trail.record(
                Draft(
                    event_type=EventType.AUDIT_QUERY_EXECUTED,
                    outcome=Outcome.SUCCESS,
                    request_id=context.request_id,
                    trace_id=context.trace_id,
                    actor=caller,
                    client=context.client,
                    http=HttpRef(method="GET", route=route, status=200),
                    data=data,
                )
            )
        except AuditUnavailable as error:
            raise ReadNotRecorded(str(error), headers=retry_after(2)) from error
