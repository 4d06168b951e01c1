"""
Serve all stubs on one port: ``python -m benchmarks.stubs PORT``.

``GET /counts`` tells how often each operation was asked for since the start, and how many audit entries came, so that the
benchmark can hold every contender to the same hops.
"""

import asyncio
import sys
from collections import Counter
from typing import Any, Final

import msgspec
import uvloop

from benchmarks.lab.raw_http import Request, Responder
from benchmarks.stubs import authsignal, aws

_encode = msgspec.json.Encoder().encode
_AWS_TYPE: Final = b"application/x-amz-json-1.1"
_JSON_TYPE: Final = b"application/json"


class Stubs:
    """Answers everything at once and counts it."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def respond(self, request: Request) -> bytes:
        """Return the whole answer to one request."""
        if request.path == b"/counts":
            return _answer(_encode(self._counts), _JSON_TYPE)
        if request.path.startswith(b"/v1/traces"):
            self._counts["traces"] += 1
            return _answer(b"", b"application/x-protobuf")
        if request.path.startswith(b"/v1/"):
            operation, body = authsignal.answer(request.path[3:].decode(), request.body)
            self._counts[operation] += 1
            return _answer(_encode(body), _JSON_TYPE)
        return _answer(_encode(self._aws(request)), _AWS_TYPE)

    def _aws(self, request: Request) -> dict[str, Any]:
        target = next(value for name, value in request.headers if name == b"x-amz-target")
        operation = target.decode().partition(".")[2]
        self._counts[operation] += 1
        if operation == "SendMessage":
            self._counts["entries"] += aws.entries_in(request.body)
        return aws.answer(operation, request.body)


def _answer(body: bytes, content_type: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nx-amzn-requestid: 00000000-0000-0000-0000-000000000000\r\ncontent-type: %b\r\n"
        b"content-length: %d\r\n\r\n%b" % (content_type, len(body), body)
    )


async def serve(port: int) -> None:
    """Serve until the process is told to end."""
    stubs = Stubs()
    server = await asyncio.get_running_loop().create_server(lambda: Responder(stubs.respond), "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
