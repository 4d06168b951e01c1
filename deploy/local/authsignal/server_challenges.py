"""
Challenges of the Server API: no client token, the integrator shows the page and passes the code on.

1. `challenge` sends a code; with the id of an earlier challenge it sends a new code for that one.
2. `verify` tries the code. It proves the address, and moves no action by itself.
3. `claim` says who proved it: the action (user, code, idempotency key) counts as succeeded, unless the rules blocked
   it or sent it to review; and a user without such a factor gets the address as one.
4. A claim without a verification binds the challenge only: the action waits, and the verification completes it.
"""

import uuid

from deploy.local.authsignal import enrolment
from deploy.local.authsignal.actions import check_action_code, claims_of, untracked_action
from deploy.local.authsignal.errors import InvalidRequest
from deploy.local.authsignal.methods import METHODS
from deploy.local.authsignal.model import (
    Action,
    Authenticator,
    Challenge,
    ChallengeOrigin,
    FailureReason,
    VerificationMethod,
)
from deploy.local.authsignal.otp import CodeChannel, check_code, new_challenge, send_code, use_up
from deploy.local.authsignal.proofs import record_proof, require_consent
from deploy.local.authsignal.scopes import ADD, ALL, UPDATE, parse_scope
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.wire import (
    ChallengeRequest,
    ChallengeStatusView,
    ChallengeView,
    ClaimRequest,
    ClaimView,
    VerifyRequest,
    VerifyView,
)


async def challenge(tenant: Tenant, request: ChallengeRequest) -> ChallengeView:
    """
    Send a code.

    Raises:
        InvalidRequest: Method, action or address is missing or unusable; or the challenge to replay is over.
        TooManyRequests: The sending limit is reached.
        DeliveryFailed: The message could not be handed over.
    """
    if request.challenge_id is not None:
        pending = _open_challenge(tenant, request.challenge_id)
        if pending.verified_at is not None:
            raise InvalidRequest("The challenge is answered already; start a new one.")
        channel = _channel(tenant, pending.verification_method)
    else:
        channel = _channel(tenant, request.verification_method)
        pending = _begin(tenant, channel, request)
    await send_code(tenant, channel, pending)
    return ChallengeView(
        challenge_id=pending.challenge_id,
        idempotency_key=pending.idempotency_key,
        expires_at=int(pending.expires_at),
    )


def _channel(tenant: Tenant, name: str | None) -> CodeChannel:
    offered = [method for method in METHODS if method.method in tenant.tunables.methods]
    channels = {method.method.value: channel for method in offered if (channel := method.server_channel())}
    if name is None or name not in channels:
        raise InvalidRequest(f"verificationMethod must be one of the following values: {', '.join(channels)}")
    return channels[name]


def _begin(tenant: Tenant, channel: CodeChannel, request: ChallengeRequest) -> Challenge:
    if request.action is None:
        raise InvalidRequest("action is required.")
    scopes = parse_scope(request.scope)
    pending = new_challenge(
        tenant,
        origin=ChallengeOrigin.SERVER,
        method=channel.method,
        action_code=check_action_code(request.action),
        idempotency_key=request.idempotency_key or str(uuid.uuid4()),
        address=_address(tenant, channel, request),
        user_id=request.user_id,
    )
    pending.scopes, pending.locale, pending.sms_channel = scopes, request.locale, request.sms_channel
    pending.device_id, pending.custom = request.device_id, request.custom
    pending.ip_address, pending.user_agent = request.ip_address, request.user_agent
    if request.user_id is not None:
        _require_usable_address(tenant, request.user_id, pending)
    return pending


def _address(tenant: Tenant, channel: CodeChannel, request: ChallengeRequest) -> str:
    if request.user_id is not None and request.email is None and request.phone_number is None:
        enrolled = _factors(tenant, request.user_id, channel.method)
        user = tenant.store.user(request.user_id)
        known = enrolment.address_of(enrolled[0]) if enrolled else user and channel.address_of_user(user)
        if known:
            return known
    return channel.check_address(email=request.email, phone_number=request.phone_number)


def _factors(tenant: Tenant, user_id: str, method: VerificationMethod) -> list[Authenticator]:
    items = [item for item in tenant.verified_authenticators(user_id) if item.verification_method is method]
    return sorted(items, key=lambda item: not item.is_default)


def _require_usable_address(tenant: Tenant, user_id: str, pending: Challenge) -> None:
    """
    An address that is not the user's factor proves nothing about the user, unless the caller may add or change one.

    Raises:
        InvalidRequest: The user has a factor of this kind, for another address, and the scope does not cover that.
    """
    addresses = {enrolment.address_of(item).lower() for item in _factors(tenant, user_id, pending.verification_method)}
    if not addresses or pending.address.lower() in addresses or {ADD, UPDATE} & set(pending.scopes):
        return
    raise InvalidRequest("The user is enrolled with another address.")


def _open_challenge(tenant: Tenant, challenge_id: str) -> Challenge:
    found = tenant.store.challenge(challenge_id)
    if found is None or found.origin is not ChallengeOrigin.SERVER:
        raise InvalidRequest("No such challenge.")
    return found


async def verify(tenant: Tenant, request: VerifyRequest) -> VerifyView:
    """
    Try a code; a wrong, late or used one is an answer with a reason.

    Raises:
        InvalidRequest: No such challenge.
        Vetoed: The challenge is claimed already, so that the code would complete the action, and the integrator refused.
    """
    pending = _open_challenge(tenant, request.challenge_id)
    failure = check_code(tenant, pending, request.verification_code)
    if failure is None and pending.claimed_by is not None:
        await require_consent(tenant, _action(tenant, pending, pending.claimed_by), pending.verification_method)
    if failure is None:
        with tenant.store.transaction():
            if not use_up(tenant, pending):
                failure = FailureReason.CODE_INVALID_OR_EXPIRED
            elif pending.claimed_by is not None:
                _complete(tenant, pending, pending.claimed_by)
    if failure is not None:
        return VerifyView(is_verified=False, failure_reason=failure)
    is_email = pending.verification_method in enrolment.EMAIL_METHODS
    return VerifyView(
        is_verified=True,
        email=pending.address if is_email else None,
        phone_number=None if is_email else pending.address,
        verification_method=pending.verification_method,
    )


async def claim(tenant: Tenant, request: ClaimRequest) -> ClaimView:
    """
    Bind a challenge to a user. The same claim may be repeated: a lost answer can be asked for again.

    Raises:
        InvalidRequest: No such challenge, not verified, too old, or another user's.
        Vetoed: The claim would complete the action, and the integrator refused; it may be claimed again.
    """
    pending = _open_challenge(tenant, request.challenge_id)
    if pending.verified_at is None and not request.skip_verification_check:
        raise InvalidRequest("The challenge is not verified.")
    life = tenant.tunables.token_duration_seconds
    if tenant.clock.now() >= (pending.verified_at or pending.created_at) + life:
        raise InvalidRequest("The challenge has expired.")
    if not request.user_id or {pending.user_id, pending.claimed_by} - {None, request.user_id}:
        raise InvalidRequest("The challenge belongs to another user.")
    _require_usable_address(tenant, request.user_id, pending)
    if pending.verified_at is not None and pending.claimed_by is None:
        await require_consent(tenant, _action(tenant, pending, request.user_id), pending.verification_method)
    with tenant.store.transaction():
        pending = _open_challenge(tenant, request.challenge_id)  # somebody may have claimed it meanwhile
        if pending.claimed_by not in (None, request.user_id):
            raise InvalidRequest("The challenge belongs to another user.")
        token = _bind(tenant, pending, request.user_id)
    return ClaimView(token=token, verification_method=pending.verification_method)


def _bind(tenant: Tenant, pending: Challenge, user_id: str) -> str:
    is_repeated = pending.claimed_by is not None
    pending.user_id = pending.claimed_by = user_id
    tenant.store.save_challenge(pending)
    tenant.store.save_user(tenant.user_or_new(user_id))
    action = _action(tenant, pending, user_id)
    if pending.verified_at is None:
        return tenant.mint(claims_of(action, pending.scopes))
    return tenant.mint(claims_of(action, ALL)) if is_repeated else _complete(tenant, pending, user_id)


def _action(tenant: Tenant, pending: Challenge, user_id: str) -> Action:
    code, key = pending.action_code, pending.idempotency_key
    return tenant.store.action(user_id, code, key) or untracked_action(tenant, user_id, code, key)


def _complete(tenant: Tenant, pending: Challenge, user_id: str) -> str:
    authenticator = _enrol_or_find(tenant, pending, user_id)
    action, method = _action(tenant, pending, user_id), pending.verification_method
    return record_proof(tenant, action, method, authenticator.user_authenticator_id, device_id=pending.device_id)


def _enrol_or_find(tenant: Tenant, pending: Challenge, user_id: str) -> Authenticator:
    method = pending.verification_method
    found = enrolment.find_by_address(tenant, user_id, method, pending.address)
    if found is None and UPDATE in pending.scopes and (factors := _factors(tenant, user_id, method)):
        found = factors[0]
        changed = enrolment.new_authenticator(tenant, user_id, method, pending.address)
        found.email, found.phone_number = changed.email, changed.phone_number
    return enrolment.record_verified(tenant, found or enrolment.new_authenticator(tenant, user_id, method, pending.address))


def status(
    tenant: Tenant, *, challenge_id: str | None, user_id: str | None, action: str | None, method: str | None
) -> ChallengeStatusView:
    """
    How a challenge stands, by its id or as the newest of a user; empty if there is none.

    Raises:
        InvalidRequest: Neither an id nor a user is given, or the method does not exist.
    """
    if method is not None and method not in list(VerificationMethod):
        raise InvalidRequest(f"No such verification method: {method}.")
    if challenge_id is not None:
        found = tenant.store.challenge(challenge_id)
    elif user_id is not None:
        wanted = VerificationMethod(method) if method else None
        found = tenant.store.latest_challenge(user_id=user_id, action_code=action, method=wanted)
    else:
        raise InvalidRequest("challengeId or userId is required.")
    if found is None:
        return ChallengeStatusView()
    is_email = found.verification_method in enrolment.EMAIL_METHODS
    return ChallengeStatusView(
        challenge_id=found.challenge_id,
        expires_at=int(found.expires_at),
        verification_method=found.verification_method if found.verified_at is not None else None,
        sms_channel=found.sms_channel if found.verification_method is VerificationMethod.SMS else None,
        email=found.address if is_email else None,
        phone_number=None if is_email else found.address or None,
        action=found.action_code,
    )
