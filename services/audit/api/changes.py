"""Every change that the API makes is recorded before it is answered, under an event type of its own."""

from typing import Any, Final

from services.audit.api.problems import ReadNotRecorded
from shared.audit_trail import AuditTrail, AuditUnavailable
from shared.events import Actor, Draft, EventType, HttpRef, Outcome
from shared.http.context import RequestContext
from shared.problems import retry_after


class ChangeRecorder:
    """Puts what a caller changed on the queue, as any producer does."""

    def __init__(self, trail: AuditTrail) -> None:
        self._trail: Final = trail

    async def record(
        self, context: RequestContext, caller: Actor, event_type: EventType, http: HttpRef, data: dict[str, Any]
    ) -> None:
        """
        Record one change.

        Raises:
            ReadNotRecorded: The queue refused: answer nothing of it.
        """
        try:
            context.receipt = await self._trail.record(
                Draft(
                    event_type=event_type,
                    outcome=Outcome.SUCCESS,
                    request_id=context.request_id,
                    trace_id=context.trace_id,
                    actor=caller,
                    client=context.client,
                    http=http,
                    data=data,
                )
            )
        except AuditUnavailable as error:
            raise ReadNotRecorded(str(error), headers=retry_after(2)) from error
