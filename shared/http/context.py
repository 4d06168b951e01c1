"""The context of one request: who asks, from where, under which id; set once by the middleware, read everywhere below."""

from contextvars import ContextVar
from typing import Final

from shared.audit_trail import Receipt
from shared.events import Client


class RequestContext:
    """
    One request on its way through a service.

    `response_headers` are added to whatever answer goes out, a problem as well; `receipt` becomes ``Audit-Receipt``.
    """

    __slots__ = (
        "client",
        "is_sampled",
        "method",
        "parent_span_id",
        "receipt",
        "request_id",
        "response_headers",
        "route",
        "span_id",
        "trace_id",
    )

    def __init__(
        self,
        request_id: str,
        trace_id: str,
        span_id: str,
        *,
        is_sampled: bool,
        client: Client,
        parent_span_id: str | None = None,
    ) -> None:
        self.request_id = request_id
        self.trace_id = trace_id
        self.span_id = span_id
        self.is_sampled = is_sampled
        self.client = client
        self.parent_span_id = parent_span_id
        self.method = ""
        self.route = ""
        self.receipt: Receipt | None = None
        self.response_headers: list[tuple[bytes, bytes]] = []

    def traceparent(self) -> str:
        """Return the header that continues this trace in the next service. Source: W3C Trace Context section 3.2."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.is_sampled else '00'}"

    def set_cookie(self, cookie: str) -> None:
        """Send a Set-Cookie header with the answer."""
        self.response_headers.append((b"set-cookie", cookie.encode("latin-1")))


CURRENT: Final[ContextVar[RequestContext]] = ContextVar("request_context")
