"""
One lean middleware around each service, in place of a framework's stack of them.

For every request it: makes the request id and continues the trace, finds the client's address, runs the service's guard
(origin checks, limits), adds the headers that every answer carries, counts, and writes one ``http.request_finished`` line.
"""

import ipaddress
import os
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol

import msgspec
import structlog

from shared.audit_trail import AuditUnavailable
from shared.events import Client, clean_text
from shared.http.context import CURRENT, RequestContext
from shared.problems import MEDIA_TYPE, AuditUnavailableProblem, Problem, ProviderBusy, retry_after
from shared.state import StateUnavailable
from shared.telemetry.metrics import HttpMetrics
from shared.telemetry.tracing import Tracing

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
SendMessage = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]
Headers = dict[bytes, bytes]

TRACEPARENT: Final = re.compile(rb"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
# ISO 3166-1 alpha-2. "XX" is what proxies say when they do not know.
COUNTRY: Final = re.compile(rb"(?!XX)[A-Z]{2}")
REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9_-]{8,64}")
_ENCODE = msgspec.json.Encoder().encode

log = structlog.get_logger("http")


class Guard(Protocol):
    """Looks at a request before the application does; raises a Problem to refuse it."""

    async def __call__(self, scope: Scope, headers: Headers, context: RequestContext) -> None:
        """Return to let the request in."""


class ProxyList:
    """The proxies whose X-Forwarded-For is believed, as addresses or networks."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = [ipaddress.ip_network(network, strict=False) for network in networks]

    def __contains__(self, address: str) -> bool:
        if not self._networks:
            return False
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    def client_address(self, peer: str, forwarded_for: bytes | None) -> str:
        """Return the right-most address that no listed proxy owns; the peer itself when it is no listed proxy."""
        if forwarded_for is None or peer not in self:
            return peer
        for hop in reversed(forwarded_for.decode("latin-1").split(",")):
            address = hop.strip()
            try:
                ipaddress.ip_address(address)
            except ValueError:
                return peer
            peer = address
            if address not in self:
                break
        return peer


class RequestMiddleware:
    """
    Wrap an ASGI application; put it outermost.

    Args:
        app: The application.
        metrics: Counts requests by route, method and status.
        tracing: Decides which requests are sampled and keeps their spans.
        guard: Runs before the application.
        trusted_proxies: Addresses or networks whose X-Forwarded-For and `country_header` are believed.
        country_header: The header in which they say from which country the client asks, such as CloudFront-Viewer-Country.
        trusts_callers: Take over request id and trace from the caller: only for services that outsiders cannot reach.
        headers: Added to every answer that does not set them itself.
    """

    def __init__(
        self,
        app: AsgiApp,
        *,
        metrics: HttpMetrics,
        tracing: Tracing,
        guard: Guard | None = None,
        trusted_proxies: Sequence[str] = (),
        country_header: str | None = None,
        trusts_callers: bool = False,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._tracing = tracing
        self._guard = guard
        self._proxies = ProxyList(trusted_proxies)
        self._country_header = country_header.lower().encode() if country_header else None
        self._trusts_callers = trusts_callers
        self._headers = list(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: SendMessage) -> None:
        """Serve one ASGI connection; everything but HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers: Headers = dict(scope["headers"])
        context = self._context(scope, headers)
        scope["state"]["context"] = context
        token = CURRENT.set(context)
        status = 500
        is_answered = False

        async def send_with_headers(message: Message) -> None:
            nonlocal status, is_answered
            if message["type"] == "http.response.start":
                status = message["status"]
                is_answered = True
                message["headers"] = self._answer_headers(message["headers"], context)
            await send(message)

        try:
            if self._guard is not None:
                await self._guard(scope, headers, context)
            await self._app(scope, receive, send_with_headers)
        except Problem as problem:
            if is_answered:
                raise
            await send_problem(send_with_headers, problem, context)
        except AuditUnavailable:
            if is_answered:
                raise
            await send_problem(send_with_headers, AuditUnavailableProblem(headers=retry_after(2)), context)
        except StateUnavailable as error:
            if is_answered:
                raise
            await send_problem(send_with_headers, ProviderBusy(f"state: {error}", headers=retry_after(2)), context)
        except Exception as error:
            if is_answered:
                raise
            log.exception("http.fault", request_id=context.request_id, error=type(error).__name__)
            await send_problem(send_with_headers, Problem(), context)
        finally:
            CURRENT.reset(token)
            self._finish(scope, context, status, time.perf_counter() - started)

    def _context(self, scope: Scope, headers: Headers) -> RequestContext:
        request_id, trace_id, parent_span_id, parent_is_sampled = None, None, None, None
        if self._trusts_callers:
            given = headers.get(b"x-request-id", b"")
            request_id = given.decode() if REQUEST_ID.fullmatch(given) else None
            parent = TRACEPARENT.fullmatch(headers.get(b"traceparent", b""))
            if parent is not None:
                trace_id, parent_span_id = parent[1].decode(), parent[2].decode()
                parent_is_sampled = parent[3] == b"01"
        peer = scope.get("client")
        user_agent = headers.get(b"user-agent")
        random = os.urandom(32).hex()
        is_sampled = self._tracing.samples() if parent_is_sampled is None else parent_is_sampled
        context = RequestContext(
            request_id or random[:24],
            trace_id or random[16:48],
            random[48:],
            is_sampled=is_sampled,
            parent_span_id=parent_span_id,
            client=Client(
                ip=self._proxies.client_address(peer[0], headers.get(b"x-forwarded-for")) if peer else None,
                user_agent=clean_text(user_agent.decode("latin-1"), 256) if user_agent else None,
                country=self._country(peer[0], headers) if peer and self._country_header else None,
            ),
        )
        context.method = scope["method"] if scope["method"] in KNOWN_METHODS else "OTHER"
        return context

    def _country(self, peer: str, headers: Headers) -> str | None:
        country = headers.get(self._country_header or b"", b"")
        return country.decode() if COUNTRY.fullmatch(country) and peer in self._proxies else None

    def _answer_headers(self, given: Any, context: RequestContext) -> list[tuple[bytes, bytes]]:
        answer = list(given)
        names = {name for name, _ in answer}
        answer.extend(header for header in self._headers if header[0] not in names)
        answer.append((b"x-request-id", context.request_id.encode()))
        answer.extend(context.response_headers)
        if context.receipt is not None:
            answer.append((b"audit-receipt", context.receipt.header().encode()))
        return answer

    def _finish(self, scope: Scope, context: RequestContext, status: int, seconds: float) -> None:
        # Litestar leaves the template of the route that matched; without one nothing matched, and a path that somebody
        # made up must never become a label.
        route = context.route or scope.get("path_template") or "unmatched"
        self._metrics.observe(context.method, route, status, seconds)
        if context.is_sampled:
            self._tracing.record_server_span(context, context.method, route, status, seconds)
        log.info(
            "http.request_finished",
            request_id=context.request_id,
            trace_id=context.trace_id,
            method=context.method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
        )


KNOWN_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


async def send_problem(send: SendMessage, problem: Problem, context: RequestContext) -> None:
    """Answer with a problem document from outside the framework."""
    body = _ENCODE(problem.document(context.request_id))
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    headers.extend((name.lower().encode(), value.encode()) for name, value in problem.headers.items())
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
