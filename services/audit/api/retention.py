"""GET /v1/retention: the signed statements about months that were dropped."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, get
from litestar.response.base import ASGIResponse

from services.audit.api.access import RETENTION_PATH
from services.audit.api.query import shape
from services.audit.api.views import encode_view
from services.audit.storage.log import LogReader
from shared.http.problems import context_of
from shared.problems import InvalidRequest

AnyRequest = Request[Any, Any, Any]


class StatementView(msgspec.Struct, frozen=True):
    """One dropped month: `note` is the statement as it was signed."""

    month: str
    entries: int
    note: str
    archive_key: str
    dropped_at: datetime


class StatementsView(msgspec.Struct, frozen=True):
    """All statements, newest first: one a month at most."""

    statements: list[StatementView]
    next_cursor: None = None


@get(RETENTION_PATH)
async def list_statements(request: AnyRequest) -> ASGIResponse:
    """Answer all statements."""
    if request.query_params:
        errors = [{"field": name, "message": "There is no such parameter here."} for name in request.query_params]
        raise InvalidRequest(extensions={"errors": errors})
    log: LogReader = request.app.state.log
    found = await log.statements()
    data = shape("retention", (), rows=len(found))
    await request.app.state.reads.record(context_of(request), request.scope["state"]["caller"], RETENTION_PATH, data)
    view = StatementsView(
        [StatementView(f"{one.month:%Y-%m}", one.entry_count, one.note, one.archive_key, one.dropped_at) for one in found]
    )
    return ASGIResponse(body=encode_view(view), media_type="application/json")
