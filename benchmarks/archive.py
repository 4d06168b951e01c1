"""
What the archive and retention cost: ``python -m benchmarks.archive [--entries N]``.

Fills a month of a real PostgreSQL, archives it into a locked bucket of the local AWS, verifies it from there, and drops it.
Prints a Markdown table and writes it to ``benchmarks/out/archive.json``. The default takes a minute; 10,000,000 takes hours.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from benchmarks.lab.figures import keep, table
from services.audit.archiving.copy import ArchiveCopy, Wanted
from services.audit.retention.job import MonthDropped, Retention
from services.audit.retention.store import RetentionStore, open_owner
from services.audit.settings import AuditSettings
from services.audit.verifying.archive import DayVerifier, Row
from shared.audit_trail import AuditTrail
from shared.events import AuthsignalRef, Client, EventType, HttpRef, Outcome, Subject
from shared.settings import load
from tests.integration.audit.archives import PREFIX, archive, archive_bucket
from tests.integration.audit.lab import (
    SIGNERS,
    TEMPLATE,
    Author,
    AwsServer,
    Database,
    PostgresServer,
    SentDrafts,
    queue_pair,
    running_aws,
    seal,
)
from tests.integration.audit.months import id_in, make_month, months_ago
from tests.integration.audit.service import write_settings

BATCH: Final = 5_000
SUBJECTS: Final = 2_000
STORY: Final = (
    (EventType.SIGN_IN_STARTED, Outcome.PENDING),
    (EventType.CHALLENGE_SENT, Outcome.SUCCESS),
    (EventType.CHALLENGE_VERIFIED, Outcome.SUCCESS),
    (EventType.SIGN_IN_SUCCEEDED, Outcome.SUCCESS),
    (EventType.SESSION_CREATED, Outcome.SUCCESS),
)


def main() -> int:
    """Run everything; return 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.archive", description="What archive and retention cost.")
    parser.add_argument("--entries", type=int, default=50_000, help="how many the month holds (default 50,000)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="countersign-bench-") as folder:
        os.chmod(folder, 0o711)  # The database runs as somebody else.
        server = PostgresServer.make(Path(folder) / "postgres")
        try:
            with running_aws(Path(folder) / "aws") as aws:
                row = asyncio.run(_measure(server, aws, Path(folder), options.entries))
        finally:
            server.discard()
    keep("archive", row)
    print(table({f"{options.entries:,} entries": row}))
    return 0


async def _measure(server: PostgresServer, aws: AwsServer, folder: Path, count: int) -> dict[str, Any]:
    await server.make_template()
    database = await server.create_database(template=TEMPLATE)
    async with queue_pair(aws) as queue, archive_bucket(aws) as locked:
        await _fill(database, count)
        stored_bytes = await _stored_bytes(database)
        began = time.perf_counter()
        [day] = await archive(database, locked)
        archived = time.perf_counter()
        parts_bytes = await _verify(ArchiveCopy(locked.bucket, PREFIX, folder / "cache"))
        verified = time.perf_counter()
        settings = load(AuditSettings, write_settings(folder / "settings", queue, database, **locked.settings()))
        dropped = await _drop(settings, locked, database)
    return {
        "PostgreSQL, bytes an entry": stored_bytes / count,
        "Parquet, bytes an entry": parts_bytes / count,
        "archive in all, bytes an entry": day.byte_count / count,
        "archived a second": count / (archived - began),
        "fetched and verified a second": count / (verified - archived),
        "drop of the month, others wait, s": dropped.seconds,
        "until its files are gone, s": dropped.total_seconds,
    }


async def _fill(database: Database, count: int) -> None:
    month = months_ago(4)
    await make_month(database, month)
    entries = _entries(count, month)
    done = 0
    while batch := list(islice(entries, BATCH)):
        await database.append(batch)
        await seal(database)
        done += len(batch)
        if sys.stderr.isatty():
            print(f"\r\033[K… {done:,} of {count:,} entries stored and sealed", end="", file=sys.stderr, flush=True)


def _entries(count: int, month: Any) -> Iterator[bytes]:
    """Yield what sign-ins leave: each person has an address, a device and a story of five events."""
    rng = random.Random(7)
    author = Author()
    subjects = [(str(UUID(int=rng.getrandbits(128))), os.urandom(32).hex()) for _ in range(SUBJECTS)]
    began = datetime(month.year, month.month, 1, tzinfo=UTC)
    made = 0
    while made < count:
        sub, email_hash = rng.choice(subjects)
        client = Client(ip=f"192.0.2.{rng.randrange(256)}", user_agent=f"Mozilla/5.0 (X11) Firefox/{rng.randrange(100, 160)}")
        attempt, session, request = str(uuid4()), str(uuid4()), os.urandom(12).hex()
        for event_type, outcome in STORY[: count - made]:
            made += 1
            yield author.entry(
                event_id=id_in(month),
                event_type=event_type,
                outcome=outcome,
                occurred_at=began + timedelta(seconds=made),
                request_id=request,
                attempt_id=attempt,
                session_ref=session,
                subject=Subject(sub=sub, email_hash=email_hash),
                client=client,
                authsignal=AuthsignalRef(action="sign-in", idempotency_key=attempt, state="ALLOW", method="EMAIL_OTP"),
                http=HttpRef(method="POST", route="/v1/attempts/{id}/verifications", status=200),
            )


async def _stored_bytes(database: Database) -> int:
    tables = [f"audit.{parent}_{months_ago(4):%Y_%m}" for parent in ("entries", "entry_search", "leaves")]
    rows = await database.fetch(
        "SELECT sum(pg_total_relation_size(name::regclass))::bigint AS size FROM unnest($1::text[]) name", tables
    )
    return int(rows[0]["size"])


async def _verify(copy: ArchiveCopy) -> int:
    [day] = await copy.days()
    hashes = (await copy.fetch(day.hashes)).read_bytes()
    verifier = DayVerifier(day, [SIGNERS[0].verifier])
    files = [await copy.fetch(part) for part in day.parts]
    rows = (Row(one.event_id, one.leaf_index, one.leaf_hash, one.entry) for one in await copy.entries(files, Wanted()))
    findings = verifier.check_tree(hashes) or verifier.check_rows(hashes, rows)
    if findings:
        raise AssertionError(findings)
    return sum(part.bytes for part in day.parts)


async def _drop(settings: AuditSettings, locked: Any, database: Database) -> MonthDropped:
    connection = await open_owner(database.owner_url)
    trail = AuditTrail(SentDrafts(), "audit")
    try:
        retention = Retention(settings, RetentionStore(connection), locked.bucket, trail, SIGNERS, "bench")
        return await retention.drop(months_ago(4), datetime.now(UTC))
    finally:
        await trail.close()
        await connection.close()


if __name__ == "__main__":
    sys.exit(main())
