"""
A log of N entries, real from the first byte: ``python -m benchmarks.audit_log [--entries 10000000] [--folder FOLDER]``.

Fills it, asks it, verifies it over HTTP, archives it under object lock, verifies the archive, drops its month, and says what
storing an entry costs. Prints Markdown tables and writes the same figures to ``benchmarks/out/``. All traffic stays on this
machine.
"""

import argparse
import asyncio
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import asyncpg

from benchmarks.audit_log import append, archive, ask, drain
from benchmarks.audit_log.cluster import Cluster, running_cluster
from benchmarks.audit_log.fill import BATCH, ENTRY_KEY, ORIGIN, fill, month, sealed_count, signer
from benchmarks.contenders.constants import AWS_ENVIRONMENT
from benchmarks.lab.cores import Cores, TooFewCores, pick_cores
from benchmarks.lab.figures import Row, keep, table
from benchmarks.lab.process import Program, StartFailed, free_port, leave_on_terminate
from deploy.local.errors import StackError
from services.audit.settings import AuditSettings
from shared.settings import load
from tests.integration.audit.archives import archive_bucket
from tests.integration.audit.lab import running_aws

TOKEN: Final = "a-token-of-the-benchmark"
STAGES: Final = ("ask", "append", "drain", "verify", "archive")
APPENDED: Final = 100_000
DRAINED: Final = 500_000
# As many as a deployment has at least.
SERVICES: Final = 2
# One transaction for each is slow.
APPENDED_SINGLY: Final = 10_000
VERIFY_SECONDS_MAX: Final = 3_600

# What a log without hourly counts and without a list of texts would do.
_SCANS: Final = {
    "hourly counts over a month, by a scan": "SELECT date_trunc('hour', s.occurred_at, 'UTC'), s.outcome, count(*) "
    "FROM audit.entry_search AS s GROUP BY 1, 2",
    "free text, in 1 of 100,000 events, by a scan": "SELECT s.event_id FROM audit.entry_search AS s "
    "WHERE lower(s.user_agent) LIKE '%curl/8%' ORDER BY s.occurred_at DESC LIMIT 100",
}


def main() -> int:
    """Run the stages; return 0, or 1 after one line that says what is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.audit_log", description="What a log of millions of entries costs."
    )
    parser.add_argument("--entries", type=int, default=200_000, help="how many the log holds (default 200000)")
    parser.add_argument("--folder", type=Path, help="keep the filled log here, and use it again (default: a temporary one)")
    parser.add_argument(
        "--stages",
        type=lambda text: text.split(","),
        default=list(STAGES),
        help=f"what to do with it, with commas between (default {','.join(STAGES)}); archive ends with dropping its month",
    )
    options = parser.parse_args()
    if unknown := set(options.stages) - set(STAGES):
        parser.error(f"--stages: no such stage: {', '.join(sorted(unknown))}")
    leave_on_terminate()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="countersign-bench-") as scratch,
            running_cluster(options.folder or Path(scratch) / "log") as cluster,
        ):
            os.chmod(scratch, 0o711)  # The database runs as somebody else.
            _run(cluster, Path(scratch), options.entries // 5 * 5, options.stages)
    except (TooFewCores, StartFailed, StackError, ask.UnexpectedAnswer, asyncpg.PostgresError, OSError) as error:
        print(f"✗ {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def _run(cluster: Cluster, scratch: Path, entries: int, stages: list[str]) -> None:
    database = f"filled_{entries}"
    figures: dict[str, object] = {"entries": entries}
    if {"ask", "verify", "archive"} & set(stages) and (filled := asyncio.run(_filled(cluster, database, entries))):
        figures["filled"] = filled
        _show(f"Storing and sealing {entries:,} entries, as fast as it goes", {"": filled})
    if {"ask", "verify"} & set(stages):
        with _service(cluster, database, pick_cores(), scratch) as (url, service):
            if "ask" in stages:
                questions = ask.questions(*month(), entries)
                asked = asyncio.run(_ask(url, questions, lambda: service.cpu_seconds() + cluster.cpu_seconds()))
                figures["asked"] = asked
                _show(f"Questions to {entries:,} entries, over the API", asked)
            if "verify" in stages:
                figures["verified"] = verified = _verify(url, scratch, entries)
                _show(f"countersign audit verify over {entries:,} entries, over the API", {"": verified})
    if "ask" in stages:
        figures["scanned"] = scanned = asyncio.run(_scan(cluster, database))
        _show("The same, without what this log keeps for them", scanned)
    if "append" in stages:
        figures["appended"] = appended = asyncio.run(_append(cluster))
        _show(f"Storing one entry, in batches of {BATCH:,} by two at once", appended)
    if "drain" in stages:
        figures["drained"] = drained = _drain(cluster, scratch, DRAINED)
        _show(f"From a queue of {DRAINED:,} entries to the sealed log, {SERVICES} services, all on two cores", drained)
    if "archive" in stages:
        figures["archived"] = _archive(cluster, database, scratch, entries)
    keep(f"audit-log-{'-'.join(stages)}", figures)


async def _filled(cluster: Cluster, database: str, entries: int) -> Row | None:
    await cluster.create(database)
    if await sealed_count(cluster, database) == entries:
        return None
    await _recreate(cluster, database)
    return await fill(cluster, database, entries, _say)


@contextmanager
def _service(cluster: Cluster, database: str, cores: Cores, scratch: Path) -> Iterator[tuple[str, Program]]:
    """Run the audit service over a filled log: it answers, and leaves consuming, sealing and detecting be."""
    stubs_port, port = free_port(), free_port()
    stubs_url = f"http://127.0.0.1:{stubs_port}"
    file = _settings(cluster, database, scratch, {"aws_region": "eu-west-1", "aws_endpoint_url": stubs_url}, port=port)
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


def _drain(cluster: Cluster, scratch: Path, entries: int) -> dict[str, Row]:
    """Let services empty a queue into a new log, with all that they do, and with the detections left to other processes."""
    messages = scratch / "messages"
    _say("writing messages")
    drain.write_messages(messages, entries)
    rows = {"all that a service does": _drained(cluster, scratch, messages, entries, detects=True)}
    rows["detections elsewhere"] = _drained(cluster, scratch, messages, entries, detects=False)
    return rows


def _drained(cluster: Cluster, scratch: Path, messages: Path, entries: int, *, detects: bool) -> Row:
    database, port = "drained", free_port()
    asyncio.run(_recreate(cluster, database))
    sealing = {"sequencer_database_url": cluster.url("sequencer", database), "log_key": bytes(32).hex()}
    whole = {
        "aws_region": "eu-west-1",
        "aws_endpoint_url": f"http://127.0.0.1:{port}",
        "receivers": 4,
        "detects": detects,
        **_secrets(scratch, sealing),
    }
    python = (sys.executable, "-m")
    with ExitStack() as stack:
        queue = Program(
            "queue", (*python, "benchmarks.stubs.queue", str(port), str(messages)), port=port, core=None, logs=scratch
        )
        stack.callback(queue.stop)
        services = []
        for name in (f"audit-{number}" for number in range(1, SERVICES + 1)):
            own = free_port()
            serve = (*python, "services.audit", "--settings", str(_settings(cluster, database, scratch, whole, own, name)))
            services.append(Program(name, serve, port=own, core=None, logs=scratch, environment=AWS_ENVIRONMENT))
            stack.callback(services[-1].stop)
        return asyncio.run(drain.measure(cluster, database, entries, queue, services, _say))


async def _recreate(cluster: Cluster, database: str) -> None:
    await cluster.drop(database)
    await cluster.create(database)


def _settings(
    cluster: Cluster, database: str, scratch: Path, more: dict[str, object], port: int = 1, name: str = "audit"
) -> Path:
    files = {
        "database_url": cluster.url("reader", database),
        "clerk_database_url": cluster.url("clerk", database),
        "consumer_database_url": cluster.url("writer", database),
        "owner_database_url": cluster.url("owner", database),
        "email_hash_key": "5e" * 32,
        "entry_key": ENTRY_KEY,
        "service_token_hashes": f"bench:{hashlib.sha256(TOKEN.encode()).hexdigest()}",
    }
    settings: dict[str, object] = {
        "host": "127.0.0.1",
        "port": port,
        **_secrets(scratch, files),
        "log_origin": ORIGIN,
        "audit_queue_url": f"{more['aws_endpoint_url']}/000000000000/audit",
        "audit_dlq_url": f"{more['aws_endpoint_url']}/000000000000/audit-dlq",
        "cognito_issuer": more["aws_endpoint_url"],
        "jwks_url": f"{more['aws_endpoint_url']}/keys",
        "client_ids": [],
        "receivers": 0,
        # Would begin to read the log from its first leaf on.
        "detects": False,
        "query_seconds_max": 60,
        **more,
    }
    file = scratch / f"{name}.toml"
    # JSON's texts, numbers and lists are TOML's.
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()), encoding="utf-8")
    return file


def _secrets(folder: Path, texts: dict[str, str]) -> dict[str, object]:
    """Write secret files, and return the settings that name them."""
    for name, text in texts.items():
        (folder / name).write_text(text + "\n", encoding="utf-8")
    return {f"{name}_file": str(folder / name) for name in texts}


def _verify(url: str, scratch: Path, entries: int) -> Row:
    """Run the verifier that people run, and return how many entries it checks in a second of its own CPU."""
    before, started = _children_seconds(), time.monotonic()
    environment = {**os.environ, "COUNTERSIGN_AUDIT_TOKEN": TOKEN, "COUNTERSIGN_LOG_KEY": str(signer().verifier)}
    command = [sys.executable, "-m", "services.audit.cli", "audit", "verify", "--url", url]
    _say("verifying")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=VERIFY_SECONDS_MAX, check=False)
    if done.returncode != 0 or f"{entries:,}" not in done.stdout:
        raise StartFailed(f"the verifier found something: {done.stdout} {done.stderr}")
    seconds = time.monotonic() - started
    return {"entries/s": entries / seconds, "entries/s of the verifier's CPU": entries / (_children_seconds() - before)}


def _archive(cluster: Cluster, database: str, scratch: Path, entries: int) -> dict[str, Row]:
    async def measured() -> dict[str, Row]:
        rows = {}
        async with archive_bucket(aws) as locked:
            more = {**locked.settings(), "aws_region": "us-east-1", "aws_endpoint_url": aws.endpoint_url}
            settings = load(AuditSettings, _settings(cluster, database, scratch, more))
            async for name, row in archive.measure(cluster, database, entries, locked, settings, _say):
                rows[name] = row
                _show(name.capitalize(), {f"{entries:,} entries": row})
        return rows

    with running_aws(scratch / "aws") as aws:
        return asyncio.run(measured())


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


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


async def _append(cluster: Cluster) -> dict[str, Row]:
    written = append.write_entries(APPENDED)
    _say("storing")
    rows = {"stored": await append.measure(cluster, written)}
    rows["stored, sealed and counted"] = await append.measure(cluster, written, seals=True)
    rows["stored, a transaction for each"] = await append.measure(cluster, written[: BATCH + APPENDED_SINGLY], batch=1)
    return rows


def _show(title: str, rows: dict[str, Row]) -> None:
    print(f"\n## {title}\n\n{table(rows)}\n", flush=True)


def _say(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K… {what}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
