"""GET /v1/archive: which days are in the archive."""

from datetime import date, datetime
from typing import Any, Final

import msgspec
from litestar import Request, get
from litestar.response.base import ASGIResponse

from services.audit.api.access import ARCHIVE_PATH
from services.audit.api.query import shape
from services.audit.api.views import encode_view
from services.audit.archiving.store import ArchivedDay, ArchiveStore
from shared.http.problems import context_of
from shared.problems import InvalidRequest

AnyRequest = Request[Any, Any, Any]

PAGE: Final = 100


class ArchivedDayView(msgspec.Struct, frozen=True):
    """One day: `sha256` is over its manifest, `lock_until` is when its objects may be deleted at the earliest."""

    day: date
    objects: int
    entries: int
    bytes: int
    first_leaf: int
    last_leaf: int
    lock_mode: str
    lock_until: datetime
    sha256: str
    bucket: str
    manifest_key: str
    archived_at: datetime | None

    @classmethod
    def of(cls, day: ArchivedDay) -> "ArchivedDayView":
        """Return the view of a day."""
        return cls(
            day.day,
            day.object_count,
            day.end_leaf - day.first_leaf,
            day.byte_count,
            day.first_leaf,
            day.end_leaf - 1,
            day.lock_mode,
            day.lock_until,
            day.manifest_sha256.hex(),
            day.bucket,
            day.manifest_key,
            day.archived_at,
        )


class ArchiveView(msgspec.Struct, frozen=True):
    """A page of days, newest first."""

    days: list[ArchivedDayView]
    next_cursor: str | None


@get(ARCHIVE_PATH)
async def list_archive(request: AnyRequest) -> ASGIResponse:
    """Answer the archived days."""
    before = _before(list(request.query_params.multi_items()))
    archive: ArchiveStore = request.app.state.archive
    found = await archive.days(before=before, limit=PAGE + 1)
    page = found[:PAGE]
    data = shape("archive", ("cursor",) if before else (), rows=len(page))
    await request.app.state.reads.record(context_of(request), request.scope["state"]["caller"], ARCHIVE_PATH, data)
    more = page[-1].day.isoformat() if len(found) > PAGE else None
    view = ArchiveView([ArchivedDayView.of(day) for day in page], more)
    return ASGIResponse(body=encode_view(view), media_type="application/json")


def _before(pairs: list[tuple[str, str]]) -> date | None:
    if not pairs:
        return None
    (name, value), *others = pairs
    if name != "cursor" or others:
        raise InvalidRequest(extensions={"errors": [{"field": pairs[-1][0], "message": "There is no such parameter here."}]})
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        message = "Give the next_cursor of an earlier answer."
        raise InvalidRequest(extensions={"errors": [{"field": "cursor", "message": message}]}) from error
