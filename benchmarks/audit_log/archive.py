"""What the archive of a log costs, in bytes and in time, and how long it takes to let go of a month of it."""

import resource
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg

from benchmarks.audit_log.cluster import Cluster
from benchmarks.audit_log.fill import ENTRY_KEY, month, nowhere, signer
from benchmarks.lab.figures import Row
from services.audit.archiving.copy import ArchiveCopy, Wanted
from services.audit.archiving.job import ArchiveJob, LockTerms
from services.audit.archiving.store import ArchiveStore
from services.audit.retention.job import Retention
from services.audit.retention.store import PARENTS, RetentionStore, open_owner
from services.audit.settings import AuditSettings
from services.audit.storage.database import open_pool
from services.audit.storage.keys import KeyRing
from services.audit.verifying.archive import DayVerifier
from services.audit.verifying.archive import Row as ArchiveRow
from services.audit.verifying.erasures import ErasedRows
from shared.audit_trail import AuditTrail
from tests.integration.audit.archives import PREFIX, TERMS, TOMORROW, Locked

_SIZE: Final = "SELECT sum(pg_total_relation_size(name::regclass))::bigint FROM unnest($1::text[]) AS name"


async def measure(
    cluster: Cluster, database: str, entries: int, locked: Locked, settings: AuditSettings, say: Any
) -> AsyncIterator[tuple[str, Row]]:
    """Archive a filled log, verify it from the archive alone, and drop its month; yield what comes out."""
    stored_bytes = await _stored_bytes(cluster, database)
    reading = await open_pool(cluster.url("reader", database), name="bench", connections_max=2)
    clerk = await open_pool(cluster.url("clerk", database), name="bench", connections_max=2)
    try:
        store = ArchiveStore(reading, clerk, KeyRing([ENTRY_KEY]))
        terms = LockTerms(TERMS.mode, TERMS.days)

        def progress(done: int, total: int) -> None:
            say(f"{done:,} of {total:,} archived")

        job = ArchiveJob(store, locked.bucket, prefix=PREFIX, terms=terms, progress=progress)
        began, cpu = time.perf_counter(), _cpu_seconds()
        days = await job.run(datetime.now(UTC) + TOMORROW)
        archived, archive_cpu = time.perf_counter() - began, _cpu_seconds() - cpu
    finally:
        reading.terminate()
        clerk.terminate()
    say("verifying the archive")
    with tempfile.TemporaryDirectory(prefix="countersign-bench-") as cache:
        began, cpu = time.perf_counter(), _cpu_seconds()
        parts_bytes = await _verify(ArchiveCopy(locked.bucket, PREFIX, Path(cache)))
        verified, verify_cpu = time.perf_counter() - began, _cpu_seconds() - cpu
    yield (
        "bytes an entry",
        {
            "PostgreSQL": stored_bytes / entries,
            "Parquet": parts_bytes / entries,
            "with hashes and manifest": sum(day.byte_count for day in days) / entries,
        },
    )
    yield (
        "archiving and verifying",
        {
            "archived/s": entries / archived,
            "archived/s of CPU": entries / archive_cpu,
            "fetched and verified/s": entries / verified,
            "verified/s of CPU": entries / verify_cpu,
        },
    )
    say("dropping the month")
    yield "letting go of the month", await _drop(settings, locked, cluster.url("owner", database))


async def _stored_bytes(cluster: Cluster, database: str) -> int:
    connection = await asyncpg.connect(cluster.url("owner", database))
    try:
        size: int = await connection.fetchval(_SIZE, [f"audit.{parent}_{month()[0]:%Y_%m}" for parent in PARENTS])
    finally:
        await connection.close()
    return size


async def _verify(copy: ArchiveCopy) -> int:
    parts_bytes = 0
    for day in await copy.days():
        hashes = (await copy.fetch(day.hashes)).read_bytes()
        verifier = DayVerifier(day, [signer().verifier], erased=ErasedRows())
        files = [await copy.fetch(part) for part in day.parts]
        entries = await copy.entries(files, Wanted())
        rows = (ArchiveRow(one.event_id, one.leaf_index, one.leaf_hash, one.recorded_at, one.entry) for one in entries)
        findings = verifier.check_tree(hashes) or verifier.check_rows(hashes, rows)
        if findings:
            raise AssertionError(findings)
        parts_bytes += sum(part.bytes for part in day.parts)
    return parts_bytes


async def _drop(settings: AuditSettings, locked: Locked, owner_url: str) -> Row:
    connection = await open_owner(owner_url)
    trail = AuditTrail(nowhere, "audit")
    began = time.perf_counter()
    try:
        retention = Retention(settings, RetentionStore(connection), locked.bucket, trail, [signer()], "bench")
        dropped = await retention.drop(month()[0].date(), datetime.now(UTC))
    finally:
        await trail.close()
        await connection.close()
    return {
        "looking at everything first, s": time.perf_counter() - began - dropped.total_seconds,
        "others wait, s": dropped.seconds,
        "until the files are gone, s": dropped.total_seconds,
    }


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
