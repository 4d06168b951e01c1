"""The framework's own parts, as its documentation puts them together."""

from typing import Any, Final

from litestar.config.compression import CompressionConfig
from litestar.config.csrf import CSRFConfig
from litestar.logging.config import StructLoggingConfig
from litestar.middleware.logging import LoggingMiddlewareConfig
from litestar.middleware.rate_limit import RateLimitConfig
from litestar.middleware.session.server_side import ServerSideSessionConfig
from litestar.plugins.opentelemetry import OpenTelemetryConfig
from litestar.plugins.prometheus import PrometheusConfig
from litestar.plugins.structlog import StructlogConfig, StructlogPlugin
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from benchmarks.contenders.places import Places

SAMPLE_RATIO: Final = 0.01
STARTS_PER_SECOND_MAX: Final = 1_000_000_000


def public_stack(places: Places) -> dict[str, Any]:
    """Return what a service that browsers reach is built with, as arguments of `Litestar`."""
    return {
        "middleware": [
            _tracing("gateway", places),
            PrometheusConfig(app_name="gateway", group_path=True).middleware,
            RateLimitConfig(rate_limit=("second", STARTS_PER_SECOND_MAX)).middleware,
            ServerSideSessionConfig(samesite="strict").middleware,
        ],
        "csrf_config": CSRFConfig(secret="5" * 64, cookie_samesite="strict"),
        "compression_config": CompressionConfig(backend="gzip"),
        "plugins": [_logging()],
    }


def internal_stack(places: Places) -> dict[str, Any]:
    """Return what a service that only services reach is built with."""
    return {
        "middleware": [_tracing("challenge", places), PrometheusConfig(app_name="challenge", group_path=True).middleware],
        "plugins": [_logging()],
    }


def _tracing(service: str, places: Places) -> Any:
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(SAMPLE_RATIO)), resource=Resource.create({"service.name": service})
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=places.stubs_url + "/v1/traces")))
    return OpenTelemetryConfig(tracer_provider=provider).middleware


def _logging() -> StructlogPlugin:
    return StructlogPlugin(
        StructlogConfig(
            structlog_logging_config=StructLoggingConfig(log_exceptions="always"),
            middleware_logging_config=LoggingMiddlewareConfig(),
        )
    )
