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
from deploy.local.authsignal.actions import get_action
from deploy.local.authsignal.auth import client_claims
from deploy.local.authsignal.bodies import read_body
from deploy.local.authsignal.errors import InvalidRequest
from deploy.local.authsignal.model import (
    Authenticator,
    Challenge,
    ChallengeOrigin,
    FailureReason,
    SmsChannel,
    VerificationMethod,
)
from deploy.local.authsignal.otp import CodeChannel, check_code, new_challenge, send_code, use_up
from deploy.local.authsignal.proofs import record_proof, require_consent
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


def code_routes(channel: CodeChannel, *, segment: str, can_enrol: bool = True) -> Sequence[HTTPRouteHandler]:
    """
    The endpoints of a method.

    Args:
        channel: How the method brings its codes to people.
        segment: Its name in paths, such as `email-otp`.
        can_enrol: Whether there is a call to enrol by; without one, only an address given at track is enrolled.
    """

    @post(f"/user-authenticators/{segment}", status_code=200, name=f"enrol-{segment}")
    async def enrol_by_code(request: Request[Any, Any, Any], tenant: NamedDependency[Tenant]) -> ClientEnrollView:
        claims = client_claims(request, tenant)
        body = await read_body(request, EnrollCodeRequest)
        address = channel.check_address(email=body.email, phone_number=body.phone_number)
        view, _ = await begin_enrolment(tenant, channel, claims, address)
        return view

    @post(f"/challenge/{segment}", status_code=200, name=f"challenge-{segment}")
    async def challenge_by_code(request: Request[Any, Any, Any], tenant: NamedDependency[Tenant]) -> ClientChallengeView:
        claims = client_claims(request, tenant)
        body = await read_body(request, ClientChallengeRequest)
        return await begin_challenge(tenant, channel, claims, body)

    @post(f"/verify/{segment}", status_code=200, name=f"verify-{segment}")
    async def verify_code(request: Request[Any, Any, Any], tenant: NamedDependency[Tenant]) -> ClientVerifyView:
        claims = client_claims(request, tenant)
        body = await read_body(request, ClientVerifyRequest)
        return await _verify(tenant, channel, claims, body.verification_code)

    return [*([enrol_by_code] if can_enrol else []), challenge_by_code, verify_code]


async def begin_enrolment(
    tenant: Tenant, channel: CodeChannel, claims: TokenClaims, address: str
) -> tuple[ClientEnrollView, Challenge]:
    """
    Add an unproven authenticator for an address, and send what proves it.

    Raises:
        MissingScope: The token may not add a factor.
        TooManyRequests: The sending limit is reached.
        DeliveryFailed: The message could not be handed over; nothing was added.
    """
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
    return ClientEnrollView(user_authenticator_id=authenticator.user_authenticator_id, user_id=user_id), pending


async def begin_challenge(
    tenant: Tenant, channel: CodeChannel, claims: TokenClaims, request: ClientChallengeRequest
) -> ClientChallengeView:
    """
    Send what proves an authenticator of the user; or, if they have none, the address given at track.

    Raises:
        InvalidRequest: There is no address, or no such authenticator.
        MissingScope: The address at track would become a further factor, which the token may not add.
        TooManyRequests: The sending limit is reached.
        DeliveryFailed: The message could not be handed over.
    """
    authenticator = _authenticator_to_challenge(tenant, channel, claims.user_id, request.user_authenticator_id)
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
    pending.sms_channel = request.sms_channel
    await send_code(tenant, channel, pending)
    return ClientChallengeView(challenge_id=pending.challenge_id)


def _authenticator_to_challenge(
    tenant: Tenant, channel: CodeChannel, user_id: str, user_authenticator_id: str | None
) -> Authenticator | None:
    verified = tenant.verified_authenticators(user_id)
    candidates = [item for item in verified if item.verification_method in channel.serves]
    if user_authenticator_id is not None:
        chosen = enrolment.require_own(tenant, user_id, user_authenticator_id)
        if chosen not in candidates:
            raise InvalidRequest("The authenticator is of another kind.")
        return chosen
    candidates.sort(key=lambda item: (channel.serves.index(item.verification_method), not item.is_default))
    return next(iter(candidates), None)


def _pending(tenant: Tenant, channel: CodeChannel, claims: TokenClaims, address: str) -> Challenge:
    pending = new_challenge(
        tenant,
        origin=ChallengeOrigin.CLIENT,
        method=channel.method,
        action_code=claims.action_code,
        idempotency_key=claims.idempotency_key,
        address=address,
        user_id=claims.user_id,
    )
    action = get_action(tenant, claims.user_id, claims.action_code, claims.idempotency_key)
    pending.locale, pending.ip_address, pending.user_agent = action.locale, action.ip_address, action.user_agent
    pending.scopes = claims.scopes  # a link is opened without the token
    return pending


def latest_pending(tenant: Tenant, method: VerificationMethod, claims: TokenClaims) -> Challenge | None:
    """The newest challenge of a method that was made with a token for the same action."""
    return tenant.store.latest_challenge(
        user_id=claims.user_id,
        action_code=claims.action_code,
        idempotency_key=claims.idempotency_key,
        method=method,
        origin=ChallengeOrigin.CLIENT,
    )


async def _verify(tenant: Tenant, channel: CodeChannel, claims: TokenClaims, code: str) -> ClientVerifyView:
    pending = latest_pending(tenant, channel.method, claims)
    if pending is None:
        return ClientVerifyView(is_verified=False, failure_reason=FailureReason.CODE_INVALID_OR_EXPIRED)
    if pending.enrols and pending.verified_at is None:
        # Asked again here: two enrolments may have begun while the user had no factor, and one is done by now.
        enrolment.require_may_enrol(tenant, claims.user_id, claims.scopes)
    failure = check_code(tenant, pending, code)
    if failure is None:
        answered = await answer(tenant, pending, claims)
        if answered is not None:
            return answered
        failure = FailureReason.CODE_INVALID_OR_EXPIRED
    return ClientVerifyView(is_verified=False, failure_reason=failure)


async def answer(tenant: Tenant, pending: Challenge, claims: TokenClaims) -> ClientVerifyView | None:
    """
    Store that a challenge was answered rightly: what it enrols, and what that does to its action.

    Returns:
        What the client is told, or None if somebody else answered it first.

    Raises:
        Vetoed: The integrator refused; nothing was stored, and the same answer may be given again.
        MissingScope: The user got a factor meanwhile, and the token may not add another one.
    """
    method, name = pending.verification_method, (claims.user_id, claims.action_code, claims.idempotency_key)
    await require_consent(tenant, get_action(tenant, *name), method, pending.authenticator_id)
    with tenant.store.transaction():
        if pending.enrols:
            enrolment.require_may_enrol(tenant, claims.user_id, claims.scopes)
        if not use_up(tenant, pending):
            return None
        authenticator = enrolment.record_verified(tenant, _proven_authenticator(tenant, pending))
        token = record_proof(tenant, get_action(tenant, *name), method, authenticator.user_authenticator_id)
    return ClientVerifyView(
        is_verified=True,
        access_token=token,
        user_authenticator=authenticator_view(authenticator, masked=True) if pending.enrols else None,
    )


def _proven_authenticator(tenant: Tenant, pending: Challenge) -> Authenticator:
    user_id, method = pending.user_id or "", pending.verification_method
    items = tenant.store.authenticators(user_id)
    known = next((item for item in items if item.user_authenticator_id == pending.authenticator_id), None)
    known = known or enrolment.find_by_address(tenant, user_id, method, pending.address)
    found = known or enrolment.new_authenticator(tenant, user_id, method, pending.address)
    if found.phone_number:
        is_whatsapp = method is VerificationMethod.WHATSAPP or pending.sms_channel is SmsChannel.WHATSAPP
        found.previous_sms_channel = SmsChannel.WHATSAPP if is_whatsapp else SmsChannel.DEFAULT
    return found
