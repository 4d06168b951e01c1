"""/v1/alerts and /v1/detections: what was found, what became of it, by which rules, and going over the past again."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath, JSONBody
from litestar.response.base import ASGIResponse
from msgspec import Meta

from services.audit.alerting.follower import run_draft
from services.audit.alerting.records import LogRecords
from services.audit.alerting.replay import replay
from services.audit.alerting.views import AlertView
from services.audit.api.changes import Asked, recorded
from services.audit.api.query import TEXT, parse_alerts, parse_nothing, shape
from services.audit.api.reads import ReadRecorder
from services.audit.api.routes import ALERT_ROUTE, ALERTS_PATH, CLOSE_ROUTE, DETECTIONS_PATH, REPLAY_PATH
from services.audit.api.views import encode_view
from services.audit.detections.detector import Detector
from services.audit.detections.parameters import DetectionParameters
from services.audit.reconciliation.bypass import GATEWAY_BYPASS
from services.audit.storage.alerts import AlertReader, AlertStore, Stored
from services.audit.storage.cursor import INDEX_MAX
from services.audit.storage.search import EntryReader
from shared.events import EventType
from shared.http.problems import context_of
from shared.ids import is_uuid
from shared.problems import AlreadyDone, InvalidRequest, NotFound

AnyRequest = Request[Any, Any, Any]

RUNS_SHOWN: Final = 50
# What one request looks at: some ten seconds of work. The command line asks again for more.
REPLAY_LEAVES_MAX: Final = 100_000
PARAMETERS: Final = {
    "credential_stuffing": "stuffing",
    "identifier_spray": "spray",
    "mfa_fatigue": "fatigue",
    "impossible_travel": "travel",
    "factor_removed_from_new_device": "takeover",
    "gateway_bypass": "bypass",
}


class CloseBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why an alert needs nobody any more."""

    note: Annotated[str, Meta(min_length=1, max_length=1_000, pattern=TEXT)]


class ReplayBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A range of leaves, the last exclusive."""

    from_leaf: Annotated[int, Meta(ge=0, le=INDEX_MAX)]
    to_leaf: Annotated[int, Meta(ge=1, le=INDEX_MAX)]


class AlertsView(msgspec.Struct, frozen=True):
    """One page of alerts, the newest first."""

    alerts: list[AlertView]
    next_cursor: str | None


class RuleView(msgspec.Struct, frozen=True):
    """One rule, with the parameters that it works with."""

    id: str
    version: int
    title: str
    description: str
    severity: str
    parameters: dict[str, Any]


class RunView(msgspec.Struct, frozen=True):
    """A stretch of the log that was looked at; `to_leaf` is exclusive."""

    id: str
    kind: str
    from_leaf: int
    to_leaf: int
    entries: int
    alerts: int
    new_alerts: int
    rules: list[str]
    started_at: datetime
    finished_at: datetime
    by: str

    @classmethod
    def of(cls, row: Any) -> "RunView":
        """Return the view of a row of `audit.detection_runs`."""
        return cls(
            str(row["run_id"]),
            row["kind"],
            row["from_leaf"],
            row["to_leaf"],
            row["entries"],
            row["alerts"],
            row["new_alerts"],
            row["rules"],
            row["started_at"],
            row["finished_at"],
            f"{row['by_kind']}:{row['by_id']}",
        )


class DetectionsView(msgspec.Struct, frozen=True):
    """The rules, and which stretches of the log were looked at last."""

    rules: list[RuleView]
    runs: list[RunView]


class ReplayView(msgspec.Struct, frozen=True):
    """What a replay found; `new_alerts` of them nobody had found before. `to_leaf` is exclusive."""

    run_id: str
    from_leaf: int
    to_leaf: int
    new_alerts: int
    alerts: list[AlertView]


@get(ALERTS_PATH)
async def list_alerts(request: AnyRequest) -> ASGIResponse:
    """Answer one page of alerts."""
    wanted, fields = parse_alerts(list(request.query_params.multi_items()))
    reader: AlertReader = request.app.state.alerts
    found = await reader.page(wanted._replace(limit=wanted.limit + 1))
    page = found[: wanted.limit]
    cursor = str(page[-1].alert_no) if len(found) > wanted.limit else None
    await _record_read(request, ALERTS_PATH, shape("alerts", fields, rows=len(page)), page)
    return _answer(AlertsView([AlertView.of(one) for one in page], cursor))


@get("/v1/alerts/{alert_id:str}")
async def get_alert(request: AnyRequest, alert_id: FromPath[str]) -> ASGIResponse:
    """Answer one alert."""
    parse_nothing(list(request.query_params.multi_items()))
    found = await _find(request, alert_id)
    await _record_read(request, ALERT_ROUTE, shape("alert", (), rows=0 if found is None else 1), [found])
    if found is None:
        raise NotFound
    return _answer(found)


@post("/v1/alerts/{alert_id:str}/close", status_code=200)
async def close_alert(request: AnyRequest, alert_id: FromPath[str], data: JSONBody[CloseBody]) -> ASGIResponse:
    """Close an alert: somebody has looked, and says what it was."""
    found = await _find(request, alert_id)
    if found is None:
        raise NotFound
    if found.state != "open":
        raise AlreadyDone("closed", detail="This alert is closed already.")
    store: AlertStore = request.app.state.alert_store
    asked, about = Asked.of(request, CLOSE_ROUTE, 200), {"alert_id": found.id, "rule": found.rule}
    async with recorded(request.app.state.trail, asked, EventType.AUDIT_ALERT_CLOSED, about):
        await store.set_state(UUID(found.id), "closed", data.note, asked.caller)
    return _answer(await _find(request, alert_id))


@get(DETECTIONS_PATH)
async def get_detections(request: AnyRequest) -> ASGIResponse:
    """Answer the rules and the newest runs."""
    parse_nothing(list(request.query_params.multi_items()))
    parameters: DetectionParameters = request.app.state.detection_parameters
    reader: AlertReader = request.app.state.alerts
    runs = [RunView.of(row) for row in await reader.runs(RUNS_SHOWN)]
    await _record_read(request, DETECTIONS_PATH, shape("detections", (), rows=len(runs)), ())
    return _answer(DetectionsView(rules_of(parameters), runs))


@post(REPLAY_PATH, status_code=200)
async def replay_detections(request: AnyRequest, data: JSONBody[ReplayBody]) -> ASGIResponse:
    """Look at a range of the log again, with today's rules, and keep what nobody had found."""
    entries: EntryReader = request.app.state.reader
    if not 0 < data.to_leaf - data.from_leaf <= REPLAY_LEAVES_MAX:
        raise _wrong("to_leaf", f"Give a range of 1 to {REPLAY_LEAVES_MAX:,} entries.")
    size = (await entries.now()).next_index
    # The log may end inside the range, and whoever goes over it piece by piece ends right behind it.
    if data.from_leaf > size:
        raise _wrong("from_leaf", f"The sealed log ends before this leaf: it has {size:,}.")
    end = min(data.to_leaf, size)
    state = request.app.state
    records = LogRecords(entries, state.alerts)
    asked, about = Asked.of(request, REPLAY_PATH, 200), {"kind": "replay", "from_leaf": data.from_leaf, "to_leaf": end}
    async with recorded(state.trail, asked, EventType.AUDIT_DETECTION_RUN, about):
        store, parameters = state.alert_store, state.detection_parameters
        done = await replay(store, records, parameters, start=data.from_leaf, end=end, by=asked.caller)
        state.raised.beat()
        about |= run_draft(done.run).data
    kept = [await _find(request, alert_id) for alert_id in dict.fromkeys(str(alert.id) for alert in done.alerts)]
    shown = [one for one in kept if one is not None]
    run = done.run
    return _answer(ReplayView(str(run.run_id), run.from_leaf, run.to_leaf, run.new_alerts, shown))


def rules_of(parameters: DetectionParameters) -> list[RuleView]:
    """Return every rule with its parameters."""
    abouts = [*Detector(parameters).about, GATEWAY_BYPASS]
    named = msgspec.to_builtins(parameters)
    return [
        RuleView(one.id, one.version, one.title, one.description, one.severity.value, named.get(PARAMETERS.get(one.id), {}))
        for one in abouts
    ]


async def _find(request: AnyRequest, alert_id: str) -> AlertView | None:
    if not is_uuid(alert_id):
        return None
    reader: AlertReader = request.app.state.alerts
    found = await reader.find(UUID(alert_id))
    return None if found is None else AlertView.of(found)


async def _record_read(
    request: AnyRequest, route: str, data: dict[str, Any], shown: Iterable[Stored | AlertView | None]
) -> None:
    recorder: ReadRecorder = request.app.state.reads
    people = {one.subject for one in shown if one is not None and one.subject is not None}
    await recorder.record(context_of(request), request.scope["state"]["caller"], route, data, people)


def _wrong(field: str, message: str) -> InvalidRequest:
    return InvalidRequest(extensions={"errors": [{"field": field, "message": message}]})


def _answer(view: Any) -> ASGIResponse:
    return ASGIResponse(body=encode_view(view), media_type="application/json")
