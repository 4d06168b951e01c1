"""
Follows the providers' records through the sealed log and looks for those that nothing of ours stands beside.

A record is judged when it is older than the grace that our own events have, so its place in the log is waited at until then.
"""

import contextlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Final

from services.audit.alerting.follower import Follower
from services.audit.alerting.metrics import AlertMetrics
from services.audit.alerting.records import LogRecords, TooMuch
from services.audit.detections.model import Alert, Record
from services.audit.detections.parameters import BypassParameters
from services.audit.moments import shifted
from services.audit.pulse import Pulse
from services.audit.reconciliation.bypass import ACTION_REACH, judge, reach_of
from services.audit.reconciliation.matching import Sighting
from services.audit.reconciliation.sightings import AUTHSIGNAL, OURS, THEIRS, theirs_of
from services.audit.storage.alerts import AlertStore

NAME: Final = "bypass"
POLL_SECONDS: Final = 5.0
# How long after it happened a provider may tell of it and still be in the report of that day.
TOLD_WITHIN: Final = timedelta(days=1)
# Records judged together share one reading of the log around them, so they must lie close together.
TOGETHER: Final = timedelta(minutes=10)


class BypassFollower(Follower):
    """
    Judges the providers' records.

    Args:
        store: Gives turns and keeps alerts.
        records: Reads the log.
        parameters: Tolerance and grace.
        metrics: What is counted.
        sealed: See `Follower`.
        raised: Beaten when there are new alerts.
    """

    def __init__(
        self,
        store: AlertStore,
        records: LogRecords,
        parameters: BypassParameters,
        metrics: AlertMetrics,
        *,
        sealed: Pulse,
        raised: Pulse,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(sealed, POLL_SECONDS)
        self._store = store
        self._records = records
        self._parameters = parameters
        self._metrics = metrics
        self._raised = raised
        self._clock = clock

    async def step(self) -> bool:
        """See `Follower`."""
        async with self._store.turn(NAME) as turn:
            if turn is None:
                return False
            place = await turn.place()
            batch = await self._records.batch(THEIRS, place.next_index)
            ripe_at = self._clock() - timedelta(seconds=self._parameters.grace_seconds)
            ripe = list(takewhile(lambda one: one.recorded_at <= ripe_at, batch.records))
            next_index = batch.next_index if len(ripe) == len(batch.records) else batch.records[len(ripe)].leaf_index
            if next_index == place.next_index:
                return False
            new = await turn.add(await judge_all(self._records, ripe, self._parameters))
            await turn.move(place._replace(next_index=next_index, run_from=next_index))
        self._metrics.behind.labels(NAME).set(max(0, batch.tree_size - next_index))
        if new:
            for alert in new:
                self._metrics.raised.labels(alert.rule).inc()
            self._raised.beat()
        return True


async def judge_all(records: LogRecords, theirs: Sequence[Record], parameters: BypassParameters) -> list[Alert]:
    """
    Judge providers' records, each with what lies around it.

    Raises:
        DatabaseUnavailable, QueryTooSlow: Try again.
        TooMuch: One account has more records than one look may hold.
    """
    seen = [(sighting, record) for record in theirs if (sighting := theirs_of(record)) is not None and sighting.lets_in]
    with_key = [(sighting.at, record) for sighting, record in seen if sighting.source == AUTHSIGNAL]
    found = await _judge_actions(records, with_key, parameters)
    for sighting, record in seen:
        if sighting.source != AUTHSIGNAL:
            found.append(await _judge_person(records, sighting, record, parameters))
    return sorted((alert for alert in found if alert is not None), key=lambda alert: alert.last_leaf)


async def _judge_person(records: LogRecords, seen: Sighting, record: Record, parameters: BypassParameters) -> Alert | None:
    """Judge a record that is matched by account and time: what the account did around then is little."""
    reach = reach_of(parameters)
    since, until = shifted(seen.at, -reach), shifted(seen.at, reach)
    ours = await records.within(OURS, since, until, person=seen.subject)
    # Another record of the same moment may have been told later, but not after this one.
    told_until = shifted(record.event.occurred_at, timedelta(seconds=1))
    others = await records.within(THEIRS, since, max(until, told_until), person=seen.subject)
    return judge(record, others, ours, parameters)


async def _judge_actions(
    records: LogRecords, theirs: list[tuple[datetime, Record]], parameters: BypassParameters
) -> list[Alert | None]:
    """Judge records that bear a key of their own: nearly all have ours beside them, the others are looked for farther off."""
    found: list[Alert | None] = []
    left = sorted(theirs, key=lambda one: (one[0], one[1].leaf_index))
    near = timedelta(seconds=parameters.tolerance_seconds)
    while left:
        ends_at = shifted(left[0][0], TOGETHER)
        group = [one for one in left if one[0] <= ends_at]
        left = left[len(group) :]
        since, until = group[0][0], group[-1][0]
        ours = await records.within(OURS, shifted(since, -near), shifted(until, near))
        open_ones = [record for _, record in group if judge(record, (), ours, parameters) is not None]
        if open_ones:
            with contextlib.suppress(TooMuch):  # Then what is near has to do: a false alarm rather than none.
                ours = await records.within(OURS, shifted(since, -ACTION_REACH), shifted(until, ACTION_REACH))
        found += [judge(record, (), ours, parameters) for record in open_ones]
    return found
