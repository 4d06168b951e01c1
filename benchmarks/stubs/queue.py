"""
Serve a queue that holds what a file says: ``python -m benchmarks.stubs.queue PORT FILE``.

FILE holds the bodies of messages, a JSON string a line. None is handed out before ``POST /open``, and each once, since nobody
who takes one is killed. What the services send themselves is taken and dropped.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec
import uvloop

from benchmarks.lab.raw_http import Request, Responder
from benchmarks.stubs import aws

MESSAGES_MAX: Final = 10
# A long poll that finds nothing; short, so that the end of the queue is seen soon.
POLL_SECONDS: Final = 0.25
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


class Queue:
    """The messages, made into answers before anybody asks."""

    def __init__(self, bodies: list[bytes]) -> None:
        self._bodies = bodies
        self._next = 0
        self._sent_at = b""

    @property
    def has_messages(self) -> bool:
        """Say whether there is something to hand out now."""
        return bool(self._sent_at) and self._next < len(self._bodies)

    def open(self) -> None:
        """Begin to hand out: from now on the messages are as old as this moment."""
        self._sent_at = b"%d" % (time.time() * 1000)

    def receive(self) -> bytes:
        """Return the answer to a ReceiveMessage, of up to ten messages; an empty one when there are none."""
        first = self._next
        taken = self._bodies[first : first + MESSAGES_MAX] if self._sent_at else []
        self._next += len(taken)
        messages = (
            b'{"MessageId":"m%d","ReceiptHandle":"r%d","Body":%b,"Attributes":{"SentTimestamp":"%b"}}'
            % (place, place, body, self._sent_at)
            for place, body in enumerate(taken, first)
        )
        return b'{"Messages":[%b]}' % b",".join(messages) if taken else b"{}"

    def answer(self, operation: str, body: bytes) -> bytes:
        """Return the answer to any other operation."""
        if operation == "GetQueueAttributes":
            return b'{"Attributes":{"ApproximateNumberOfMessages":"%d"}}' % (len(self._bodies) - self._next)
        if operation in ("DeleteMessageBatch", "ChangeMessageVisibilityBatch"):
            return _encode({"Successful": [{"Id": entry["Id"]} for entry in _decode(body)["Entries"]], "Failed": []})
        return _encode(aws.answer(operation, body))


class QueueSide(Responder):
    """One connection: a receive that finds nothing waits."""

    def __init__(self, queue: Queue) -> None:
        super().__init__(self._respond_at_once)
        self._queue = queue

    def _complete_request(self, request: Request) -> None:
        operation = _operation(request)
        if operation == "ReceiveMessage" and not self._queue.has_messages:
            asyncio.get_running_loop().call_later(POLL_SECONDS, lambda: self._write(_answer(self._queue.receive())))
        else:
            super()._complete_request(request)

    def _respond_at_once(self, request: Request) -> bytes:
        if request.path == b"/open":
            self._queue.open()
            return _answer(b"{}")
        operation = _operation(request)
        return _answer(self._queue.receive() if operation == "ReceiveMessage" else self._queue.answer(operation, request.body))


def _operation(request: Request) -> str:
    target = next((value for name, value in request.headers if name == b"x-amz-target"), b"")
    return target.decode().partition(".")[2]


def _answer(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nx-amzn-requestid: 0\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: %d\r\n\r\n"
    return head % len(body) + body


async def serve(port: int, queue: Queue) -> None:
    """Serve until the process is told to end."""
    server = await asyncio.get_running_loop().create_server(lambda: QueueSide(queue), "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), Queue(Path(sys.argv[2]).read_bytes().splitlines())))
