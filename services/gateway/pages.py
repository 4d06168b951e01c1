"""The sign-in app: what is served, and under which policy."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from shared.http.pages import Pages

DIST: Final = Path(__file__).parent / "web" / "dist"
NOT_BUILT: Final = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Countersign</title>
<p>The sign-in app is not built. Run <code>make run</code>, or <code>npm ci && npm run build</code> in
<code>services/gateway/web</code>, and start the gateway again.</p>"""


def sign_in_pages(*, dist: Path, authsignal_url: str, is_https: bool) -> Pages:
    """Return the sign-in app; its pages talk to the gateway, and to Authsignal for the Web SDK."""
    parts = urlsplit(authsignal_url)
    authsignal = f"{parts.scheme}://{parts.netloc}"

    def policy(nonce: str) -> str:
        text = (
            "default-src 'none'; script-src 'self'; "
            f"style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; "
            f"connect-src 'self' {authsignal}; manifest-src 'self'; "
            "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
        )
        return text + ("; upgrade-insecure-requests" if is_https else "")

    return Pages(dist=dist, policy=policy, not_built=NOT_BUILT)
