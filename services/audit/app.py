"""The audit service's composition root: consumer, sequencer and API, wired once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from litestar import Litestar
from prometheus_client import CollectorRegistry, Gauge

from services.audit.alerting.records import TooMuch
from services.audit.alerting.start import start_alerting
from services.audit.api.access import AccessGuard, ServiceTokens
from services.audit.api.alerts import close_alert, get_alert, get_detections, list_alerts, replay_detections
from services.audit.api.archive import list_archive
from services.audit.api.completeness import get_completeness
from services.audit.api.erasures import erase_subject, list_erasures, list_holds, place_hold, release_hold
from services.audit.api.events import get_event, search_events
from services.audit.api.exports import create_export, get_export_file, list_exports
from services.audit.api.health import Readiness, healthz, readyz
from services.audit.api.log import BundleReads, get_checkpoint, get_keys, get_tile
from services.audit.api.problems import on_database_unavailable, on_query_too_slow, on_too_much
from services.audit.api.proofs import get_proof
from services.audit.api.quarantine import get_line, list_quarantine, repair_line
from services.audit.api.reads import ReadRecorder
from services.audit.api.reconciliation import get_reconciliation, import_records
from services.audit.api.retention import list_statements
from services.audit.api.searches import add_search, change_search, list_searches, remove_search
from services.audit.api.stats import get_stats, get_top
from services.audit.api.stories import get_attempt, get_session
from services.audit.api.streams import list_streams
from services.audit.api.subjects import get_subject, get_subject_reads
from services.audit.api.tail import tail_events
from services.audit.archiving.store import ArchiveStore
from services.audit.archiving.worker import start_archive
from services.audit.consumer.queue import AuditQueue
from services.audit.consumer.service import DELETERS
from services.audit.erasure.eraser import Eraser
from services.audit.pages import Console
from services.audit.pulse import Pulse
from services.audit.sealing.keys import read_signers
from services.audit.settings import AuditSettings
from services.audit.stopping import on_stop_signal
from services.audit.storage.database import DatabaseUnavailable, Pool, QueryTooSlow, open_pool
from services.audit.storage.erasing import ErasureStore
from services.audit.storage.exports import ExportStore
from services.audit.storage.keys import KeyRing
from services.audit.storage.log import LogReader
from services.audit.storage.migrate import schema_version
from services.audit.storage.people import PeopleReader
from services.audit.storage.producers import ProducerReader
from services.audit.storage.saved import SearchShelf
from services.audit.storage.search import EntryReader
from services.audit.storage.stats import StatsReader
from services.audit.streaming.worker import start_streams, stream_keys
from services.audit.tree.notes import Signer
from services.audit.workers import close_pool, start_closer, start_consumer, start_counter, start_sequencer, start_watch
from shared.audit_trail import AuditTrail, service_event
from shared.cognito_tokens import TokenVerifier
from shared.events import EventType
from shared.http.client import open_http
from shared.http.middleware import AsgiApp, RequestMiddleware
from shared.http.problems import EXCEPTION_HANDLERS, JsonRequest
from shared.settings import read_keys, read_secrets
from shared.sqs import Send, queue_sender, sqs_client
from shared.telemetry.metrics import HttpMetrics, serve_metrics
from shared.telemetry.tracing import Tracing

BODY_BYTES_MAX: Final = 16 * 1024
READ_CONNECTIONS_MAX: Final = 8
CLERK_CONNECTIONS_MAX: Final = 4
HANDLERS: Final = (
    *(search_events, get_event, get_proof, tail_events, get_completeness),
    *(get_stats, get_top, get_subject, get_subject_reads, get_session, get_attempt),
    *(list_searches, add_search, change_search, remove_search),
    *(erase_subject, list_erasures, list_holds, place_hold, release_hold),
    *(create_export, list_exports, get_export_file, list_archive, list_streams, list_statements),
    *(list_alerts, get_alert, close_alert, get_detections, replay_detections),
    *(get_reconciliation, import_records, list_quarantine, get_line, repair_line),
    *(get_checkpoint, get_keys, get_tile, healthz, readyz),
)


@dataclass(frozen=True)
class Secrets:
    """What the secret files hold, read before the port opens."""

    reader_url: str
    clerk_url: str
    writer_url: str
    sequencer_url: str | None
    email_hash_keys: list[str]
    entry_keys: list[str]
    stream_keys: dict[str, list[str]]
    signers: list[Signer]

    @classmethod
    def read(cls, settings: AuditSettings) -> "Secrets":
        """
        Read the files that the settings name.

        Raises:
            SettingsError: One of them is missing or wrong.
        """
        sequencer_file, key_file = settings.sequencer_database_url_file, settings.log_key_file
        return cls(
            read_secrets(settings.database_url_file)[0],
            read_secrets(settings.clerk_database_url_file)[0],
            read_secrets(settings.consumer_database_url_file)[0],
            read_secrets(sequencer_file)[0] if sequencer_file else None,
            read_keys(settings.email_hash_key_file),
            read_keys(settings.entry_key_file),
            stream_keys(settings),
            read_signers(key_file, settings.log_origin) if key_file else [],
        )


def create_app(settings: AuditSettings) -> AsgiApp:
    """
    Build the service. Secrets are read here, connections open when the server starts.

    Raises:
        SettingsError: A secret file is missing or wrong.
    """
    secrets = Secrets.read(settings)
    guard = AccessGuard(ServiceTokens.read(settings.service_token_hashes_file))
    registry = CollectorRegistry()
    tracing = Tracing("audit", sample_ratio=settings.trace_sample_ratio, otlp_url=settings.otlp_url)
    app = Litestar(
        HANDLERS,
        lifespan=[lambda app: _lifespan(app, settings, secrets, guard, registry, tracing)],
        exception_handlers={
            **EXCEPTION_HANDLERS,
            DatabaseUnavailable: on_database_unavailable,
            QueryTooSlow: on_query_too_slow,
            TooMuch: on_too_much,
        },
        request_class=JsonRequest,
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
    )
    return RequestMiddleware(
        Console(app),
        metrics=HttpMetrics(registry),
        tracing=tracing,
        guard=guard,
        trusted_proxies=settings.trusted_proxies,
        headers=[(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")],
    )


@asynccontextmanager
async def _lifespan(
    app: Litestar,
    settings: AuditSettings,
    secrets: Secrets,
    guard: AccessGuard,
    registry: CollectorRegistry,
    tracing: Tracing,
) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        stack.callback(tracing.close)
        trail, send = await _open_trail(stack, settings, guard)
        app.state.trail, app.state.send = trail, send
        reading = await open_pool(
            secrets.reader_url,
            name="audit-api",
            connections_max=READ_CONNECTIONS_MAX,
            seconds_max=settings.query_seconds_max,
            plans_each=True,
        )
        stack.push_async_callback(close_pool, reading)
        clerk = await open_pool(secrets.clerk_url, name="audit-clerk", connections_max=CLERK_CONNECTIONS_MAX)
        stack.push_async_callback(close_pool, clerk)
        app.state.exports = ExportStore(clerk)
        ring = KeyRing(secrets.entry_keys)
        app.state.archive = ArchiveStore(reading, clerk, ring)
        app.state.log_keys = [str(signer.verifier) for signer in secrets.signers]
        committed, sealed = Pulse(), Pulse()
        queue = await _open_queue(stack, settings)
        reads = ReadRecorder(trail, secrets.email_hash_keys)
        _share(app, reading, ring, reads, sealed, secrets.email_hash_keys)
        _share_changes(app, ErasureStore(reading, clerk, ring), clerk, trail)
        reader: EntryReader = app.state.reader
        app.state.readiness = Readiness({"queue": queue.depth, "database": lambda: _check_schema(reader)})
        backlog = Gauge("audit_backlog_entries", "Entries that the queue has refused so far", registry=registry)
        backlog.set_function(lambda: trail.backlog_entries)
        serve_metrics(registry, settings.host, settings.metrics_port)

        stop = asyncio.Event()

        def begin_to_stop() -> None:
            stop.set()
            sealed.stop()

        stack.enter_context(on_stop_signal(begin_to_stop))
        start_watch(stack, app.state.producers, registry)
        start_counter(stack, clerk, registry)
        start_closer(stack, app.state.erasures, trail, registry)
        app.state.settings = settings
        app.state.streams = await start_streams(
            stack, settings, secrets.clerk_url, secrets.stream_keys, reader, sealed, registry
        )
        if settings.archive_bucket is not None:
            await start_archive(stack, settings, settings.archive_bucket, app.state.archive, trail, registry)
        await start_alerting(stack, app, settings, registry, reading=reading, clerk=clerk, trail=trail, sealed=sealed)
        # The stack unwinds from its end: the consumer drains first, then the sequencer seals what was drained.
        if secrets.sequencer_url is not None:
            await start_sequencer(
                stack,
                settings,
                secrets.sequencer_url,
                secrets.signers,
                secrets.entry_keys,
                trail,
                registry,
                committed=committed,
                sealed=sealed,
            )
        if settings.receivers:
            await start_consumer(
                stack, settings, secrets.writer_url, ring, queue, registry, committed, app.state.producers, stop
            )
        await trail.announce(service_event(EventType.SERVICE_STARTED))
        yield
        begin_to_stop()
        await trail.announce(service_event(EventType.SERVICE_STOPPED))


async def _open_trail(stack: AsyncExitStack, settings: AuditSettings, guard: AccessGuard) -> tuple[AuditTrail, Send]:
    """Open this service's own way into the log, and let callers in: both need the running loop."""
    http = await stack.enter_async_context(open_http())
    send = await stack.enter_async_context(queue_sender(settings, settings.audit_queue_url))
    trail = AuditTrail(send, "audit")
    stack.push_async_callback(trail.close)
    verifier = TokenVerifier(
        http, issuer=settings.cognito_issuer, client_ids=frozenset(settings.client_ids), jwks_url=settings.jwks_url
    )
    guard.open(trail, verifier)
    return trail, send


def _share(app: Litestar, reading: Pool, ring: KeyRing, reads: ReadRecorder, sealed: Pulse, email_hash_keys: list[str]) -> None:
    app.state.ring = ring
    app.state.reader = EntryReader(reading, ring)
    app.state.log = LogReader(reading, ring)
    app.state.producers = ProducerReader(reading)
    app.state.stats = StatsReader(reading, app.state.reader)
    app.state.people = PeopleReader(reading)
    app.state.reads = reads
    app.state.bundle_reads = BundleReads(reads)
    app.state.sealed = sealed
    app.state.email_hash_keys = email_hash_keys


def _share_changes(app: Litestar, erasures: ErasureStore, clerk: Pool, trail: AuditTrail) -> None:
    app.state.clerk = clerk
    app.state.trail = trail
    app.state.searches = SearchShelf(clerk)
    app.state.erasures = erasures
    app.state.eraser = Eraser(erasures, trail, app.state.sealed, app.state.email_hash_keys)


async def _open_queue(stack: AsyncExitStack, settings: AuditSettings) -> AuditQueue:
    # A connection for each long poll and each deletion under way, and some for heartbeat, release and readiness.
    client = await stack.enter_async_context(sqs_client(settings, connections_max=settings.receivers + DELETERS + 4))
    return AuditQueue(
        client,
        settings.audit_queue_url,
        visibility_seconds=settings.visibility_seconds,
        wait_seconds=settings.receive_wait_seconds,
    )


async def _check_schema(reader: EntryReader) -> None:
    found, wanted = await reader.schema_version(), schema_version()
    if found < wanted:
        raise DatabaseUnavailable(f"schema {found} is older than {wanted}: run the migrations")
