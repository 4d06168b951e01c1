"""The Server API's sessions, and the public documents that verify their tokens."""

from typing import Any

from litestar import Request, Router, get, post
from litestar.di import NamedDependency

from deploy.local.authsignal import sessions
from deploy.local.authsignal.bodies import read_body
from deploy.local.authsignal.errors import NotFound
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.wire import SuccessView
from deploy.local.authsignal.wire_sessions import (
    CreateSessionRequest,
    RefreshSessionRequest,
    RevokeSessionRequest,
    RevokeUserSessionsRequest,
    SessionTokensView,
    SessionView,
    ValidateSessionRequest,
)

AnyRequest = Request[Any, Any, Any]
Tenancy = NamedDependency[Tenant]


@post("/sessions", status_code=200)
async def create_session(request: AnyRequest, tenant: Tenancy) -> SessionTokensView:
    """Begin a session with a token that succeeded."""
    return sessions.create(tenant, await read_body(request, CreateSessionRequest))


@post("/sessions/validate", status_code=200)
async def validate_session(request: AnyRequest, tenant: Tenancy) -> SessionView:
    """Whose session it is."""
    return sessions.validate(tenant, await read_body(request, ValidateSessionRequest))


@post("/sessions/refresh", status_code=200)
async def refresh_session(request: AnyRequest, tenant: Tenancy) -> SessionTokensView:
    """Two new tokens for the refresh token."""
    return sessions.refresh(tenant, (await read_body(request, RefreshSessionRequest)).refresh_token)


@post("/sessions/revoke", status_code=200)
async def revoke_session(request: AnyRequest, tenant: Tenancy) -> SuccessView:
    """End a session."""
    sessions.revoke(tenant, (await read_body(request, RevokeSessionRequest)).access_token)
    return SuccessView(success=True)


@post("/sessions/user/revoke", status_code=200)
async def revoke_user_sessions(request: AnyRequest, tenant: Tenancy) -> SuccessView:
    """End all sessions of a user."""
    sessions.revoke_all(tenant, (await read_body(request, RevokeUserSessionsRequest)).user_id)
    return SuccessView(success=True)


SESSION_HANDLERS = (create_session, validate_session, refresh_session, revoke_session, revoke_user_sessions)


@get("/jwks")
async def jwks(tenant: Tenancy, tenant_id: str) -> dict[str, list[dict[str, str]]]:
    """The public key of access tokens."""
    _require_own(tenant, tenant_id)
    return sessions.jwks(tenant)


@get("/openid-configuration")
async def openid_configuration(tenant: Tenancy, tenant_id: str) -> dict[str, Any]:
    """What an API gateway's token check reads first."""
    _require_own(tenant, tenant_id)
    issuer = tenant.settings.issuer
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/.well-known/jwks",
        "response_types_supported": ["token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def _require_own(tenant: Tenant, tenant_id: str) -> None:
    if tenant_id != tenant.settings.tenant_id:
        raise NotFound("No such tenant.")


def well_known_router() -> Router:
    """The public documents, under the issuer."""
    path = "/v1/client/public/{tenant_id:str}/.well-known"
    return Router(path=path, route_handlers=[jwks, openid_configuration])
