"""A real HTTP server that takes webhooks, keeps them byte for byte, and answers as it is told."""

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_WAIT_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request: where it came in, its signature, its bytes, and what they say."""

    path: str
    signature: str
    content_type: str
    raw: bytes

    @property
    def body(self) -> Any:
        """The decoded body."""
        return json.loads(self.raw)


class Receiver:
    """Takes webhooks on a free port; every path answers 200 until it is told otherwise."""

    def __init__(self) -> None:
        received: list[Received] = []
        statuses: dict[str, int] = {}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                signature, content_type = self.headers["X-Signature-V2"], self.headers["Content-Type"]
                received.append(Received(path=self.path, signature=signature, content_type=content_type, raw=raw))
                self.send_response(statuses.get(self.path, 200))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep the test output readable."""

        self._received, self._statuses = received, statuses
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str, status: int) -> None:
        """From now on, answer requests to a path with this status."""
        self._statuses[path] = status

    def got(self, path: str) -> list[Received]:
        """What came in on a path so far, oldest first."""
        return [item for item in self._received if item.path == path]

    def wait_for(self, path: str, count: int) -> list[Received]:
        """Wait until so many requests came in on a path, and give them all."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while len(self.got(path)) < count:
            assert time.monotonic() < deadline, f"{path}: {len(self.got(path))} of {count} webhooks came in"
            time.sleep(0.02)
        return self.got(path)
