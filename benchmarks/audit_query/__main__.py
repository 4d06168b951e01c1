"""
Fill a log and ask it: ``python -m benchmarks.audit_query [--entries 10000000] [--folder FOLDER]``.

Prints Markdown tables and writes the same figures to ``benchmarks/out/``. All traffic stays on this machine.
"""

import argparse
import asyncio
import hashlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import asyncpg

from benchmarks.audit_query import append, ask
from benchmarks.audit_query.cluster import Cluster, running_cluster
from benchmarks.audit_query.fill import count, fill
from benchmarks.contenders.constants import AWS_ENVIRONMENT
from benchmarks.lab.cores import Cores, TooFewCores, pick_cores
from benchmarks.lab.figures import Row, keep, table
from benchmarks.lab.process import Program, StartFailed, free_port, leave_on_terminate
from deploy.local.errors import StackError

TOKEN: Final = "a-token-of-the-benchmark"
COUNT_SECONDS_MAX: Final = 900.0

# What a log without hourly counts and without a list of texts would do.
_SCANS: Final = {
    "hourly counts over 30 days, by a scan": "SELECT date_trunc('hour', s.occurred_at, 'UTC'), s.outcome, count(*) "
    "FROM audit.entry_search AS s GROUP BY 1, 2",
    "free text, in 1 of 100,000 events, by a scan": "SELECT s.event_id FROM audit.entry_search AS s "
    "WHERE s.words LIKE '%curl/8%' ORDER BY s.occurred_at DESC LIMIT 100",
}


def main() -> int:
    """Run everything; return 0, or 1 after one line that says what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit_query", description="Ask a log of millions of entries.")
    parser.add_argument("--entries", type=int, default=200_000, help="how many the log holds (default 200000)")
    parser.add_argument(
        "--appended", type=int, default=100_000, help="how many are stored to see what one costs (default 100000)"
    )
    parser.add_argument("--folder", type=Path, help="keep the filled log here, and use it again (default: a temporary one)")
    options = parser.parse_args()
    leave_on_terminate()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="countersign-bench-") as scratch,
            running_cluster(options.folder or Path(scratch) / "log") as cluster,
        ):
            _run(cluster, pick_cores(), Path(scratch), options)
    except (TooFewCores, StartFailed, StackError, ask.UnexpectedAnswer, asyncpg.PostgresError, OSError) as error:
        print(f"✗ {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def _run(cluster: Cluster, cores: Cores, scratch: Path, options: argparse.Namespace) -> None:
    database = f"filled_{options.entries}"
    asyncio.run(_filled(cluster, database, options.entries))
    with _service(cluster, database, cores, scratch) as (url, service):
        counting = asyncio.run(_wait_counted(cluster, database, options.entries))
        questions = ask.questions(ask.utc_now(), options.entries)
        asked = asyncio.run(_ask(url, questions, lambda: service.cpu_seconds() + cluster.cpu_seconds()))
    scanned = asyncio.run(_scan(cluster, database))
    _show(f"Questions to {options.entries:,} entries, over the API", asked)
    _show("The same, without what this log keeps for them", scanned)
    if counting:
        print(f"\nCounted anew: {counting:,.0f} entries/s.", flush=True)
    appended = asyncio.run(_append(cluster, options.appended))
    _show("Storing one entry, in batches of 1,000 by two at once", appended)
    keep("audit-query", {"entries": options.entries, "asked": asked, "scanned": scanned, "appended": appended})


async def _filled(cluster: Cluster, database: str, entries: int) -> None:
    await cluster.create(database)
    connection = await asyncpg.connect(cluster.url("owner", database))
    try:
        if await count(connection) == entries:
            return
    finally:
        await connection.close()
    await cluster.drop(database)
    await cluster.create(database)
    connection = await asyncpg.connect(cluster.url("owner", database))
    try:
        await fill(connection, entries, _say)
    finally:
        await connection.close()


@contextmanager
def _service(cluster: Cluster, database: str, cores: Cores, scratch: Path) -> Iterator[tuple[str, Program]]:
    """Run the audit service over a filled log: it answers and counts, and leaves consuming and sealing be."""
    stubs_port, port = free_port(), free_port()
    files = {
        "database_url": cluster.url("reader", database),
        "clerk_database_url": cluster.url("clerk", database),
        "consumer_database_url": cluster.url("writer", database),
        "owner_database_url": cluster.url("owner", database),
        "email_hash_key": "5e" * 32,
        "entry_key": "e5" * 32,
        "service_token_hashes": f"bench:{hashlib.sha256(TOKEN.encode()).hexdigest()}",
    }
    for name, text in files.items():
        (scratch / name).write_text(text + "\n", encoding="utf-8")
    stubs_url = f"http://127.0.0.1:{stubs_port}"
    settings = {
        "host": "127.0.0.1",
        **{f"{name}_file": str(scratch / name) for name in files},
        "log_origin": "bench.example/log",
        "audit_queue_url": f"{stubs_url}/000000000000/audit",
        "audit_dlq_url": f"{stubs_url}/000000000000/audit-dlq",
        "aws_region": "eu-west-1",
        "aws_endpoint_url": stubs_url,
        "cognito_issuer": stubs_url,
        "jwks_url": f"{stubs_url}/keys",
    }
    lines = [f'{name} = "{value}"' for name, value in settings.items()]
    lines += [f"port = {port}", "client_ids = []", "receivers = 0", "query_seconds_max = 60"]
    file = scratch / "audit.toml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    python = (sys.executable, "-m")
    stubs = Program("stubs", (*python, "benchmarks.stubs", str(stubs_port)), port=stubs_port, core=cores.load, logs=scratch)
    try:
        serve = (*python, "services.audit", "--settings", str(file))
        service = Program("audit", serve, port=port, core=cores.server, logs=scratch, environment=AWS_ENVIRONMENT)
        try:
            yield f"http://127.0.0.1:{port}", service
        finally:
            service.stop()
    finally:
        stubs.stop()


async def _wait_counted(cluster: Cluster, database: str, entries: int) -> float | None:
    """Return once the hourly counts are up with the log, and how many entries a second were counted."""
    connection = await asyncpg.connect(cluster.url("reader", database))
    started = time.monotonic()
    try:
        begun_at: int = await connection.fetchval("SELECT leaf_count FROM audit.counted")
        done = begun_at
        while done < entries:
            if time.monotonic() - started > COUNT_SECONDS_MAX:
                raise StartFailed("the service does not count: see its log")
            await asyncio.sleep(0.2)
            done = await connection.fetchval("SELECT leaf_count FROM audit.counted")
            _say(f"{done:,} entries counted")
    finally:
        await connection.close()
    return (entries - begun_at) / (time.monotonic() - started) if entries > begun_at else None


async def _ask(url: str, questions: list[ask.Question], cpu_seconds: Callable[[], float]) -> dict[str, Row]:
    rows = {}
    for question in questions:
        _say(question.name)
        rows[question.name] = await ask.ask(url, TOKEN, question, cpu_seconds)
    return rows


async def _scan(cluster: Cluster, database: str) -> dict[str, Row]:
    connection = await asyncpg.connect(cluster.url("reader", database))
    rows = {}
    try:
        for name, sql in _SCANS.items():
            _say(name)
            samples, before = [], cluster.cpu_seconds()
            started = time.perf_counter()
            await connection.fetch(sql, timeout=300)
            samples.append((time.perf_counter() - started) * 1000)
            rows[name] = ask.figures(samples, cluster.cpu_seconds() - before)
    finally:
        await connection.close()
    return rows


async def _append(cluster: Cluster, entries: int) -> dict[str, Row]:
    written = append.write_entries(entries)
    rows = {}
    for name, options in (
        ("stored", {}),
        ("stored, with an index over all parts of all texts", {"with_trigrams": True}),
        ("stored, sealed and counted", {"seals": True}),
    ):
        _say(name)
        rows[name] = await append.measure(cluster, written, **options)
    await cluster.drop("append")
    return rows


def _show(title: str, rows: dict[str, Row]) -> None:
    print(f"\n## {title}\n\n{table(rows)}\n", flush=True)


def _say(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K… {what}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
