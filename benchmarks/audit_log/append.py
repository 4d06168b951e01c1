"""What it costs to store, seal and count an entry, as the service does it, and with a transaction for each entry."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from benchmarks.audit_log.cluster import Cluster
from benchmarks.audit_log.fill import BATCH, ENTRY_KEY, nowhere, placed, sequencer
from benchmarks.audit_log.people import STORY_EVENTS, entries_of
from benchmarks.lab.figures import Row
from services.audit.sealing.sequencer import Sequencer
from services.audit.storage.counts import CountStore
from services.audit.storage.database import open_pool
from services.audit.storage.entries import EntryStore
from services.audit.storage.keys import KeyRing
from shared.audit_trail import AuditTrail

APPENDERS: Final = 2
DATABASE: Final = "append"


def write_entries(count: int) -> list[bytes]:
    """Return the entries of the last hour."""
    now = datetime.now(UTC)
    stories = range(count // STORY_EVENTS)
    return list(entries_of(stories, of_entries=count, instance=str(uuid4()), begins=now - timedelta(hours=1), ends=now))


async def measure(cluster: Cluster, entries: list[bytes], *, batch: int = BATCH, seals: bool = False) -> Row:
    """Store entries in an empty log, seal and count them when asked to, and return what one of them costs."""
    await cluster.drop(DATABASE)
    await cluster.create(DATABASE)
    writer = await open_pool(cluster.url("writer", DATABASE), name="bench", connections_max=APPENDERS)
    sealing = await open_pool(cluster.url("sequencer", DATABASE), name="bench", connections_max=1)
    clerk = await open_pool(cluster.url("clerk", DATABASE), name="bench", connections_max=1)
    trail = AuditTrail(nowhere, "audit")
    try:
        store = EntryStore(writer, KeyRing([ENTRY_KEY]))
        await store.append(placed(entries[:BATCH]), [])  # Opens the connections, prepares the statement.
        server, client, started = cluster.cpu_seconds(), time.process_time(), time.monotonic()
        parts = [entries[start : start + batch] for start in range(BATCH, len(entries), batch)]
        work = [_append_all(store, parts[place::APPENDERS]) for place in range(APPENDERS)]
        if seals:
            work.append(_seal_all(sequencer(sealing, trail), CountStore(clerk), len(entries)))
        await asyncio.gather(*work)
        done = len(entries) - BATCH
        seconds = time.monotonic() - started
        ours, theirs = time.process_time() - client, cluster.cpu_seconds() - server
    finally:
        await trail.close()
        for pool in (writer, sealing, clerk):
            pool.terminate()
        await cluster.drop(DATABASE)
    return {
        "service us": ours / done * 1e6,
        "PostgreSQL us": theirs / done * 1e6,
        "both us": (ours + theirs) / done * 1e6,
        "entries/s": float(round(done / seconds)),
    }


async def _append_all(store: EntryStore, parts: list[list[bytes]]) -> None:
    for part in parts:
        await store.append(placed(part), [])


async def _seal_all(sealer: Sequencer, counts: CountStore, entries: int) -> None:
    sealed = 0
    while sealed < entries:
        done = (await sealer.seal_once()).sealed_count
        sealed += done
        if not done:
            await asyncio.sleep(0.05)
    while await counts.count_some():
        pass
