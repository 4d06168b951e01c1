"""GET and POST /v1/erasures; GET and POST /v1/holds, DELETE /v1/holds/{hold_id}."""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Request, delete, get, post
from litestar.params import FromPath, JSONBody
from litestar.response.base import ASGIResponse

from services.audit.api.access import ERASURES_PATH, HOLD_ROUTE, HOLDS_PATH
from services.audit.api.changes import Asked, recorded
from services.audit.api.query import TEXT, shape
from services.audit.api.views import encode_view
from services.audit.erasure.eraser import Eraser
from services.audit.erasure.subject import parse_subject
from services.audit.storage.erasing import Erasure, ErasureStore, Hold
from shared.events import Actor, EventType
from shared.http.problems import context_of
from shared.ids import is_uuid, uuid7
from shared.problems import InvalidRequest, NotFound

AnyRequest = Request[Any, Any, Any]

PAGE_ROWS: Final = 100


class AboutSubject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom it is about (the `sub` of an account, an e-mail address, or its `email_hash`), and why: for people, not searched."""

    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=256, pattern=TEXT)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000, pattern=TEXT)]


class ErasureView(msgspec.Struct, frozen=True):
    """
    One erasure: `subject_ref` is the keyed reference that its events bear.

    `compacted_at` is null while the files of the database may still hold what was removed from it.
    """

    id: str
    subject_ref: str
    erased_entries: int
    erased_keys: int
    created_at: datetime
    by: str
    reason: str
    compacted_at: datetime | None = None

    @classmethod
    def of(cls, one: Erasure) -> "ErasureView":
        """Return the view of an erasure."""
        counts = one.entry_count, one.key_count
        return cls(
            str(one.erasure_id), one.subject_ref.hex(), *counts, one.created_at, one.created_by, one.reason, one.compacted_at
        )


class HoldView(msgspec.Struct, frozen=True):
    """One legal hold; `subject` is null when the person was erased after the release."""

    id: str
    subject: str | None
    reason: str
    created_at: datetime
    created_by: str
    released_at: datetime | None

    @classmethod
    def of(cls, one: Hold) -> "HoldView":
        """Return the view of a hold."""
        return cls(str(one.hold_id), one.subject, one.reason, one.created_at, one.created_by, one.released_at)


@post(ERASURES_PATH)
async def erase_subject(request: AnyRequest, data: JSONBody[AboutSubject]) -> ASGIResponse:
    """Erase a person."""
    state = request.app.state
    eraser: Eraser = state.eraser
    asked = Asked.of(request, ERASURES_PATH, 201)
    erased = await eraser.erase(parse_subject(data.subject, state.email_hash_keys), reason=data.reason, asked=asked)
    counts = erased.done.entry_count, len(erased.done.key_ids)
    ref = erased.subject_ref.hex()
    return _answer(ErasureView(str(erased.erasure_id), ref, *counts, erased.done.at, asked.by, data.reason), 201)


@get(ERASURES_PATH)
async def list_erasures(request: AnyRequest) -> ASGIResponse:
    """Answer the erasures that were carried out, newest first."""
    store: ErasureStore = request.app.state.erasures
    found = await store.erasures(before=_cursor(request), limit=PAGE_ROWS + 1)
    page = found[:PAGE_ROWS]
    await _record_read(request, ERASURES_PATH, "erasures", len(page))
    more = str(page[-1].number) if len(found) > PAGE_ROWS else None
    return _answer({"erasures": [ErasureView.of(one) for one in page], "next_cursor": more})


@get(HOLDS_PATH)
async def list_holds(request: AnyRequest) -> ASGIResponse:
    """Answer the legal holds, released ones as well, newest first."""
    store: ErasureStore = request.app.state.erasures
    found = await store.holds(before=_cursor(request), limit=PAGE_ROWS + 1)
    page = found[:PAGE_ROWS]
    await _record_read(request, HOLDS_PATH, "holds", len(page))
    more = str(page[-1].number) if len(found) > PAGE_ROWS else None
    return _answer({"holds": [HoldView.of(one) for one in page], "next_cursor": more})


@post(HOLDS_PATH)
async def place_hold(request: AnyRequest, data: JSONBody[AboutSubject]) -> ASGIResponse:
    """Place a legal hold: nobody erases this person until it is released."""
    state = request.app.state
    store: ErasureStore = state.erasures
    asked = Asked.of(request, HOLDS_PATH, 201)
    subject = parse_subject(data.subject, state.email_hash_keys)
    hold_id = uuid7()
    async with recorded(state.trail, asked, EventType.AUDIT_HOLD_PLACED, _about(hold_id)):
        hold = await store.place(hold_id, subject, reason=data.reason, by=asked.by)
    return _answer(HoldView.of(hold), 201)


@delete(HOLD_ROUTE.replace("}", ":str}"), status_code=200)
async def release_hold(request: AnyRequest, hold_id: FromPath[str]) -> ASGIResponse:
    """Release a legal hold."""
    state = request.app.state
    store: ErasureStore = state.erasures
    asked = Asked.of(request, HOLD_ROUTE, 200)
    if not is_uuid(hold_id) or not await store.stands(UUID(hold_id)):
        raise NotFound()
    async with recorded(state.trail, asked, EventType.AUDIT_HOLD_RELEASED, _about(UUID(hold_id))):
        hold = await store.release(UUID(hold_id), by=asked.by)
        if hold is None:  # Somebody else released it meanwhile, and that is recorded.
            raise NotFound()
    return _answer(HoldView.of(hold))


def _about(hold_id: UUID) -> dict[str, Any]:
    """Return what an event says of a hold: its id alone, since the log keeps that for ever."""
    return {"hold_id": str(hold_id)}


async def _record_read(request: AnyRequest, route: str, view: str, rows: int) -> None:
    caller: Actor = request.scope["state"]["caller"]
    await request.app.state.reads.record(context_of(request), caller, route, shape(view, (), rows=rows))


def _cursor(request: AnyRequest) -> int | None:
    given = dict(request.query_params)
    cursor = given.pop("cursor", None)
    errors = [{"field": name, "message": "There is no such parameter here."} for name in given]
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        errors.append({"field": "cursor", "message": "Give the next_cursor of an earlier answer."})
    if errors:
        raise InvalidRequest(extensions={"errors": errors})
    return None if cursor is None else int(cursor)


def _answer(view: Any, status: int = 200) -> ASGIResponse:
    return ASGIResponse(body=encode_view(view), media_type="application/json", status_code=status)
