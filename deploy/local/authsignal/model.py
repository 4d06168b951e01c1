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
    IN_APP = "IN_APP"


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


class SmsChannel(StrEnum):
    """How a code travels to a phone number."""

    DEFAULT = "DEFAULT"
    WHATSAPP = "WHATSAPP"


class ChallengeOrigin(StrEnum):
    """Which API made a challenge: a challenge is answered where it was made."""

    SERVER = "server"
    CLIENT = "client"


class Decision(StrEnum):
    """What the owner of a phone said to a push or QR challenge."""

    APPROVED = "approved"
    REJECTED = "rejected"


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


class WebauthnCredential(msgspec.Struct, kw_only=True):
    """The public half of a passkey or security key. Binary members are base64url without padding."""

    credential_id: str
    public_key: str  # COSE, as the authenticator gave it
    sign_count: int
    user_handle: str
    aaguid: str | None = None
    name: str | None = None
    device_id: str | None = None
    backed_up: bool = False
    device_type: str = "singleDevice"
    attachment: str | None = None
    transports: tuple[str, ...] = ()
    user_agent: str | None = None


class PhoneKey(msgspec.Struct, kw_only=True):
    """The public half of a phone's key pair: base64 of the DER of a P-256 SubjectPublicKeyInfo."""

    public_key: str
    device_name: str
    device_platform: str
    push_token: str | None = None
    nonce: str | None = None  # what the phone is asked to sign before it may read its challenges
    expires_at: float | None = None


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
    otp_last_step: int | None = None  # of the newest code accepted: each works once
    username: str | None = None
    display_name: str | None = None
    previous_sms_channel: SmsChannel | None = None
    webauthn: WebauthnCredential | None = None
    phone: PhoneKey | None = None

    @property
    def lookup(self) -> str | None:
        """What the authenticator is found by when its user is not known: credential id, or method and phone key."""
        if self.webauthn is not None:
            return self.webauthn.credential_id
        return phone_lookup(self.verification_method, self.phone.public_key) if self.phone else None


def phone_lookup(method: VerificationMethod, public_key: str) -> str:
    """How an authenticator on a phone is found: one key may serve several methods, each of them once."""
    return f"{method} {public_key}"


class RuleRef(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that matched an action, as it was named then."""

    rule_id: str
    name: str
    description: str | None = None


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
    redirect_url: str | None = None
    rules: tuple[RuleRef, ...] = ()  # those that matched, the deciding one first
    allowed_methods: tuple[VerificationMethod, ...] | None = None  # None: whatever the tenant offers
    default_method: VerificationMethod | None = None


class Challenge(msgspec.Struct, kw_only=True):
    """
    One question put to somebody, waiting for its answer: a code, a link, a signature, a decision on a phone.

    A challenge made with a client token knows its user and action. One of the Server API learns its user when it is
    claimed; one that a browser makes in the tenant's name alone, from the credential or phone that answers it.
    """

    challenge_id: str
    origin: ChallengeOrigin
    verification_method: VerificationMethod
    action_code: str
    idempotency_key: str
    created_at: float
    expires_at: float
    address: str = ""
    code: str = ""  # the secret that answers it: six digits, or the end of a link; empty where a key signs instead
    user_id: str | None = None
    verified_at: float | None = None
    claimed_by: str | None = None
    enrols: bool = False
    authenticator_id: str | None = None
    scopes: tuple[str, ...] = ()
    locale: str | None = None
    sms_channel: SmsChannel = SmsChannel.DEFAULT
    webauthn_challenge: str | None = None  # base64url
    is_cookie_bound: bool = False
    device_code: str | None = None  # lets the browser that made a QR challenge ask how it stands
    claimed_at: float | None = None
    decision: Decision | None = None
    custom: dict[str, Any] | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    device_id: str | None = None


class Session(msgspec.Struct, kw_only=True):
    """One session of the Server API: the newest access and refresh token are the only ones that count."""

    session_id: str
    user_id: str
    client_id: str
    access_id: str
    refresh_hash: str  # SHA-256, hexadecimal
    verification_method: VerificationMethod
    created_at: float
    access_expires_at: float
    refresh_expires_at: float
    revoked_at: float | None = None


class Device(msgspec.Struct, kw_only=True):
    """A device that a user came from, named by the browser SDK's anonymous id or by the integrator."""

    user_id: str
    device_id: str
    created_at: float
    authenticated_at: float | None = None
    invalidated_at: float | None = None
    remembered_until: float | None = None
    last_verification_method: VerificationMethod | None = None


class VirtualPhone(msgspec.Struct, kw_only=True):
    """A phone that the simulator plays: its private key (PKCS 8, PEM), and whose it is."""

    phone_id: str
    user_id: str
    name: str
    public_key: str
    private_key: str
    created_at: float


class SigningKey(msgspec.Struct, kw_only=True):
    """The RSA key of session tokens (PKCS 8, PEM); kept, so that tokens outlive a restart."""

    key_id: str
    private_key: str
