"""Settings of the audit service."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

from services.audit.archiving.bucket import LockMode
from services.audit.detections.parameters import DetectionParameters
from services.audit.streaming.settings import S3Stream, WebhookStream
from shared.settings import AwsSettings


class AuditSettings(AwsSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One process of the audit service. Fields that end in `_file` are paths: settings get logged, secrets must not."""

    host: str
    port: Annotated[int, Meta(ge=0, le=65_535)]

    # PostgreSQL roles, so that no running part can do more than its work: the API reads, the consumer appends, the sequencer
    # seals, the clerk keeps what people make around the log (and never touches the log itself), and only `migrate` opens the
    # owner's file.
    database_url_file: str
    clerk_database_url_file: str
    consumer_database_url_file: str
    owner_database_url_file: str

    # The name of the log, which stands in every checkpoint: an address without its scheme, and never another one for the same
    # log. Who seals has a role and a key of its own; a process without them leaves the sealing to others.
    log_origin: str
    log_key_file: str | None = None
    sequencer_database_url_file: str | None = None
    # Rounds of sealing begin at least this far apart: a checkpoint for each entry would cost more than it proves.
    seal_interval_ms: Annotated[int, Meta(ge=10, le=1_000)] = 200

    # One or two keys. Data keys of persons are wrapped by the first, and unwrapped by either: whoever has neither this file nor
    # a copy of it reads no entry about a person, in a backup neither.
    entry_key_file: str

    audit_queue_url: str
    audit_dlq_url: str
    email_hash_key_file: str

    cognito_issuer: str
    jwks_url: str
    client_ids: tuple[str, ...]
    service_token_hashes_file: str

    # The gateway forwards the console's requests: without its address here, its own would stand in the log as the reader's.
    trusted_proxies: tuple[str, ...] = ()

    # Long polls in flight; 0 makes a process that only answers queries.
    receivers: Annotated[int, Meta(ge=0, le=64)] = 4
    metrics_port: Annotated[int, Meta(ge=0, le=65_535)] = 0

    # Length of a long poll. A stop waits for the polls under way, so this is also how long an idle process takes to end; SQS
    # allows 20, which saves a few cents a month.
    receive_wait_seconds: Annotated[int, Meta(ge=1, le=20)] = 5

    # A batch closes at whichever comes first. 1,000 entries: beyond that an INSERT gains nothing. 20 ms: what an entry may
    # wait for company when the queue is quiet.
    batch_entries_max: Annotated[int, Meta(ge=1, le=10_000)] = 1_000
    batch_linger_ms: Annotated[int, Meta(ge=0, le=1_000)] = 20
    # Batches under way at once, each on its own connection: one is decoded while another commits.
    appenders: Annotated[int, Meta(ge=1, le=16)] = 2
    # Receiving stops when this much is held and starts again below it.
    buffer_bytes_max: Annotated[int, Meta(ge=65_536)] = 32 * 1024 * 1024
    # SQS allows 12 hours; the heartbeat renews at half time, so a killed process delays its messages by at most this.
    visibility_seconds: Annotated[int, Meta(ge=2, le=43_200)] = 60
    # Orchestrators kill after 20 to 30 s; what is not appended by then goes back to the queue.
    drain_seconds: Annotated[float, Meta(ge=0, le=600)] = 10.0
    # A search that runs longer is cut off: the caller should narrow it.
    query_seconds_max: Annotated[float, Meta(gt=0, le=120)] = 10.0

    # Where sealed days go. Without a bucket nothing is archived, and so nothing can be dropped.
    archive_bucket: str | None = None
    # Ends with a slash, or is empty.
    archive_prefix: Annotated[str, Meta(pattern=r"^([A-Za-z0-9._-]+/)*$")] = ""
    # GOVERNANCE lets a role with s3:BypassGovernanceRetention delete; COMPLIANCE lets nobody, the account's root included.
    archive_lock_mode: LockMode = "COMPLIANCE"
    archive_lock_days: Annotated[int, Meta(ge=1, le=36_500)] = 400

    # Who is sent the log as it grows; see services/audit/streaming.
    streams: tuple[WebhookStream | S3Stream, ...] = ()
    # Whether this process may follow the log with the rules: one at a time does. The parameters are the rules' own.
    detects: bool = True
    detections: DetectionParameters = DetectionParameters()
    # Where alerts go besides the log. The webhook gets each as signed JSON; its file holds one secret, or two in a rotation.
    alert_webhook_url: str | None = None
    alert_webhook_secret_file: str | None = None
    alert_topic_arn: str | None = None

    trace_sample_ratio: Annotated[float, Meta(ge=0, le=1)] = 0.01
    otlp_url: str | None = None
    log_level: str = "info"

    @property
    def archive_lock(self) -> timedelta:
        """How long what is archived is locked."""
        return timedelta(days=self.archive_lock_days)

    def __post_init__(self) -> None:
        """Refuse what cannot work: a drain that is over before the last long poll is, or half of what sealing needs."""
        if self.drain_seconds <= self.receive_wait_seconds:
            raise ValueError("drain_seconds must be larger than receive_wait_seconds: a stop waits for the polls under way")
        if (self.log_key_file is None) != (self.sequencer_database_url_file is None):
            raise ValueError("log_key_file and sequencer_database_url_file belong together: sealing needs both")
        if len({stream.name for stream in self.streams}) != len(self.streams):
            raise ValueError("two streams have one name")
        if (self.alert_webhook_url is None) != (self.alert_webhook_secret_file is None):
            raise ValueError("alert_webhook_url and alert_webhook_secret_file belong together: what is sent is signed")
        if self.alert_webhook_url is not None and not _is_safe(self.alert_webhook_url):
            raise ValueError("alert_webhook_url must begin with https://: alerts name people")


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"))
