"""
The Client API: what browsers and phones call with a client token.

Each method brings its own endpoints; here are the two that concern all of them.
"""

from typing import Any

from litestar import Request, Router, get, post
from litestar.di import NamedDependency

from deploy.local.authsignal.actions import allowed_methods, claims_of, get_action
from deploy.local.authsignal.auth import client_claims
from deploy.local.authsignal.bodies import read_body
from deploy.local.authsignal.methods import METHODS
from deploy.local.authsignal.model import Action, User, VerificationMethod
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.views import authenticator_view, mask_email, mask_phone
from deploy.local.authsignal.wire import AuthenticatorView, ChallengeOptionsView, InitUserView, InitView

AnyRequest = Request[Any, Any, Any]


@get("/user-authenticators")
async def list_authenticators(request: AnyRequest, tenant: NamedDependency[Tenant]) -> list[AuthenticatorView]:
    """The user's own factors, their addresses masked."""
    claims = client_claims(request, tenant)
    return [authenticator_view(item, masked=True) for item in tenant.verified_authenticators(claims.user_id)]


@post("/init", status_code=200)
async def init(request: AnyRequest, tenant: NamedDependency[Tenant]) -> InitView:
    """What a challenge dialog needs before it opens."""
    claims = client_claims(request, tenant)
    await read_body(request, dict[str, Any])
    action = get_action(tenant, claims.user_id, claims.action_code, claims.idempotency_key)
    user = tenant.user_or_new(claims.user_id)
    offered = offered_methods(tenant, action, user)
    preferred = action.default_method or tenant.default_method(user)
    options = ChallengeOptionsView(
        token=tenant.mint(claims_of(action, claims.scopes)),
        verification_methods=offered,
        default_verification_method=preferred if preferred in offered else None,
        user=InitUserView(
            email=mask_email(user.email) if user.email else None,
            phone_number=mask_phone(user.phone_number) if user.phone_number else None,
        ),
    )
    return InitView(challenge_options=options)


def offered_methods(tenant: Tenant, action: Action, user: User) -> list[VerificationMethod]:
    """The methods that the user can prove themselves by; without a factor, those that work with a known address."""
    allowed = allowed_methods(tenant, action)
    enrolled = tenant.enrolled_methods(user.user_id)
    if enrolled:
        return [method for method in enrolled if method in allowed]
    by_mail = [VerificationMethod.EMAIL_OTP, VerificationMethod.EMAIL_MAGIC_LINK] if user.email else []
    by_phone = [VerificationMethod.SMS, VerificationMethod.WHATSAPP] if user.phone_number else []
    return [method for method in (*by_mail, *by_phone) if method in allowed]


def client_router() -> Router:
    """All endpoints, under `/v1/client`; each of them checks its caller by itself."""
    by_method = [item for method in METHODS for item in method.client_routes()]
    return Router(path="/v1/client", route_handlers=[list_authenticators, init, *by_method])
