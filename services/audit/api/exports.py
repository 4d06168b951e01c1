"""
POST and GET /v1/exports, GET /v1/exports/{export_id}/file.

An export is asked for and fetched in two steps, so that the first can demand a fresh proof of who asks and the second is an
ordinary download. Only the caller who asked can fetch it, for ten minutes, as often as needed; the file ends where the log
ended when it was asked for.
"""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Stream
from litestar.response.base import ASGIResponse

from services.audit.api.access import EXPORT_FILE_ROUTE, EXPORTS_PATH
from services.audit.api.changes import Asked, recorded
from services.audit.api.problems import ExportExpired
from services.audit.api.query import SearchQuery, moment, parse_search, shape
from services.audit.api.views import encode_view
from services.audit.exporting.files import file_bytes
from services.audit.exporting.formats import SHAPES, Format
from services.audit.exporting.pages import records
from services.audit.storage.exports import Export, ExportStore, Owner, Pairs
from services.audit.storage.log import LogReader
from services.audit.storage.search import EntryReader
from services.audit.subjects import asked_about
from shared.events import Actor, EventType
from shared.http.problems import context_of
from shared.ids import is_uuid, uuid7
from shared.problems import InvalidRequest, NotFound

AnyRequest = Request[Any, Any, Any]

LIFE: Final = timedelta(minutes=10)
PAGE: Final = 50
# A file has no pages.
PAGING_FIELDS: Final = ("limit", "order", "cursor")


class ExportRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked for: `params` has the names of GET /v1/events, without paging; a list where a name may be repeated."""

    format: Format
    params: dict[str, str | list[str]] = {}

    def pairs(self) -> Pairs:
        """Return the parameters as a query string would hold them."""
        many = [(name, value if isinstance(value, list) else [value]) for name, value in self.params.items()]
        return [(name, value) for name, values in many for value in values]


class ExportView(msgspec.Struct, frozen=True):
    """One export: `url` is where its file is until `expires_at`; `params` are null after that."""

    id: str
    format: str
    params: dict[str, str | list[str]] | None
    created_at: datetime
    expires_at: datetime
    url: str

    @classmethod
    def of(cls, export: Export) -> "ExportView":
        """Return the view of an export."""
        name = str(export.export_id)
        params = None if export.params is None else _grouped(export.params)
        return cls(name, export.format, params, export.created_at, export.expires_at, f"{EXPORTS_PATH}/{name}/file")


class ExportsView(msgspec.Struct, frozen=True):
    """A page of exports, newest first."""

    exports: list[ExportView]
    next_cursor: str | None


@post(EXPORTS_PATH, status_code=201)
async def create_export(request: AnyRequest) -> ASGIResponse:
    """Keep what is asked for, and say where its file is."""
    wanted = _read(await request.body())
    pairs = wanted.pairs()
    query = _parse(request, pairs)
    log: LogReader = request.app.state.log
    sealed = await log.checkpoint()
    now = datetime.now(UTC)
    export_id = uuid7()
    export = Export(export_id, wanted.format.value, pairs, sealed.tree_size if sealed else 0, now, now + LIFE)
    exports: ExportStore = request.app.state.exports
    about = {
        "export_id": str(export_id),
        "format": wanted.format.value,
        "filters": list(query.fields),
        "end_leaf": export.end_leaf,
    }
    asked = Asked.of(request, EXPORTS_PATH, 201)
    async with recorded(request.app.state.trail, asked, EventType.AUDIT_EXPORT_CREATED, about):
        await exports.add(Owner(asked.caller.kind, asked.caller.id), export)
    return ASGIResponse(body=encode_view(ExportView.of(export)), media_type="application/json", status_code=201)


@get(EXPORTS_PATH)
async def list_exports(request: AnyRequest) -> ASGIResponse:
    """Answer the caller's own exports."""
    after = _page(list(request.query_params.multi_items()))
    caller: Actor = request.scope["state"]["caller"]
    exports: ExportStore = request.app.state.exports
    found = await exports.newest(Owner(caller.kind, caller.id), after=after, limit=PAGE + 1)
    page = found[:PAGE]
    more = _cursor(page[-1]) if len(found) > PAGE else None
    people = frozenset[str]().union(*(asked_about(_parse(request, one.params).filters) for one in page if one.params))
    data = shape("exports", ("cursor",) if after else (), rows=len(page))
    await request.app.state.reads.record(context_of(request), caller, EXPORTS_PATH, data, people)
    view = ExportsView([ExportView.of(export) for export in page], more)
    return ASGIResponse(body=encode_view(view), media_type="application/json")


@get("/v1/exports/{export_id:str}/file")
async def get_export_file(request: AnyRequest, export_id: FromPath[str]) -> Stream:
    """Answer the file."""
    caller: Actor = request.scope["state"]["caller"]
    exports: ExportStore = request.app.state.exports
    export = await exports.find(Owner(caller.kind, caller.id), UUID(export_id)) if is_uuid(export_id) else None
    if export is None:
        raise NotFound()
    if export.params is None or export.expires_at <= datetime.now(UTC):
        raise ExportExpired()
    query, export_format = _parse(request, export.params), Format(export.format)
    data = shape("export", query.fields, export_id=export_id, format=export.format, end_leaf=export.end_leaf)
    await request.app.state.reads.record(context_of(request), caller, EXPORT_FILE_ROUTE, data, asked_about(query.filters))
    reader: EntryReader = request.app.state.reader
    media_type, suffix = SHAPES[export_format]
    pages = records(reader, query.filters, first_leaf=0, end_leaf=export.end_leaf)
    name = f"countersign-{export.created_at:%Y%m%dT%H%M%SZ}.{suffix}"
    headers = {"content-disposition": f'attachment; filename="{name}"', "x-accel-buffering": "no"}
    return Stream(file_bytes(export_format, pages), media_type=media_type, headers=headers)


def _read(body: bytes) -> ExportRequest:
    try:
        return msgspec.json.decode(body, type=ExportRequest)
    except (msgspec.MsgspecError, ValueError) as error:
        raise InvalidRequest(extensions={"errors": [{"field": "body", "message": str(error)}]}) from error


def _parse(request: AnyRequest, pairs: Pairs) -> SearchQuery:
    errors = [{"field": name, "message": "A file has no pages."} for name, _ in pairs if name in PAGING_FIELDS]
    if errors:
        raise InvalidRequest(extensions={"errors": errors})
    return parse_search(pairs, request.app.state.email_hash_keys)


def _grouped(pairs: Pairs) -> dict[str, str | list[str]]:
    made: dict[str, list[str]] = {}
    for name, value in pairs:
        made.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in made.items()}


def _cursor(export: Export) -> str:
    return base64.urlsafe_b64encode(f"{export.created_at.isoformat()} {export.export_id}".encode()).decode()


def _page(pairs: list[tuple[str, str]]) -> tuple[datetime, UUID] | None:
    if not pairs:
        return None
    (name, value), *others = pairs
    if name != "cursor" or others:
        raise InvalidRequest(extensions={"errors": [{"field": pairs[-1][0], "message": "There is no such parameter here."}]})
    try:
        created_at, export_id = base64.urlsafe_b64decode(value).decode().split(" ")
        return moment(created_at), UUID(export_id)
    except (binascii.Error, ValueError) as error:
        message = "Give the next_cursor of an earlier answer."
        raise InvalidRequest(extensions={"errors": [{"field": "cursor", "message": message}]}) from error
