"""The middleware around every service: whose address a request has, and what every answer carries."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from shared.audit_trail import AuditUnavailable, Receipt
from shared.http.context import RequestContext
from shared.http.middleware import ProxyList, RequestMiddleware
from shared.problems import OriginRejected
from shared.state import StateUnavailable
from shared.telemetry.metrics import HttpMetrics
from shared.telemetry.tracing import Tracing
from tests.unit.shared.asgi import Reply, request


class App:
    """An application that does as it is told and remembers the context that it ran in."""

    def __init__(self, *, raises: Exception | None = None, after_start: bool = False) -> None:
        self.raises, self.after_start = raises, after_start
        self.context: RequestContext | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.context = scope["state"]["context"]
        if self.raises is not None and not self.after_start:
            raise self.raises
        await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"public")]})
        if self.raises is not None:
            raise self.raises
        await send({"type": "http.response.body", "body": b"ok"})


def wrapped(app: Any, registry: CollectorRegistry | None = None, **options: Any) -> RequestMiddleware:
    """Return the middleware around an application."""
    return RequestMiddleware(app, metrics=HttpMetrics(registry or CollectorRegistry()), tracing=Tracing("test"), **options)


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "expected"),
    [
        ([], "192.0.2.1", "203.0.113.9", "192.0.2.1"),
        (["10.0.0.0/8"], "192.0.2.1", "203.0.113.9", "192.0.2.1"),
        (["10.0.0.0/8"], "10.1.1.1", None, "10.1.1.1"),
        (["10.0.0.0/8"], "10.1.1.1", "203.0.113.9", "203.0.113.9"),
        (["10.0.0.0/8"], "10.1.1.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (["10.0.0.0/8"], "10.1.1.1", "203.0.113.9, 10.2.2.2", "203.0.113.9"),
        (["10.0.0.0/8"], "10.1.1.1", "10.9.9.9, 10.2.2.2", "10.9.9.9"),
        (["10.0.0.0/8"], "10.1.1.1", "rubbish", "10.1.1.1"),
        (["10.0.0.0/8"], "10.1.1.1", "203.0.113.9, rubbish", "10.1.1.1"),
        (["10.0.0.0/8"], "10.1.1.1", "rubbish, 10.2.2.2", "10.2.2.2"),
        (["10.0.0.0/8"], "10.1.1.1", "", "10.1.1.1"),
        (["::1", "2001:db8::/32"], "::1", "2001:db8::7, 2001:db8::8", "2001:db8::7"),
        (["2001:db8::/32"], "not an address", "203.0.113.9", "not an address"),
    ],
)
def test_only_listed_proxies_are_believed(proxies: list[str], peer: str, forwarded: str | None, expected: str) -> None:
    """The client is the right-most address that no listed proxy owns; what stands left of it anybody could have written."""
    header = forwarded.encode() if forwarded is not None else None

    assert ProxyList(proxies).client_address(peer, header) == expected


@given(st.binary(max_size=60))
def test_no_header_breaks_the_look_up(forwarded: bytes) -> None:
    """Whatever stands in X-Forwarded-For, there is an address."""
    assert ProxyList(["127.0.0.0/8"]).client_address("127.0.0.1", forwarded)


@pytest.mark.parametrize(
    ("proxies", "header", "given", "expected"),
    [
        (["10.0.0.0/8"], "CloudFront-Viewer-Country", "BR", "BR"),
        (["192.0.2.0/24"], "CloudFront-Viewer-Country", "BR", None),
        ([], "CloudFront-Viewer-Country", "BR", None),
        (["10.0.0.0/8"], None, "BR", None),
        (["10.0.0.0/8"], "CF-IPCountry", "BR", None),
        *[(["10.0.0.0/8"], "CloudFront-Viewer-Country", given, None) for given in ("XX", "T1", "br", "BRA", "", "\xff\xff")],
    ],
)
async def test_a_country_is_believed_from_listed_proxies(
    proxies: list[str], header: str | None, given: str, expected: str | None
) -> None:
    """Where a client is comes from the header that is named, from a listed proxy, and only when it is a country."""
    app = App()
    middleware = wrapped(app, trusted_proxies=proxies, country_header=header)

    await request(middleware, headers={"CloudFront-Viewer-Country": given}, client="10.1.1.1")

    assert app.context is not None
    assert app.context.client is not None
    assert app.context.client.country == expected


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (AuditUnavailable(), 503, "audit_unavailable"),
        (StateUnavailable("away"), 503, "provider_busy"),
        (OriginRejected(), 403, "origin_rejected"),
        (RuntimeError("secret detail"), 500, "internal"),
    ],
)
async def test_faults_become_problems(error: Exception, status: int, code: str) -> None:
    """What an application raises is answered as a problem document, and never with the words of the exception."""
    reply = await request(wrapped(App(raises=error)))

    assert (reply.status, reply.json()["code"]) == (status, code)
    assert reply.headers["content-type"] == "application/problem+json"
    assert "secret detail" not in reply.body.decode()
    assert ("retry-after" in reply.headers) == (status == 503)


async def test_a_fault_after_the_answer_began_is_not_answered_twice() -> None:
    """Once an answer is under way a fault ends the connection instead of writing into it."""
    with pytest.raises(RuntimeError):
        await request(wrapped(App(raises=RuntimeError(), after_start=True)))


async def test_every_answer_has_the_common_headers() -> None:
    """Headers for all answers are added where the application did not set them, and the request id always."""
    reply = await request(wrapped(App(), headers=[(b"cache-control", b"no-store"), (b"x-frame", b"deny")]))

    assert (reply.headers["cache-control"], reply.headers["x-frame"]) == ("public", "deny")
    assert len(reply.headers["x-request-id"]) == 24


async def test_a_receipt_and_cookies_go_out_with_a_problem() -> None:
    """What the context holds leaves with whatever answer there is."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        context: RequestContext = scope["state"]["context"]
        context.receipt = Receipt("id", "hash")
        context.set_cookie("a=b")
        raise OriginRejected

    reply = await request(wrapped(app))

    assert (reply.headers["audit-receipt"], reply.headers["set-cookie"]) == ("id:hash", "a=b")


@pytest.mark.parametrize("trusts_callers", [True, False])
async def test_ids_are_taken_over_from_services_alone(trusts_callers: bool) -> None:
    """Only a service that outsiders cannot reach takes request id, trace and sampling from its caller."""
    app = App()
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"x-request-id": "request-0123456789", "traceparent": f"00-{trace}-b7ad6b7169203331-01"}

    reply = await request(wrapped(app, trusts_callers=trusts_callers), headers=headers)

    assert app.context is not None
    assert (reply.headers["x-request-id"] == "request-0123456789") is trusts_callers
    assert (app.context.trace_id == trace) is trusts_callers
    assert app.context.is_sampled is trusts_callers


@pytest.mark.parametrize("value", ["short", "x" * 65, "with space inside", "line\u00e4break", "a/b/c/d/e/f"])
async def test_odd_request_ids_are_replaced(value: str) -> None:
    """Even from a service an id that would not be safe in a log or a header is not taken over."""
    reply: Reply = await request(wrapped(App(), trusts_callers=True), headers={"x-request-id": value})

    assert reply.headers["x-request-id"] != value


async def test_made_up_paths_are_no_labels() -> None:
    """A path that matched no route, and a method that does not exist, are counted under one label each."""
    registry = CollectorRegistry()
    middleware = wrapped(App(), registry)

    for method, path in (("GET", "/a"), ("GET", "/b"), ("BREW", "/c")):
        await request(middleware, method=method, path=path)

    labels = {
        (sample.labels["method"], sample.labels["route"])
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "http_requests_total"
    }
    assert labels == {("GET", "unmatched"), ("OTHER", "unmatched")}
