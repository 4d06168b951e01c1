"""The reconciliation of a stretch of time: matched, only ours, only theirs, and what may still be on its way."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from services.audit.reconciliation.matching import Sighting, match, once_each
from services.audit.reconciliation.sightings import AUTHSIGNAL, SOURCES


class Compared(NamedTuple):
    """
    One provider against us.

    `has_records` is False when the provider sent nothing for this time at all: then nothing is compared, and nothing missing.
    `pending` have no other half yet and are too young to be missed.
    """

    source: str
    has_records: bool
    matched: int
    only_ours: list[Sighting]
    only_theirs: list[Sighting]
    pending: int


def reconcile(
    ours: Sequence[Sighting],
    theirs: Sequence[Sighting],
    *,
    since: datetime,
    until: datetime,
    settled_until: datetime,
    tolerance: timedelta,
    action_tolerance: timedelta,
) -> list[Compared]:
    """
    Compare each provider with us.

    Args:
        ours: What we say of the providers, from some tolerance before `since` to some after `until`.
        theirs: What they say, over the same time.
        since: Of what happened from here on, inclusive.
        until: To here, exclusive.
        settled_until: What happened later may still be on its way.
        tolerance: How far apart the two records of a sign-in may be.
        action_tolerance: The same for records that bear a key of their own.
    """
    made = []
    for source in SOURCES:
        apart = action_tolerance if source == AUTHSIGNAL else tolerance
        mine, other = (once_each(one for one in side if one.source == source) for side in (ours, theirs))
        done = match(mine, other, tolerance=apart)
        inside = [one for one in other if since <= one.at < until]
        missing = [one for one in done.only_ours if inside and one.lets_in and since <= one.at < until]
        excess = [one for one in done.only_theirs if since <= one.at < until]
        young = sum(one.at >= settled_until for one in (*missing, *excess))
        made.append(
            Compared(
                source,
                bool(inside),
                sum(since <= mine_one.at < until for mine_one, _ in done.pairs),
                [one for one in missing if one.at < settled_until],
                [one for one in excess if one.at < settled_until],
                young,
            )
        )
    return made
