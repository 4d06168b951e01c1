"""
/v1/quarantine: lines that could not become entries, and their repair.

The original stays where it is, byte for byte: it is evidence. What stands for it is an entry like any other, through the queue,
and an event and a row say which.
"""

import base64
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath, JSONBody
from litestar.response.base import ASGIResponse

from services.audit.api.changes import Asked, recorded
from services.audit.api.problems import ReadNotRecorded
from services.audit.api.query import parse_nothing, parse_quarantine, shape
from services.audit.api.reads import ReadRecorder
from services.audit.api.routes import LINE_ROUTE, QUARANTINE_PATH, REPAIR_ROUTE
from services.audit.api.views import encode_view
from services.audit.reading import LineFlawed, Row, read_line
from services.audit.storage.quarantine import Line, QuarantineReader, note_repair
from services.audit.storage.search import EntryReader
from services.audit.tree.bundles import ENTRY_BYTES_MAX
from shared.aws_json import AwsRefused, AwsUnreachable
from shared.events import EventType
from shared.http.problems import context_of
from shared.problems import AlreadyDone, InvalidRequest, NotFound, retry_after

AnyRequest = Request[Any, Any, Any]

# The longest entry, every byte of it escaped.
BODY_BYTES_MAX: Final = 6 * ENTRY_BYTES_MAX + 1_024


class RepairBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole line as it should have been: the text of one event."""

    entry: str


class LineView(msgspec.Struct, frozen=True):
    """
    One line in quarantine: `text` is what can be read of it, `bytes_base64` all of it, `repaired_as` what stands for it.

    `instance` and `seq` say who wrote it, where that much can be read.
    """

    id: int
    reason: str
    detail: str
    received_at: datetime
    message_id: str
    line_no: int
    sha256: str
    text: str
    bytes_base64: str
    instance: str | None
    seq: int | None
    repaired_as: str | None

    @classmethod
    def of(cls, line: Line) -> "LineView":
        """Return the view of a line."""
        return cls(
            line.quarantine_id,
            line.reason,
            line.detail,
            line.received_at,
            line.message_id,
            line.line_no,
            line.sha256.hex(),
            line.content.decode(errors="replace"),
            base64.b64encode(line.content).decode(),
            line.instance,
            line.seq,
            line.repaired_as,
        )


class QuarantineView(msgspec.Struct, frozen=True):
    """One page of lines, the newest first."""

    lines: list[LineView]
    next_cursor: str | None


@get(QUARANTINE_PATH)
async def list_quarantine(request: AnyRequest) -> ASGIResponse:
    """Answer one page of lines."""
    wanted, fields = parse_quarantine(list(request.query_params.multi_items()))
    reader: QuarantineReader = request.app.state.quarantine
    found = await reader.page(wanted._replace(limit=wanted.limit + 1))
    page = found[: wanted.limit]
    cursor = str(page[-1].quarantine_id) if len(found) > wanted.limit else None
    await _record_read(request, QUARANTINE_PATH, shape("quarantine", fields, rows=len(page)))
    return _answer(QuarantineView([LineView.of(line) for line in page], cursor))


@get("/v1/quarantine/{quarantine_id:str}")
async def get_line(request: AnyRequest, quarantine_id: FromPath[str]) -> ASGIResponse:
    """Answer one line."""
    parse_nothing(list(request.query_params.multi_items()))
    line = await _find(request, quarantine_id)
    await _record_read(request, LINE_ROUTE, shape("quarantined_line", (), rows=0 if line is None else 1))
    if line is None:
        raise NotFound
    return _answer(LineView.of(line))


@post("/v1/quarantine/{quarantine_id:str}/repair", status_code=200, request_max_body_size=BODY_BYTES_MAX)
async def repair_line(request: AnyRequest, quarantine_id: FromPath[str], data: JSONBody[RepairBody]) -> ASGIResponse:
    """
    Put the repaired line on the queue, and say that it stands for this one.

    First the entry, then the link: a crash in between leaves an entry that nobody has linked, and repairing again with the same
    text links it and adds nothing.
    """
    line = await _find(request, quarantine_id)
    if line is None:
        raise NotFound
    row = _read(data.entry)
    if line.repaired_as is not None and line.repaired_as != row.event_id:
        raise AlreadyDone("repaired", detail=f"This line is repaired already: event {line.repaired_as} stands for it.")
    await _require_new(request, row)
    about = {"quarantine_id": line.quarantine_id, "sha256": line.sha256.hex(), "event_id": row.event_id}
    about["leaf_hash"] = row.leaf_hash.hex()
    asked = Asked.of(request, REPAIR_ROUTE, 200)
    try:
        async with recorded(request.app.state.trail, asked, EventType.AUDIT_QUARANTINE_REPAIRED, about):
            await request.app.state.send(data.entry)
            await note_repair(
                request.app.state.clerk,
                line.quarantine_id,
                event_id=UUID(row.event_id),
                leaf_hash=row.leaf_hash,
                by=asked.caller,
            )
    # Outside the block: whether the queue took the entry is not known, so no event may say that it came to nothing.
    except (AwsRefused, AwsUnreachable) as error:
        raise ReadNotRecorded(str(error), headers=retry_after(2)) from error
    repaired = await _find(request, quarantine_id)
    return _answer(LineView.of(repaired or line))


def _read(entry: str) -> Row:
    """Return what the repaired line holds; refuse what would only go to quarantine again."""
    try:
        if "\n" in entry:
            raise InvalidRequest(extensions={"errors": [{"field": "entry", "message": "Give one line, without a break."}]})
        return read_line(entry.encode("utf-8", "surrogatepass"))
    except LineFlawed as error:
        message = f"This would go to quarantine again: {error.flaw.value}: {error.detail}"
        raise InvalidRequest(error.flaw.value, extensions={"errors": [{"field": "entry", "message": message}]}) from error


async def _require_new(request: AnyRequest, row: Row) -> None:
    """Refuse an event id that the log holds with other bytes: the repair would be in conflict, and in quarantine."""
    reader: EntryReader = request.app.state.reader
    stored = await reader.find(UUID(row.event_id))
    if stored is not None and stored.leaf_hash != row.leaf_hash:
        message = "The log holds another entry with this event_id. Give the repaired one an id of its own."
        raise InvalidRequest("conflicting_entry", extensions={"errors": [{"field": "entry", "message": message}]})


async def _find(request: AnyRequest, quarantine_id: str) -> Line | None:
    if not quarantine_id.isascii() or not quarantine_id.isdigit() or len(quarantine_id) > 18:
        return None
    reader: QuarantineReader = request.app.state.quarantine
    return await reader.find(int(quarantine_id))


async def _record_read(request: AnyRequest, route: str, data: dict[str, Any]) -> None:
    recorder: ReadRecorder = request.app.state.reads
    await recorder.record(context_of(request), request.scope["state"]["caller"], route, data)


def _answer(view: Any) -> ASGIResponse:
    return ASGIResponse(body=encode_view(view), media_type="application/json")
