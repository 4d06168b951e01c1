"""
The sign-in app, as files: built once, read at start, served with a strict Content-Security-Policy.

The page's one hole in the policy is a nonce for the style elements that its component library adds; it is new for every page.
"""

import mimetypes
import secrets
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from shared.http.middleware import Scope, SendMessage
from shared.problems import NotFound

DIST: Final = Path(__file__).parent / "web" / "dist"
NONCE_PLACE: Final = b"__CSP_NONCE__"
IMMUTABLE: Final = b"public, max-age=31536000, immutable"
NOT_BUILT: Final = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Countersign</title>
<p>The sign-in app is not built. Run <code>make run</code>, or <code>npm ci && npm run build</code> in
<code>services/gateway/web</code>, and start the gateway again.</p>"""


class Pages:
    """Everything below the build folder, in memory."""

    def __init__(self, *, dist: Path, authsignal_url: str, is_https: bool) -> None:
        self._files = _load(dist)
        self._index = self._files.pop("/index.html", NOT_BUILT)
        parts = urlsplit(authsignal_url)
        self._connect = f"{parts.scheme}://{parts.netloc}"
        self._is_https = is_https

    async def serve(self, scope: Scope, send: SendMessage) -> None:
        """
        Answer a GET: a file where there is one, else the app itself, which finds its way by the path.

        Raises:
            NotFound: Neither a file nor a navigation of a browser.
        """
        path = scope["path"]
        content = self._files.get(path)
        if content is not None:
            media_type = (mimetypes.guess_type(path)[0] or "application/octet-stream").encode()
            caching = IMMUTABLE if path.startswith("/assets/") else b"public, max-age=300"
            await _send(send, content, [(b"content-type", media_type), (b"cache-control", caching)])
            return
        accept = dict(scope["headers"]).get(b"accept", b"")
        if b"text/html" not in accept or path.startswith(("/v1/", "/assets/")):
            raise NotFound("page")
        await self._send_index(send)

    async def _send_index(self, send: SendMessage) -> None:
        nonce = secrets.token_urlsafe(16)
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-security-policy", self._policy(nonce).encode()),
            (b"cache-control", b"no-store"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
        ]
        await _send(send, self._index.replace(NONCE_PLACE, nonce.encode()), headers)

    def _policy(self, nonce: str) -> str:
        policy = (
            "default-src 'none'; script-src 'self'; "
            f"style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; "
            f"connect-src 'self' {self._connect}; manifest-src 'self'; "
            "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
        )
        return policy + ("; upgrade-insecure-requests" if self._is_https else "")


def _load(dist: Path) -> dict[str, bytes]:
    if not dist.is_dir():
        return {}
    return {f"/{file.relative_to(dist).as_posix()}": file.read_bytes() for file in dist.rglob("*") if file.is_file()}


async def _send(send: SendMessage, content: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    headers.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})
