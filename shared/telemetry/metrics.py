"""Metrics in Prometheus form, on an internal port. Labels come from closed sets: routes, methods, statuses, outcomes."""

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class HttpMetrics:
    """Counts and times requests. Label children are kept, so that a request costs two increments and no look-up by label."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter("http_requests_total", "Requests answered", ["method", "route", "status"], registry=registry)
        self._seconds = Histogram(
            "http_request_seconds", "Time to answer", ["method", "route"], buckets=SECONDS_BUCKETS, registry=registry
        )
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request that was answered after `seconds`."""
        key = (method, route, status)
        children = self._children.get(key)
        if children is None:
            children = self._requests.labels(method, route, str(status)), self._seconds.labels(method, route)
            self._children[key] = children
        children[0].inc()
        children[1].observe(seconds)


def serve_metrics(registry: CollectorRegistry, host: str, port: int) -> None:
    """Answer GET /metrics on an internal port; 0 leaves it off. The thread it starts ends with the process."""
    if port:
        start_http_server(port, addr=host, registry=registry)
