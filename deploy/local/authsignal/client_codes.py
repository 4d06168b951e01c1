"""
The Client API of every method that sends a code: enrol, challenge, verify.

The pending code is found through the token (user, action, idempotency key) and the method: verify sends no id.
"""

from collections.abc import Sequence
from typing import Any

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from deploy.local.authsignal import enrolment
from deploy.local.authsignal.actions import get_action, record_proof
from deploy.local.authsignal.auth import client_claims
from deploy.local.authsignal.bodies import read_body
from deploy.local.authsignal.errors import InvalidRequest
from deploy.local.authsignal.model import Authenticator, Challenge, ChallengeOrigin, FailureReason
from deploy.local.authsignal.otp import CodeChannel, new_challenge, send_code, try_code
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.tokens import TokenClaims
from deploy.local.authsignal.views import authenticator_view
from deploy.local.authsignal.wire import (
    ClientChallengeRequest,
    ClientChallengeView,
    ClientEnrollView,
    ClientVerifyRequest,
    ClientVerifyView,
    EnrollCodeRequest,
)


def code_routes(channel: CodeChannel, *, segment: str) -> Sequence[HTTPRouteHandler]:
    """
    The three endpoints of a method.

    Args:
        channel: How the method brings its codes to people.
        segment: Its name in paths, such as `email-otp`.
    """

    @post(f"/user-authenticators/{segment}", status_code=200, name=f"enrol-{segment}")
    async def enrol_by_code(request: Request[Any, Any, Any], tenant: NamedDependency[Tenant]) -> ClientEnrollView:
        claims = client_claims(request, tenant)
        body = await read_body(request, EnrollCodeRequest)
        address = channel.check_address(email=body.email, phone_number=body.phone_number)
        return await _enrol(tenant, channel, claims, address)

    @post(f"/challenge/{segment}", status_code=200, name=f"challenge-{segment}")
    async def challenge_by_code(request: Request[Any, Any, Any], tenant: NamedDependency[Tenant]) -> ClientChallengeView:
        claims = client_claims(request, tenant)
        body = await read_body(request, ClientChallengeRequest)
        return await _challenge(tenant, channel, claims, body.user_authenticator_id)

    @post(f"/verify/{segment}", status_code=200, name=f"verify-{segment}")
    async def verify_code(request: Request[Any, Any, Any], tenant: NamedDependency[Tenant]) -> ClientVerifyView:
        claims = client_claims(request, tenant)
        body = await read_body(request, ClientVerifyRequest)
        return _verify(tenant, channel, claims, body.verification_code)

    return [enrol_by_code, challenge_by_code, verify_code]


async def _enrol(tenant: Tenant, channel: CodeChannel, claims: TokenClaims, address: str) -> ClientEnrollView:
    user_id, method = claims.user_id, channel.method
    enrolment.require_may_enrol(tenant, user_id, claims.scopes)
    found = enrolment.find_by_address(tenant, user_id, method, address)
    authenticator = found or enrolment.new_authenticator(tenant, user_id, method, address)
    pending = _pending(tenant, channel, claims, address)
    pending.enrols, pending.authenticator_id = True, authenticator.user_authenticator_id
    await send_code(tenant, channel, pending)
    with tenant.store.transaction():
        enrolment.forget_unproven(tenant, user_id, method)
        tenant.store.save_authenticator(authenticator)
    return ClientEnrollView(user_authenticator_id=authenticator.user_authenticator_id, user_id=user_id)


async def _challenge(
    tenant: Tenant, channel: CodeChannel, claims: TokenClaims, user_authenticator_id: str | None
) -> ClientChallengeView:
    authenticator = _authenticator_to_challenge(tenant, channel, claims.user_id, user_authenticator_id)
    if authenticator is not None:
        pending = _pending(tenant, channel, claims, enrolment.address_of(authenticator))
        pending.authenticator_id = authenticator.user_authenticator_id
    else:
        # No factor of this kind yet: the address given at track is proven instead, which enrols it.
        address = channel.address_of_user(tenant.user_or_new(claims.user_id))
        if address is None:
            raise InvalidRequest("The user has no address to send a code to.")
        enrolment.require_may_enrol(tenant, claims.user_id, claims.scopes)
        pending = _pending(tenant, channel, claims, address)
        pending.enrols = True
    await send_code(tenant, channel, pending)
    return ClientChallengeView(challenge_id=pending.challenge_id)


def _authenticator_to_challenge(
    tenant: Tenant, channel: CodeChannel, user_id: str, user_authenticator_id: str | None
) -> Authenticator | None:
    candidates = [item for item in tenant.verified_authenticators(user_id) if item.verification_method is channel.method]
    if user_authenticator_id is None:
        return next((item for item in candidates if item.is_default), None) or next(iter(candidates), None)
    for item in candidates:
        if item.user_authenticator_id == user_authenticator_id:
            return item
    raise InvalidRequest("The user has no such authenticator.")


def _pending(tenant: Tenant, channel: CodeChannel, claims: TokenClaims, address: str) -> Challenge:
    return new_challenge(
        tenant,
        origin=ChallengeOrigin.CLIENT,
        method=channel.method,
        action_code=claims.action_code,
        idempotency_key=claims.idempotency_key,
        address=address,
        user_id=claims.user_id,
    )


def _verify(tenant: Tenant, channel: CodeChannel, claims: TokenClaims, code: str) -> ClientVerifyView:
    pending = tenant.store.latest_challenge(
        user_id=claims.user_id,
        action_code=claims.action_code,
        idempotency_key=claims.idempotency_key,
        method=channel.method,
        origin=ChallengeOrigin.CLIENT,
    )
    if pending is None:
        return ClientVerifyView(is_verified=False, failure_reason=FailureReason.CODE_INVALID_OR_EXPIRED)
    with tenant.store.transaction():
        if pending.enrols and pending.verified_at is None:
            # Asked again here: two enrolments may have begun while the user had no factor, and one is done by now.
            enrolment.require_may_enrol(tenant, claims.user_id, claims.scopes)
        failure = try_code(tenant, pending, code)
        if failure is not None:
            return ClientVerifyView(is_verified=False, failure_reason=failure)
        authenticator = enrolment.record_verified(tenant, _proven_authenticator(tenant, pending))
        action = get_action(tenant, claims.user_id, claims.action_code, claims.idempotency_key)
        token = record_proof(tenant, action, channel.method, authenticator.user_authenticator_id)
    return ClientVerifyView(
        is_verified=True,
        access_token=token,
        user_authenticator=authenticator_view(authenticator, masked=True) if pending.enrols else None,
    )


def _proven_authenticator(tenant: Tenant, pending: Challenge) -> Authenticator:
    user_id = pending.user_id or ""
    for item in tenant.store.authenticators(user_id):
        if item.user_authenticator_id == pending.authenticator_id:
            return item
    found = enrolment.find_by_address(tenant, user_id, pending.verification_method, pending.address)
    return found or enrolment.new_authenticator(tenant, user_id, pending.verification_method, pending.address)
