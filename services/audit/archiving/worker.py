"""The archive job inside the service: looks every few minutes whether a day is due."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from services.audit.archiving.bucket import (
    ArchiveBucket,
    ArchiveNotLocked,
    ArchiveUnavailable,
    s3_client,
)
from services.audit.archiving.events import archive_written
from services.audit.archiving.job import ArchiveJob, DayDamaged, LockTerms
from services.audit.archiving.store import ArchivedDay, ArchiveStore, EntriesLost
from services.audit.settings import AuditSettings
from services.audit.storage.database import DatabaseUnavailable, QueryTooSlow
from services.audit.workers import start_part
from shared.audit_trail import AuditTrail

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 300.0
EXPECTED: Final = (
    ArchiveUnavailable,
    ArchiveNotLocked,
    DayDamaged,
    EntriesLost,
    DatabaseUnavailable,
    QueryTooSlow,
)


class ArchiveMetrics:
    """What the worker shows."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.days = Counter("audit_archived_days_total", "Days that this process has archived", registry=registry)
        self.is_failing = Gauge("audit_archive_failing", "1 while archiving fails", registry=registry)


class ArchiveWorker:
    """
    Archives until it is told to stop.

    Args:
        job: The job.
        announce: Records that a day was archived.
        metrics: Where it is shown.
        look_seconds: Time between two looks.
    """

    def __init__(
        self,
        job: ArchiveJob,
        announce: Callable[[ArchivedDay], Awaitable[Any]],
        metrics: ArchiveMetrics,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._job = job
        self._announce = announce
        self._metrics = metrics
        self._look_seconds = look_seconds

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; what is under way then is given up, and begun again by whoever looks next."""
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                work = asyncio.create_task(self.look(datetime.now(UTC)))
                await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
                if not work.done():
                    work.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await work
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._look_seconds):
                        await stop.wait()
        finally:
            stopped.cancel()

    async def look(self, now: datetime) -> None:
        """Archive what is due; what goes wrong is shown and tried again at the next look."""
        try:
            days = await self._job.run(now)
        except EXPECTED as error:
            self._metrics.is_failing.set(1)
            log.error("audit.archive_failed", reason=type(error).__name__, error=str(error))
            return
        self._metrics.is_failing.set(0)
        for day in days:
            self._metrics.days.inc()
            await self._announce(day)


async def start_archive(
    stack: AsyncExitStack,
    settings: AuditSettings,
    bucket_name: str,
    store: ArchiveStore,
    trail: AuditTrail,
    registry: CollectorRegistry,
) -> None:
    """
    Begin to archive.

    Raises:
        ArchiveNotLocked: The bucket does not lock: the service must not start as if its days were kept.
    """
    bucket = ArchiveBucket(await stack.enter_async_context(s3_client(settings)), bucket_name)
    # A bucket that does not answer now is asked again with every run.
    with contextlib.suppress(ArchiveUnavailable):
        await bucket.check_lock()
    metrics = ArchiveMetrics(registry)
    faults = Counter("audit_archive_faults_total", "Times the archive stopped by a fault of ours", registry=registry)
    terms = LockTerms(settings.archive_lock_mode, settings.archive_lock_days)

    async def announce(day: ArchivedDay) -> None:
        await trail.announce(archive_written(day))

    def make() -> ArchiveWorker:
        return ArchiveWorker(ArchiveJob(store, bucket, prefix=settings.archive_prefix, terms=terms), announce, metrics)

    start_part(stack, "archive", make, asyncio.Event(), faults.inc)
