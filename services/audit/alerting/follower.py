"""
Follows the sealed log with the rules.

A step is one transaction of the one process whose turn it is: read where it stands, look at what was sealed since, keep the
alerts and the new place together. What rules remember is kept nowhere: whoever goes on from a place where it does not stand
itself reads the look-back first, which may be an hour of the log. So it leaves the log to whoever stands there, and takes over
when nobody went on for a while. A crash at any point repeats a step, and a step that is repeated finds the same alerts again.
"""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from services.audit.alerting.metrics import AlertMetrics
from services.audit.alerting.records import Batch, LogRecords, TooMuch
from services.audit.detections.detector import Detector, Histories
from services.audit.detections.model import Alert, Record
from services.audit.detections.parameters import DetectionParameters
from services.audit.pulse import Pulse
from services.audit.storage.alerts import AlertStore, Place, Run, Turn, new_run_id
from services.audit.storage.database import DatabaseUnavailable, QueryTooSlow
from shared.audit_trail import AuditTrail
from shared.events import Actor, Draft, EventType, Outcome

log = structlog.get_logger(__name__)

NAME: Final = "rules"
ITSELF: Final = Actor(kind="service", id="audit")
POLL_SECONDS: Final = 1.0
PAUSE_SECONDS: Final = 2.0
RUN_LASTS: Final = timedelta(hours=1)
# Whoever follows looks every second at least: what waits for longer than this waits for somebody who is gone.
LEFT_AFTER: Final = timedelta(seconds=3)


class Follower(ABC):
    """
    Something that takes steps along the sealed log until it is told to stop.

    Args:
        sealed: Beats when this process has sealed something.
        poll_seconds: How long to wait at most when there was nothing to look at.
    """

    def __init__(self, sealed: Pulse, poll_seconds: float = POLL_SECONDS) -> None:
        self._sealed = sealed
        self._poll_seconds = poll_seconds

    @abstractmethod
    async def step(self) -> bool:
        """Take one step, and say whether there was something to look at; raise what the database raises."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. Faults of the database are waited out; a fault of ours ends this, to be seen."""
        while not stop.is_set():
            try:
                has_moved = await self.step()
            except (DatabaseUnavailable, QueryTooSlow, TooMuch) as error:
                log.warning("audit.detection_postponed", error=str(error))
                await _pause(stop, PAUSE_SECONDS)
                continue
            if not has_moved and not stop.is_set():
                await self._sealed.wait(self._poll_seconds)


class RuleFollower(Follower):
    """
    Looks at what is sealed, by all rules.

    Args:
        store: Gives turns and keeps alerts.
        records: Reads the log.
        parameters: Of the rules.
        metrics: What is counted.
        trail: Where a finished run is reported.
        sealed: Beats when this process has sealed something.
        raised: Beaten when there are new alerts.
        run_lasts: A run of the log's record is closed when it has lasted this long.
    """

    def __init__(
        self,
        store: AlertStore,
        records: LogRecords,
        parameters: DetectionParameters,
        metrics: AlertMetrics,
        trail: AuditTrail,
        *,
        sealed: Pulse,
        raised: Pulse,
        run_lasts: timedelta = RUN_LASTS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(sealed)
        self._store = store
        self._records = records
        self._parameters = parameters
        self._metrics = metrics
        self._trail = trail
        self._raised = raised
        self._run_lasts = run_lasts
        self._clock = clock
        # The detector, and the leaf that it would be shown next; None when it does not stand anywhere.
        self._standing: tuple[Detector, int] | None = None
        # Since when something waits behind a leaf for whoever stands there.
        self._left: tuple[int, datetime] | None = None

    async def step(self) -> bool:
        """
        Take one step, and say whether there was something to look at.

        Raises:
            DatabaseUnavailable, QueryTooSlow: Nothing has changed: take it again.
        """
        async with self._store.turn(NAME) as turn:
            if turn is None:
                return False
            place, tree_size = await turn.place(), await self._records.tree_size()
            detector = await self._detector(place.next_index, tree_size)
            if detector is None and tree_size > place.next_index:
                return False  # Somebody stands there.
            batch, alerts = Batch([], place.next_index, tree_size), list[Alert]()
            if detector is not None:
                batch = await self._records.batch(detector.types, place.next_index)
                alerts = detector.feed(batch.records, await histories_of(detector, self._records, batch.records))
            run = await self._keep(turn, place, batch, alerts)
        # Committed: from here on a crash costs the memory of the rules, which the look-back brings back.
        if detector is not None:
            self._standing = detector, batch.next_index
        self._metrics.behind.labels(NAME).set(max(0, batch.tree_size - batch.next_index))
        if run is not None:
            await self._trail.announce(run_draft(run))
        return batch.next_index > place.next_index

    async def _detector(self, next_index: int, tree_size: int) -> Detector | None:
        """Return a detector that stands at a leaf; None when there is nothing to do, or when it is left to somebody else."""
        # Not ours any more until the step is committed: a detector that was shown something twice counts it twice.
        standing, self._standing = self._standing, None
        if standing is not None and standing[1] == next_index:
            return standing[0]
        if tree_size <= next_index:
            self._left = None
            return None
        if next_index > 0:  # In front of everything there is nothing to read first.
            if self._left is None or self._left[0] != next_index:
                self._left = next_index, self._clock()
            if self._clock() - self._left[1] < LEFT_AFTER:
                return None
        return await self._begin(next_index)

    async def _begin(self, next_index: int) -> Detector:
        detector = Detector(self._parameters)
        start = await self._records.look_back_from(next_index, detector.look_back)
        async for records in self._records.between(detector.types, start, next_index):
            detector.warm_up(records)
        return detector

    async def _keep(self, turn: Turn, place: Place, batch: Batch, alerts: list[Alert]) -> Run | None:
        now = self._clock()
        new = await turn.add(alerts)
        moved = place._replace(
            next_index=batch.next_index,
            run_entries=place.run_entries + batch.next_index - place.next_index,
            run_alerts=place.run_alerts + len(new),
        )
        run = None
        if moved.run_entries and now - place.run_started_at >= self._run_lasts:
            rules = rule_names(self._parameters)
            ends = moved.run_from, moved.next_index, moved.run_entries, moved.run_alerts, moved.run_alerts
            run = Run(new_run_id(), "live", *ends, rules, moved.run_started_at, ITSELF)
            await turn.add_run(run)
            moved = Place(moved.next_index, moved.next_index, 0, 0, now)
        if moved != place:
            await turn.move(moved)
        if new:
            for alert in new:
                self._metrics.raised.labels(alert.rule).inc()
            self._raised.beat()
        return run


async def histories_of(detector: Detector, records: LogRecords, batch: list[Record]) -> Histories:
    """Return what `Detector.feed` wants to see beside a batch."""
    return {
        one.leaf_index: await records.sign_ins(person, one, detector.history_reach)
        for one in batch
        if (person := detector.whose_history(one)) is not None
    }


def rule_names(parameters: DetectionParameters) -> list[str]:
    """Return the rules and their versions, as a run names them."""
    return [f"{about.id}/{about.version}" for about in Detector(parameters).about]


def run_draft(run: Run) -> Draft:
    """Return the event that says that a stretch of the log was looked at."""
    return Draft(
        event_type=EventType.AUDIT_DETECTION_RUN,
        outcome=Outcome.SUCCESS,
        actor=run.by,
        data={
            "run_id": str(run.run_id),
            "kind": run.kind,
            "from_leaf": run.from_leaf,
            "to_leaf": run.to_leaf,
            "alerts": run.alerts,
            "new_alerts": run.new_alerts,
            "rules": run.rules,
        },
    )


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Return after this long, or when `stop` is set."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
