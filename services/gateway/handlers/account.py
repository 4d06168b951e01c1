"""One's account: profile, authenticators, recent activity."""

from typing import Annotated, Final

from litestar import delete, get, patch, post
from litestar.params import JSONBody, Parameter

from services.gateway.handlers.documents import ATTEMPT, UUID_PATTERN, AuthenticatorId, EnrolmentId, problems
from services.gateway.sessions.model import Session
from services.gateway.views import (
    ActivityListView,
    AuthenticatorListView,
    AuthenticatorName,
    AuthenticatorView,
    EnrolmentStart,
    EnrolmentView,
    Nothing,
    ProfileChange,
    ProfileView,
    when,
)
from services.gateway.wiring import AnyRequest, Gateway, gateway_of
from shared.challenge_api import AuthenticatorAnswer
from shared.http.problems import context_of
from shared.problems import InvalidRequest, NotFound


@get("/v1/me", tags=["account"], operation_id="getMe", summary="My account", responses=problems(401, 404, 429, 502, 503))
async def get_me(request: AnyRequest) -> ProfileView:
    """Return the account of whoever is signed in."""
    gateway = gateway_of(request)
    session = await gateway.session_of(request)
    account = await gateway.accounts.read(session)
    if account is None:
        raise NotFound("account")
    return ProfileView(
        sub=session.sub,
        email=session.email,
        email_verified=session.email_verified,
        display_name=session.display_name,
        created_at=account.created_at,
    )


@patch(
    "/v1/me",
    tags=["account"],
    operation_id="changeMe",
    summary="Change my account",
    responses=problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 502, 503),
)
async def change_me(data: JSONBody[ProfileChange], request: AnyRequest) -> ProfileView:
    """Change the name that the account shows."""
    gateway = gateway_of(request)
    session = await gateway.session_of(request)
    account = await gateway.accounts.read(session)
    if account is None:
        raise NotFound("account")
    session = await gateway.accounts.rename(context_of(request), session, data.display_name)
    return ProfileView(
        sub=session.sub,
        email=session.email,
        email_verified=session.email_verified,
        display_name=session.display_name,
        created_at=account.created_at,
    )


@delete(
    "/v1/me",
    tags=["account"],
    operation_id="deleteMe",
    summary="Delete my account",
    responses=problems(400, 401, 403, 409, 422, 429, 502, 503),
)
async def delete_me(
    request: AnyRequest, sub: Annotated[str, Parameter(pattern=UUID_PATTERN, description="The id of one's own account.")]
) -> None:
    """
    Delete the account of whoever is signed in, and end all its sessions; the last proof must be at most five minutes old.

    Its id must be said: a client that puts ".." where the id of an authenticator belongs sends this very path, and so must not
    lose its account. Where a provider fails half-way the session lives on: send it again.
    """
    gateway = gateway_of(request)
    session = await gateway.session_of(request)
    if sub != session.sub:
        raise InvalidRequest(extensions={"errors": [{"field": "sub", "message": "This is not the id of your account."}]})
    await gateway.deletion.delete(context_of(request), session)


@get(
    "/v1/me/activity",
    tags=["account"],
    operation_id="listActivity",
    summary="What happened to my account lately",
    responses=problems(400, 401, 502, 503),
)
async def list_activity(
    request: AnyRequest, limit: Annotated[int, Parameter(ge=1, le=100, description="How many at most.")] = 20
) -> ActivityListView:
    """Return the newest events about whoever is signed in, from the audit log."""
    gateway = gateway_of(request)
    session = await gateway.session_of(request)
    return ActivityListView(events=await gateway.activity.of(context_of(request), session, limit=limit))


@get(
    "/v1/me/authenticators",
    tags=["account"],
    operation_id="listAuthenticators",
    summary="My ways to sign in",
    responses=problems(401, 502, 503),
)
async def list_authenticators(request: AnyRequest) -> AuthenticatorListView:
    """Return the authenticators of whoever is signed in."""
    gateway = gateway_of(request)
    session = await gateway.session_of(request)
    return _listed(gateway, session, await gateway.authenticators.list(session))


@post(
    "/v1/me/authenticators",
    status_code=201,
    tags=["account"],
    operation_id="beginEnrolment",
    summary="Begin to add a way to sign in",
    responses=problems(400, 401, 403, 409, 413, 415, 422, 429, 502, 503),
)
async def begin_enrolment(data: JSONBody[EnrolmentStart], request: AnyRequest) -> EnrolmentView:
    """Return what the Web SDK needs to add an authenticator; the last proof must be at most five minutes old."""
    gateway = gateway_of(request)
    session = await gateway.session_of(request)
    enrolment = await gateway.authenticators.begin(context_of(request), session, data.type)
    return EnrolmentView(
        id=enrolment.id,
        type=enrolment.type,
        expires_at=when(enrolment.expires_at),
        sdk=gateway.sdk_view(enrolment.token),
    )


@post(
    "/v1/me/enrolments/{enrolment_id:str}/completions",
    status_code=200,
    tags=["account"],
    operation_id="completeEnrolment",
    summary="Finish adding a way to sign in",
    responses=problems(*ATTEMPT),
)
async def complete_enrolment(enrolment_id: EnrolmentId, data: JSONBody[Nothing], request: AnyRequest) -> AuthenticatorListView:
    """Note what was added in the browser, and tell the owner."""
    gateway = gateway_of(request)
    session = await gateway.session_of(request)
    listed = await gateway.authenticators.complete(context_of(request), session, enrolment_id)
    return _listed(gateway, session, listed)


@patch(
    "/v1/me/authenticators/{authenticator_id:str}",
    tags=["account"],
    operation_id="renameAuthenticator",
    summary="Name a way to sign in",
    responses=problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 502, 503),
)
async def rename_authenticator(
    authenticator_id: AuthenticatorId, data: JSONBody[AuthenticatorName], request: AnyRequest
) -> AuthenticatorListView:
    """Give an authenticator a name of one's own."""
    gateway = gateway_of(request)
    session = await gateway.session_of(request)
    listed = await gateway.authenticators.rename(context_of(request), session, authenticator_id, data.name)
    return _listed(gateway, session, listed)


@delete(
    "/v1/me/authenticators/{authenticator_id:str}",
    status_code=200,
    tags=["account"],
    operation_id="removeAuthenticator",
    summary="Remove a way to sign in",
    responses=problems(400, 401, 403, 404, 409, 422, 429, 502, 503),
)
async def remove_authenticator(authenticator_id: AuthenticatorId, request: AnyRequest) -> AuthenticatorListView:
    """Remove an authenticator; the last one stays."""
    gateway = gateway_of(request)
    session = await gateway.session_of(request)
    listed = await gateway.authenticators.remove(context_of(request), session, authenticator_id)
    return _listed(gateway, session, listed)


def _listed(gateway: Gateway, session: Session, listed: tuple[AuthenticatorAnswer, ...]) -> AuthenticatorListView:
    fresh_until = gateway.sessions.fresh_until(session)
    return AuthenticatorListView(
        authenticators=[
            AuthenticatorView(
                id=one.id,
                method=one.method,
                name=one.name,
                detail=one.detail,
                created_at=one.created_at,
                last_used_at=one.last_used_at,
                is_default=one.is_default,
                icon_light=one.icon_light,
                icon_dark=one.icon_dark,
            )
            for one in listed
        ],
        fresh_until=when(fresh_until) if fresh_until is not None else None,
    )


ACCOUNT_HANDLERS: Final = (
    get_me,
    change_me,
    delete_me,
    list_activity,
    list_authenticators,
    begin_enrolment,
    complete_enrolment,
    rename_authenticator,
    remove_authenticator,
)
