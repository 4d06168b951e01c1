"""
The audit console: which paths are its own, and how it is served.

Rules: the console's files and pages are open to all, without a token. They hold no data and are the same for everybody; what
the console shows it asks of the API, which demands an auditor's token for every answer. Through the gateway even the files need
a session. Which paths are the console's is a list, so that a path that is added to the API is closed until somebody opens it;
and what is on that list is answered here, whatever the method, so that nothing open ever reaches the API.
"""

import re
from pathlib import Path
from typing import Final

from shared.http.middleware import AsgiApp, Receive, Scope, SendMessage
from shared.http.pages import Pages
from shared.problems import NotFound

DIST: Final = Path(__file__).parent / "console" / "dist"
# The first segment of every address that the console knows (see console/src/router.tsx), and of its files.
OWN: Final = frozenset(
    {
        "alerts",
        "assets",
        "attempts",
        "completeness",
        "detections",
        "erasures",
        "events",
        "exports",
        "key",
        "quarantine",
        "search",
        "searches",
        "sessions",
        "subjects",
    }
)
ROUTE: Final = "/{console}"
PREFIX_HEADER: Final = b"x-forwarded-prefix"
PREFIX: Final = re.compile(r"(/[A-Za-z0-9_-]+)*")
NOT_BUILT: Final = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Countersign</title>
<p>The audit console is not built. Run <code>make run</code>, or <code>npm ci && npm run build</code> in
<code>services/audit/console</code>, and start the audit service again.</p>"""


def is_console(path: str) -> bool:
    """Say whether a path is the console's: a view or a file, never data."""
    return path == "/" or path.removeprefix("/").partition("/")[0] in OWN


def policy(nonce: str) -> str:
    """Return the policy of a page: it talks to where it came from, and to nobody else."""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; base-uri 'self'; frame-ancestors 'none'; form-action 'self'"
    )


class Console:
    """Answers what is the console's with its files, and hands everything else to the API."""

    def __init__(self, api: AsgiApp, *, dist: Path = DIST) -> None:
        self._api = api
        self._pages = Pages(dist=dist, policy=policy, not_built=NOT_BUILT)

    async def __call__(self, scope: Scope, receive: Receive, send: SendMessage) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http" or not is_console(scope["path"]):
            await self._api(scope, receive, send)
            return
        scope["state"]["context"].route = ROUTE
        if scope["method"] != "GET":
            raise NotFound("page")
        await self._pages.serve(scope, send, base=_base(scope))


def _base(scope: Scope) -> str:
    """
    Return the path under which the browser sees the console.

    The gateway says it in a header. Anybody else who sends one changes the links of their own page, which nobody keeps.
    """
    given = dict(scope["headers"]).get(PREFIX_HEADER, b"").decode("latin-1")
    return f"{given}/" if PREFIX.fullmatch(given) else "/"
