"""A reverse proxy between the gateway and AWS that a test tells which call to refuse, to drop, or to answer itself."""

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from tests.contract.ports import free_port

HOST = "127.0.0.1"
START_SECONDS_MAX = 30.0
HOP_BY_HOP = {"transfer-encoding", "connection", "keep-alive", "content-encoding", "content-length"}

ACCESS_DENIED = (403, "com.amazonaws.sqs#AccessDenied")
THROTTLED = (400, "TooManyRequestsException")
BROKEN = (500, "InternalErrorException")


@dataclass
class Meddling:
    """
    What happens to calls of one operation.

    Args:
        operation: The last part of ``X-Amz-Target``, such as SendMessage.
        skip: How many calls go through first.
        times: How many calls are meddled with after those.
        answer: Status and error type to answer with; None closes the connection without a byte.
        is_done: Whether AWS gets the call all the same.
        body_has: Only calls whose body has this text count.
    """

    operation: str
    skip: int = 0
    times: int = 1_000
    answer: tuple[int, str] | None = None
    is_done: bool = False
    body_has: str = ""

    def takes(self, operation: str, body: bytes) -> bool:
        """Say whether this call is meddled with, and count it."""
        if operation != self.operation or self.body_has.encode() not in body:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return self.times >= 0


class Meddler:
    """
    The proxy, in a thread of its own.

    Args:
        upstream: Where calls go that nobody meddles with.
    """

    def __init__(self, upstream: str) -> None:
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self._upstream = upstream
        self._meddlings: list[Meddling] = []
        self.calls: list[str] = []
        self.bodies: list[tuple[str, bytes]] = []  # of every call since the start, by operation
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="meddler")

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        assert self._is_up.wait(START_SECONDS_MAX)

    def stop(self) -> None:
        """Stop listening, and wait for that."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def meddle(self, *meddlings: Meddling) -> None:
        """Meddle with calls from now on, in place of whatever was before."""
        self._meddlings = list(meddlings)
        self.calls = []

    def count(self, operation: str) -> int:
        """Return how many calls of an operation came since the last `meddle`."""
        return self.calls.count(operation)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(auto_decompress=False, timeout=timeout, trust_env=False) as http:
            app = web.Application(client_max_size=2**21)
            app.router.add_route("*", "/{path:.*}", self._handler(http))
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, HOST, self.port).start()
            self._is_up.set()
            await self._stop.wait()
            await runner.cleanup()

    def _handler(self, http: aiohttp.ClientSession) -> Callable[[web.Request], "asyncio.Future[web.StreamResponse]"]:
        async def handle(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
            self.calls.append(operation)
            self.bodies.append((operation, body))
            meddling = next((one for one in self._meddlings if one.takes(operation, body)), None)
            if meddling is not None and not meddling.is_done:
                return self._meddled(request, meddling)
            # The Host header stays as the caller signed it.
            async with http.request(request.method, self._upstream + request.path_qs, data=body, headers=request.headers) as up:
                content = await up.read()
                if meddling is not None:
                    return self._meddled(request, meddling)
                headers = {name: value for name, value in up.headers.items() if name.lower() not in HOP_BY_HOP}
                return web.Response(status=up.status, body=content, headers=headers)

        return handle  # type: ignore[return-value]  # aiohttp takes a coroutine function, which its own stubs call Future

    def _meddled(self, request: web.Request, meddling: Meddling) -> web.StreamResponse:
        if meddling.answer is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        status, kind = meddling.answer
        body = json.dumps({"__type": kind, "message": "meddled with"})
        return web.Response(status=status, text=body, content_type="application/x-amz-json-1.0")
