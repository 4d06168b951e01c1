"""
Follows the providers' records through the sealed log and looks for those that nothing of ours stands beside.

A record is judged when it is older than the grace that our own events have, so its place in the log is waited at until then.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Final

from services.audit.alerting.follower import Follower
from services.audit.alerting.metrics import AlertMetrics
from services.audit.alerting.records import LogRecords
from services.audit.detections.model import Alert, Record
from services.audit.detections.parameters import BypassParameters
from services.audit.pulse import Pulse
from services.audit.reconciliation.bypass import judge, reach_of
from services.audit.reconciliation.sightings import OURS, THEIRS, theirs_of
from services.audit.storage.alerts import AlertStore

NAME: Final = "bypass"
POLL_SECONDS: Final = 5.0
# How long after it happened a provider may tell of it and still be held against others of its kind.
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
        TooMuch: More happened around them than one look may hold.
    """
    found: list[Alert | None] = []
    seen = [(sighting.at, record) for record in theirs if (sighting := theirs_of(record)) is not None and sighting.lets_in]
    seen.sort(key=lambda one: (one[0], one[1].leaf_index))
    reach = reach_of(parameters)
    while seen:
        ends_at = seen[0][0] + TOGETHER
        group = [one for one in seen if one[0] <= ends_at]
        seen = seen[len(group) :]
        since, until = group[0][0] - reach, group[-1][0] + reach
        ours = await records.within(OURS, since, until)
        others = await records.within(THEIRS, since, until + TOLD_WITHIN)
        found += [judge(record, others, ours, parameters) for _, record in group]
    return [alert for alert in found if alert is not None]
