"""The records that the simulator keeps. Times are Unix seconds (float) of the simulator's own clock."""

from enum import StrEnum
from typing import Any

import msgspec


class VerificationMethod(StrEnum):
    """Ways to prove oneself, by their wire names."""

    SMS = "SMS"
    WHATSAPP = "WHATSAPP"
    EMAIL_OTP = "EMAIL_OTP"
    EMAIL_MAGIC_LINK = "EMAIL_MAGIC_LINK"
    AUTHENTICATOR_APP = "AUTHENTICATOR_APP"
    PASSKEY = "PASSKEY"
    SECURITY_KEY = "SECURITY_KEY"
    PUSH = "PUSH"
    QR_CODE = "QR_CODE"


class ActionState(StrEnum):
    """Where one action instance stands."""

    ALLOW = "ALLOW"
    BLOCK = "BLOCK"
    CHALLENGE_REQUIRED = "CHALLENGE_REQUIRED"
    CHALLENGE_SUCCEEDED = "CHALLENGE_SUCCEEDED"
    CHALLENGE_FAILED = "CHALLENGE_FAILED"
    REVIEW_REQUIRED = "REVIEW_REQUIRED"
    REVIEW_SUCCEEDED = "REVIEW_SUCCEEDED"
    REVIEW_FAILED = "REVIEW_FAILED"


class Outcome(StrEnum):
    """What the rules decided when the action was tracked; never changes afterwards."""

    ALLOW = "ALLOW"
    CHALLENGE = "CHALLENGE"
    REVIEW = "REVIEW"
    BLOCK = "BLOCK"


class FailureReason(StrEnum):
    """Why a code was not accepted."""

    CODE_INVALID_OR_EXPIRED = "CODE_INVALID_OR_EXPIRED"
    MAX_ATTEMPTS_EXCEEDED = "MAX_ATTEMPTS_EXCEEDED"


class ChallengeOrigin(StrEnum):
    """Which API made a challenge: a challenge is answered where it was made."""

    SERVER = "server"
    CLIENT = "client"


class User(msgspec.Struct, kw_only=True):
    """Someone the integrator named; made by the first call that mentions the id."""

    user_id: str
    created_at: float
    email: str | None = None
    email_verified: bool = False
    phone_number: str | None = None
    phone_number_verified: bool = False
    username: str | None = None
    display_name: str | None = None
    custom: dict[str, Any] | None = None
    locale: str | None = None
    default_verification_method: VerificationMethod | None = None


class Authenticator(msgspec.Struct, kw_only=True):
    """One way in which one user can prove themselves; counts only once `verified_at` is set."""

    user_id: str
    user_authenticator_id: str
    verification_method: VerificationMethod
    created_at: float
    verified_at: float | None = None
    last_verified_at: float | None = None
    is_default: bool = False
    email: str | None = None
    phone_number: str | None = None
    otp_uri: str | None = None


class Action(msgspec.Struct, kw_only=True):
    """One instance of an action, named by user, code and idempotency key."""

    user_id: str
    action_code: str
    idempotency_key: str
    state: ActionState
    outcome: Outcome
    created_at: float
    updated_at: float
    state_updated_at: float
    verification_method: VerificationMethod | None = None
    verified_by_authenticator_id: str | None = None
    locale: str | None = None
    device_id: str | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    custom: dict[str, Any] | None = None


class Challenge(msgspec.Struct, kw_only=True):
    """
    One thing sent to one address, waiting for its answer.

    A challenge of the Client API always knows its user and action; one of the Server API may learn its user only
    when it is claimed.
    """

    challenge_id: str
    origin: ChallengeOrigin
    verification_method: VerificationMethod
    action_code: str
    idempotency_key: str
    address: str
    code: str
    created_at: float
    expires_at: float
    user_id: str | None = None
    verified_at: float | None = None
    claimed_by: str | None = None
    enrols: bool = False
    authenticator_id: str | None = None
    scopes: tuple[str, ...] = ()
    locale: str | None = None
