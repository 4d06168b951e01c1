"""The session of this browser or app, and all others of its person."""

from typing import Final

from litestar import delete, get, post
from litestar.params import JSONBody

from services.gateway.handlers.documents import WRITE, SessionId, problems
from services.gateway.views import SessionItemView, SessionListView, SessionView, TokenRefresh, TokensView, tokens_view, when
from services.gateway.wiring import AnyRequest, gateway_of
from shared.http.problems import context_of


@get("/v1/session", tags=["session"], operation_id="getSession", summary="Who am I", responses=problems(401, 503))
async def get_session(request: AnyRequest) -> SessionView:
    """Return the session of this browser."""
    gateway = gateway_of(request)
    return gateway.show_session(await gateway.session_of(request))


@delete(
    "/v1/session",
    tags=["session"],
    operation_id="endSession",
    summary="Sign out here",
    responses=problems(400, 401, 403, 409, 422, 503),
)
async def end_session(request: AnyRequest) -> None:
    """End the session of this browser, and its tokens at Cognito."""
    gateway = gateway_of(request)
    await gateway.sessions.end(context_of(request), await gateway.session_of(request))


@post(
    "/v1/session/refresh",
    status_code=200,
    tags=["session"],
    operation_id="refreshSession",
    summary="New tokens for a native app",
    responses=problems(*WRITE),
)
async def refresh_session(data: JSONBody[TokenRefresh], request: AnyRequest) -> TokensView:
    """
    Trade a native app's refresh token for new tokens. It works once: sent again, it ends the session everywhere, unless it is
    the same request again (same Idempotency-Key) within ten seconds, which gets the same answer.
    """
    gateway = gateway_of(request)
    context = context_of(request)
    await gateway.limits.check_refresh(context)
    return tokens_view(await gateway.refresh.rotate(context, data.refresh_token))


@get(
    "/v1/sessions",
    tags=["session"],
    operation_id="listSessions",
    summary="Where I am signed in",
    responses=problems(401, 503),
)
async def list_sessions(request: AnyRequest) -> SessionListView:
    """Return all living sessions of whoever is signed in, the one used last first."""
    gateway = gateway_of(request)
    session = await gateway.session_of(request)
    return SessionListView(
        sessions=[
            SessionItemView(
                id=one.ref,
                is_current=one.key == session.key,
                device=gateway.device_of(one),
                ip=one.ip,
                country=one.country,
                created_at=when(one.authenticated_at),
                last_seen_at=when(one.last_seen_at),
                methods=one.methods,
            )
            for one in await gateway.sessions.of_account(session)
        ]
    )


@delete(
    "/v1/sessions/{session_id:str}",
    tags=["session"],
    operation_id="revokeSession",
    summary="End one session",
    responses=problems(400, 401, 403, 404, 409, 422, 503),
)
async def revoke_session(session_id: SessionId, request: AnyRequest) -> None:
    """End a session of whoever is signed in: at once, on every copy of the gateway."""
    gateway = gateway_of(request)
    await gateway.sessions.revoke(context_of(request), await gateway.session_of(request), session_id)


@delete(
    "/v1/sessions",
    tags=["session"],
    operation_id="revokeAllSessions",
    summary="Sign out everywhere",
    responses=problems(400, 401, 403, 409, 422, 503),
)
async def revoke_all_sessions(request: AnyRequest) -> None:
    """End every session of whoever is signed in, this one as well."""
    gateway = gateway_of(request)
    await gateway.sessions.revoke_everywhere(context_of(request), await gateway.session_of(request))


SESSION_HANDLERS: Final = (get_session, end_session, refresh_session, list_sessions, revoke_session, revoke_all_sessions)
