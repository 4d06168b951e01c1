"""Real parts for the audit service's tests: a PostgreSQL cluster, an SQS endpoint, and entries to put through them."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
from prometheus_client import CollectorRegistry

from deploy.local.keys import Keys
from deploy.local.layout import Layout
from deploy.local.parts import aws
from deploy.local.parts.postgres import Postgres
from deploy.local.process import Child
from deploy.local.supervisor import Supervisor
from services.audit.consumer.holds import Held
from services.audit.consumer.metrics import ConsumerMetrics
from services.audit.consumer.queue import AuditQueue
from services.audit.consumer.service import Consumer
from services.audit.pulse import Pulse
from services.audit.reading import Flaw, FlawedLine, Origin, read_line
from services.audit.sealing.metrics import SealMetrics
from services.audit.sealing.sequencer import Sequencer
from services.audit.sealing.store import SealStore
from services.audit.storage.counts import CountStore
from services.audit.storage.database import open_pool
from services.audit.storage.entries import EntryStore
from services.audit.storage.keys import JOIN_KEYS, SEALED_COLUMNS, KeyRing
from services.audit.storage.migrate import migrate
from services.audit.storage.producers import ProducerReader
from services.audit.tree.notes import Signer
from shared.audit_trail import AuditTrail
from shared.events import SCHEMA_VERSION, Event, EventType, Outcome, Producer, encode, leaf_hash
from shared.ids import uuid7
from shared.settings import AwsSettings
from shared.sqs import sqs_client
from tests.contract.ports import free_port

HOST = "127.0.0.1"
TEMPLATE = "audit_template"
# For what is waited for and ends as soon as it is there: a machine that runs other tests beside this one stands still at times.
DEADLINE_SECONDS = 60.0
MIDNIGHT_SECONDS = 60.0
ENTRY_KEY = "e5" * 32
RING = KeyRing([ENTRY_KEY])


@dataclass
class PostgresServer:
    """A PostgreSQL cluster of its own, with the roles and a migrated template database."""

    layout: Layout
    keys: Keys
    postgres: Postgres
    supervisor: Supervisor
    child: Child | None = None

    @classmethod
    def make(cls, folder: Path) -> "PostgresServer":
        """Make and start a cluster."""
        layout = Layout(folder)
        layout.make()
        keys = Keys(layout.secrets)
        server = cls(layout, keys, Postgres(layout, keys, free_port()), Supervisor(layout))
        server.postgres.prepare()
        server.start()
        server.postgres.create_roles()
        return server

    def start(self) -> None:
        """Start the server and wait for it."""
        self.child = self.postgres.start(self.supervisor)

    def stop(self) -> None:
        """Stop the server; its data stays."""
        self.supervisor.stop_all()

    def discard(self) -> None:
        """Stop the server at once: nobody wants its data any more."""
        if self.child is not None:
            os.kill(self.child.pid, signal.SIGQUIT)
        self.supervisor.stop_all()

    def url(self, role: str, database: str) -> str:
        """Return the URL of a role, or of the superuser."""
        password = self.keys.ensure("postgres_superuser" if role == "postgres" else f"postgres_{role}")
        return f"postgresql://{role}:{password}@{HOST}:{self.postgres.port}/{database}"

    async def create_database(self, *, template: str | None = None) -> "Database":
        """Make a database, a copy of a template or an empty one."""
        name = f"audit_{uuid4().hex[:12]}"
        connection = await asyncpg.connect(self.url("postgres", "postgres"))
        try:
            source = f"TEMPLATE {template}" if template else ""
            await connection.execute(f"CREATE DATABASE {name} OWNER countersign_owner {source}")
        finally:
            await connection.close()
        return Database(self, name)

    async def make_template(self) -> None:
        """Make the migrated database that the others are copied from."""
        database = await self.create_database()
        await migrate(database.owner_url)
        connection = await asyncpg.connect(self.url("postgres", "postgres"))
        try:
            await connection.execute(f"ALTER DATABASE {database.name} RENAME TO {TEMPLATE}")
            # These tests kill processes, never the power: what is written need not reach the disk.
            await connection.execute("ALTER SYSTEM SET fsync = off")
            await connection.execute("SELECT pg_reload_conf()")
        finally:
            await connection.close()


@dataclass
class Database:
    """One database, and what the tests read out of it."""

    server: PostgresServer
    name: str

    @property
    def owner_url(self) -> str:
        """The URL of the role that migrates."""
        return self.server.url("countersign_owner", self.name)

    @property
    def writer_url(self) -> str:
        """The URL of the role that appends."""
        return self.server.url("countersign_writer", self.name)

    @property
    def reader_url(self) -> str:
        """The URL of the role that reads."""
        return self.server.url("countersign_reader", self.name)

    @property
    def sequencer_url(self) -> str:
        """The URL of the role that seals."""
        return self.server.url("countersign_sequencer", self.name)

    @property
    def clerk_url(self) -> str:
        """The URL of the role that keeps what people make around the log."""
        return self.server.url("countersign_clerk", self.name)

    async def fetch(self, sql: str, *values: Any, role: str = "countersign_reader") -> list[Any]:
        """Run one statement on a connection of its own."""
        connection = await asyncpg.connect(self.server.url(role, self.name))
        try:
            rows: list[Any] = await connection.fetch(sql, *values)
            return rows
        finally:
            await connection.close()

    async def entries(self) -> dict[str, bytes]:
        """Return every entry that can be read, by its event_id."""
        opener = RING.opener()
        rows = await self.fetch(f"SELECT {SEALED_COLUMNS} FROM audit.entries AS e {JOIN_KEYS}")
        opened = {str(row["event_id"]): opener.open(row).entry for row in rows}
        return {event_id: entry for event_id, entry in opened.items() if entry is not None}

    async def quarantine(self) -> list[Any]:
        """Return every line in quarantine, oldest first."""
        return await self.fetch("SELECT * FROM audit.quarantine ORDER BY quarantine_id")

    async def append(self, entries: Iterable[bytes], *, flawed: Sequence[bytes] = ()) -> None:
        """Store entries, and lines that are none, as the consumer does, without a queue."""
        bad = [FlawedLine(Origin("m", number), line, Flaw.NOT_AN_EVENT, "none") for number, line in enumerate(flawed, 2)]
        pool = await open_pool(self.writer_url, name="test", connections_max=1)
        try:
            await EntryStore(pool, RING).append([(Origin("m", 1), read_line(entry)) for entry in entries], bad)
        finally:
            await pool.close()

    async def tree_size(self) -> int:
        """Return how many entries are sealed."""
        rows = await self.fetch("SELECT coalesce(max(tree_size), 0) AS size FROM audit.seals")
        size: int = rows[0]["size"]
        return size

    async def wait_for_seal(self, count: int) -> None:
        """Return once so many entries are sealed."""
        await until(lambda: self._has_sealed(count), f"{count} sealed entries")

    async def _has_sealed(self, count: int) -> bool:
        return await self.tree_size() >= count

    async def wait_for_sealed(self, entry: bytes) -> None:
        """Return once an entry has its place in the log."""
        await until(lambda: self._is_sealed(entry), "sealed entry")

    async def _is_sealed(self, entry: bytes) -> bool:
        sql = "SELECT 1 FROM audit.leaves JOIN audit.entries USING (event_id) WHERE leaf_hash = $1"
        return bool(await self.fetch(sql, leaf_hash(entry)))

    @contextlib.asynccontextmanager
    async def tampering(self) -> AsyncIterator[asyncpg.Connection]:
        """Give a connection that may do anything: the database's superuser, with the triggers switched off."""
        connection = await asyncpg.connect(self.server.url("postgres", self.name))
        try:
            await connection.execute("SET session_replication_role = replica")
            yield connection
        finally:
            await connection.close()

    async def wait_for_entries(self, count: int) -> dict[str, bytes]:
        """Return the entries once there are this many."""
        await until(lambda: self._has(count), f"{count} entries")
        return await self.entries()

    async def _has(self, count: int) -> bool:
        rows = await self.fetch("SELECT count(*) AS count FROM audit.entries")
        return bool(rows[0]["count"] >= count)


@dataclass
class AwsServer:
    """A local SQS endpoint. Its root credentials are in the environment, as services expect theirs."""

    endpoint_url: str
    credentials: dict[str, str]

    def settings(self) -> AwsSettings:
        """Return the settings by which services find it."""
        return AwsSettings(aws_region=aws.REGION, aws_endpoint_url=self.endpoint_url)


@contextlib.contextmanager
def running_aws(folder: Path) -> Iterator[AwsServer]:
    """Run a local AWS until the block ends."""
    layout = Layout(folder)
    layout.make()
    keys, port, supervisor = Keys(layout.secrets), free_port(), Supervisor(layout)
    child = supervisor.start(aws.command(layout, keys, port))
    supervisor.wait_ready(child, lambda: aws.is_ready(port))
    credentials = {
        "AWS_ACCESS_KEY_ID": aws.ROOT_ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": aws.root_secret(keys),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    before = {name: os.environ.get(name) for name in credentials}
    os.environ.update(credentials)
    try:
        yield AwsServer(aws.endpoint(port), credentials)
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        supervisor.stop_all()


@dataclass
class QueuePair:
    """The audit queue and its dead-letter queue."""

    client: Any
    url: str
    dlq_url: str
    aws: AwsServer

    async def send(self, *entries: bytes) -> str:
        """Put entries on the queue in one message, as a producer does, and return the message's id."""
        answer = await self.client.send_message(QueueUrl=self.url, MessageBody=b"\n".join(entries).decode())
        message_id: str = answer["MessageId"]
        return message_id

    async def send_many(self, messages: Iterable[list[bytes]]) -> None:
        """Put many messages on the queue, ten a call."""
        bodies = [b"\n".join(entries).decode() for entries in messages]
        for start in range(0, len(bodies), 10):
            entries = [{"Id": str(place), "MessageBody": body} for place, body in enumerate(bodies[start : start + 10])]
            answer = await self.client.send_message_batch(QueueUrl=self.url, Entries=entries)
            assert not answer.get("Failed")

    async def counts(self, url: str | None = None) -> tuple[int, int]:
        """Return how many messages are visible, and how many are held by somebody."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = await self.client.get_queue_attributes(QueueUrl=url or self.url, AttributeNames=names)
        return int(answer["Attributes"][names[0]]), int(answer["Attributes"][names[1]])

    async def is_empty(self) -> bool:
        """Say whether nothing waits and nobody holds anything."""
        return await self.counts() == (0, 0)


@contextlib.asynccontextmanager
async def queue_pair(server: AwsServer, *, receives_max: int = 1000) -> AsyncIterator[QueuePair]:
    """Make two queues for one test."""
    async with sqs_client(server.settings()) as client:
        name = f"audit-{uuid4().hex[:12]}"
        dlq_url = (await client.create_queue(QueueName=f"{name}-dlq"))["QueueUrl"]
        attributes = await client.get_queue_attributes(QueueUrl=dlq_url, AttributeNames=["QueueArn"])
        policy = {"deadLetterTargetArn": attributes["Attributes"]["QueueArn"], "maxReceiveCount": receives_max}
        made = await client.create_queue(QueueName=name, Attributes={"RedrivePolicy": json.dumps(policy)})
        try:
            yield QueuePair(client, made["QueueUrl"], dlq_url, server)
        finally:
            await client.delete_queue(QueueUrl=made["QueueUrl"])
            await client.delete_queue(QueueUrl=dlq_url)


@dataclass
class Author:
    """A producer that writes valid entries, numbered as a real one's."""

    service: str = "gateway"
    instance: str = field(default_factory=lambda: str(uuid4()))
    seq: int = 0

    def entry(self, **fields: Any) -> bytes:
        """Return the bytes of one event; `fields` replace what an ordinary one has."""
        defaults: dict[str, Any] = {
            "event_id": str(uuid7()),
            "schema_version": SCHEMA_VERSION,
            "event_type": EventType.SIGN_IN_STARTED,
            "outcome": Outcome.SUCCESS,
            "occurred_at": datetime.now(UTC),
            "producer": Producer(service=self.service, instance=self.instance, seq=self.seq),
            "salt": os.urandom(16).hex(),
        }
        self.seq += 1
        return encode(Event(**{**defaults, **fields}))

    def entries(self, count: int, **fields: Any) -> list[bytes]:
        """Return several entries."""
        return [self.entry(**fields) for _ in range(count)]


def at(seconds: float, *, base: datetime = datetime(2026, 11, 1, tzinfo=UTC)) -> datetime:
    """Return a moment, so many seconds after the start of November 2026."""
    return base + timedelta(seconds=seconds)


async def clear_of_midnight() -> None:
    """
    Return at once, or where midnight (UTC) is near once it is over.

    For tests of the archive, which goes by days, and of retention, which goes by months: theirs do not turn half-way.
    """
    now = datetime.now(UTC)
    left = datetime.combine(now + timedelta(days=1), time(), UTC) - now
    if left < timedelta(seconds=MIDNIGHT_SECONDS):
        await asyncio.sleep(left.total_seconds() + 0.01)


def by_id(entries: Iterable[bytes]) -> dict[str, bytes]:
    """Return entries by their event_id."""
    return {json.loads(entry)["event_id"]: entry for entry in entries}


async def until(condition: Callable[[], Any], what: str, *, seconds_max: float = DEADLINE_SECONDS) -> None:
    """Return when an awaited condition holds; fail when it does not in time."""
    deadline = asyncio.get_running_loop().time() + seconds_max
    while not await condition():
        assert asyncio.get_running_loop().time() < deadline, f"still no {what} after {seconds_max} s"
        await asyncio.sleep(0.03)


class QuickQueue(AuditQueue):
    """A queue that is asked often instead of long, so that a consumer under test ends without waiting for its last poll."""

    async def receive(self) -> list[Held]:
        """See `AuditQueue`."""
        messages = await super().receive()
        if not messages:
            await asyncio.sleep(0.03)
        return messages


@contextlib.asynccontextmanager
async def running_consumer(
    queue: QueuePair, database: Database, *, visibility_seconds: int = 30, **overrides: Any
) -> AsyncIterator["RunningConsumer"]:
    """Run a consumer in this process until the block ends; then it drains."""
    pool = await open_pool(overrides.pop("database_url", database.writer_url), name="test", connections_max=4)
    reading = await open_pool(database.reader_url, name="test", connections_max=1)
    registry = CollectorRegistry()
    options: dict[str, Any] = {
        "receivers": 2,
        "appenders": 2,
        "buffer_bytes_max": 8 * 1024 * 1024,
        "batch_entries_max": 1000,
        "batch_linger_seconds": 0.005,
        "drain_seconds": 5.0,
        **overrides,
    }
    async with sqs_client(queue.aws.settings()) as client:
        audit_queue = QuickQueue(client, queue.url, visibility_seconds=visibility_seconds, wait_seconds=0)
        store, unsealed = EntryStore(pool, RING), ProducerReader(reading).unsealed
        consumer = Consumer(audit_queue, store, ConsumerMetrics(registry), unsealed, **options)
        stop = asyncio.Event()
        task = asyncio.create_task(consumer.run(stop))
        try:
            yield RunningConsumer(stop, task, registry)
        finally:
            stop.set()
            await task
            pool.terminate()
            reading.terminate()


@dataclass
class RunningConsumer:
    """A consumer under test."""

    stop: asyncio.Event
    task: asyncio.Task[None]
    registry: CollectorRegistry

    def count(self, name: str, **labels: str) -> float:
        """Return the value of one of its metrics."""
        return self.registry.get_sample_value(name, labels) or 0.0


LOG_ORIGIN = "log.example.test/audit"
SIGNERS = [Signer(LOG_ORIGIN, bytes([7] * 32))]


class SentDrafts:
    """Stands where the queue is for a sequencer's own events, and keeps what was sent."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    async def __call__(self, body: str) -> None:
        """Take a message."""
        self.bodies += [json.loads(line) for line in body.split("\n")]


@dataclass
class RunningSequencer:
    """A sequencer under test."""

    sequencer: Sequencer
    registry: CollectorRegistry
    events: SentDrafts
    committed: Pulse

    def count(self, name: str) -> float:
        """Return the value of one of its metrics."""
        return self.registry.get_sample_value(name) or 0.0


@contextlib.asynccontextmanager
async def sequencer_of(
    database: Database, *, url: str | None = None, signers: Sequence[Signer] = SIGNERS, **overrides: Any
) -> AsyncIterator[RunningSequencer]:
    """Make a sequencer that works when it is told to."""
    pool = await open_pool(url or database.sequencer_url, name="test", connections_max=1, idle_seconds_max=5)
    registry, events, committed = CollectorRegistry(), SentDrafts(), Pulse()
    trail = AuditTrail(events, "audit")
    options: dict[str, Any] = {"interval_seconds": 0.02, "entry_keys": [ENTRY_KEY], **overrides}
    metrics = SealMetrics(registry)
    made = Sequencer(SealStore(pool), signers, metrics, trail, committed=committed, sealed=Pulse(), **options)
    try:
        yield RunningSequencer(made, registry, events, committed)
    finally:
        await trail.close()
        pool.terminate()


@contextlib.asynccontextmanager
async def running_sequencer(database: Database, **options: Any) -> AsyncIterator[RunningSequencer]:
    """Run a sequencer in this process until the block ends."""
    async with sequencer_of(database, **options) as running:
        stop = asyncio.Event()
        task = asyncio.create_task(running.sequencer.run(stop))
        try:
            yield running
        finally:
            stop.set()
            await task


async def seal(database: Database, **options: Any) -> int:
    """Seal everything that is committed and return the size of the tree."""
    async with sequencer_of(database, **options) as running:
        while (done := await running.sequencer.seal_once()).is_full or done.sealed_count:
            pass
        assert done.has_turn
    return await database.tree_size()


async def count(database: Database) -> None:
    """Add everything that is sealed by now to the hourly counts, or wait while a service does."""
    size = await database.tree_size()
    clerk = await open_pool(database.clerk_url, name="test", connections_max=1)
    try:
        while await clerk.fetchval("SELECT leaf_count FROM audit.counted") < size:
            await CountStore(clerk).count_some()
    finally:
        await clerk.close()
