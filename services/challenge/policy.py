"""
What an Authsignal state means for a person at the door.

Rules:

1. Default deny. A state that is not named here blocks, and so does one that Authsignal may add some day.
2. ``ALLOW`` never signs anybody in: there is no first factor before ours, so an allowed person is still challenged.
3. Only ``CHALLENGE_SUCCEEDED``, for the very user, action and idempotency key, proves anything.
4. ``REVIEW_REQUIRED`` is neither yes nor no, and never a session.
"""

from enum import Enum
from typing import Final

from services.challenge.authsignal.answers import Authenticator, Tracked, Validated
from shared.challenge_api import METHOD_EMAIL_OTP, Verdict

_ON_TRACK: Final = {
    "ALLOW": Verdict.CHALLENGED,
    "CHALLENGE_REQUIRED": Verdict.CHALLENGED,
    "REVIEW_REQUIRED": Verdict.REVIEW,
}
_ON_PROOF: Final = {
    "CHALLENGE_SUCCEEDED": Verdict.VERIFIED,
    "CHALLENGE_REQUIRED": Verdict.REJECTED,
    "ALLOW": Verdict.REJECTED,
    "REVIEW_REQUIRED": Verdict.REVIEW,
}
# Only an operator's yes ends a review well. A state that only rules or proofs give means that there is none to wait for.
_ON_REVIEW: Final = {
    "REVIEW_REQUIRED": Verdict.PENDING,
    "REVIEW_SUCCEEDED": Verdict.ALLOWED,
}


class Mismatch(Enum):
    """Which part of a validated token was not what the attempt expects."""

    INVALID = "TOKEN_INVALID"
    MISMATCHED = "TOKEN_MISMATCHED"


def after_track(state: str) -> Verdict:
    """Return what to do with a person whose action was tracked."""
    return _ON_TRACK.get(state, Verdict.BLOCKED)


def before_claim(state: str) -> Verdict:
    """
    Return what to do with a sign-up whose action was tracked so that its proof may be claimed.

    A state that already says that it succeeded comes from an earlier claim of the same attempt, whose answer got lost: the
    proof is claimed and looked at again, and still spent only once.
    """
    return Verdict.CHALLENGED if state == "CHALLENGE_SUCCEEDED" else after_track(state)


def after_proof(state: str | None) -> Verdict:
    """Return what to do with a person whose token, for the right action, validated to `state`."""
    return _ON_PROOF.get(state or "", Verdict.BLOCKED)


def after_review(state: str) -> Verdict:
    """Return how the review of an action stands: PENDING, ALLOWED, or BLOCKED."""
    return _ON_REVIEW.get(state, Verdict.BLOCKED)


def mismatch(validated: Validated, *, user_id: str, action: str, idempotency_key: str) -> Mismatch | None:
    """
    Compare everything that a token was earned for with what it is spent on.

    Missing echoes count as a mismatch: a provider that does not say whom it validated has validated nobody.
    """
    if validated.error is not None:
        return Mismatch.MISMATCHED if validated.error in {"User is invalid.", "Action is invalid."} else Mismatch.INVALID
    if validated.user_id is None or validated.idempotency_key is None:
        return Mismatch.INVALID
    echoed_action = validated.action if validated.action is not None else validated.action_code
    expected = (user_id, action, idempotency_key)
    return None if (validated.user_id, echoed_action, validated.idempotency_key) == expected else Mismatch.MISMATCHED


def offered_methods(tracked: Tracked, supported: frozenset[str]) -> tuple[str, ...]:
    """
    Return the methods that a person may use now, the provider's order kept, the default first.

    Somebody who is not enrolled yet proves the address again, from the server's side, and never gets a token to enrol with.
    """
    if not tracked.is_enrolled:
        return (METHOD_EMAIL_OTP,)
    allowed = tracked.allowed_verification_methods or tracked.enrolled_verification_methods
    offered = [method for method in tracked.enrolled_verification_methods if method in allowed and method in supported]
    offered.sort(key=lambda method: method != tracked.default_verification_method)
    return tuple(offered) or (METHOD_EMAIL_OTP,)


def masked_address(address: str) -> str:
    """Return an address as it may be shown outside: first character and domain."""
    local, _, domain = address.partition("@")
    return f"{local[:1]}***@{domain}"


def masked_number(number: str) -> str:
    """Return a telephone number as it may be shown outside: its last three digits."""
    return f"***{number[-3:]}"


def masked_detail(authenticator: Authenticator) -> str | None:
    """Return what tells one authenticator from another of its kind, masked."""
    if authenticator.phone_number is not None:
        return masked_number(authenticator.phone_number)
    if authenticator.email is not None:
        return masked_address(authenticator.email)
    return None


def phone_of(authenticators: list[Authenticator], method: str) -> str | None:
    """Return where a text message goes: the number of the person's authenticator of this method, or of any."""
    numbers = {one.verification_method: one.phone_number for one in authenticators if one.phone_number is not None}
    return numbers.get(method) or next(iter(numbers.values()), None)
