"""
Traces: sampled at the edge, before any span exists, since spans are the dearest part of a request.

The gateway decides by ratio, the services behind it follow its decision. A span is written when its request has ended, so an
unsampled request costs one random number.
"""

import random
import time

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from shared.http.context import RequestContext


class Tracing:
    """
    Keeps the spans of sampled requests.

    Args:
        service: The service's name, as ``service.name``.
        sample_ratio: Share of requests that are sampled, 0 to 1.
        otlp_url: Where spans go (OTLP over HTTP, full URL); without one nothing is sampled.
        exporter: Takes the place of the OTLP exporter.
    """

    def __init__(
        self,
        service: str,
        *,
        sample_ratio: float = 0.0,
        otlp_url: str | None = None,
        exporter: SpanExporter | None = None,
    ) -> None:
        self._resource = Resource.create({"service.name": service})
        if exporter is None and otlp_url is not None:
            exporter = OTLPSpanExporter(endpoint=otlp_url)
        self._processor = BatchSpanProcessor(exporter) if exporter is not None else None
        self._ratio = sample_ratio if self._processor is not None else 0.0

    def samples(self) -> bool:
        """Decide whether a request that starts here is sampled."""
        return self._ratio > 0 and random.random() < self._ratio  # noqa: S311 - a sampling choice, no secret

    def record_server_span(self, context: RequestContext, method: str, route: str, status: int, seconds: float) -> None:
        """Keep the span of a request that was answered just now, after `seconds`."""
        if self._processor is None:
            return
        end = time.time_ns()
        parent = context.parent_span_id
        span = ReadableSpan(
            name=f"{method} {route}",
            context=_span_context(context.trace_id, context.span_id),
            parent=_span_context(context.trace_id, parent) if parent else None,
            resource=self._resource,
            attributes={"http.request.method": method, "http.route": route, "http.response.status_code": status},
            kind=SpanKind.SERVER,
            status=Status(StatusCode.ERROR if status >= 500 else StatusCode.UNSET),
            start_time=end - int(seconds * 1e9),
            end_time=end,
        )
        self._processor.on_end(span)

    def close(self) -> None:
        """Send the spans that wait."""
        if self._processor is not None:
            self._processor.shutdown()  # type: ignore[no-untyped-call]


def _span_context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
