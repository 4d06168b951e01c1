"""
Codes sent to an address: the engine behind e-mail, SMS and WhatsApp codes.

1. A code has six digits, lives as long as a token, works once, and dies when a newer one is sent for its challenge.
2. Sends and tries are limited by user, or by address while the user is not known yet.
3. A wrong, late or used code is an answer with a reason; so is one try too many.
"""

import hmac
import secrets
import uuid
from dataclasses import dataclass
from typing import Protocol

from deploy.local.authsignal.errors import DeliveryFailed, TooManyRequests
from deploy.local.authsignal.model import Challenge, ChallengeOrigin, FailureReason, User, VerificationMethod
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.webhooks import events

_CODE_METHODS = frozenset({VerificationMethod.EMAIL_OTP, VerificationMethod.SMS, VerificationMethod.WHATSAPP})


@dataclass(frozen=True, kw_only=True)
class Budget:
    """So many calls in so many seconds."""

    calls_max: int
    window_seconds: int


class CodeChannel(Protocol):
    """One way to bring a code to an address."""

    method: VerificationMethod
    serves: tuple[VerificationMethod, ...]  # methods whose authenticators it can write to, its own first

    def check_address(self, *, email: str | None, phone_number: str | None) -> str:
        """
        Pick the member that this channel writes to.

        Raises:
            InvalidRequest: It is missing or malformed.
        """
        ...

    def address_of_user(self, user: User) -> str | None:
        """The address that the integrator gave for this user, if any."""
        ...

    def new_secret(self) -> str:
        """What answers a challenge."""
        ...

    def send_budget(self, tenant: Tenant) -> Budget:
        """How many codes may be sent to one user."""
        ...

    async def deliver(self, tenant: Tenant, challenge: Challenge) -> None:
        """
        Send the code of a challenge to its address.

        Raises:
            DeliveryFailed: It could not be handed over; nothing was sent.
        """
        ...


def six_digits() -> str:
    """A fresh code."""
    return f"{secrets.randbelow(1_000_000):06d}"


def new_challenge(
    tenant: Tenant,
    *,
    origin: ChallengeOrigin,
    method: VerificationMethod,
    action_code: str,
    idempotency_key: str,
    user_id: str | None,
    address: str = "",
) -> Challenge:
    """A challenge with no secret and no life yet, not stored: whoever sends it gives it both."""
    now = tenant.clock.now()
    return Challenge(
        challenge_id=str(uuid.uuid4()),
        origin=origin,
        verification_method=method,
        action_code=action_code,
        idempotency_key=idempotency_key,
        address=address,
        user_id=user_id,
        code="",
        created_at=now,
        expires_at=now,
    )


async def send_code(tenant: Tenant, channel: CodeChannel, challenge: Challenge) -> None:
    """
    Give the challenge a fresh code and life, store it, and send it.

    Raises:
        TooManyRequests: The sending limit is reached; the code sent before stays valid.
        DeliveryFailed: Nothing was sent, and the challenge is gone: there is no code that could answer it.
    """
    now = tenant.clock.now()
    budget = channel.send_budget(tenant)
    if not _take(tenant, challenge, "send", budget):
        log_challenge(tenant, challenge, "RATE_LIMIT_EXCEEDED")
        raise TooManyRequests("Too many codes were sent; wait a while.", retry_after_seconds=budget.window_seconds)
    challenge.code = channel.new_secret()
    challenge.expires_at = now + tenant.tunables.token_duration_seconds
    tenant.store.save_challenge(challenge)
    try:
        await channel.deliver(tenant, challenge)
    except DeliveryFailed:
        log_challenge(tenant, challenge, "SEND_DOWNSTREAM_FAILED")
        tenant.store.delete_challenge(challenge.challenge_id)
        raise
    log_challenge(tenant, challenge, "SENT")


def check_code(tenant: Tenant, challenge: Challenge, code: str) -> FailureReason | None:
    """
    Count one try of a code against a challenge, and say whether it is right; a right one is not used up by that.

    Returns:
        None if the code is right, else why it is not accepted.
    """
    limits = tenant.tunables
    budget = Budget(calls_max=limits.verifications_max, window_seconds=limits.verifications_window_seconds)
    if not _take(tenant, challenge, "verify", budget):
        log_challenge(tenant, challenge, "MAX_ATTEMPTS_EXCEEDED")
        return FailureReason.MAX_ATTEMPTS_EXCEEDED
    if not hmac.compare_digest(code.strip().encode(), challenge.code.encode()) or not is_open(tenant, challenge):
        # The service names this log entry of mail without the word CODE, and that of phones with it.
        is_mail = challenge.verification_method is VerificationMethod.EMAIL_OTP
        log_challenge(tenant, challenge, "INVALID_OR_EXPIRED" if is_mail else "CODE_INVALID_OR_EXPIRED")
        return FailureReason.CODE_INVALID_OR_EXPIRED
    return None


def is_open(tenant: Tenant, challenge: Challenge) -> bool:
    """Whether a challenge still waits for its answer."""
    return challenge.verified_at is None and tenant.clock.now() < challenge.expires_at


def use_up(tenant: Tenant, challenge: Challenge) -> bool:
    """
    Mark a challenge as answered, in the transaction that stores what the answer does.

    Returns:
        False if that came too late: since it was checked somebody answered it, or a newer code was sent for it.
    """
    fresh = tenant.store.challenge(challenge.challenge_id)
    if fresh is None or fresh.code != challenge.code or not is_open(tenant, fresh):
        return False
    challenge.verified_at, challenge.claimed_by = tenant.clock.now(), fresh.claimed_by
    tenant.store.save_challenge(challenge)
    if challenge.verification_method in _CODE_METHODS:
        log_challenge(tenant, challenge, "CODE_VALID")
    return True


def log_challenge(tenant: Tenant, challenge: Challenge, what: str) -> None:
    """Note something that happened to a challenge, for the logs; its type begins with the name of the method."""
    record = events.challenge_log(
        challenge, f"{challenge.verification_method}_{what}", tenant_id=tenant.settings.tenant_id, now=tenant.clock.now()
    )
    tenant.webhooks.log("challenge.log_created", lambda: record)


def _take(tenant: Tenant, challenge: Challenge, kind: str, budget: Budget) -> bool:
    whose = challenge.user_id or f"address:{challenge.address.lower()}"
    return tenant.limits.take(
        (challenge.verification_method, kind, whose),
        now=tenant.clock.now(),
        calls_max=budget.calls_max,
        window_seconds=budget.window_seconds,
    )
