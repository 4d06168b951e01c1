"""
Time-based codes from an authenticator app.

There is nothing to send: verify finds an enrolment that was begun, else the apps that the user has. Each code works once.
"""

from collections.abc import Sequence
from typing import Any

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from deploy.local.authsignal import enrolment, totp
from deploy.local.authsignal.actions import get_action
from deploy.local.authsignal.auth import client_claims
from deploy.local.authsignal.bodies import read_body
from deploy.local.authsignal.model import Authenticator, FailureReason, VerificationMethod
from deploy.local.authsignal.proofs import record_proof, require_consent
from deploy.local.authsignal.scopes import may_enrol
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.tokens import TokenClaims
from deploy.local.authsignal.views import authenticator_view
from deploy.local.authsignal.wire import ClientVerifyRequest, ClientVerifyView, EnrollAppView

AnyRequest = Request[Any, Any, Any]
Tenancy = NamedDependency[Tenant]
_METHOD = VerificationMethod.AUTHENTICATOR_APP
_ISSUER = "Authsignal simulator"


class AuthenticatorApp:
    """Codes that an app works out by itself."""

    method = _METHOD

    def client_routes(self) -> Sequence[HTTPRouteHandler]:
        """Enrol and verify."""
        return [enrol, verify]

    def server_channel(self) -> None:
        """None: there is no code to send."""


@post("/user-authenticators/totp", status_code=200)
async def enrol(request: AnyRequest, tenant: Tenancy) -> EnrollAppView:
    """Give a secret for the app; the first right code completes the enrolment."""
    claims = client_claims(request, tenant)
    await read_body(request, dict[str, Any])
    enrolment.require_may_enrol(tenant, claims.user_id, claims.scopes)
    user = tenant.user_or_new(claims.user_id)
    secret = totp.new_secret()
    account = user.email or user.username or user.phone_number or claims.user_id
    item = enrolment.new_authenticator(tenant, claims.user_id, _METHOD)
    item.otp_uri = totp.uri(secret, account=account, issuer=_ISSUER)
    with tenant.store.transaction():
        enrolment.forget_unproven(tenant, claims.user_id, _METHOD)
        tenant.store.save_authenticator(item)
    return EnrollAppView(
        user_authenticator_id=item.user_authenticator_id, user_id=item.user_id, uri=item.otp_uri, secret=secret
    )


@post("/verify/totp", status_code=200)
async def verify(request: AnyRequest, tenant: Tenancy) -> ClientVerifyView:
    """Try a code."""
    claims = client_claims(request, tenant)
    body = await read_body(request, ClientVerifyRequest)
    limits, key = tenant.tunables, (_METHOD, "verify", claims.user_id)
    window = limits.verifications_window_seconds
    if not tenant.limits.take(key, now=tenant.clock.now(), calls_max=limits.verifications_max, window_seconds=window):
        return ClientVerifyView(is_verified=False, failure_reason=FailureReason.MAX_ATTEMPTS_EXCEEDED)
    item = _matching(tenant, claims, body.verification_code)
    if item is None:
        return ClientVerifyView(is_verified=False, failure_reason=FailureReason.CODE_INVALID_OR_EXPIRED)
    return await _accept(tenant, claims, item.user_authenticator_id, body.verification_code)


def _matching(tenant: Tenant, claims: TokenClaims, code: str) -> Authenticator | None:
    """The app that a code belongs to, with the code used up in the record alone; enrolments that are begun come first."""
    is_enrolled = bool(tenant.verified_authenticators(claims.user_id))
    items = [item for item in tenant.store.authenticators(claims.user_id) if item.verification_method is _METHOD]
    for item in sorted(items, key=lambda item: item.verified_at is not None):
        if item.verified_at is None and not may_enrol(claims.scopes, has_authenticator=is_enrolled):
            continue  # begun while there was no other factor, or with another token
        secret = totp.secret_of(item.otp_uri or "")
        step = totp.matching_step(secret, code, now=tenant.clock.now(), after=item.otp_last_step)
        if step is not None:
            item.otp_last_step = step
            return item
    return None


async def _accept(tenant: Tenant, claims: TokenClaims, authenticator_id: str, code: str) -> ClientVerifyView:
    name = (claims.user_id, claims.action_code, claims.idempotency_key)
    await require_consent(tenant, get_action(tenant, *name), _METHOD, authenticator_id)
    with tenant.store.transaction():
        item = _matching(tenant, claims, code)  # again: the same code may have been used while the integrator was asked
        if item is None:
            return ClientVerifyView(is_verified=False, failure_reason=FailureReason.CODE_INVALID_OR_EXPIRED)
        enrols = item.verified_at is None
        enrolment.record_verified(tenant, item)
        token = record_proof(tenant, get_action(tenant, *name), _METHOD, item.user_authenticator_id)
    return ClientVerifyView(
        is_verified=True,
        access_token=token,
        user_authenticator=authenticator_view(item, masked=True) if enrols else None,
    )
