"""The real browser SDK in Chromium: a page of an allowed origin, and a handle to call the SDK in it."""

import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from playwright.async_api import CDPSession, Page

from tests.contract.node import FOLDER, require_packages
from tests.contract.simulator import Simulator

_FILES = {
    "/": (FOLDER / "page.html", "text/html; charset=utf-8"),
    "/sdk.js": (FOLDER / "node_modules/@authsignal/browser/dist/index.min.js", "text/javascript"),
    "/dialog": (FOLDER / "dialog.html", "text/html; charset=utf-8"),
}
_BUNDLES = {"/dialog.js": "dialog.jsx"}  # made when asked for: most checks do not need them
_CALL = """
async ([path, args]) => {
  const owner = path.slice(0, -1).reduce((value, name) => value[name], window.client);
  try {
    const value = await owner[path.at(-1)](...args);
    return value === undefined ? {isUndefined: true} : {value};
  } catch (error) {
    return {thrown: `${error.name}: ${error.message}`};
  }
}
"""


def _bundle(entry: str) -> bytes:
    options = ["--bundle", "--define:process.env.NODE_ENV='production'", "--log-level=error"]
    command = ["node_modules/.bin/esbuild", entry, *options]
    return subprocess.run(command, cwd=FOLDER, capture_output=True, check=True).stdout


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name = self.path.partition("?")[0]
        if name in _BUNDLES:
            body, content_type = _bundle(_BUNDLES[name]), "text/javascript"
        else:
            path, content_type = _FILES.get(name, (None, ""))
            body = path.read_bytes() if path else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test output readable."""


class PageServer:
    """Serves the page and the SDK's own bundle, on an origin of its own."""

    def __init__(self) -> None:
        require_packages()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.origin = f"http://localhost:{self._server.server_address[1]}"

    def start(self) -> None:
        """Serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class SdkThrew(Exception):
    """The SDK threw instead of answering."""


class BrowserSdk:
    """One page with one SDK instance in it."""

    def __init__(self, page: Page, simulator: Simulator, origin: str) -> None:
        self.page = page
        self._origin = origin
        self._settings = {"tenantId": simulator.tenant_id, "baseUrl": simulator.browser_url}

    async def open(self) -> None:
        """Load the page and construct the SDK."""
        await self.page.goto(self._origin)
        await self.construct()

    async def construct(self) -> None:
        """Construct the SDK (again), counting how often it reports an expired token."""
        await self.page.evaluate(
            """settings => {
                window.expired = 0;
                window.client = new authsignal.Authsignal({...settings, onTokenExpired: () => window.expired++});
            }""",
            self._settings,
        )

    async def call(self, method: str, *args: object) -> Any:
        """
        Call a method of the SDK, such as `email.enroll`.

        Raises:
            SdkThrew: It threw.
        """
        answer = await self.page.evaluate(_CALL, [method.split("."), list(args)])
        if "thrown" in answer:
            raise SdkThrew(answer["thrown"])
        return answer.get("value")

    async def run(self, script: str, argument: object = None) -> Any:
        """Evaluate a function in the page; `client` in it is the SDK."""
        return await self.page.evaluate(script, argument)

    async def add_authenticator(self, *, transport: str = "internal") -> CDPSession:
        """Plug a virtual authenticator into the browser: one built in, or a key on USB."""
        devtools = await self.page.context.new_cdp_session(self.page)
        await devtools.send("WebAuthn.enable")
        is_built_in = transport == "internal"
        options = {
            "protocol": "ctap2",
            "transport": transport,
            "hasResidentKey": is_built_in,
            "hasUserVerification": is_built_in,
            "isUserVerified": is_built_in,
            "automaticPresenceSimulation": True,
        }
        await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return devtools

    async def set_token(self, token: str) -> None:
        """Give the SDK a token for the next calls."""
        await self.call("setToken", token)

    async def data(self, method: str, *args: object) -> dict[str, Any]:
        """Call a method that must succeed and give back its data."""
        answer = await self.call(method, *args)
        assert "error" not in answer, f"{method}: {answer}"
        data: dict[str, Any] = answer["data"]
        return data

    async def times_expired(self) -> int:
        """How often the SDK reported an expired token."""
        count: int = await self.page.evaluate("window.expired")
        return count
