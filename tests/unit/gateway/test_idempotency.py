"""A write that is sent twice happens once: the middleware around an application of the test's own."""

import asyncio
import secrets
from typing import Any

import pytest

from services.gateway.idempotency import IdempotencyMiddleware
from services.gateway.sealing import Sealer
from shared.audit_trail import Receipt
from shared.events import Client
from shared.http.context import RequestContext
from shared.problems import Conflict, IdempotencyMismatch, InvalidRequest, RequestTooLarge
from shared.state.memory import MemoryState
from tests.unit.shared.asgi import Reply, request

SESSION = f"__Host-sid={'A' * 43}"
OTHER_SESSION = f"__Host-sid={'B' * 43}"


class Shop:
    """An application that counts how often it sold, and answers with that number."""

    def __init__(self) -> None:
        self.sold = 0
        self.status = 200
        self.bodies: list[bytes] = []
        self.open = asyncio.Event()
        self.open.set()
        self.raises: Exception | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.bodies.append(body)
        await self.open.wait()
        self.sold += 1
        if self.raises:
            raise self.raises
        context: RequestContext = scope["state"]["context"]
        context.receipt = Receipt(f"event-{self.sold}", "hash")
        context.set_cookie(f"sold={self.sold}")
        await send({"type": "http.response.start", "status": self.status, "headers": [(b"x-sold", str(self.sold).encode())]})
        await send({"type": "http.response.body", "body": b"so", "more_body": True})
        await send({"type": "http.response.body", "body": b"ld"})


class Counter:
    """A client of the shop, behind the middleware."""

    def __init__(self, shop: Shop) -> None:
        self.now = 0.0
        self.state = MemoryState(clock=lambda: self.now)
        self.middleware = IdempotencyMiddleware(shop, self.state, Sealer([secrets.token_hex(32)]), body_bytes_max=1024)
        self.context = RequestContext("r", "t", "s", is_sampled=False, client=Client())

    async def buy(
        self,
        key: str | None = "key",
        *,
        body: bytes = b"1",
        path: str = "/v1/x",
        cookie: str | None = None,
        method: str = "POST",
        ip: str = "192.0.2.1",
        pieces: int = 1,
    ) -> Reply:
        """Send one write."""
        self.context = RequestContext("r", "t", "s", is_sampled=False, client=Client(ip=ip))
        headers = {**({"idempotency-key": key} if key is not None else {}), **({"cookie": cookie} if cookie else {})}
        return await request(
            self.middleware, method, path, headers=headers, body=body, pieces=pieces, state={"context": self.context}
        )


@pytest.fixture
def shop() -> Shop:
    """The application."""
    return Shop()


@pytest.fixture
def counter(shop: Shop) -> Counter:
    """Its client."""
    return Counter(shop)


async def test_the_second_time_brings_the_first_answer(shop: Shop, counter: Counter) -> None:
    """Status, headers, body, cookies and receipt come again; the application does not run again."""
    first = await counter.buy()
    second = await counter.buy()

    assert shop.sold == 1
    assert (second.status, second.body, second.headers["x-sold"]) == (200, b"sold", "1")
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert counter.context.response_headers == [(b"set-cookie", b"sold=1")]
    assert counter.context.receipt == Receipt("event-1", "hash")


@pytest.mark.parametrize("status", [200, 202, 204, 400, 401, 403, 404, 409, 422])
async def test_final_answers_are_kept(shop: Shop, counter: Counter, status: int) -> None:
    """An answer that would come out the same again is kept, refusals included."""
    shop.status = status
    await counter.buy()

    assert (await counter.buy()).status == status
    assert shop.sold == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_answers_that_ask_for_a_retry_are_not_kept(shop: Shop, counter: Counter, status: int) -> None:
    """After an answer that says to try again the same key runs again."""
    shop.status = status
    await counter.buy()
    shop.status = 200

    assert (await counter.buy()).status == 200
    assert shop.sold == 2


async def test_a_fault_frees_the_key(shop: Shop, counter: Counter) -> None:
    """When the application raises, the same key runs again."""
    shop.raises = RuntimeError("broken")
    with pytest.raises(RuntimeError):
        await counter.buy()
    shop.raises = None

    assert (await counter.buy()).status == 200


@pytest.mark.parametrize("change", [{"body": b"2"}, {"path": "/v1/y"}, {"method": "PATCH"}, {"body": b""}])
async def test_a_key_is_for_one_request(shop: Shop, counter: Counter, change: dict[str, Any]) -> None:
    """Another body, path or method under the same key is refused and does not run."""
    await counter.buy()

    with pytest.raises(IdempotencyMismatch):
        await counter.buy(**change)
    assert shop.sold == 1


@pytest.mark.parametrize("change", [{"cookie": SESSION}, {"ip": "192.0.2.2"}, {"key": "other"}])
async def test_a_key_is_for_one_owner(shop: Shop, counter: Counter, change: dict[str, Any]) -> None:
    """Another session, another client or another key is another write."""
    await counter.buy()
    await counter.buy(**change)

    assert shop.sold == 2


async def test_sessions_do_not_share_keys(shop: Shop, counter: Counter) -> None:
    """The same key in two sessions of one client address is two writes."""
    await counter.buy(cookie=SESSION)
    await counter.buy(cookie=OTHER_SESSION)

    assert shop.sold == 2


async def test_a_refresh_is_answered_again_for_seconds_only(shop: Shop, counter: Counter) -> None:
    """
    The same refresh under the same key gets its answer again, from another network too, for ten seconds; then, or under
    another key, it runs: what comes of a token that was used is not for the middleware to say.
    """
    path = "/v1/session/refresh"
    await counter.buy(path=path)
    counter.now += 9.9
    assert (await counter.buy(path=path, ip="192.0.2.2")).headers["x-sold"] == "1"
    assert (await counter.buy("other", path=path)).headers["x-sold"] == "2"
    counter.now += 0.1

    assert (await counter.buy(path=path)).headers["x-sold"] == "3"


async def test_a_twin_under_way_is_a_conflict(shop: Shop, counter: Counter) -> None:
    """While the first runs the second is told so, and afterwards it gets the first one's answer."""
    shop.open.clear()
    first = asyncio.create_task(counter.buy())
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    with pytest.raises(Conflict):
        await counter.buy()
    shop.open.set()
    await first

    assert (await counter.buy()).headers["x-sold"] == "1"
    assert shop.sold == 1


async def test_a_twin_with_another_body_is_a_mismatch_at_once(shop: Shop, counter: Counter) -> None:
    """A misused key is told as such even while the first request runs."""
    shop.open.clear()
    first = asyncio.create_task(counter.buy())
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    with pytest.raises(IdempotencyMismatch):
        await counter.buy(body=b"2")
    shop.open.set()
    await first


async def test_a_body_in_pieces_is_one_body(shop: Shop, counter: Counter) -> None:
    """The application gets the whole body, and the same body in other pieces is the same request."""
    await counter.buy(body=b"abcdefgh", pieces=3)
    await counter.buy(body=b"abcdefgh", pieces=1)

    assert shop.bodies == [b"abcdefgh"]


async def test_a_body_that_is_too_large_does_not_run(shop: Shop, counter: Counter) -> None:
    """Past the limit nothing is read on, and nothing runs."""
    with pytest.raises(RequestTooLarge):
        await counter.buy(body=b"x" * 1025, pieces=5)
    assert shop.sold == 0


@pytest.mark.parametrize("key", ["", "x" * 129])
async def test_a_key_has_a_length(shop: Shop, counter: Counter, key: str) -> None:
    """A key is 1 to 128 characters."""
    with pytest.raises(InvalidRequest):
        await counter.buy(key)
    assert shop.sold == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
async def test_only_our_writes_are_looked_at(shop: Shop, counter: Counter, method: str) -> None:
    """What is not POST, PATCH or DELETE runs every time."""
    await counter.buy(method=method)
    await counter.buy(method=method)

    assert shop.sold == 2


async def test_without_a_key_every_write_runs(shop: Shop, counter: Counter) -> None:
    """The key is the client's choice."""
    await counter.buy(None)
    await counter.buy(None)

    assert shop.sold == 2


async def test_kept_answers_are_sealed(shop: Shop, counter: Counter) -> None:
    """An answer that is kept holds a cookie, so it is kept sealed."""
    await counter.buy()

    assert all(b"sold=" not in value for _, value in counter.state._values.values())
