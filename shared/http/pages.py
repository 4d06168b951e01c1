"""
A web app, as files: built once, read at start, served with a strict Content-Security-Policy.

The page's one hole in the policy is a nonce for the style elements that its component library adds; it is new for every page.
"""

import mimetypes
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from shared.http.middleware import Scope, SendMessage
from shared.problems import NotFound

NONCE_PLACE: Final = b"__CSP_NONCE__"
HEAD: Final = b"<head>"
ASSETS: Final = "/assets/"
IMMUTABLE: Final = b"public, max-age=31536000, immutable"


class Pages:
    """
    Everything below the build folder, in memory.

    Args:
        dist: What the build wrote; it may be missing.
        policy: Returns the Content-Security-Policy of a page, given the nonce of its style elements.
        not_built: The page that stands in for a missing build.
    """

    def __init__(self, *, dist: Path, policy: Callable[[str], str], not_built: bytes) -> None:
        self._files = _load(dist)
        self._index = self._files.pop("/index.html", not_built)
        self._policy = policy

    async def serve(self, scope: Scope, send: SendMessage, *, base: str | None = None) -> None:
        """
        Answer a GET: a file where there is one, else the app itself, which finds its way by the path.

        Args:
            scope: The request.
            send: Where the answer goes.
            base: The path under which a browser sees the app, with a slash at its end, for an app whose links are relative.

        Raises:
            NotFound: Neither a file, nor the front page, nor a navigation of a browser.
        """
        path = scope["path"]
        content = self._files.get(path)
        if content is not None:
            media_type = (mimetypes.guess_type(path)[0] or "application/octet-stream").encode()
            caching = IMMUTABLE if path.startswith(ASSETS) else b"public, max-age=300"
            await _send(send, content, [(b"content-type", media_type), (b"cache-control", caching)])
            return
        accept = dict(scope["headers"]).get(b"accept", b"")
        # The front page is for everybody: a probe, or curl without a header, asks whether the app is there.
        if path != "/" and (b"text/html" not in accept or path.startswith(("/v1/", ASSETS))):
            raise NotFound("page")
        await self._send_index(send, base)

    async def _send_index(self, send: SendMessage, base: str | None) -> None:
        nonce = secrets.token_urlsafe(16)
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-security-policy", self._policy(nonce).encode()),
            (b"cache-control", b"no-store"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
        ]
        page = self._index.replace(NONCE_PLACE, nonce.encode())
        if base is not None:
            # First in the head: everything behind it is found by it.
            page = page.replace(HEAD, HEAD + f'<base href="{base}">'.encode(), 1)
        await _send(send, page, headers)


def _load(dist: Path) -> dict[str, bytes]:
    if not dist.is_dir():
        return {}
    return {f"/{file.relative_to(dist).as_posix()}": file.read_bytes() for file in dist.rglob("*") if file.is_file()}


async def _send(send: SendMessage, content: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    headers.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})
