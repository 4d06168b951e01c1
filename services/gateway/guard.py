"""
The gateway's guard: which browser pages may write here.

A browser says where a write comes from, in ``Origin`` and in ``Sec-Fetch-Site``. What it says must be us. A client that says
neither is no browser page, and cannot be made to send our cookies by one. Source: OWASP ASVS 5.0.0, 3.5.1 to 3.5.3.
"""

from typing import Final

from services.gateway import cookies
from services.gateway.recorder import Recorder
from shared.events import Draft, EventType, Outcome, clean_text
from shared.http.context import RequestContext
from shared.http.middleware import Headers, Scope
from shared.problems import OriginRejected, UnsupportedMedia

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# No cookie counts here, so no page can lend a browser's: whoever signs the body may write from anywhere.
SIGNED_PATHS: Final = frozenset({"/v1/webhooks/authsignal"})
OWN_SITES: Final = frozenset({b"same-origin", b"none"})


class OriginGuard:
    """
    Refuses writes from foreign pages, and bodies that are not JSON.

    Args:
        origins: The origins whose pages may write: our own and those that the operator lists.
    """

    def __init__(self, origins: frozenset[str]) -> None:
        self._origins = frozenset(origin.encode() for origin in origins)
        self.recorder: Recorder | None = None

    async def __call__(self, scope: Scope, headers: Headers, context: RequestContext) -> None:
        """See `Guard`."""
        if scope["method"] in SAFE_METHODS or scope["path"] in SIGNED_PATHS:
            return
        origin = headers.get(b"origin")
        site = headers.get(b"sec-fetch-site")
        is_own = origin in self._origins if origin is not None else site is None or site in OWN_SITES
        if not is_own:
            await self._refuse(headers, context, origin)
        if (
            scope["method"] != "DELETE"
            and not _is_bare(scope, headers)
            and headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != b"application/json"
        ):
            raise UnsupportedMedia

    async def _refuse(self, headers: Headers, context: RequestContext, origin: bytes | None) -> None:
        # Only a write that came with one of our cookies was an attack on somebody; the rest is noise that must not fill
        # the log.
        cookie = headers.get(b"cookie", b"").decode("latin-1")
        if self.recorder is not None and cookies.read(cookie, cookies.SESSION) is not None:
            page = clean_text(origin.decode("latin-1"), 200) if origin is not None else None
            draft = Draft(event_type=EventType.ABUSE_CSRF_REJECTED, outcome=Outcome.DENIED, data={"origin": page})
            await self.recorder.record(context, draft)
        raise OriginRejected


def _is_bare(scope: Scope, headers: Headers) -> bool:
    # The app that direct clients follow posts without a body, and so without a type, where there is nothing to say. No cookie
    # counts there, so nothing is gained by a page that can send just that.
    has_body = b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"
    return not has_body and scope["path"].startswith("/v1/direct/")
