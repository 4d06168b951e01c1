"""
Serving the pages.

Every page is a file, with nothing of a caller's in it, and runs scripts of its own origin alone. The pre-built UI
may stand in a frame of the allowed origins, since that is how it is launched; the others in none.
"""

import html
from importlib.resources import files
from typing import Any

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from deploy.local.authsignal.actions import allowed_methods, get_action
from deploy.local.authsignal.auth import client_claims
from deploy.local.authsignal.errors import ApiError, NotFound
from deploy.local.authsignal.methods.magic_link import LINK_PATH, open_link
from deploy.local.authsignal.model import VerificationMethod
from deploy.local.authsignal.tenant import Tenant

Tenancy = NamedDependency[Tenant]
_STATIC = files("deploy.local.authsignal.pages").joinpath("static")
_ASSETS = {
    "ui.css": "text/css",
    "control.css": "text/css",
    "launch.js": "text/javascript",
    "control.js": "text/javascript",
    "dom.js": "text/javascript",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
)
_VIEWS = {
    "outbox": "Messages sent, with their codes",
    "users": "Users",
    "actions": "Actions and their states",
    "challenges": "Push and QR challenges",
    "phones": "Phones that are played",
    "rules": "Rules",
    "outcomes": "What is decided where no rule matches",
    "webhooks": "Where events go",
    "calls": "Calls of the APIs",
    "faults": "Faults that are set",
    "settings": "Limits and lives in force",
    "clock": "The clock",
}


class LaunchView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What the pre-built UI needs to know beyond the Client API."""

    action_code: str
    is_enrolled: bool
    allowed_methods: list[VerificationMethod]
    redirect_url: str | None = None


def _page(text: str, *, ancestors: str = "'none'", status: int = 200) -> Response[str]:
    headers = {
        "Content-Security-Policy": _POLICY.format(ancestors=ancestors),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return Response(text, media_type=MediaType.HTML, headers=headers, status_code=status)


def _file(name: str) -> str:
    return _STATIC.joinpath(name).read_text(encoding="utf-8")


@get("/")
async def front_page(tenant: Tenancy, token: FromQuery[str | None] = None) -> Response[str]:
    """With a token: the pre-built UI. Without one: say what this is, and link to the views of the control port."""
    settings = tenant.settings
    if token is not None:
        origins = " ".join(sorted(settings.allow_origins))
        return _page(_file("launch.html").replace("@origins@", html.escape(origins)), ancestors=f"'self' {origins}")
    links = "\n".join(f'<li><a href="/control/{path}">{html.escape(words)}</a></li>' for path, words in _VIEWS.items())
    text = _file("index.html")
    for mark, value in {"@api@": settings.api_url, "@tenant@": settings.tenant_id}.items():
        text = text.replace(mark, html.escape(value))
    return _page(text.replace("@links@", links))


@get("/ui/launch")
async def launch(request: Request[Any, Any, Any], tenant: Tenancy) -> LaunchView:
    """What the pre-built UI needs to know about the action of its token."""
    claims = client_claims(request, tenant)
    action = get_action(tenant, claims.user_id, claims.action_code, claims.idempotency_key)
    return LaunchView(
        action_code=action.action_code,
        is_enrolled=bool(tenant.verified_authenticators(action.user_id)),
        allowed_methods=allowed_methods(tenant, action),
        redirect_url=action.redirect_url,
    )


@get("/ui/{name:str}")
async def asset(name: FromPath[str]) -> Response[str]:
    """Scripts and styles of the pages."""
    if name not in _ASSETS:
        raise NotFound("No such file.")
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
    return Response(_file(name), media_type=_ASSETS[name], headers=headers)


@get(LINK_PATH)
async def magic_link(tenant: Tenancy, token: FromQuery[str] = "") -> Response[str]:
    """The page behind a magic link: opening it is the proof."""
    try:
        is_proven = await open_link(tenant, token)
    except ApiError as error:
        return _page(_file("link-refused.html"), status=error.status)
    return _page(_file("link-opened.html" if is_proven else "link-over.html"), status=200 if is_proven else 410)


@get("/control/ui")
async def control_page() -> Response[str]:
    """The page on which a person looks inside, and plays the phone."""
    return _page(_file("control.html"))


PAGE_HANDLERS = (front_page, launch, asset, magic_link, control_page)
