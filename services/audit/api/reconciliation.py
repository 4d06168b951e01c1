"""/v1/reconciliation: our log against the providers' own records."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from litestar import Request, get, post
from litestar.response.base import ASGIResponse

from services.audit.alerting.bypass import TOLD_WITHIN
from services.audit.alerting.records import LogRecords
from services.audit.api.problems import ReadNotRecorded
from services.audit.api.query import parse_range, shape
from services.audit.api.reads import ReadRecorder
from services.audit.api.routes import IMPORT_PATH, RECONCILIATION_PATH
from services.audit.api.views import encode_view
from services.audit.detections.parameters import DetectionParameters
from services.audit.reconciliation.bypass import ACTION_REACH, reach_of
from services.audit.reconciliation.cognito_log import CognitoRecord, read_log
from services.audit.reconciliation.matching import Sighting
from services.audit.reconciliation.report import Compared, reconcile
from services.audit.reconciliation.sightings import COGNITO, OURS, THEIRS, ours_of, theirs_of
from shared.audit_trail import AuditTrail, AuditUnavailable
from shared.events import Actor, Client, Draft, EventType, Outcome, Subject
from shared.http.problems import context_of
from shared.problems import InvalidRequest, retry_after

AnyRequest = Request[Any, Any, Any]

PERIOD: Final = timedelta(days=1)
PERIOD_MAX: Final = timedelta(days=7)
# Authsignal sends its log when an action's token has run out, and tries again for a while.
TOLD_AFTER: Final = timedelta(minutes=30)
SHOWN_MAX: Final = 1_000
IMPORT_BYTES_MAX: Final = 8 * 1024 * 1024
# Events that share a wait for the queue.
RECORDED_AT_ONCE: Final = 500


class SightingView(msgspec.Struct, frozen=True):
    """One record without its other half; `ref` is its side's own name of it."""

    source: str
    kind: str
    occurred_at: datetime
    ref: str
    subject: str | None
    ip: str | None

    @classmethod
    def of(cls, one: Sighting) -> "SightingView":
        """Return the view of a sighting."""
        return cls(one.source, one.kind, one.at, one.ref, one.subject, one.ip)


class SourceView(msgspec.Struct, frozen=True):
    """
    One provider against us.

    `has_records` is false when it sent nothing for this time: then nothing is compared. `pending` may still be on their way.
    """

    has_records: bool
    matched: int
    only_ours: int
    only_theirs: int
    pending: int


class ReconciliationView(msgspec.Struct, frozen=True):
    """The report; the lists hold up to 1,000 each, the numbers in `sources` count all."""

    from_: datetime = msgspec.field(name="from")
    to: datetime
    sources: dict[str, SourceView]
    matched: int
    only_ours: list[SightingView]
    only_theirs: list[SightingView]


class ImportView(msgspec.Struct, frozen=True):
    """What became of an import: records put into the log, lines about something else, unreadable lines (1-based)."""

    imported: int
    others: int
    unreadable: list[int]


@get(RECONCILIATION_PATH)
async def get_reconciliation(request: AnyRequest) -> ASGIResponse:
    """Answer the report over a stretch of time, by default the last day."""
    since, until, fields = parse_range(list(request.query_params.multi_items()))
    now = datetime.now(UTC)
    until = until or now
    since = since or until - PERIOD
    if until - since > PERIOD_MAX:
        errors = [{"field": "from", "message": f"Ask for {PERIOD_MAX.days} days at most."}]
        raise InvalidRequest(extensions={"errors": errors})
    compared = await _compare(request, since, until, now)
    recorder: ReadRecorder = request.app.state.reads
    rows = sum(one.matched + len(one.only_ours) + len(one.only_theirs) for one in compared)
    data = shape("reconciliation", fields, rows=rows)
    await recorder.record(context_of(request), request.scope["state"]["caller"], RECONCILIATION_PATH, data)
    view = ReconciliationView(
        from_=since,
        to=until,
        sources={one.source: _source(one) for one in compared},
        matched=sum(one.matched for one in compared),
        only_ours=[SightingView.of(one) for part in compared for one in part.only_ours][:SHOWN_MAX],
        only_theirs=[SightingView.of(one) for part in compared for one in part.only_theirs][:SHOWN_MAX],
    )
    return ASGIResponse(body=encode_view(view), media_type="application/json")


@post(IMPORT_PATH, status_code=200, request_max_body_size=IMPORT_BYTES_MAX)
async def import_records(request: AnyRequest) -> ASGIResponse:
    """
    Take in lines of Cognito's log export.

    Each sign-in and sign-up becomes an event of the log, by the only way in, and is evidence from then on. A line that comes
    again adds a second event, which every comparison counts as the first.
    """
    imported = read_log((await request.body()).split(b"\n"))
    caller: Actor = request.scope["state"]["caller"]
    trail: AuditTrail = request.app.state.trail
    drafts = [_draft(one, caller) for one in imported.records]
    try:
        for start in range(0, len(drafts), RECORDED_AT_ONCE):
            await trail.record_all(drafts[start : start + RECORDED_AT_ONCE])
    except AuditUnavailable as error:
        raise ReadNotRecorded(str(error), headers=retry_after(2)) from error
    view = ImportView(len(drafts), imported.other_count, imported.unreadable[:SHOWN_MAX])
    return ASGIResponse(body=encode_view(view), media_type="application/json")


async def _compare(request: AnyRequest, since: datetime, until: datetime, now: datetime) -> list[Compared]:
    state = request.app.state
    parameters: DetectionParameters = state.detection_parameters
    records, reach = LogRecords(state.reader, state.alerts), reach_of(parameters.bypass)
    ours = await records.within(OURS, since - reach, until + reach)
    theirs = await records.within(THEIRS, since - reach, until + reach + TOLD_WITHIN)
    return reconcile(
        [sighting for record in ours for sighting in ours_of(record)],
        _seen(record for record in theirs),
        since=since,
        until=until,
        settled_until=now - TOLD_AFTER,
        tolerance=timedelta(seconds=parameters.bypass.tolerance_seconds),
        action_tolerance=ACTION_REACH,
    )


def _seen(records: Any) -> Sequence[Sighting]:
    found = (theirs_of(record) for record in records)
    return [sighting for sighting in found if sighting is not None and sighting.lets_in]


def _source(one: Compared) -> SourceView:
    return SourceView(one.has_records, one.matched, len(one.only_ours), len(one.only_theirs), one.pending)


def _draft(one: CognitoRecord, caller: Actor) -> Draft:
    return Draft(
        event_type=EventType.PROVIDER_RECORD_IMPORTED,
        outcome=Outcome.SUCCESS,
        actor=caller,
        subject=Subject(sub=one.sub),
        client=Client(ip=one.ip) if one.ip else None,
        data={
            "source": COGNITO,
            "record_id": one.record_id,
            "kind": one.kind,
            "occurred_at": one.occurred_at.isoformat(),
            "client_id": one.client_id,
        },
    )
