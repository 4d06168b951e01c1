"""The console's files: what is open, what is served, and that nothing open reaches the API."""

import re
from pathlib import Path
from typing import Any

import pytest

from deploy.local.layout import REPOSITORY
from services.audit.api.access import is_open
from services.audit.pages import OWN, Console, is_console
from shared.events import Client
from shared.http.context import RequestContext
from shared.problems import NotFound

ROUTER = REPOSITORY / "services/audit/console/src/router.tsx"
PAGE = b'<!doctype html><html><head><meta name="csp-nonce" content="__CSP_NONCE__"></head><body></body></html>'


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """What a build leaves behind."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_bytes(PAGE)
    (tmp_path / "assets" / "app-1234.js").write_bytes(b"export {};")
    return tmp_path


class Answered:
    """What came back of one request."""

    def __init__(self) -> None:
        self.is_from_api = False
        self.headers: dict[str, str] = {}
        self.body = b""

    async def send(self, message: dict[str, Any]) -> None:
        """Take one ASGI message."""
        if message["type"] == "http.response.start":
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message["body"]


async def ask(dist: Path, path: str, *, method: str = "GET", accept: str = "text/html", prefix: str = "") -> Answered:
    """Ask the console for a path, with an API behind it that says when it is reached."""
    answered = Answered()

    async def api(scope: Any, receive: Any, send: Any) -> None:
        answered.is_from_api = True

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(b"accept", accept.encode()), (b"x-forwarded-prefix", prefix.encode())],
        "state": {"context": RequestContext("r", "t", "s", is_sampled=False, parent_span_id=None, client=Client())},
    }
    await Console(api, dist=dist)(scope, receive, answered.send)
    return answered


def test_every_view_is_the_consoles() -> None:
    """
    The first segments of the app's own routes are the ones that the service takes for the console's, and its files.
    """
    paths = re.findall(r'path: "/([^/"]*)', ROUTER.read_text(encoding="utf-8"))

    assert {path for path in paths if path} | {"assets"} == OWN


@pytest.mark.parametrize(
    "path",
    [
        "/v1/events",
        "/v1",
        "//",
        "//v1/events",
        "//search",
        "",
        "/searching",
        "/log/tile/entries/000",
        "/metrics",
        "/Search",
        "v1",
    ],
)
def test_what_is_not_the_consoles_stays_closed(path: str) -> None:
    """
    Any other path, and any other spelling of one, needs a credential.
    """
    assert not is_console(path)
    assert not is_open(path)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
async def test_nothing_open_reaches_the_api(dist: Path, method: str) -> None:
    """
    A path of the console's is answered here, whatever the method: no guess at it ends in the API without a credential.
    """
    for path in ("/", "/search", "/events/../v1/events", "/assets/../v1/exports", "/exports"):
        assert is_open(path)
        with pytest.raises(NotFound):
            await ask(dist, path, method=method)


async def test_views_are_one_page_under_a_strict_policy(dist: Path) -> None:
    """
    Every view is the same page: never kept, no script or style but its own, a nonce that is new each time.
    """
    one, other = await ask(dist, "/"), await ask(dist, "/events/019aa9e6")

    nonce = re.search(rb'content="([^"]+)"', one.body)
    assert nonce is not None
    policy = one.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert f"'nonce-{nonce[1].decode()}'" in policy
    assert "unsafe" not in policy
    assert one.headers["cache-control"] == "no-store"
    assert one.body != other.body
    assert not one.is_from_api


@pytest.mark.parametrize(
    ("prefix", "base"),
    [("", "/"), ("/audit", "/audit/"), ("/a/b-c", "/a/b-c/"), ("//evil.test", "/"), ("/a/", "/"), ('/"><script>', "/")],
)
async def test_page_knows_where_it_stands(dist: Path, prefix: str, base: str) -> None:
    """
    The base of all links is the prefix that the gateway names; what is no plain path counts for nothing.
    """
    answered = await ask(dist, "/search", prefix=prefix)

    assert f'<head><base href="{base}">'.encode() in answered.body


async def test_files_are_kept_for_ever(dist: Path) -> None:
    """
    A file whose name holds the hash of its content never changes; a missing one is missing, not the page.
    """
    answered = await ask(dist, "/assets/app-1234.js", accept="*/*")

    assert answered.body == b"export {};"
    assert "immutable" in answered.headers["cache-control"]
    assert "javascript" in answered.headers["content-type"]
    with pytest.raises(NotFound):
        await ask(dist, "/assets/gone.js")


async def test_console_that_is_not_built_says_so(tmp_path: Path) -> None:
    """
    Without a build the page names the command that makes one.
    """
    assert b"npm run build" in (await ask(tmp_path / "nowhere", "/")).body


async def test_the_api_gets_the_rest(dist: Path) -> None:
    """
    What is not the console's goes to the API.
    """
    assert (await ask(dist, "/v1/events")).is_from_api


async def test_the_front_page_is_for_everybody(dist: Path) -> None:
    """
    Whoever asks for the front page gets it, whatever kind of answer is preferred; views are for browsers that navigate.
    """
    assert (await ask(dist, "/", accept="*/*")).headers["content-type"] == "text/html; charset=utf-8"
    with pytest.raises(NotFound):
        await ask(dist, "/search", accept="*/*")
