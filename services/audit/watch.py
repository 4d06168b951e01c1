"""The alarm for missing events: every audit process looks, and says what it sees as metrics and as one log line a gap."""

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Gauge

from services.audit.completeness import Gap, Standing, overdue
from services.audit.storage.database import DatabaseUnavailable, QueryTooSlow
from services.audit.storage.producers import ProducerReader, Wanted

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 10.0


class GapMetrics:
    """What the watch shows; both are 0 when nothing is overdue."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.missing = Gauge("audit_missing_events", "Events missing for more than a minute", registry=registry)
        self.oldest = Gauge("audit_gap_oldest_seconds", "Age of the oldest gap of more than a minute", registry=registry)

    def show(self, late: list[tuple[Standing, Gap]], now: datetime) -> None:
        """Show the overdue gaps."""
        self.missing.set(sum(gap.event_count for _, gap in late))
        self.oldest.set(max(((now - gap.noticed_at).total_seconds() for _, gap in late), default=0))


class GapWatch:
    """
    Looks for overdue gaps until it is told to stop.

    Args:
        producers: What the log holds of each producer.
        metrics: Where the result is shown.
        look_seconds: Time between two looks.
    """

    def __init__(self, producers: ProducerReader, metrics: GapMetrics, look_seconds: float = LOOK_SECONDS) -> None:
        self._producers = producers
        self._metrics = metrics
        self._look_seconds = look_seconds
        self._named: set[tuple[str, int, int]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set."""
        while not stop.is_set():
            # While the database is away the last picture stands; that it is away is told elsewhere.
            with contextlib.suppress(DatabaseUnavailable, QueryTooSlow):
                await self.look(datetime.now(UTC))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._look_seconds):
                    await stop.wait()

    async def look(self, now: datetime) -> None:
        """
        Look once.

        Raises:
            DatabaseUnavailable, QueryTooSlow: Look again later.
        """
        late = overdue(await self._producers.standings(Wanted(only_incomplete=True), now=now), now=now)
        self._metrics.show(late, now)
        names = {(standing.known.instance, gap.first_seq, gap.last_seq) for standing, gap in late}
        for standing, gap in late:
            name = (standing.known.instance, gap.first_seq, gap.last_seq)
            if name not in self._named:
                log.error(
                    "audit.events_missing",
                    service=standing.known.service,
                    instance=name[0],
                    first_seq=name[1],
                    last_seq=name[2],
                    noticed_at=gap.noticed_at.isoformat(),
                )
        self._named = names
