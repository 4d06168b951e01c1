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


@dataclass(frozen=True, kw_only=True)
class Budget:
    """So many calls in so many seconds."""

    calls_max: int
    window_seconds: int


class CodeChannel(Protocol):
    """One way to bring a code to an address."""

    method: VerificationMethod

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


def new_challenge(
    tenant: Tenant,
    *,
    origin: ChallengeOrigin,
    method: VerificationMethod,
    action_code: str,
    idempotency_key: str,
    address: str,
    user_id: str | None,
) -> Challenge:
    """A challenge with no code yet, not stored: `send_code` does both."""
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
        raise TooManyRequests("Too many codes were sent; wait a while.", retry_after_seconds=budget.window_seconds)
    challenge.code = f"{secrets.randbelow(1_000_000):06d}"
    challenge.expires_at = now + tenant.tunables.token_duration_seconds
    tenant.store.save_challenge(challenge)
    try:
        await channel.deliver(tenant, challenge)
    except DeliveryFailed:
        tenant.store.delete_challenge(challenge.challenge_id)
        raise


def try_code(tenant: Tenant, challenge: Challenge, code: str) -> FailureReason | None:
    """
    Try a code against a challenge; the right one marks it as answered and stores that.

    Returns:
        None if the code was right, else why it was not accepted.
    """
    limits = tenant.tunables
    budget = Budget(calls_max=limits.verifications_max, window_seconds=limits.verifications_window_seconds)
    if not _take(tenant, challenge, "verify", budget):
        return FailureReason.MAX_ATTEMPTS_EXCEEDED
    now = tenant.clock.now()
    is_open = challenge.verified_at is None and now < challenge.expires_at
    if not hmac.compare_digest(code.strip().encode(), challenge.code.encode()) or not is_open:
        return FailureReason.CODE_INVALID_OR_EXPIRED
    challenge.verified_at = now
    tenant.store.save_challenge(challenge)
    return None


def _take(tenant: Tenant, challenge: Challenge, kind: str, budget: Budget) -> bool:
    whose = challenge.user_id or f"address:{challenge.address.lower()}"
    return tenant.limits.take(
        (challenge.verification_method, kind, whose),
        now=tenant.clock.now(),
        calls_max=budget.calls_max,
        window_seconds=budget.window_seconds,
    )
