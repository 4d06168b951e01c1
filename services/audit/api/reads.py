"""Every read is recorded before it is answered: who, from where, which filters, how many rows; never the terms."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from services.audit.api.problems import ReadNotRecorded
from services.audit.reading import SUBJECT_REFS
from services.audit.subjects import subject_refs
from shared.audit_trail import AuditTrail, AuditUnavailable
from shared.events import Actor, Draft, EventType, HttpRef, Outcome
from shared.http.context import RequestContext
from shared.problems import retry_after


class ReadRecorder:
    """
    Puts `audit.query.executed` on the queue, as any producer does.

    Args:
        trail: The way into the log.
        keys: The keys of hashes over people, as in the key file; the first one signs.
    """

    def __init__(self, trail: AuditTrail, keys: Sequence[str]) -> None:
        self._trail: Final = trail
        self._keys: Final = keys

    async def record(
        self, context: RequestContext, caller: Actor, route: str, data: dict[str, Any], people: Iterable[str] = ()
    ) -> None:
        """
        Record one read; `people` are the accounts that were asked for or are shown, of which the event holds keyed references.

        Raises:
            ReadNotRecorded: The queue refused: show nothing.
        """
        refs = subject_refs(people, self._keys)
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
                    data={**data, SUBJECT_REFS: refs} if refs else data,
                )
            )
        except AuditUnavailable as error:
            raise ReadNotRecorded(str(error), headers=retry_after(2)) from error
