"""Serves the app's page at an origin of its own."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.system.direct.packages import FOLDER, bundle


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/app.js":
            self._answer(bundle(), "text/javascript")
        else:
            self._answer((FOLDER / "index.html").read_bytes(), "text/html; charset=utf-8")

    def _answer(self, body: bytes, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test output readable."""


class PageServer:
    """One web server; it must be a real one, since browsers do not let pages from elsewhere call this machine."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self._server = ThreadingHTTPServer(("127.0.0.1", urlsplit(origin).port or 0), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def start(self) -> None:
        """Serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
