"""
Security keys.

Options and credentials travel bare, without an id of the ceremony: it is found through the token, as a code is.
"""

from collections.abc import Sequence
from typing import Any

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from deploy.local.authsignal import enrolment, webauthn_challenges, webauthn_party
from deploy.local.authsignal.actions import get_action
from deploy.local.authsignal.auth import client_claims
from deploy.local.authsignal.bodies import read_body
from deploy.local.authsignal.client_codes import latest_pending
from deploy.local.authsignal.errors import InvalidRequest
from deploy.local.authsignal.model import Challenge, VerificationMethod
from deploy.local.authsignal.otp import use_up
from deploy.local.authsignal.proofs import record_proof, require_consent
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.tokens import TokenClaims
from deploy.local.authsignal.wire import ClientVerifyView

AnyRequest = Request[Any, Any, Any]
Tenancy = NamedDependency[Tenant]
_METHOD = VerificationMethod.SECURITY_KEY


class SecurityKey:
    """Keys on a cord or a key ring: a second factor, used with a token."""

    method = _METHOD

    def client_routes(self) -> Sequence[HTTPRouteHandler]:
        """Registration and authentication."""
        return [registration_options, register, authentication_options, verify]

    def server_channel(self) -> None:
        """None: only a browser can sign."""


@post("/user-authenticators/security-key/registration-options", status_code=200)
async def registration_options(request: AnyRequest, tenant: Tenancy) -> dict[str, Any]:
    """Begin to add a key."""
    claims = client_claims(request, tenant)
    await read_body(request, dict[str, Any])
    pending = webauthn_challenges.begin(tenant, _METHOD, claims, enrols=True)
    user = tenant.user_or_new(claims.user_id)
    name = user.username or user.email or user.phone_number or claims.user_id
    return webauthn_party.creation_options(
        tenant.settings,
        challenge=pending.webauthn_challenge or "",
        user_id=claims.user_id,
        name=name,
        display_name=user.display_name or name,
        exclude=webauthn_challenges.credentials_of(tenant, claims.user_id, _METHOD),
        selection={
            "authenticatorAttachment": "cross-platform",
            "residentKey": "discouraged",
            "requireResidentKey": False,
            "userVerification": "discouraged",
        },
    )


@post("/user-authenticators/security-key", status_code=200)
async def register(request: AnyRequest, tenant: Tenancy) -> ClientVerifyView:
    """Add the key that the browser asked."""
    claims = client_claims(request, tenant)
    credential = await read_body(request, dict[str, Any])
    pending = _pending(tenant, claims, enrols=True)
    user_agent = request.headers.get("user-agent")
    _, token = await webauthn_challenges.register(tenant, pending, claims, credential, user_agent=user_agent)
    return ClientVerifyView(is_verified=True, access_token=token)


@post("/user-authenticators/security-key/authentication-options", status_code=200)
async def authentication_options(request: AnyRequest, tenant: Tenancy) -> dict[str, Any]:
    """Begin to sign with one of the user's keys."""
    claims = client_claims(request, tenant)
    await read_body(request, dict[str, Any])
    allow = webauthn_challenges.credentials_of(tenant, claims.user_id, _METHOD)
    if not allow:
        raise InvalidRequest("The user has no security key.")
    pending = webauthn_challenges.begin(tenant, _METHOD, claims, enrols=False)
    return webauthn_party.request_options(tenant.settings, challenge=pending.webauthn_challenge or "", allow=allow)


@post("/verify/security-key", status_code=200)
async def verify(request: AnyRequest, tenant: Tenancy) -> ClientVerifyView:
    """Check a signature."""
    claims = client_claims(request, tenant)
    answer = await read_body(request, dict[str, Any])
    pending = _pending(tenant, claims, enrols=False)
    item = webauthn_challenges.find_credential(tenant, pending, answer, user_id=claims.user_id)
    name = (claims.user_id, claims.action_code, claims.idempotency_key)
    await require_consent(tenant, get_action(tenant, *name), _METHOD, item.user_authenticator_id)
    with tenant.store.transaction():
        if not use_up(tenant, pending):
            raise InvalidRequest("The challenge is over; start again.")
        enrolment.record_verified(tenant, item)
        token = record_proof(tenant, get_action(tenant, *name), _METHOD, item.user_authenticator_id)
    return ClientVerifyView(is_verified=True, access_token=token)


def _pending(tenant: Tenant, claims: TokenClaims, *, enrols: bool) -> Challenge:
    latest = latest_pending(tenant, _METHOD, claims)
    if latest is None:
        raise InvalidRequest("No challenge was begun with this token.")
    return webauthn_challenges.require_open(tenant, latest.challenge_id, _METHOD, claims, enrols=enrols)
