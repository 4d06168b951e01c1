"""Structured logs: one JSON object a line on standard output, event names ``noun.verb_past``, fields as keywords."""

import logging
import sys

import msgspec
import structlog

_ENCODER = msgspec.json.Encoder(enc_hook=str)


def _serialise(event: structlog.typing.EventDict, **_: object) -> bytes:
    return _ENCODER.encode(event)


def configure_logging(service: str, *, level: str = "info") -> None:
    """Send structlog and the standard library's warnings to standard output as JSON lines that carry `service`."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_serialise),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stdout, format="%(message)s", force=True)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
