"""What the consumer counts. Labels come from closed sets."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.audit.reading import Flaw
from services.audit.storage.entries import Appended

COMMIT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
LAG_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0)


class ConsumerMetrics:
    """The consumer's counters; every label exists from the start, so that a rate over a rare one is not missing."""

    def __init__(self, registry: CollectorRegistry) -> None:
        entries = Counter("audit_entries_total", "Entries taken from the queue", ["result"], registry=registry)
        self._new, self._duplicate = entries.labels("new"), entries.labels("duplicate")
        quarantined = Counter("audit_quarantined_total", "Lines put into quarantine", ["reason"], registry=registry)
        self._quarantined = {flaw: quarantined.labels(flaw.value) for flaw in Flaw}
        self.messages = Counter("audit_messages_total", "Messages received", registry=registry)
        self.queue_failures = Counter("audit_queue_failures_total", "Queue calls that failed", ["call"], registry=registry)
        self.database_failures = Counter("audit_database_failures_total", "Appends to be tried again", registry=registry)
        self.commit_seconds = Histogram(
            "audit_commit_seconds", "Time to commit a batch", buckets=COMMIT_BUCKETS, registry=registry
        )
        self.lag_seconds = Histogram(
            "audit_lag_seconds", "From sent to committed, per message", buckets=LAG_BUCKETS, registry=registry
        )
        self.held_back_seconds = Counter(
            "audit_held_back_seconds_total", "Time that batches waited for sealing to catch up", registry=registry
        )
        self.held = Gauge("audit_messages_held", "Messages received and not yet deleted", registry=registry)
        self.buffer_bytes = Gauge("audit_buffer_bytes", "Bytes that wait to be appended", registry=registry)

    def appended(self, appended: Appended) -> None:
        """Count a committed batch."""
        self._new.inc(appended.new_count)
        self._duplicate.inc(appended.duplicate_count)
        for line in appended.flawed:
            self._quarantined[line.flaw].inc()
