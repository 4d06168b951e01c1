"""A web server in place of the challenge service: the triggers talk HTTP to it, and it says what a test wants."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Asked(NamedTuple):
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class FakeService:
    """Answers every POST with `status` and `content`, after `delay_seconds`, byte by byte when it `drips`."""

    def __init__(self) -> None:
        self.status, self.content, self.location = 200, b"{}", ""
        self.delay_seconds, self.drip_seconds = 0.0, 0.0
        self.asked: list[Asked] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.asked.append(Asked(self.path, dict(self.headers.items()), json.loads(body)))
                time.sleep(service.delay_seconds)
                self.send_response(service.status)
                if service.location:
                    self.send_header("Location", service.location)
                self.send_header("Content-Length", str(len(service.content)))
                self.end_headers()
                for byte in service.content if service.drip_seconds else (service.content,):
                    time.sleep(service.drip_seconds)
                    self.wfile.write(byte if isinstance(byte, bytes) else bytes([byte]))

            def do_GET(self) -> None:
                service.asked.append(Asked(self.path, dict(self.headers.items()), {}))
                self.send_error(404)

            def log_message(self, *_: object) -> None:
                """Keep the test output readable."""

            def handle(self) -> None:
                """A caller that has given up is no fault of this server's."""
                try:
                    super().handle()
                except ConnectionError:
                    self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def answers(self, **content: object) -> None:
        """Set the answer."""
        self.content = json.dumps(content).encode()

    def start(self) -> None:
        """Serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
