"""What the detections count."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class AlertMetrics:
    """Counters of found and delivered alerts, and how far the followers are behind."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.raised = Counter("audit_alerts_total", "Alerts that nobody had found before", ["rule"], registry=registry)
        self.behind = Gauge("audit_detection_behind_entries", "Sealed entries not looked at yet", ["name"], registry=registry)
        self.undelivered = Counter(
            "audit_alert_delivery_failures_total", "Tries to deliver an alert that failed", ["channel"], registry=registry
        )
        self.refused = Counter(
            "audit_alerts_refused_total", "Alerts that a channel will never take", ["channel"], registry=registry
        )
