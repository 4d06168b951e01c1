"""Gateway bypass: a provider let somebody in and our log knows nothing of it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from services.audit.detections.model import About, Alert, Record, Severity, make_alert
from services.audit.detections.parameters import BypassParameters
from services.audit.reconciliation.matching import Sighting, is_explained, once_each
from services.audit.reconciliation.sightings import AUTHSIGNAL, ours_of, theirs_of

GATEWAY_BYPASS: Final = About(
    "gateway_bypass",
    1,
    "Gateway bypass",
    "A provider has a record of a sign-in or of an approved action for which our log has none: "
    "somebody went around the gateway.",
    Severity.CRITICAL,
)
# An action may be begun and approved as far apart as its token lives; its key is its own, so the time hardly matters.
ACTION_REACH: Final = timedelta(hours=2)
# Sign-ins of one account that follow one another within the tolerance hang together; longer chains than this are no person's.
CHAIN: Final = 10


def reach_of(parameters: BypassParameters) -> timedelta:
    """Return how far around a record of theirs `judge` has to be shown ours, and theirs."""
    return max(ACTION_REACH, CHAIN * timedelta(seconds=parameters.tolerance_seconds))


def judge(one: Record, theirs: Sequence[Record], ours: Sequence[Record], parameters: BypassParameters) -> Alert | None:
    """
    Say whether a provider's record means that somebody went around the gateway.

    What was recorded later than `grace_seconds` after it does not count, so that looking again later gives the same answer.

    Args:
        one: An event that carries a provider's record.
        theirs: Other such events, whatever their order; those behind it in the log do not count.
        ours: Our own events.
        parameters: Tolerance and grace.
    """
    seen = theirs_of(one)
    if seen is None or not seen.lets_in:
        return None
    tolerance = ACTION_REACH if seen.source == AUTHSIGNAL else timedelta(seconds=parameters.tolerance_seconds)
    earlier = [other for other in _seen(theirs, one) if other.source == seen.source]
    if any(other.ref == seen.ref for other in earlier):  # The same record once more: it was judged when it came first.
        return None
    known_until = one.recorded_at + timedelta(seconds=parameters.grace_seconds)
    mine = once_each(
        sighting
        for record in sorted(ours, key=lambda record: record.leaf_index)
        if record.recorded_at <= known_until
        for sighting in ours_of(record)
        if sighting.source == seen.source
    )
    if is_explained(seen, earlier, mine, tolerance=tolerance):
        return None
    title = f"{seen.source.capitalize()} knows of {_what(seen)} that the gateway never made"
    return make_alert(GATEWAY_BYPASS, f"{seen.source} {seen.ref}", "", (one,), title=title, source=seen.source, kind=seen.kind)


def _seen(theirs: Sequence[Record], one: Record) -> list[Sighting]:
    before = sorted((other for other in theirs if other.leaf_index < one.leaf_index), key=lambda other: other.leaf_index)
    found = [sighting for other in before if (sighting := theirs_of(other)) is not None]
    return once_each(sighting for sighting in found if sighting.lets_in)


def _what(seen: Sighting) -> str:
    return {"sign_in": "a sign-in", "sign_up": "a sign-up"}.get(seen.kind, "an approved action")
