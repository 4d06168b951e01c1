"""Users' authenticators: adding, proving, re-pointing and removing them."""

import uuid

from deploy.local.authsignal import totp
from deploy.local.authsignal.addresses import check_email, check_phone
from deploy.local.authsignal.errors import InvalidRequest, MissingScope, NotFound
from deploy.local.authsignal.model import Authenticator, User, VerificationMethod
from deploy.local.authsignal.scopes import may_enrol
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.webhooks import events
from deploy.local.authsignal.wire import EnrollVerifiedRequest, UpdateUserRequest

EMAIL_METHODS = frozenset({VerificationMethod.EMAIL_OTP, VerificationMethod.EMAIL_MAGIC_LINK})
PHONE_METHODS = frozenset({VerificationMethod.SMS, VerificationMethod.WHATSAPP})
_IMPORTABLE = (
    VerificationMethod.SMS,
    VerificationMethod.WHATSAPP,
    VerificationMethod.EMAIL_OTP,
    VerificationMethod.EMAIL_MAGIC_LINK,
    VerificationMethod.AUTHENTICATOR_APP,
)


def require_may_enrol(tenant: Tenant, user_id: str, scopes: tuple[str, ...]) -> None:
    """
    Refuse a further factor to a token that may not add one.

    Raises:
        MissingScope: The user has a factor, and the token lacks `add:authenticators`.
    """
    if not may_enrol(scopes, has_authenticator=bool(tenant.verified_authenticators(user_id))):
        raise MissingScope("The user has an authenticator already; the token needs the scope add:authenticators.")


def new_authenticator(tenant: Tenant, user_id: str, method: VerificationMethod, address: str = "") -> Authenticator:
    """An unproven authenticator, for an address if it has one; not stored yet."""
    return Authenticator(
        user_id=user_id,
        user_authenticator_id=str(uuid.uuid4()),
        verification_method=method,
        created_at=tenant.clock.now(),
        email=address if method in EMAIL_METHODS else None,
        phone_number=address if method in PHONE_METHODS else None,
    )


def address_of(authenticator: Authenticator) -> str:
    """The address that a code for this authenticator goes to."""
    return authenticator.email or authenticator.phone_number or ""


def require_own(tenant: Tenant, user_id: str, user_authenticator_id: str) -> Authenticator:
    """
    One of the user's proven authenticators.

    Raises:
        InvalidRequest: They have no such one.
    """
    for item in tenant.verified_authenticators(user_id):
        if item.user_authenticator_id == user_authenticator_id:
            return item
    raise InvalidRequest("The user has no such authenticator.")


def find_by_address(tenant: Tenant, user_id: str, method: VerificationMethod, address: str) -> Authenticator | None:
    """The user's authenticator of a method for an address, in any case; proven or not."""
    for item in tenant.store.authenticators(user_id):
        if item.verification_method is method and address_of(item).lower() == address.lower():
            return item
    return None


def forget_unproven(tenant: Tenant, user_id: str, method: VerificationMethod) -> None:
    """Drop enrolments of a method that were begun and never proven: a new one is about to take their place."""
    for item in tenant.store.authenticators(user_id):
        if item.verification_method is method and item.verified_at is None:
            tenant.store.delete_authenticator(item.user_authenticator_id)


def record_verified(tenant: Tenant, authenticator: Authenticator) -> Authenticator:
    """
    Store that an authenticator was proven just now; the first one of a user becomes their default.

    The address it proves becomes the user's verified address, unless the user is known by another one.
    """
    now = tenant.clock.now()
    others = [
        item
        for item in tenant.verified_authenticators(authenticator.user_id)
        if item.user_authenticator_id != authenticator.user_authenticator_id
    ]
    is_new = authenticator.verified_at is None
    authenticator.verified_at = authenticator.verified_at or now
    authenticator.last_verified_at = now
    authenticator.is_default = authenticator.is_default or not others
    tenant.store.save_authenticator(authenticator)
    _confirm_address(tenant, authenticator)
    if is_new:
        announce(tenant, authenticator, "created")
    return authenticator


def announce(tenant: Tenant, authenticator: Authenticator, what: str) -> None:
    """Tell the integrator that an authenticator was created, updated or deleted."""
    data = events.authenticator_changed(authenticator, moment=f"{what}At", now=tenant.clock.now())
    tenant.webhooks.announce(f"authenticator.{what}", data)


def _confirm_address(tenant: Tenant, authenticator: Authenticator) -> None:
    user = tenant.user_or_new(authenticator.user_id)
    if authenticator.email and (user.email or authenticator.email).lower() == authenticator.email.lower():
        user.email, user.email_verified = user.email or authenticator.email, True
    if authenticator.phone_number and user.phone_number in (None, authenticator.phone_number):
        user.phone_number, user.phone_number_verified = authenticator.phone_number, True
    tenant.store.save_user(user)


def enroll_verified(tenant: Tenant, user_id: str, request: EnrollVerifiedRequest) -> Authenticator:
    """
    Add a factor that the integrator proved by itself; nothing is sent. The same address twice is one authenticator.

    Raises:
        InvalidRequest: The method cannot be added this way, or its address is missing or malformed.
    """
    method = _importable_method(request.verification_method)
    address = _address_for(method, request)
    with tenant.store.transaction():
        found = find_by_address(tenant, user_id, method, address)
        authenticator = found or new_authenticator(tenant, user_id, method, address)
        authenticator.otp_uri = request.otp_uri
        if request.is_default:
            _unmark_default(tenant, user_id)
            authenticator.is_default = True
        return record_verified(tenant, authenticator)


def _importable_method(name: str) -> VerificationMethod:
    if name not in _IMPORTABLE:
        allowed = ", ".join(_IMPORTABLE)
        raise InvalidRequest(f"verificationMethod must be one of the following values: {allowed}")
    return VerificationMethod(name)


def _address_for(method: VerificationMethod, request: EnrollVerifiedRequest) -> str:
    if method in EMAIL_METHODS:
        return check_email(request.email)
    if method in PHONE_METHODS:
        return check_phone(request.phone_number)
    if not request.otp_uri:
        raise InvalidRequest("otpUri is required.")
    try:
        totp.secret_of(request.otp_uri)
    except ValueError as error:
        raise InvalidRequest(f"otpUri is {error}.") from error
    return ""


def _unmark_default(tenant: Tenant, user_id: str) -> None:
    for item in tenant.store.authenticators(user_id):
        if item.is_default:
            item.is_default = False
            tenant.store.save_authenticator(item)


def delete_authenticator(tenant: Tenant, user_id: str, user_authenticator_id: str) -> None:
    """
    Remove a factor; if it was the default, the oldest one left takes its place.

    Raises:
        NotFound: The user has no such authenticator.
    """
    items = tenant.store.authenticators(user_id)
    removed = next((item for item in items if item.user_authenticator_id == user_authenticator_id), None)
    if removed is None:
        raise NotFound("No such authenticator.")
    with tenant.store.transaction():
        tenant.store.delete_authenticator(user_authenticator_id)
        left = tenant.verified_authenticators(user_id)
        if removed.is_default and left:
            left[0].is_default = True
            tenant.store.save_authenticator(left[0])
    if removed.verified_at is not None:
        announce(tenant, removed, "deleted")


def update_user(tenant: Tenant, user_id: str, request: UpdateUserRequest) -> User:
    """
    Change what is known about a user; what the request leaves out stays.

    A new address counts as unverified unless the request says otherwise. One that is said to be verified also becomes
    the address of the authenticators that use that kind of address.

    Raises:
        InvalidRequest: An address is malformed.
    """
    email = check_email(request.email) if request.email is not None else None
    phone_number = check_phone(request.phone_number) if request.phone_number is not None else None
    with tenant.store.transaction():
        user = tenant.user_or_new(user_id)
        if email is not None and email != user.email:
            user.email, user.email_verified = email, False
        if phone_number is not None and phone_number != user.phone_number:
            user.phone_number, user.phone_number_verified = phone_number, False
        for name in (
            "email_verified",
            "phone_number_verified",
            "username",
            "display_name",
            "custom",
            "locale",
            "default_verification_method",
        ):
            value = getattr(request, name)
            if value is not None:
                setattr(user, name, value)
        tenant.store.save_user(user)
        _repoint(tenant, user, email=email, phone_number=phone_number)
    return user


def _repoint(tenant: Tenant, user: User, *, email: str | None, phone_number: str | None) -> None:
    for item in tenant.store.authenticators(user.user_id):
        if email is not None and user.email_verified and item.verification_method in EMAIL_METHODS:
            item.email = email
        elif phone_number is not None and user.phone_number_verified and item.verification_method in PHONE_METHODS:
            item.phone_number = phone_number
        else:
            continue
        tenant.store.save_authenticator(item)
        announce(tenant, item, "updated")
