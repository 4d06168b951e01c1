"""Drafts become events: the request's id, trace and client are filled in, and the receipt goes on the answer."""

from collections.abc import Sequence

import msgspec

from shared.audit_trail import AuditTrail, Receipt
from shared.events import Draft, HttpRef
from shared.http.context import RequestContext


class Recorder:
    """Records events of one request; raises `AuditUnavailable` as the trail does."""

    def __init__(self, trail: AuditTrail) -> None:
        self._trail = trail

    async def record(self, context: RequestContext, *drafts: Draft) -> Receipt:
        """Record events, in order; the receipt of the last goes on the answer."""
        receipts = await self._trail.record_all([_in_context(context, draft) for draft in drafts])
        context.receipt = receipts[-1]
        return receipts[-1]

    async def announce(self, context: RequestContext, drafts: Sequence[Draft]) -> None:
        """Record events that the answer does not wait for: what had to be undone while the queue refused."""
        for draft in drafts:
            await self._trail.announce(_in_context(context, draft))


def _in_context(context: RequestContext, draft: Draft) -> Draft:
    http = draft.http
    if http is None and context.route:
        http = HttpRef(method=context.method, route=context.route)
    return msgspec.structs.replace(
        draft, request_id=context.request_id, trace_id=context.trace_id, client=draft.client or context.client, http=http
    )
