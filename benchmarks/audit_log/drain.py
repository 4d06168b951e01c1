"""
How quickly a full queue becomes a sealed log: two whole audit services, the database and the queue on two cores.

Everything that a service does beside it is on: detections, counts, completeness, metrics. The queue is a stub, because a real
one does its work on other machines.
"""

import asyncio
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

import asyncpg
import msgspec

from benchmarks.audit_log.cluster import Cluster
from benchmarks.audit_log.fill import LAGS
from benchmarks.audit_log.people import STORY_EVENTS, entries_of
from benchmarks.lab.figures import Row
from benchmarks.lab.process import Program, StartFailed

PRODUCERS: Final = 2
# As `AuditTrail` closes a message.
MESSAGE_BYTES_MAX: Final = 60 * 1024
SECONDS_MAX: Final = 900.0
POLL_SECONDS: Final = 0.2


def write_messages(file: Path, entries: int) -> None:
    """Write the bodies of messages that hold the entries of the last day, by two producers in turn, a JSON string a line."""
    ends = datetime.now(UTC)
    producers = [
        _messages(
            entries_of(
                range(place, entries // STORY_EVENTS, PRODUCERS),
                of_entries=entries,
                instance=str(uuid4()),
                begins=ends - timedelta(days=1),
                ends=ends,
            )
        )
        for place in range(PRODUCERS)
    ]
    with file.open("wb") as output:
        while producers:
            for producer in list(producers):
                body = next(producer, None)
                if body is None:
                    producers.remove(producer)
                else:
                    output.write(msgspec.json.encode(body.decode()) + b"\n")


def _messages(entries: Iterable[bytes]) -> Iterator[bytes]:
    lines: list[bytes] = []
    size = 0
    for entry in entries:
        if size + len(entry) + 1 > MESSAGE_BYTES_MAX:
            yield b"\n".join(lines)
            lines, size = [], 0
        lines.append(entry)
        size += len(entry) + 1
    if lines:
        yield b"\n".join(lines)


async def measure(
    cluster: Cluster, database: str, entries: int, queue: Program, services: list[Program], say: Callable[[str], None]
) -> Row:
    """
    Open the queue, and return what it took until every entry was sealed.

    Raises:
        StartFailed: It was not done in time.
    """
    connection = await asyncpg.connect(cluster.url("owner", database))
    try:
        server, ours = cluster.cpu_seconds(), sum(one.cpu_seconds() for one in services)
        stub, started = queue.cpu_seconds(), time.monotonic()
        await asyncio.to_thread(_open, queue.port)
        sealed = 0
        while sealed < entries:
            await asyncio.sleep(POLL_SECONDS)
            sealed = await connection.fetchval("SELECT coalesce(max(tree_size), 0) FROM audit.seals")
            seconds = time.monotonic() - started
            say(f"{sealed:,} entries sealed, {sealed / seconds:,.0f}/s")
            if seconds > SECONDS_MAX:
                raise StartFailed(f"only {sealed:,} of {entries:,} entries were sealed in {SECONDS_MAX:.0f} s")
        used = [
            sum(one.cpu_seconds() for one in services) - ours,
            cluster.cpu_seconds() - server,
            queue.cpu_seconds() - stub,
        ]
        p50, p99, most = await connection.fetchval(LAGS, timeout=600)
    finally:
        await connection.close()
    services_us, database_us, queue_us = (one / entries * 1e6 for one in used)
    return {
        "entries/s": float(round(entries / seconds)),
        "services us": services_us,
        "PostgreSQL us": database_us,
        "queue us": queue_us,
        "stored to sealed, p50 s": p50,
        "p99 s": p99,
        "most s": most,
    }


def _open(port: int) -> None:
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/open", method="POST"), timeout=10) as answer:
        answer.read()
