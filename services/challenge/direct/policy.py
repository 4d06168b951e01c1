"""
The rules of the direct client, where the app and not the gateway talks to Cognito.

1. A token that lets its holder add a first factor is given only for an account that has none yet and whose address is not
   verified: a sign-up through this client that has not ended. An account with a verified address and no factor gets a decoy;
   so does one that the rules stopped, one of whom too many sign-ins were begun, and a user whom nobody knows.
2. A proof opens a session only with state ``CHALLENGE_SUCCEEDED``, for the very user, for the sign-in action, once.
3. Its idempotency key must be the one that the sign-in was tracked with. A passkey that was used without a name has a key that
   Authsignal made: it is taken for five minutes, from a passkey alone, and burned like any.
4. An account whose address is not verified opens a session only when Authsignal has proven that very address. So whoever
   signs up with the address of another, and adds a factor of their own, gets no token in that address's name.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from services.challenge import policy
from services.challenge.authsignal.answers import Authenticator, Tracked, UserDetails, Validated
from shared.challenge_api import METHOD_PASSKEY, Verdict
from shared.direct_api import ACTION_SIGN_IN
from shared.events import normal_address

SUCCEEDED: Final = "CHALLENGE_SUCCEEDED"
ROUNDS_MAX: Final = 3
FOREIGN_KEY_SECONDS_MAX: Final = 300
CLOCK_SKEW_SECONDS: Final = 60
EMAIL_METHODS: Final = frozenset({"EMAIL_OTP", "EMAIL_MAGIC_LINK"})
# Nobody signs in with these alone: they are for getting back in.
NOT_FOR_SIGN_IN: Final = frozenset({"RECOVERY_CODE"})


class Withheld(Enum):
    """Why somebody gets a decoy in place of a token."""

    UNKNOWN = "unknown_identifier"
    NO_FACTOR = "no_factor"
    BLOCKED = "blocked"
    REVIEW = "review"
    TOO_MANY = "too_many_starts"


class Refusal(Enum):
    """Why an answer is wrong."""

    UNKNOWN = "unknown_identifier"
    NOT_A_TOKEN = "NOT_A_TOKEN"
    INVALID = "TOKEN_INVALID"
    MISMATCHED = "TOKEN_MISMATCHED"
    TOO_OLD = "TOKEN_TOO_OLD"
    REPLAYED = "TOKEN_REPLAYED"
    UNFINISHED = "CHALLENGE_UNFINISHED"
    REVIEW = "REVIEW_REQUIRED"
    BLOCKED = "BLOCKED"
    ADDRESS_UNPROVEN = "ADDRESS_UNPROVEN"


def withheld(tracked: Tracked, *, is_email_verified: bool) -> Withheld | None:
    """
    Return why a tracked sign-in gets no token; None when it gets one (rule 1).

    In a further round the challenge may have been passed already: then only its answer has yet to be given.
    """
    if tracked.state == SUCCEEDED:
        return None
    verdict = policy.after_track(tracked.state)
    if verdict is Verdict.REVIEW:
        return Withheld.REVIEW
    if verdict is not Verdict.CHALLENGED:
        return Withheld.BLOCKED
    if not tracked.is_enrolled and is_email_verified:
        return Withheld.NO_FACTOR
    return None


def refusal(validated: Validated, *, sub: str, idempotency_key: str, now: datetime) -> Refusal | None:
    """Return why a validated token opens no session; None when nothing that it says stands against it (rules 2 and 3)."""
    wrong = policy.mismatch(validated, user_id=sub, action=ACTION_SIGN_IN, idempotency_key=idempotency_key)
    if wrong is policy.Mismatch.MISMATCHED and validated.verification_method == METHOD_PASSKEY:
        own_key = validated.idempotency_key or ""
        wrong = policy.mismatch(validated, user_id=sub, action=ACTION_SIGN_IN, idempotency_key=own_key)
        if wrong is None and not _is_fresh(validated.state_updated_at, now):
            return Refusal.TOO_OLD
    if wrong is not None:
        return Refusal(wrong.value)
    return _of_state(validated)


def _of_state(validated: Validated) -> Refusal | None:
    verdict = policy.after_proof(validated.state)
    if verdict is Verdict.VERIFIED and validated.is_valid:
        return None
    if verdict is Verdict.REJECTED:
        return Refusal.UNFINISHED
    return Refusal.REVIEW if verdict is Verdict.REVIEW else Refusal.BLOCKED


def _is_fresh(text: str | None, now: datetime) -> bool:
    # A time that is missing or cannot be read makes nothing fresh.
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return False
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return -CLOCK_SKEW_SECONDS <= (now - moment).total_seconds() <= FOREIGN_KEY_SECONDS_MAX


def knows_address(user: UserDetails, address: str) -> bool:
    """Say whether Authsignal holds this very address of a user for verified (rule 4)."""
    return user.email_verified and _is_same(user.email, address)


def proves_address(authenticators: Iterable[Authenticator], address: str) -> bool:
    """Say whether one of a user's proven factors is this very mailbox (rule 4)."""
    return any(
        one.verified_at is not None and one.verification_method in EMAIL_METHODS and _is_same(one.email, address)
        for one in authenticators
    )


def _is_same(one: str | None, other: str) -> bool:
    return bool(one and other) and normal_address(one or "") == normal_address(other)


def usable(authenticators: Iterable[Authenticator]) -> list[Authenticator]:
    """Return the factors that somebody can sign in with."""
    return [one for one in authenticators if one.verified_at is not None and one.verification_method not in NOT_FOR_SIGN_IN]


def context_hash(*, sub: str, action: str, context: Mapping[str, str]) -> str:
    """
    Return the SHA-256 of whom an action is of, and what it is about, in one spelling, as lower-case hex.

    Source of the spelling: RFC 8785, which for texts alone is JSON with sorted keys and no spaces.
    """
    content = {"action": action, "context": dict(context), "sub": sub}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()
