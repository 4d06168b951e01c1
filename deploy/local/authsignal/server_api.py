"""
The Server API, called with the secret key: users, authenticators, actions, validate and challenges.

Sessions and devices have modules of their own.
"""

from typing import Annotated, Any

from litestar import Request, Router, delete, get, patch, post, route
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from deploy.local.authsignal import actions, enrolment, server_challenges
from deploy.local.authsignal.auth import require_secret_key
from deploy.local.authsignal.bodies import read_body
from deploy.local.authsignal.errors import InvalidRequest
from deploy.local.authsignal.model import User
from deploy.local.authsignal.server_devices import DEVICE_HANDLERS
from deploy.local.authsignal.server_sessions import SESSION_HANDLERS
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.views import action_list_item, action_view, authenticator_view, user_list_item
from deploy.local.authsignal.wire import (
    ActionListItem,
    ActionView,
    AuthenticatorView,
    ChallengeRequest,
    ChallengeStatusView,
    ChallengeView,
    ClaimRequest,
    ClaimView,
    EnrolledView,
    EnrollVerifiedRequest,
    SuccessView,
    TrackRequest,
    TrackView,
    UpdateActionRequest,
    UpdateUserRequest,
    UsersView,
    UserView,
    ValidateRequest,
    ValidateView,
    VerifyRequest,
    VerifyView,
)

AnyRequest = Request[Any, Any, Any]

_USERS_PAGE_MAX = 100


def _user_view(tenant: Tenant, user: User) -> UserView:
    methods = tenant.enrolled_methods(user.user_id)
    return UserView(
        user_id=user.user_id,
        is_enrolled=bool(methods),
        email=user.email,
        email_verified=user.email_verified,
        phone_number=user.phone_number,
        phone_number_verified=user.phone_number_verified,
        username=user.username,
        display_name=user.display_name,
        custom=user.custom,
        locale=user.locale,
        enrolled_verification_methods=methods,
        allowed_verification_methods=list(tenant.tunables.methods),
        default_verification_method=tenant.default_method(user),
    )


@get("/users/{user_id:str}")
async def get_user(tenant: NamedDependency[Tenant], user_id: FromPath[str]) -> UserView:
    """A user; one that no call has mentioned is simply not enrolled."""
    return _user_view(tenant, tenant.user_or_new(user_id))


@get("/users")
async def query_users(
    tenant: NamedDependency[Tenant],
    email: FromQuery[str | None] = None,
    username: FromQuery[str | None] = None,
    phone_number: Annotated[str | None, QueryParameter(name="phoneNumber")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=_USERS_PAGE_MAX)] = _USERS_PAGE_MAX,
    last_evaluated_user_id: Annotated[str, QueryParameter(name="lastEvaluatedUserId")] = "",
) -> UsersView:
    """Users with this address, number or name."""
    if email is None and username is None and phone_number is None:
        raise InvalidRequest("One of username, email and phoneNumber is required.")
    found = tenant.store.users(
        email=email, phone_number=phone_number, username=username, after=last_evaluated_user_id, limit=limit + 1
    )
    page = found[:limit]
    return UsersView(
        users=[user_list_item(user, methods=tenant.enrolled_methods(user.user_id)) for user in page],
        last_evaluated_user_id=page[-1].user_id if len(found) > limit else None,
    )


@route("/users/{user_id:str}", http_method=["PATCH", "POST"], status_code=200)
async def update_user(request: AnyRequest, tenant: NamedDependency[Tenant], user_id: FromPath[str]) -> UserView:
    """Change a user's attributes."""
    return _user_view(tenant, enrolment.update_user(tenant, user_id, await read_body(request, UpdateUserRequest)))


@delete("/users/{user_id:str}", status_code=200)
async def delete_user(tenant: NamedDependency[Tenant], user_id: FromPath[str]) -> SuccessView:
    """Remove a user and all that belongs to them."""
    tenant.store.delete_user(user_id)
    return SuccessView(success=True)


@get("/users/{user_id:str}/authenticators")
async def get_authenticators(tenant: NamedDependency[Tenant], user_id: FromPath[str]) -> list[AuthenticatorView]:
    """A user's authenticators, with their addresses in the clear."""
    return [authenticator_view(item) for item in tenant.store.authenticators(user_id)]


@post("/users/{user_id:str}/authenticators", status_code=200)
async def enroll_verified_authenticator(
    request: AnyRequest, tenant: NamedDependency[Tenant], user_id: FromPath[str]
) -> EnrolledView:
    """Add a factor that was proven elsewhere."""
    body = await read_body(request, EnrollVerifiedRequest)
    return EnrolledView(authenticator=authenticator_view(enrolment.enroll_verified(tenant, user_id, body)))


@delete("/users/{user_id:str}/authenticators/{user_authenticator_id:str}", status_code=200)
async def delete_authenticator(
    tenant: NamedDependency[Tenant], user_id: FromPath[str], user_authenticator_id: FromPath[str]
) -> SuccessView:
    """Remove a factor."""
    enrolment.delete_authenticator(tenant, user_id, user_authenticator_id)
    return SuccessView(success=True)


@get("/users/{user_id:str}/actions")
async def query_user_actions(
    tenant: NamedDependency[Tenant],
    user_id: FromPath[str],
    from_date: Annotated[str | None, QueryParameter(name="fromDate")] = None,
    codes: FromQuery[str | None] = None,
    action_state: Annotated[str | None, QueryParameter(name="state")] = None,
) -> list[ActionListItem]:
    """A user's actions."""
    found = actions.query_actions(tenant, user_id, from_date=from_date, codes=codes, state=action_state)
    return [action_list_item(action) for action in found]


@post("/users/{user_id:str}/actions/{action:str}", status_code=200)
async def track(
    request: AnyRequest, tenant: NamedDependency[Tenant], user_id: FromPath[str], action: FromPath[str]
) -> TrackView:
    """Record an attempt and decide about it."""
    return actions.track(tenant, user_id, action, await read_body(request, TrackRequest))


@get("/users/{user_id:str}/actions/{action:str}/{idempotency_key:str}")
async def get_action(
    tenant: NamedDependency[Tenant], user_id: FromPath[str], action: FromPath[str], idempotency_key: FromPath[str]
) -> ActionView:
    """One action instance."""
    return action_view(actions.get_action(tenant, user_id, action, idempotency_key))


@patch("/users/{user_id:str}/actions/{action:str}/{idempotency_key:str}")
async def update_action(
    request: AnyRequest,
    tenant: NamedDependency[Tenant],
    user_id: FromPath[str],
    action: FromPath[str],
    idempotency_key: FromPath[str],
) -> ActionView:
    """Decide about an action by hand."""
    body = await read_body(request, UpdateActionRequest)
    found = actions.get_action(tenant, user_id, action, idempotency_key)
    actions.set_state(tenant, found, body.state)
    return action_view(found)


@post("/validate", status_code=200)
async def validate(request: AnyRequest, tenant: NamedDependency[Tenant]) -> ValidateView:
    """How the action of a token stands."""
    return actions.validate(tenant, await read_body(request, ValidateRequest))


@post("/challenge", status_code=200)
async def challenge(request: AnyRequest, tenant: NamedDependency[Tenant]) -> ChallengeView:
    """Send a code."""
    return await server_challenges.challenge(tenant, await read_body(request, ChallengeRequest))


@post("/verify", status_code=200)
async def verify(request: AnyRequest, tenant: NamedDependency[Tenant]) -> VerifyView:
    """Try a code."""
    return await server_challenges.verify(tenant, await read_body(request, VerifyRequest))


@post("/claim", status_code=200)
async def claim(request: AnyRequest, tenant: NamedDependency[Tenant]) -> ClaimView:
    """Say whose proof it was."""
    return await server_challenges.claim(tenant, await read_body(request, ClaimRequest))


@get("/challenges")
async def get_challenge(
    tenant: NamedDependency[Tenant],
    action: FromQuery[str | None] = None,
    challenge_id: Annotated[str | None, QueryParameter(name="challengeId")] = None,
    user_id: Annotated[str | None, QueryParameter(name="userId")] = None,
    verification_method: Annotated[str | None, QueryParameter(name="verificationMethod")] = None,
) -> ChallengeStatusView:
    """How a challenge stands."""
    return server_challenges.status(
        tenant, challenge_id=challenge_id, user_id=user_id, action=action, method=verification_method
    )


def server_router() -> Router:
    """All of it, under `/v1`, behind the secret key."""
    return Router(
        path="/v1",
        guards=[require_secret_key],
        route_handlers=[
            get_user,
            query_users,
            update_user,
            delete_user,
            get_authenticators,
            enroll_verified_authenticator,
            delete_authenticator,
            query_user_actions,
            track,
            get_action,
            update_action,
            validate,
            challenge,
            verify,
            claim,
            get_challenge,
            *SESSION_HANDLERS,
            *DEVICE_HANDLERS,
        ],
    )
