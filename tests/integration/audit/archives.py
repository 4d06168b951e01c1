"""A locked bucket, and a log that has days in it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from services.audit.archiving.bucket import ArchiveBucket, s3_client
from services.audit.archiving.job import ArchiveJob, LockTerms
from services.audit.archiving.store import ArchivedDay, ArchiveStore
from services.audit.storage.database import open_pool
from tests.integration.audit.lab import RING, AwsServer, Database

TERMS = LockTerms("GOVERNANCE", 30)
PREFIX = "audit/"
TOMORROW = timedelta(days=1, hours=1)


@dataclass
class Locked:
    """A bucket of this test's own."""

    client: Any
    name: str
    aws: AwsServer

    @property
    def bucket(self) -> ArchiveBucket:
        """The archive's view of it."""
        return ArchiveBucket(self.client, self.name)

    def options(self, cache: Any) -> list[str]:
        """Return how a command line names it."""
        place = ["--archive", "--bucket", self.name, "--prefix", PREFIX, "--region", "us-east-1"]
        return [*place, "--endpoint-url", self.aws.endpoint_url, "--cache", str(cache)]

    def settings(self) -> dict[str, Any]:
        """Return how the service's settings name it."""
        return {
            "archive_bucket": self.name,
            "archive_prefix": PREFIX,
            "archive_lock_mode": TERMS.mode,
            "archive_lock_days": TERMS.days,
        }


@contextlib.asynccontextmanager
async def archive_bucket(server: AwsServer, *, is_locked: bool = True) -> AsyncIterator[Locked]:
    """Make a bucket, under object lock or not."""
    async with s3_client(server.settings()) as client:
        name = f"archive-{uuid4().hex[:12]}"
        await client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=is_locked)
        yield Locked(client, name, server)


@contextlib.asynccontextmanager
async def archive_job(database: Database, locked: Locked, **options: Any) -> AsyncIterator[ArchiveJob]:
    """Give the job over a database."""
    reading = await open_pool(database.reader_url, name="test", connections_max=2)
    clerk = await open_pool(database.clerk_url, name="test", connections_max=2)
    try:
        yield ArchiveJob(ArchiveStore(reading, clerk, RING), locked.bucket, prefix=PREFIX, terms=TERMS, **options)
    finally:
        reading.terminate()
        clerk.terminate()


async def archive(database: Database, locked: Locked, **options: Any) -> list[ArchivedDay]:
    """Archive everything that is sealed, as tomorrow's run will."""
    async with archive_job(database, locked, **options) as job:
        return await job.run(datetime.now(UTC) + TOMORROW)


async def seal_was(database: Database, days_ago: int) -> None:
    """Pretend that what is sealed, and was not so many days ago already, was."""
    async with database.tampering() as connection:
        await connection.execute(
            "UPDATE audit.seals SET sealed_at = now() - $1::int * interval '1 day' WHERE sealed_at > now() - interval '1 hour'",
            days_ago,
        )
