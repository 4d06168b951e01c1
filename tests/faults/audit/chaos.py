"""
Chaos: many events through the real queue path while everything goes wrong that may go wrong.

Producers' lines are sent in any order, some of them several times, some damaged, with lines between that are nobody's; two
audit services consume and seal, and are killed (`kill -9`) at random moments of their work and started again. Afterwards
everything is recomputed from what was sent and what is stored.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from services.audit.settings import AuditSettings
from services.audit.storage.database import open_pool
from services.audit.storage.log import LogReader
from services.audit.storage.producers import ProducerReader, Wanted
from services.audit.tree.checkpoints import open_checkpoint
from services.audit.tree.proofs import check_inclusion, inclusion_path
from services.audit.tree.reader import TileTree
from shared.audit_trail import now_utc
from shared.events import leaf_hash
from shared.settings import load
from tests.contract.ports import free_port
from tests.faults.audit.processes import START_SECONDS_MAX, ServiceProcess, service_process
from tests.integration.audit.lab import RING, SIGNERS, Author, Database, QueuePair, by_id, until
from tests.integration.audit.service import write_settings

PRODUCERS = 6
DAMAGED_SHARE = 0.002
GARBAGE_SHARE = 0.002
COPIED_SHARE = 0.1
LINES_MAX = 40
CONSUMERS = 2

Say = Callable[[str], None]


@dataclass
class Plan:
    """What is sent: `entries` must be stored, the others be in quarantine, where `damaged` explain their numbers."""

    entries: dict[str, bytes]
    damaged: list[bytes]
    garbage: list[bytes]
    messages: list[list[bytes]]

    @classmethod
    def make(cls, events: int, chance: random.Random) -> "Plan":
        """Return a plan of so many events."""
        authors = [Author() for _ in range(PRODUCERS)]
        lines = [authors[number % PRODUCERS].entry() for number in range(events)]
        # Neither the first nor the last of a producer: a hole at its end is no hole yet.
        places = chance.sample(range(PRODUCERS, events - PRODUCERS), max(2, round(events * DAMAGED_SHARE)))
        damaged = [lines[place][:-1] + b',"colour":"red"}' for place in places]
        spared = [line for place, line in enumerate(lines) if place not in set(places)]
        garbage = [b"no json %d" % number for number in range(max(2, round(events * GARBAGE_SHARE)))]
        sent = [*spared, *damaged, *garbage, *chance.sample(spared, round(len(spared) * COPIED_SHARE))]
        chance.shuffle(sent)
        messages = []
        while sent:
            size = chance.randint(1, LINES_MAX)
            messages.append(sent[:size])
            sent = sent[size:]
        messages += chance.sample(messages, len(messages) // 20)
        chance.shuffle(messages)
        return cls(by_id(spared), damaged, garbage, messages)

    @property
    def line_count(self) -> int:
        """How many lines are sent, copies and all."""
        return sum(len(message) for message in self.messages)


@dataclass
class Outcome:
    """What came of it; all but `kills`, `quarantined`, `explained` and the times must be as sent, or 0."""

    sent_lines: int = 0
    messages: int = 0
    stored: int = 0
    missing: int = 0
    altered: int = 0
    sealed: int = 0
    proven: int = 0
    unproven: int = 0
    quarantined: int = 0
    quarantine_missing: int = 0
    explained: int = 0
    unexplained: int = 0
    kills: int = 0
    consume_seconds: float = 0.0
    prove_seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


async def run_chaos(
    queue: QueuePair,
    database: Database,
    folder: Path,
    *,
    events: int,
    kills: int,
    seed: int,
    seconds_max: float,
    visibility_seconds: int = 3,
    say: Say = print,
) -> Outcome:
    """
    Send, kill, wait and recompute.

    `visibility_seconds` is how long a killed service's messages stay hidden; on a busy machine a short one expires in the
    middle of ordinary work, and everything is delivered again and again.

    Raises:
        TimeoutError: Not everything was stored and sealed after `seconds_max`.
    """
    chance = random.Random(seed)
    plan = Plan.make(events, chance)
    outcome = Outcome(sent_lines=plan.line_count, messages=len(plan.messages))
    say(f"{events:,} events as {plan.line_count:,} lines in {len(plan.messages):,} messages")
    started = time.monotonic()
    folders = [folder / str(number) for number in range(CONSUMERS)]
    services = [Mortal(write_mortal(one, queue, database, visibility_seconds)) for one in folders]
    async with asyncio.timeout(seconds_max), asyncio.TaskGroup() as group:
        for service in services:
            group.create_task(service.live())
        await _send_and_kill(queue, database, plan, services, kills, chance, outcome, say)
        await _wait_for_all(queue, database, plan, say)
        for service in services:
            service.is_over.set()
    outcome.consume_seconds = time.monotonic() - started
    say(f"stored and sealed after {outcome.consume_seconds:.0f} s and {outcome.kills} kills; recomputing")
    await _compare(database, plan, outcome)
    await _prove(database, plan, outcome)
    await _find_gaps(database, outcome)
    return outcome


@dataclass
class Mortal:
    """A service that is started again whenever it was killed, until it is over."""

    settings: Path
    process: ServiceProcess | None = None
    is_over: asyncio.Event = field(default_factory=asyncio.Event)
    was_killed: asyncio.Event = field(default_factory=asyncio.Event)

    async def live(self) -> None:
        """Run until it is over."""
        while not self.is_over.is_set():
            self.was_killed.clear()
            port = load(AuditSettings, self.settings).port
            async with service_process(self.settings, port) as process:
                self.process = process
                waits = [asyncio.create_task(one.wait()) for one in (self.was_killed, self.is_over)]
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for wait in waits:
                    wait.cancel()
                self.process = None
                if not self.was_killed.is_set():
                    await process.stop()

    def kill(self) -> None:
        """Kill it in the middle of whatever it does."""
        assert self.process is not None
        self.process.kill()
        self.process = None
        self.was_killed.set()


def write_mortal(folder: Path, queue: QueuePair, database: Database, visibility_seconds: int) -> Path:
    """Write the settings of a service whose batches are small: there is always one under way."""
    folder.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {"visibility_seconds": visibility_seconds, "batch_entries_max": 100, "detects": False}
    return write_settings(folder, queue, database, port=free_port(), **options)


async def _send_and_kill(
    queue: QueuePair,
    database: Database,
    plan: Plan,
    services: list[Mortal],
    kills: int,
    chance: random.Random,
    outcome: Outcome,
    say: Say,
) -> None:
    """Send a portion, and while it is being stored kill one of the services; then the next."""
    portion = -(-len(plan.messages) // (kills + 1))
    for start in range(0, len(plan.messages), portion):
        messages = plan.messages[start : start + portion]
        before = await _stored(database)
        sending = asyncio.create_task(queue.send_many(messages))
        is_last = start + portion >= len(plan.messages)
        if not is_last:
            wanted = before + round(sum(map(len, messages)) * chance.uniform(0.05, 0.5))
            await until(partial(_has_stored, database, wanted), "entries", seconds_max=2 * START_SECONDS_MAX)
            await until(partial(_any_lives, services), "a service that lives", seconds_max=START_SECONDS_MAX)
            chance.choice([service for service in services if service.process is not None]).kill()
            outcome.kills += 1
            say(f"{await _stored(database):,} stored, {outcome.kills} of {kills} killed")
        await sending


async def _any_lives(services: list[Mortal]) -> bool:
    return any(service.process is not None for service in services)


async def _stored(database: Database) -> int:
    rows = await database.fetch("SELECT count(*) AS count FROM audit.entry_search WHERE service <> 'audit'")
    count: int = rows[0]["count"]
    return count


async def _has_stored(database: Database, wanted: int) -> bool:
    return await _stored(database) >= wanted


async def _wait_for_all(queue: QueuePair, database: Database, plan: Plan, say: Say) -> None:
    sql = """
    SELECT count(*) AS stored, count(l.event_id) AS sealed,
        (SELECT count(*) FROM audit.quarantine) AS quarantined
    FROM audit.entry_search AS s LEFT JOIN audit.leaves AS l USING (event_id) WHERE s.service <> 'audit'
    """
    wanted = len(plan.entries)
    while True:
        row = (await database.fetch(sql))[0]
        say(f"{row['stored']:,} stored, {row['sealed']:,} sealed, {row['quarantined']:,} in quarantine")
        if row["sealed"] >= wanted and await queue.is_empty():
            return
        await asyncio.sleep(2 if wanted > 10_000 else 0.3)


async def _compare(database: Database, plan: Plan, outcome: Outcome) -> None:
    """Compare what is stored with what was sent, byte for byte."""
    stored = {key: entry for key, entry in (await database.entries()).items() if b'"service":"audit"' not in entry}
    outcome.stored = len(stored)
    outcome.missing = len(plan.entries.keys() - stored.keys())
    outcome.altered = sum(plan.entries.get(key) != entry for key, entry in stored.items())
    kept = {bytes(row["bytes"]) for row in await database.quarantine()}
    outcome.quarantined = len(kept)
    outcome.quarantine_missing = len({*plan.damaged, *plan.garbage} ^ kept)


async def _prove(database: Database, plan: Plan, outcome: Outcome) -> None:
    """Turn every receipt into an inclusion proof and check it against the signed checkpoint."""
    started = time.monotonic()
    pool = await open_pool(database.reader_url, name="chaos", connections_max=1)
    try:
        newest = await LogReader(pool, RING).checkpoint()
        assert newest is not None
        checkpoint = open_checkpoint(newest.note, [signer.verifier for signer in SIGNERS])
        rows = await database.fetch("SELECT level, tile_index, hashes FROM audit.tiles")
        places = await database.fetch("SELECT event_id::text AS id, leaf_index FROM audit.leaves")
    finally:
        await pool.close()
    outcome.sealed = len(places)
    tiles = {(row["level"], row["tile_index"]): bytes(row["hashes"]) for row in rows}
    size = checkpoint.tree_size
    tree = TileTree(size, lambda tile: tiles[tile.level, tile.index])
    subtree_root = cache(tree.subtree_root)
    indexes = {row["id"]: row["leaf_index"] for row in places}
    for event_id, entry in plan.entries.items():
        index = indexes.get(event_id)
        try:
            assert index is not None
            path = inclusion_path(index, size, subtree_root)
            check_inclusion(leaf_hash(entry), index, size, path, checkpoint.root)
        except Exception as error:
            outcome.unproven += 1
            outcome.faults.append(f"{event_id}: {error}")
        else:
            outcome.proven += 1
    outcome.prove_seconds = time.monotonic() - started


async def _find_gaps(database: Database, outcome: Outcome) -> None:
    """Ask the completeness report about every producer, the killed services included."""
    pool = await open_pool(database.reader_url, name="chaos", connections_max=1)
    try:
        standings = await ProducerReader(pool).standings(Wanted(), now=now_utc())
    finally:
        await pool.close()
    outcome.explained = sum(len(one.explained_gaps) for one in standings)
    outcome.unexplained = sum(one.missing_count for one in standings)
    repeated: list[Any] = [one.known.instance for one in standings if one.repeated_count]
    outcome.faults += [f"producer {instance} used a number twice" for instance in repeated]


def as_table(outcome: Outcome) -> dict[str, Any]:
    """Return the figures by name, for people and for programs."""
    return {name: value for name, value in json.loads(json.dumps(outcome.__dict__)).items() if name != "faults"}
