"""What the sequencer counts. Labels come from closed sets."""

import time
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0)


class SealMetrics:
    """The sequencer's figures; `stopped` is the alarm, and `wait_seconds` the one that rings when nobody seals at all."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.entries = Counter("audit_sealed_entries_total", "Entries sealed by this process", registry=registry)
        self.seals = Counter("audit_seals_total", "Checkpoints signed by this process", registry=registry)
        self.round_seconds = Histogram(
            "audit_seal_round_seconds", "Time to seal what was waiting", buckets=SECONDS_BUCKETS, registry=registry
        )
        self.lag_seconds = Histogram(
            "audit_seal_lag_seconds",
            "From recorded to sealed, of the oldest entry of each round",
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self.tree_size = Gauge("audit_tree_size", "Leaves under the newest checkpoint", registry=registry)
        self.stopped = Gauge("audit_seal_stopped", "1 while sealing stands still because something is wrong", registry=registry)
        self.database_failures = Counter("audit_seal_database_failures_total", "Rounds to be tried again", registry=registry)
        wait = Gauge("audit_seal_wait_seconds", "Age of the oldest entry that is known not to be sealed", registry=registry)
        self._oldest_waiting: float | None = None
        wait.set_function(lambda: 0.0 if self._oldest_waiting is None else max(0.0, time.time() - self._oldest_waiting))

    def waiting_since(self, moment: datetime | None) -> None:
        """Note when the oldest unsealed entry was recorded; None when none waits."""
        self._oldest_waiting = None if moment is None else moment.timestamp()

    def sealed(self, *, entries: int, tree_size: int, lag_seconds: float) -> None:
        """Count a round that signed a checkpoint."""
        self.entries.inc(entries)
        self.seals.inc()
        self.tree_size.set(tree_size)
        self.lag_seconds.observe(max(0.0, lag_seconds))
