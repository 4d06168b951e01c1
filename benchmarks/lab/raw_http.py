"""
HTTP/1.1 with as little between us and the socket as Python allows: httptools on an asyncio protocol.

The load and the stubs share a core, so what they cost decides how much load one core can make. Both sides keep one request in
flight per connection and know `Content-Length` bodies only.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple, cast

import httptools

Headers = list[tuple[bytes, bytes]]


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Headers
    body: bytes


class Request(NamedTuple):
    """What came in."""

    method: bytes
    path: bytes
    headers: Headers
    body: bytes


class _Messages(asyncio.Protocol, ABC):
    """Gathers one message after another, and hands each to `_complete`."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._headers: Headers = []
        self._chunks: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_body(self, chunk: bytes) -> None:
        self._chunks.append(chunk)

    def on_message_complete(self) -> None:
        headers, self._headers = self._headers, []
        body = b"".join(self._chunks)
        self._chunks.clear()
        self._complete(headers, body)

    @abstractmethod
    def _complete(self, headers: Headers, body: bytes) -> None:
        """Take a whole message."""

    def _write(self, content: bytes) -> None:
        assert self._transport is not None
        self._transport.write(content)


class Connection(_Messages):
    """The client's side of one kept-alive connection."""

    def __init__(self) -> None:
        super().__init__()
        self._parser = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[Answer] | None = None

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """Connect to a port of 127.0.0.1."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return connection

    async def ask(self, method: str, path: str, headers: bytes, body: bytes = b"") -> Answer:
        """
        Send one request and wait for its answer; `headers` are whole lines, each with its CRLF.

        Raises:
            ConnectionError: The server hung up.
        """
        waiter: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiter = waiter
        length = b"content-length: %d\r\n" % len(body) if body else b""
        self._write(
            b"%b %b HTTP/1.1\r\nhost: localhost\r\n%b%b\r\n%b" % (method.encode(), path.encode(), headers, length, body)
        )
        return await waiter

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(exc or ConnectionError("the server hung up"))

    def _complete(self, headers: Headers, body: bytes) -> None:
        answer = Answer(self._parser.get_status_code(), headers, body)
        self._parser = httptools.HttpResponseParser(self)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(answer)


class Responder(_Messages):
    """The server's side of one connection: `respond` makes the whole answer, status line included, at once."""

    def __init__(self, respond: Callable[[Request], bytes]) -> None:
        super().__init__()
        self._respond = respond
        self._parser = httptools.HttpRequestParser(self)
        self._path = b""

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path += url

    def _complete(self, headers: Headers, body: bytes) -> None:
        path, self._path = self._path, b""
        self._complete_request(Request(self._parser.get_method(), path, headers, body))

    def _complete_request(self, request: Request) -> None:
        self._write(self._respond(request))
