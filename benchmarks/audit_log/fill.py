"""
Fill a log with N entries of a past month, as the service does it: read, encrypted and stored by two appenders, re-read, hashed,
placed and signed by a sequencer. Only the queue is left out.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final
from uuid import uuid4

import asyncpg
from prometheus_client import CollectorRegistry

from benchmarks.audit_log.cluster import Cluster
from benchmarks.audit_log.people import STORY_EVENTS, entries_of, month_before
from benchmarks.lab.figures import Row
from services.audit.pulse import Pulse
from services.audit.reading import Origin, read_line
from services.audit.retention.store import PARENTS
from services.audit.sealing.metrics import SealMetrics
from services.audit.sealing.sequencer import Sequencer
from services.audit.sealing.store import SealStore
from services.audit.storage.counts import CountStore
from services.audit.storage.database import Pool, open_pool
from services.audit.storage.entries import EntryStore, Placed
from services.audit.storage.keys import KeyRing
from services.audit.tree.notes import Signer
from shared.audit_trail import AuditTrail

ENTRY_KEY: Final = "e5" * 32
ORIGIN: Final = "bench.example/log"
BATCH: Final = 1_000
APPENDERS: Final = 2
# The last month but one: the youngest that retention lets go of.
MONTHS_AGO: Final = 2

# How long entries waited for their seal: median, 99th percentile and longest, in seconds.
LAGS: Final = """
SELECT percentile_cont(ARRAY[0.5, 0.99, 1]) WITHIN GROUP (ORDER BY extract(epoch FROM s.sealed_at - e.recorded_at)::float8)
FROM audit.seals AS s JOIN audit.leaves AS l ON l.leaf_index >= s.previous_size AND l.leaf_index < s.tree_size
JOIN audit.entries AS e USING (event_id)
"""


def month() -> tuple[datetime, datetime]:
    """Return the beginning and the end of the month that is filled."""
    return month_before(datetime.now(UTC), MONTHS_AGO)


def signer() -> Signer:
    """Return the key of the log."""
    return Signer(ORIGIN, bytes(32))


def placed(entries: Sequence[bytes]) -> list[Placed]:
    """Return entries as the consumer has them when it has read a message."""
    return [(Origin("m", line), read_line(entry)) for line, entry in enumerate(entries, 1)]


def sequencer(pool: Pool, trail: AuditTrail) -> Sequencer:
    """Return what seals, as the service has it."""
    return Sequencer(
        SealStore(pool),
        [signer()],
        SealMetrics(CollectorRegistry()),
        trail,
        entry_keys=[ENTRY_KEY],
        committed=Pulse(),
        sealed=Pulse(),
        interval_seconds=0.2,
    )


async def fill(cluster: Cluster, database: str, entries: int, say: Callable[[str], None]) -> Row:
    """
    Fill an empty, migrated log and return what an entry cost and how long it waited for its seal.

    Args:
        cluster: The server.
        database: The name of the database in it.
        entries: How many.
        say: Told what is under way.
    """
    begins, ends = month()
    owner = await asyncpg.connect(cluster.url("owner", database))
    try:
        await _make_month(owner, begins, ends)
        server, started = cluster.cpu_seconds(), time.monotonic()
        appending = [
            multiprocessing.get_context("spawn").Process(
                target=_append_share, args=(cluster.url("writer", database), entries, place, begins, ends), daemon=True
            )
            for place in range(APPENDERS)
        ]
        for process in appending:
            process.start()
        await _seal(cluster, database, entries, appending, say)
        seconds = time.monotonic() - started
        cpu = cluster.cpu_seconds() - server
        counted = await _count(cluster, database, entries, say)
        say("vacuum")
        # As autovacuum does in the days that a month takes.
        await owner.execute("SET maintenance_work_mem = '512MB'")
        await owner.execute("VACUUM (ANALYZE, FREEZE) audit.entries, audit.entry_search, audit.leaves, audit.known_words")
        say("how long entries waited for their seal")
        p50, p99, most = await owner.fetchval(LAGS, timeout=600)
    finally:
        await owner.close()
    return {
        "entries/s": float(round(entries / seconds)),
        "PostgreSQL us": cpu / entries * 1e6,
        "stored to sealed, p50 s": p50,
        "p99 s": p99,
        "most s": most,
        "counted/s": float(round(counted)),
    }


async def sealed_count(cluster: Cluster, database: str) -> int:
    """Return how many entries of a log are sealed; 0 when there is no log."""
    connection = await asyncpg.connect(cluster.url("owner", database))
    try:
        sealed: int = await connection.fetchval("SELECT coalesce(max(tree_size), 0) FROM audit.seals")
    except asyncpg.UndefinedTableError:
        return 0
    finally:
        await connection.close()
    return sealed


async def _make_month(owner: Any, begins: datetime, ends: datetime) -> None:
    for parent in PARENTS:
        await owner.execute(
            f"CREATE TABLE audit.{parent}_{begins:%Y_%m} PARTITION OF audit.{parent} "
            f"FOR VALUES FROM (audit.first_event_id('{begins}')) TO (audit.first_event_id('{ends}'))"
        )


def _append_share(url: str, entries: int, place: int, begins: datetime, ends: datetime) -> None:
    asyncio.run(_append(url, entries, place, begins, ends))


async def _append(url: str, entries: int, place: int, begins: datetime, ends: datetime) -> None:
    """Store every second story, in the order of time."""
    stories = range(place, entries // STORY_EVENTS, APPENDERS)
    written = entries_of(stories, of_entries=entries, instance=str(uuid4()), begins=begins, ends=ends)
    pool = await open_pool(url, name="bench", connections_max=1)
    try:
        store = EntryStore(pool, KeyRing([ENTRY_KEY]))
        while batch := list(islice(written, BATCH)):
            await store.append(placed(batch), [])
    finally:
        pool.terminate()


async def _seal(cluster: Cluster, database: str, entries: int, appending: list[Any], say: Callable[[str], None]) -> None:
    pool = await open_pool(cluster.url("sequencer", database), name="bench", connections_max=1)
    trail = AuditTrail(nowhere, "audit")
    sealer = sequencer(pool, trail)
    sealed, started = 0, time.monotonic()
    try:
        while sealed < entries:
            done = await sealer.seal_once()
            sealed += done.sealed_count
            if not done.is_full:
                if any(process.exitcode for process in appending):
                    raise ChildProcessError("an appender failed: see above")
                await asyncio.sleep(0.2)
            say(f"{sealed:,} entries sealed, {sealed / (time.monotonic() - started):,.0f}/s")
    finally:
        await trail.close()
        pool.terminate()


async def _count(cluster: Cluster, database: str, entries: int, say: Callable[[str], None]) -> float:
    pool = await open_pool(cluster.url("clerk", database), name="bench", connections_max=1)
    done, started = 0, time.monotonic()
    try:
        while more := await CountStore(pool).count_some():
            done += more
            say(f"{done:,} entries counted")
    finally:
        pool.terminate()
    return entries / (time.monotonic() - started)


async def nowhere(_: str) -> None:
    """Take a message of the sequencer's own."""
