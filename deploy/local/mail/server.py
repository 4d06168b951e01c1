"""The SMTP side and the page's side of the mail catcher."""

from importlib.resources import files
from typing import Final

import msgspec
from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.mail.store import Inbox

INBOX: Final = web.AppKey("inbox", Inbox)
MESSAGE_BYTES_MAX: Final = 5 * 1024 * 1024

_ASSETS: Final = {
    "/": ("index.html", "text/html"),
    "/inbox.css": ("inbox.css", "text/css"),
    "/inbox.js": ("inbox.js", "text/javascript"),
}
# The page shows mail that anybody may have sent, so nothing in it may run or fetch; the frame around HTML mail is
# sandboxed as well.
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Catcher:
    """What aiosmtpd calls with each message."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        """Keep the message and say that it was accepted."""
        content = envelope.content
        self._inbox.receive(content if isinstance(content, bytes) else str(content).encode(), list(envelope.rcpt_tos))
        return "250 OK"


def create_page(inbox: Inbox) -> web.Application:
    """Build the web side: the page, the API, and a health check."""
    app = web.Application()
    app[INBOX] = inbox
    app.router.add_get("/api/messages", _list_messages)
    app.router.add_delete("/api/messages", _clear_messages)
    app.router.add_get("/healthz", _healthz)
    for path in _ASSETS:
        app.router.add_get(path, _asset)
    return app


async def _list_messages(request: web.Request) -> web.Response:
    messages = request.app[INBOX].messages(request.query.get("to"))
    return web.Response(body=msgspec.json.encode(messages), content_type="application/json", headers=_HEADERS)


async def _clear_messages(request: web.Request) -> web.Response:
    request.app[INBOX].clear()
    return web.Response(status=204, headers=_HEADERS)


async def _healthz(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def _asset(request: web.Request) -> web.Response:
    name, content_type = _ASSETS[request.path]
    body = files("deploy.local.mail").joinpath("page", name).read_bytes()
    return web.Response(body=body, content_type=content_type, charset="utf-8", headers=_HEADERS)
