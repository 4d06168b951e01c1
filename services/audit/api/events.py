"""GET /v1/events and GET /v1/events/{event_id}."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from litestar import Request, get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from services.audit.api.access import EVENT_ROUTE, EVENTS_PATH
from services.audit.api.problems import DroppedByRetention
from services.audit.api.query import SearchQuery, parse_search, shape
from services.audit.api.reads import ReadRecorder
from services.audit.api.views import EntryView, PageView, encode_view
from services.audit.storage.cursor import BEGINNING
from services.audit.storage.log import LogReader
from services.audit.storage.search import EntryReader, Found
from services.audit.subjects import asked_about
from shared.http.problems import context_of
from shared.ids import is_uuid
from shared.problems import InvalidRequest, NotFound

AnyRequest = Request[Any, Any, Any]


@get(EVENTS_PATH)
async def search_events(request: AnyRequest) -> ASGIResponse:
    """Answer one page of a search."""
    query = parse_search(list(request.query_params.multi_items()), request.app.state.email_hash_keys)
    page, people = await find_page(request.app.state.reader, query)
    data = shape("search", query.fields, limit=query.limit, rows=len(page.events))
    await _record(request, EVENTS_PATH, data, people)
    return _answer(page)


@get("/v1/events/{event_id:str}")
async def get_event(request: AnyRequest, event_id: FromPath[str]) -> ASGIResponse:
    """Answer one entry."""
    if request.query_params:
        errors = [{"field": name, "message": "There is no such parameter here."} for name in request.query_params]
        raise InvalidRequest(extensions={"errors": errors})
    if not is_uuid(event_id):
        raise NotFound()
    reader: EntryReader = request.app.state.reader
    found = await reader.find(UUID(event_id))
    view = None if found is None else EntryView.of(found)
    await _record(request, EVENT_ROUTE, shape("event", (), rows=0 if view is None else 1), shown_people([found]))
    if view is None:
        log: LogReader = request.app.state.log
        raise DroppedByRetention() if await log.is_dropped(UUID(event_id)) else NotFound()
    return _answer(view)


async def find_page(reader: EntryReader, query: SearchQuery) -> tuple[PageView, frozenset[str]]:
    """Return the page that a query asks for, and the accounts that it names or shows."""
    asked = asked_about(query.filters)
    # One more than asked for tells whether there is a next page.
    if query.order == "desc":
        found = await reader.search(query.filters, after=query.search_after, limit=query.limit + 1)
        page = found[: query.limit]
        more = page[-1].search_cursor().encode() if len(found) > query.limit else None
        return PageView([EntryView.of(one) for one in page], more), asked | shown_people(page)
    since = query.filters.since
    after = query.log_after or (BEGINNING if since is None else await reader.place_before(since))
    found = await reader.follow(query.filters, after=after, limit=query.limit + 1)
    page = found[: query.limit]
    here = page[-1].log_cursor().encode() if page else after.encode()
    view = PageView([EntryView.of(one) for one in page], here if len(found) > query.limit else None, here)
    return view, asked | shown_people(page)


def shown_people(found: Iterable[Found | None]) -> frozenset[str]:
    """Return the accounts that entries are about."""
    return frozenset(one.subject_sub for one in found if one is not None and one.subject_sub is not None)


async def _record(request: AnyRequest, route: str, data: dict[str, Any], people: frozenset[str]) -> None:
    recorder: ReadRecorder = request.app.state.reads
    await recorder.record(context_of(request), request.scope["state"]["caller"], route, data, people)


def _answer(view: PageView | EntryView) -> ASGIResponse:
    return ASGIResponse(body=encode_view(view), media_type="application/json")
