"""GET /v1/completeness: which events are missing, producer by producer."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Request, get
from litestar.response.base import ASGIResponse

from services.audit.api.access import COMPLETENESS_PATH
from services.audit.api.query import parse_completeness, shape
from services.audit.api.reads import ReadRecorder
from services.audit.api.views import encode_view
from services.audit.completeness import Gap, Standing
from services.audit.storage.producers import SHOWN_MAX, ProducerReader, Sealed
from shared.http.problems import context_of

AnyRequest = Request[Any, Any, Any]


class GapView(msgspec.Struct, frozen=True, omit_defaults=True):
    """Missing numbers, both ends inclusive; `quarantine_id` and `reason` say where an explained one is."""

    first_seq: int
    last_seq: int
    count: int
    noticed_at: datetime
    next_event_id: str
    quarantine_id: int | None = None
    reason: str | None = None

    @classmethod
    def of(cls, gap: Gap) -> "GapView":
        """Return the view of a gap."""
        line = gap.explained_by
        ends = gap.first_seq, gap.last_seq, gap.event_count, gap.noticed_at, gap.next_event_id
        return cls(*ends) if line is None else cls(*ends, line.quarantine_id, line.reason)


class ProducerView(msgspec.Struct, frozen=True):
    """How complete one producer is."""

    service: str
    instance: str
    status: str
    entries: int
    last_seq: int
    missing: int
    repeated: int
    first_recorded_at: datetime
    last_recorded_at: datetime
    open_gaps: list[GapView]
    explained_gaps: list[GapView]

    @classmethod
    def of(cls, standing: Standing) -> "ProducerView":
        """Return the view of a producer."""
        known = standing.known
        return cls(
            known.service,
            known.instance,
            standing.status.value,
            known.entry_count,
            known.runs[-1][1] - 1,
            standing.missing_count,
            standing.repeated_count,
            known.first_recorded_at,
            known.last_recorded_at,
            [GapView.of(gap) for gap in standing.open_gaps],
            [GapView.of(gap) for gap in standing.explained_gaps],
        )


class SealedView(msgspec.Struct, frozen=True):
    """How far the log is sealed: what was recorded after `oldest_unsealed_at` is not in the report yet."""

    tree_size: int
    sealed_at: datetime
    oldest_unsealed_at: datetime | None


class CompletenessView(msgspec.Struct, frozen=True):
    """
    The report: `complete` when no number is missing unexplained.

    Producers are in the order in which they were heard of last, 10,000 at most; `missing` and `complete` are about all.
    """

    checked_at: datetime
    complete: bool
    missing: int
    sealed: SealedView | None
    producers: list[ProducerView]


@get(COMPLETENESS_PATH)
async def get_completeness(request: AnyRequest) -> ASGIResponse:
    """Answer the report."""
    wanted, fields = parse_completeness(list(request.query_params.multi_items()))
    reader: ProducerReader = request.app.state.producers
    now = datetime.now(UTC)
    sealed = await reader.sealed()
    standings = await reader.standings(wanted, now=now)
    # The list has an end, the sum has none: whatever lacks a number is among the incomplete.
    is_whole = len(standings) < SHOWN_MAX
    all_incomplete = wanted._replace(only_incomplete=True, limit=None)
    counted = standings if is_whole else await reader.standings(all_incomplete, now=now)
    recorder: ReadRecorder = request.app.state.reads
    caller = request.scope["state"]["caller"]
    data = shape("completeness", fields, rows=len(standings))
    await recorder.record(context_of(request), caller, COMPLETENESS_PATH, data)
    missing = sum(standing.missing_count for standing in counted)
    view = CompletenessView(now, not missing, missing, _sealed(sealed), [ProducerView.of(one) for one in standings])
    return ASGIResponse(body=encode_view(view), media_type="application/json")


def _sealed(sealed: Sealed | None) -> SealedView | None:
    return None if sealed is None else SealedView(*sealed)
