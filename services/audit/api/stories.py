"""GET /v1/sessions/{ref} and GET /v1/attempts/{attempt_id}: everything that happened in one, oldest first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from services.audit.api.access import ATTEMPT_ROUTE, SESSION_ROUTE
from services.audit.api.events import shown_people
from services.audit.api.query import parse_page, path_text, shape
from services.audit.api.views import EntryView, encode_view
from services.audit.storage.search import Boundary, EntryReader, Filters
from shared.http.problems import context_of
from shared.problems import NotFound

AnyRequest = Request[Any, Any, Any]


class StorySubjectView(msgspec.Struct, frozen=True):
    """Whom it was about."""

    sub: str | None
    email_hash: str | None


class StoryClientView(msgspec.Struct, frozen=True):
    """Where it came from last."""

    ip: str | None
    country: str | None
    user_agent: str | None
    device_id: str | None


class StoryView(msgspec.Struct, frozen=True):
    """
    One session or attempt.

    The summary is of all its events: `outcome` is that of the last one that is not pending. `events` is one page of them, and
    `next_cursor` leads to the next.
    """

    id: str
    first_seen: datetime
    last_seen: datetime
    outcome: str
    subject: StorySubjectView
    client: StoryClientView
    event_count: int
    events: Sequence[EntryView]
    next_cursor: str | None


@get(SESSION_ROUTE.replace("{ref}", "{ref:str}"))
async def get_session(request: AnyRequest, ref: FromPath[str]) -> ASGIResponse:
    """Answer the story of one session."""
    return await _answer(request, SESSION_ROUTE, "session", ref, Filters(session=path_text(ref)))


@get(ATTEMPT_ROUTE.replace("{attempt_id}", "{attempt_id:str}"))
async def get_attempt(request: AnyRequest, attempt_id: FromPath[str]) -> ASGIResponse:
    """Answer the story of one attempt."""
    return await _answer(request, ATTEMPT_ROUTE, "attempt", attempt_id, Filters(attempt=path_text(attempt_id)))


async def _answer(request: AnyRequest, route: str, view: str, name: str, filters: Filters) -> ASGIResponse:
    query = parse_page(list(request.query_params.multi_items()))
    reader: EntryReader = request.app.state.reader
    summary = await reader.boundary(filters)
    found = await reader.story(filters, after=query.after, limit=query.limit + 1) if summary is not None else []
    page = found[: query.limit]
    data = shape(view, query.fields, limit=query.limit, rows=len(page))
    caller = request.scope["state"]["caller"]
    await request.app.state.reads.record(context_of(request), caller, route, data, shown_people(page))
    if summary is None:
        raise NotFound()
    more = page[-1].search_cursor().encode() if len(found) > query.limit else None
    body = encode_view(_story(name, summary, [EntryView.of(one) for one in page], more))
    return ASGIResponse(body=body, media_type="application/json")


def _story(name: str, summary: Boundary, events: Sequence[EntryView], more: str | None) -> StoryView:
    email_hash = summary.email_hash.hex() if summary.email_hash is not None else None
    return StoryView(
        name,
        summary.first_seen,
        summary.last_seen,
        summary.outcome,
        StorySubjectView(summary.subject_sub, email_hash),
        StoryClientView(summary.ip, summary.country, summary.user_agent, summary.device_id),
        summary.event_count,
        events,
        more,
    )
