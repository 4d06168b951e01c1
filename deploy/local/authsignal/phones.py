"""
Phones: how one is enrolled and found, and what its decisions do.

1. A phone proves itself with its key: whatever it says about a challenge is signed over that challenge's id.
2. A push challenge is for its user's phones; a QR challenge for whoever scans it, or for the user of the token that it
   was made with. The first phone that claims a QR code keeps it.
3. A decision is final. Approving moves the action like any other proof; declining leaves it waiting.
"""

import uuid

from deploy.local.authsignal import enrolment
from deploy.local.authsignal.actions import claims_of, get_action, new_action
from deploy.local.authsignal.errors import InvalidRequest, NotFound
from deploy.local.authsignal.model import (
    Action,
    Authenticator,
    Challenge,
    ChallengeOrigin,
    Decision,
    PhoneKey,
    VerificationMethod,
    phone_lookup,
)
from deploy.local.authsignal.otp import is_open, new_challenge
from deploy.local.authsignal.phone_keys import check_public_key, is_signed
from deploy.local.authsignal.proofs import record_proof, require_consent
from deploy.local.authsignal.scopes import ALL
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.tokens import TokenClaims
from deploy.local.authsignal.wire import TrackRequest
from deploy.local.authsignal.wire_phones import EnrolPhoneRequest, SignedChallengeRequest


def enrol(tenant: Tenant, method: VerificationMethod, user_id: str, request: EnrolPhoneRequest) -> Authenticator:
    """
    Add a phone's key for one method. The same key twice is one authenticator.

    Raises:
        InvalidRequest: The key is not a P-256 key, or is another user's.
    """
    public_key = check_public_key(request.public_key)
    known = tenant.store.authenticator_by_lookup(phone_lookup(method, public_key))
    if known is not None and known.user_id != user_id:
        raise InvalidRequest("The key belongs to another user.")
    item = known or enrolment.new_authenticator(tenant, user_id, method)
    item.phone = PhoneKey(
        public_key=public_key,
        device_name=request.device_name,
        device_platform=request.device_platform,
        push_token=request.push_token,
    )
    with tenant.store.transaction():
        return enrolment.record_verified(tenant, item)


def find(tenant: Tenant, method: VerificationMethod, public_key: str) -> Authenticator:
    """
    The authenticator that goes by a phone's key.

    Raises:
        NotFound: There is none, or it was removed.
    """
    found = tenant.store.authenticator_by_lookup(phone_lookup(method, public_key))
    if found is None or found.phone is None:
        raise NotFound("The phone is not enrolled for this.")
    return found


def begin(
    tenant: Tenant,
    method: VerificationMethod,
    *,
    action_code: str,
    claims: TokenClaims | None,
    ip_address: str | None = None,
    user_agent: str | None = None,
) -> Challenge:
    """
    A challenge that a phone will decide, not stored yet.

    Raises:
        InvalidRequest: The action is not the one of the token.
    """
    if claims is not None and action_code != claims.action_code:
        raise InvalidRequest("The action must be the one that was tracked.")
    pending = new_challenge(
        tenant,
        origin=ChallengeOrigin.CLIENT,
        method=method,
        action_code=action_code,
        idempotency_key=claims.idempotency_key if claims else str(uuid.uuid4()),
        user_id=claims.user_id if claims else None,
    )
    pending.expires_at = tenant.clock.now() + tenant.tunables.token_duration_seconds
    pending.ip_address, pending.user_agent = ip_address, user_agent
    if claims is not None:
        action = get_action(tenant, claims.user_id, claims.action_code, claims.idempotency_key)
        pending.ip_address, pending.user_agent = action.ip_address or ip_address, action.user_agent or user_agent
        pending.device_id, pending.custom = action.device_id, action.custom
    return pending


def claim(tenant: Tenant, request: SignedChallengeRequest) -> Challenge:
    """
    Bind a QR challenge to the phone that scanned it; the same phone may do so again.

    Raises:
        NotFound: The phone is not enrolled.
        InvalidRequest: Wrongly signed, or the challenge is unknown, over, or another user's.
    """
    phone, pending = _signed(tenant, VerificationMethod.QR_CODE, request)
    _claim(tenant, phone, pending)
    return pending


def _claim(tenant: Tenant, phone: Authenticator, pending: Challenge) -> None:
    if pending.claimed_at is None:
        pending.claimed_at, pending.claimed_by = tenant.clock.now(), phone.user_id
        pending.authenticator_id = phone.user_authenticator_id
        tenant.store.save_challenge(pending)
        tenant.notices.moved(pending.challenge_id)


async def decide(tenant: Tenant, method: VerificationMethod, request: SignedChallengeRequest, *, approved: bool) -> bool:
    """
    Take a phone's decision about a challenge.

    Returns:
        Whether the action succeeded by it.

    Raises:
        NotFound: The phone is not enrolled.
        InvalidRequest: Wrongly signed, or the challenge is unknown, decided, too old, or another user's.
        Vetoed: The integrator refused; the phone may approve again.
    """
    phone, pending = _signed(tenant, method, request)
    if method is VerificationMethod.QR_CODE:
        _claim(tenant, phone, pending)
    if approved:
        await _approve(tenant, phone, pending)
    else:
        pending.decision = Decision.REJECTED
        tenant.store.save_challenge(pending)
    tenant.notices.moved(pending.challenge_id)
    return approved


async def _approve(tenant: Tenant, phone: Authenticator, pending: Challenge) -> None:
    pending.verification_method = phone.verification_method
    action = _action(tenant, phone.user_id, pending)
    await require_consent(tenant, action, pending.verification_method, phone.user_authenticator_id)
    with tenant.store.transaction():
        fresh = tenant.store.challenge(pending.challenge_id)
        if fresh is None or fresh.decision is not None:
            raise InvalidRequest("The challenge was decided meanwhile.")
        pending.user_id, pending.decision, pending.verified_at = phone.user_id, Decision.APPROVED, tenant.clock.now()
        pending.authenticator_id = phone.user_authenticator_id
        tenant.store.save_challenge(pending)
        enrolment.record_verified(tenant, phone)
        action = _action(tenant, phone.user_id, pending)
        record_proof(tenant, action, pending.verification_method, phone.user_authenticator_id)


def _action(tenant: Tenant, user_id: str, pending: Challenge) -> Action:
    known = tenant.store.action(user_id, pending.action_code, pending.idempotency_key)
    if known is not None:
        return known
    # The page that made the challenge did not know who would answer it: the rules see the user now.
    visit = TrackRequest(
        ip_address=pending.ip_address, user_agent=pending.user_agent, device_id=pending.device_id, custom=pending.custom
    )
    return new_action(tenant, tenant.user_or_new(user_id), pending.action_code, pending.idempotency_key, visit)


def _signed(tenant: Tenant, method: VerificationMethod, request: SignedChallengeRequest) -> tuple[Authenticator, Challenge]:
    phone = find(tenant, method, request.public_key)
    pending = tenant.store.challenge(request.challenge_id)
    if pending is None or not _is_for(method, pending) or not may_decide(tenant, phone, pending):
        raise InvalidRequest("The challenge is unknown, decided, too old, or for somebody else.")
    if not is_signed(request.public_key, request.challenge_id, request.signature):
        raise InvalidRequest("The signature is wrong.")
    return phone, pending


def _is_for(method: VerificationMethod, pending: Challenge) -> bool:
    if method is VerificationMethod.IN_APP:
        # A challenge that names nothing but an action is made for a passkey, until an app answers it.
        is_bare = pending.verification_method is VerificationMethod.PASSKEY and pending.user_id is None
        return is_bare and pending.webauthn_challenge is None
    return pending.verification_method is method


def may_decide(tenant: Tenant, phone: Authenticator, pending: Challenge) -> bool:
    """Whether a challenge waits for this phone."""
    is_theirs = pending.user_id in (None, phone.user_id)
    is_this_one = pending.authenticator_id in (None, phone.user_authenticator_id)
    return is_theirs and is_this_one and pending.decision is None and is_open(tenant, pending)


def token_of(tenant: Tenant, pending: Challenge) -> str | None:
    """The token that an approved challenge earned, for the page that made it; None while, or if, it is not approved."""
    if pending.decision is not Decision.APPROVED or pending.user_id is None:
        return None
    action = get_action(tenant, pending.user_id, pending.action_code, pending.idempotency_key)
    return tenant.mint(claims_of(action, ALL))
