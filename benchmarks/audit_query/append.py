"""What it costs to store and seal entries, as the consumer and the sequencer do it, and with an index that we do not have."""

import asyncio
import os
import random
import time
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import asyncpg
from prometheus_client import CollectorRegistry

from benchmarks.audit_query.cluster import Cluster
from benchmarks.lab.figures import Row
from services.audit.pulse import Pulse
from services.audit.reading import Origin, read_line
from services.audit.sealing.metrics import SealMetrics
from services.audit.sealing.sequencer import Sequencer
from services.audit.sealing.store import SealStore
from services.audit.storage.counts import CountStore
from services.audit.storage.database import open_pool
from services.audit.storage.entries import EntryStore
from services.audit.storage.keys import KeyRing
from services.audit.tree.notes import Signer
from shared.audit_trail import AuditTrail
from shared.events import SCHEMA_VERSION, AuthsignalRef, Client, Event, EventType, HttpRef, Outcome, Producer, Subject, encode
from shared.ids import uuid7

ENTRY_KEY: Final = "e5" * 32
BATCH: Final = 1_000
APPENDERS: Final = 2
TRIGRAMS: Final = """
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA audit;
CREATE INDEX by_trigrams ON audit.entry_search USING gin (words audit.gin_trgm_ops);
"""
# Type, outcome, method and state of what a sign-in leaves behind.
STORY: Final = (
    (EventType.SIGN_IN_STARTED, Outcome.SUCCESS, None, None),
    (EventType.CHALLENGE_SENT, Outcome.SUCCESS, "EMAIL_OTP", "CHALLENGE_REQUIRED"),
    (EventType.CHALLENGE_VERIFIED, Outcome.SUCCESS, "EMAIL_OTP", "CHALLENGE_SUCCEEDED"),
    (EventType.SIGN_IN_SUCCEEDED, Outcome.SUCCESS, "EMAIL_OTP", "ALLOW"),
    (EventType.SESSION_CREATED, Outcome.SUCCESS, None, None),
)


def write_entries(count: int) -> list[bytes]:
    """Return entries as a gateway with a hundred thousand people and sixty kinds of browser writes them."""
    dice, instance = random.Random(11), str(uuid4())
    engine = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    agents = [f"{engine} Chrome/{number}.0.0.0 Safari/537.36" for number in range(60)]
    entries = []
    for seq in range(count):
        event_type, outcome, method, state = STORY[seq % len(STORY)]
        if seq % len(STORY) == 0:
            person, attempt = dice.randrange(100_000), str(uuid7())
            client = Client(
                ip=f"10.{person % 200}.{person // 200 % 250}.{dice.randrange(1, 5)}",
                user_agent=agents[person % 60],
                device_id=f"{person:032x}",
                country=("DE", "FR", "US", "GB", "NL", "PL", "BR", "JP")[person % 8],
            )
        event = Event(
            event_id=str(uuid7()),
            schema_version=SCHEMA_VERSION,
            event_type=event_type,
            outcome=outcome,
            occurred_at=datetime.now(UTC),
            producer=Producer(service="gateway", instance=instance, seq=seq),
            salt=os.urandom(16).hex(),
            request_id=os.urandom(16).hex(),
            attempt_id=attempt,
            session_ref=f"{person:064x}",
            subject=Subject(sub=f"3f2b0c9a-0000-4000-8000-{person:012x}", email_hash=f"{person:064x}"),
            client=client,
            authsignal=AuthsignalRef(action="signIn", state=state, method=method) if state else None,
            http=HttpRef(method="POST", route="/v1/sign-ins", status=200),
        )
        entries.append(encode(event))
    return entries


async def measure(cluster: Cluster, entries: list[bytes], *, with_trigrams: bool = False, seals: bool = False) -> Row:
    """Store entries in an empty log, seal and count them when asked to, and return what one of them costs."""
    await cluster.drop("append")
    await cluster.create("append")
    if with_trigrams:
        owner = await asyncpg.connect(cluster.url("owner", "append"))
        await owner.execute(TRIGRAMS)
        await owner.close()
    writer = await open_pool(cluster.url("writer", "append"), name="bench", connections_max=APPENDERS)
    sequencer = await open_pool(cluster.url("sequencer", "append"), name="bench", connections_max=1)
    clerk = await open_pool(cluster.url("clerk", "append"), name="bench", connections_max=1)
    trail = AuditTrail(_nowhere, "audit")
    try:
        store = EntryStore(writer, KeyRing([ENTRY_KEY]))
        await _append(store, entries[:BATCH])  # Opens the connections, prepares the statement.
        server, client, started = cluster.cpu_seconds(), time.process_time(), time.monotonic()
        parts = [entries[start : start + BATCH] for start in range(BATCH, len(entries), BATCH)]
        halves = [_append_all(store, parts[place::APPENDERS]) for place in range(APPENDERS)]
        if seals:
            sealer = Sequencer(
                SealStore(sequencer),
                [Signer("bench.example/log", bytes(32))],
                SealMetrics(CollectorRegistry()),
                trail,
                entry_keys=[ENTRY_KEY],
                committed=Pulse(),
                sealed=Pulse(),
                interval_seconds=0.2,
            )
            await asyncio.gather(*halves, _seal(sealer, CountStore(clerk), len(entries)))
        else:
            await asyncio.gather(*halves)
        done = len(entries) - BATCH
        seconds = time.monotonic() - started
        ours, theirs = time.process_time() - client, cluster.cpu_seconds() - server
    finally:
        await trail.close()
        for pool in (writer, sequencer, clerk):
            pool.terminate()
    return {
        "service us": ours / done * 1e6,
        "PostgreSQL us": theirs / done * 1e6,
        "both us": (ours + theirs) / done * 1e6,
        "entries/s": float(round(done / seconds)),
    }


async def _append_all(store: EntryStore, parts: list[list[bytes]]) -> None:
    for part in parts:
        await _append(store, part)


async def _append(store: EntryStore, entries: list[bytes]) -> None:
    await store.append([(Origin("m", place), read_line(entry)) for place, entry in enumerate(entries, 1)], [])


async def _seal(sealer: Sequencer, counts: CountStore, entries: int) -> None:
    sealed = 0
    while sealed < entries:
        done = (await sealer.seal_once()).sealed_count
        sealed += done
        if not done:
            await asyncio.sleep(0.05)
    while await counts.count_some():
        pass


async def _nowhere(_: str) -> None:
    """Take a message of the sequencer's own."""
