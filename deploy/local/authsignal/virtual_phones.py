"""Phones that the simulator plays: a real key each, and real signatures over what they decide."""

import uuid
from collections.abc import Sequence

from deploy.local.authsignal import phone_keys, phones
from deploy.local.authsignal.errors import InvalidRequest, NotFound
from deploy.local.authsignal.model import Challenge, VerificationMethod, VirtualPhone, phone_lookup
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.wire_phones import EnrolPhoneRequest, SignedChallengeRequest

METHODS = (VerificationMethod.PUSH, VerificationMethod.QR_CODE)


def enrol(tenant: Tenant, user_id: str, *, name: str, methods: Sequence[VerificationMethod]) -> VirtualPhone:
    """
    Give a user a phone.

    Raises:
        InvalidRequest: A method that a phone cannot decide by, or none.
    """
    if not methods or not set(methods) <= set(METHODS):
        raise InvalidRequest(f"methods must be some of {', '.join(METHODS)}.")
    private_key, public_key = phone_keys.new_key_pair()
    phone = VirtualPhone(
        phone_id=str(uuid.uuid4()),
        user_id=user_id,
        name=name,
        public_key=public_key,
        private_key=private_key,
        created_at=tenant.clock.now(),
    )
    tenant.store.save_user(tenant.user_or_new(user_id))
    for method in methods:
        request = EnrolPhoneRequest(public_key=public_key, device_name=name, device_platform="android")
        phones.enrol(tenant, method, user_id, request)
    tenant.store.phones.save(phone.phone_id, phone, user_id=user_id)
    return phone


def get(tenant: Tenant, phone_id: str) -> VirtualPhone:
    """
    One phone.

    Raises:
        NotFound: There is none of this id.
    """
    phone = tenant.store.phones.get(phone_id)
    if phone is None:
        raise NotFound("No such phone.")
    return phone


def methods_of(tenant: Tenant, phone: VirtualPhone) -> list[VerificationMethod]:
    """What the phone is still enrolled for: the Server API may have removed it."""
    lookups = ((method, phone_lookup(method, phone.public_key)) for method in METHODS)
    return [method for method, lookup in lookups if tenant.store.authenticator_by_lookup(lookup)]


def may_decide(tenant: Tenant, phone: VirtualPhone, pending: Challenge) -> bool:
    """Whether a challenge waits for this phone."""
    item = tenant.store.authenticator_by_lookup(phone_lookup(pending.verification_method, phone.public_key))
    return item is not None and phones.may_decide(tenant, item, pending)


def claim(tenant: Tenant, phone: VirtualPhone, challenge_id: str) -> None:
    """Scan a QR code, and decide nothing yet. Raises what `phones.claim` raises."""
    phones.claim(tenant, _signed(phone, challenge_id))


async def decide(tenant: Tenant, phone: VirtualPhone, challenge_id: str, *, approved: bool) -> bool:
    """Approve or decline; a QR code is scanned first, if need be. Raises what `phones.decide` raises."""
    pending = tenant.store.challenge(challenge_id)
    if pending is None or pending.verification_method not in METHODS:
        raise InvalidRequest("No such challenge.")
    return await phones.decide(tenant, pending.verification_method, _signed(phone, challenge_id), approved=approved)


def _signed(phone: VirtualPhone, challenge_id: str) -> SignedChallengeRequest:
    return SignedChallengeRequest(
        challenge_id=challenge_id,
        public_key=phone.public_key,
        signature=phone_keys.sign(phone.private_key, challenge_id),
    )
