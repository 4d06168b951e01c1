"""/v1/searches: searches that people keep, for themselves or for everybody who may read the log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, delete, get, post, put
from litestar.params import FromPath, JSONBody
from litestar.response.base import ASGIResponse
from msgspec import Meta

from services.audit.api.access import SEARCH_ROUTE, SEARCHES_PATH
from services.audit.api.changes import Asked, recorded
from services.audit.api.problems import SearchNameTaken
from services.audit.api.query import FILTER_FIELDS, parse_nothing, parse_search, shape
from services.audit.api.views import encode_view
from services.audit.storage.saved import NameTaken, SavedSearch, SearchShelf, Wanted
from shared.events import Actor, EventType
from shared.http.problems import context_of
from shared.ids import is_uuid, uuid7
from shared.problems import InvalidRequest, NotFound

AnyRequest = Request[Any, Any, Any]

Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]


class SearchInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be kept: `params` has the names of GET /v1/events, one at least; several values of one name are a list."""

    name: Name
    params: dict[str, str | list[str]]
    is_shared: bool = False


class OwnerView(msgspec.Struct, frozen=True):
    """Whose search it is."""

    kind: str
    id: str


class SearchView(msgspec.Struct, frozen=True):
    """One kept search; without `params` it is one that an erasure has emptied, because it named the person."""

    id: str
    name: str
    params: dict[str, Any]
    is_shared: bool
    owner: OwnerView
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, saved: SavedSearch) -> "SearchView":
        """Return the view of a kept search."""
        owner = OwnerView(saved.owner.kind, saved.owner.id)
        times = saved.created_at, saved.updated_at
        return cls(str(saved.search_id), saved.name, saved.params, saved.is_shared, owner, *times)


class SearchListView(msgspec.Struct, frozen=True):
    """Own searches and shared ones, by name; there is one page."""

    searches: Sequence[SearchView]
    next_cursor: str | None = None


@get(SEARCHES_PATH)
async def list_searches(request: AnyRequest) -> ASGIResponse:
    """Answer the searches that the caller may use."""
    parse_nothing(list(request.query_params.multi_items()))
    shelf: SearchShelf = request.app.state.searches
    found = await shelf.list(_caller(request))
    data = shape("searches", (), rows=len(found))
    await request.app.state.reads.record(context_of(request), _caller(request), SEARCHES_PATH, data)
    return _answer(SearchListView([SearchView.of(one) for one in found]))


@post(SEARCHES_PATH)
async def add_search(data: JSONBody[SearchInput], request: AnyRequest) -> ASGIResponse:
    """Keep a search."""
    wanted, search_id = _checked(request, data), uuid7()
    shelf: SearchShelf = request.app.state.searches
    asked, about = Asked.of(request, SEARCHES_PATH, 201), _about(search_id, wanted)
    async with recorded(request.app.state.trail, asked, EventType.AUDIT_SEARCH_SAVED, about):
        try:
            saved = await shelf.add(search_id, asked.caller, wanted)
        except NameTaken as error:
            raise SearchNameTaken() from error
    return _answer(SearchView.of(saved), 201)


@put(SEARCH_ROUTE.replace("{search_id}", "{search_id:str}"))
async def change_search(search_id: FromPath[str], data: JSONBody[SearchInput], request: AnyRequest) -> ASGIResponse:
    """Keep one of the caller's searches in another form."""
    wanted, uuid = _checked(request, data), _uuid(search_id)
    shelf: SearchShelf = request.app.state.searches
    asked, about = Asked.of(request, SEARCH_ROUTE, 200), _about(uuid, wanted)
    async with recorded(request.app.state.trail, asked, EventType.AUDIT_SEARCH_CHANGED, about):
        try:
            saved = await shelf.change(uuid, asked.caller, wanted)
        except NameTaken as error:
            raise SearchNameTaken() from error
        if saved is None:
            raise NotFound()
    return _answer(SearchView.of(saved))


@delete(SEARCH_ROUTE.replace("{search_id}", "{search_id:str}"))
async def remove_search(search_id: FromPath[str], request: AnyRequest) -> None:
    """Remove one of the caller's searches."""
    uuid = _uuid(search_id)
    shelf: SearchShelf = request.app.state.searches
    asked = Asked.of(request, SEARCH_ROUTE, 204)
    async with recorded(request.app.state.trail, asked, EventType.AUDIT_SEARCH_REMOVED, _about(uuid)):
        if not await shelf.remove(uuid, asked.caller):
            raise NotFound()


def _checked(request: AnyRequest, data: SearchInput) -> Wanted:
    pairs: list[tuple[str, str]] = []
    for name, values in data.params.items():
        pairs += [(name, value) for value in ([values] if isinstance(values, str) else values)]
    if "cursor" in data.params:
        raise InvalidRequest(extensions={"errors": [{"field": "cursor", "message": "A page of a search is not kept."}]})
    parse_search(pairs, request.app.state.email_hash_keys)
    # One without a filter would find everything; so it is also known by that whose person an erasure took out of it.
    if not any(name in FILTER_FIELDS for name, _ in pairs):
        raise InvalidRequest(extensions={"errors": [{"field": "params", "message": "Give at least one filter."}]})
    return Wanted(data.name.strip() or data.name, data.params, data.is_shared)


def _about(search_id: UUID, wanted: Wanted | None = None) -> dict[str, Any]:
    """Return what an event says of a search: neither the name that somebody gave to it, nor the terms."""
    return {"search_id": str(search_id), **({} if wanted is None else {"is_shared": wanted.is_shared})}


def _caller(request: AnyRequest) -> Actor:
    caller: Actor = request.scope["state"]["caller"]
    return caller


def _uuid(search_id: str) -> UUID:
    if not is_uuid(search_id):
        raise NotFound()
    return UUID(search_id)


def _answer(view: msgspec.Struct, status: int = 200) -> ASGIResponse:
    return ASGIResponse(body=encode_view(view), status_code=status, media_type="application/json")
