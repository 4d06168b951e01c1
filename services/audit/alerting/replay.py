"""Going over the past again: the same rules over a range of leaves, with the parameters of today."""

from datetime import UTC, datetime
from typing import NamedTuple

from services.audit.alerting.bypass import judge_all
from services.audit.alerting.follower import histories_of, rule_names
from services.audit.alerting.records import LogRecords
from services.audit.detections.detector import Detector
from services.audit.detections.model import Alert
from services.audit.detections.parameters import DetectionParameters
from services.audit.reconciliation.sightings import THEIRS
from services.audit.storage.alerts import AlertStore, Run, new_run_id
from shared.events import Actor


class Replayed(NamedTuple):
    """What a replay found; `run.new_alerts` of the alerts nobody had found before."""

    run: Run
    alerts: list[Alert]


async def replay(
    store: AlertStore, records: LogRecords, parameters: DetectionParameters, *, start: int, end: int, by: Actor
) -> Replayed:
    """
    Look at the leaves from `start` to `end` (exclusive) as if for the first time, and keep what nobody had found.

    A provider's record whose grace is not over yet is judged with what is there: replay what has settled.

    Raises:
        DatabaseUnavailable, QueryTooSlow, TooMuch: Nothing was kept: try again, or with less.
    """
    started_at = datetime.now(UTC)
    detector = Detector(parameters)
    looked_from = await records.look_back_from(start, detector.look_back)
    async for batch in records.between(detector.types, looked_from, start):
        detector.warm_up(batch)
    alerts: list[Alert] = []
    async for batch in records.between(detector.types, start, end):
        alerts += detector.feed(batch, await histories_of(detector, records, batch))
    async for batch in records.between(THEIRS, start, end):
        alerts += await judge_all(records, batch, parameters.bypass)
    run = Run(new_run_id(), "replay", start, end, end - start, len(alerts), 0, rule_names(parameters), started_at, by)
    return Replayed(run._replace(new_alerts=await store.keep_replay(alerts, run)), alerts)
