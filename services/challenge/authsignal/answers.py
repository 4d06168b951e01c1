"""What Authsignal answers, as far as we read it. Unknown keys are ignored: the provider may add some at any time."""

from typing import Any

from msgspec import Struct


class _Answer(Struct, frozen=True, kw_only=True, rename="camel"):
    """An answer in the provider's camelCase."""


class Tracked(_Answer, frozen=True):
    """Answer to track."""

    state: str
    idempotency_key: str
    token: str
    is_enrolled: bool
    enrolled_verification_methods: tuple[str, ...] = ()
    allowed_verification_methods: tuple[str, ...] = ()
    default_verification_method: str | None = None
    rule_ids: tuple[str, ...] = ()


class ActionAnswer(_Answer, frozen=True):
    """Answer to get or update an action."""

    state: str


class Validated(_Answer, frozen=True):
    """Answer to validate. A wrong user or action comes as ``isValid: false`` with an `error`, and without a state."""

    is_valid: bool
    state: str | None = None
    state_updated_at: str | None = None
    user_id: str | None = None
    action: str | None = None
    action_code: str | None = None
    idempotency_key: str | None = None
    verification_method: str | None = None
    error: str | None = None


class Challenged(_Answer, frozen=True):
    """Answer to a server-side challenge; `expires_at` is in Unix seconds."""

    challenge_id: str
    idempotency_key: str
    expires_at: float


class Verified(_Answer, frozen=True):
    """Answer to a server-side verify; a wrong code is ``isVerified: false`` with a `failure_reason`."""

    is_verified: bool
    failure_reason: str | None = None
    email: str | None = None
    verification_method: str | None = None


class Claimed(_Answer, frozen=True):
    """Answer to claim; the token is one that validate takes."""

    token: str
    verification_method: str | None = None


class User(_Answer, frozen=True):
    """Answer to get user; a user that never was is not enrolled, not an error."""

    is_enrolled: bool
    enrolled_verification_methods: tuple[str, ...] = ()


class Enrolled(_Answer, frozen=True):
    """Answer to enrol a verified authenticator; its content is not needed."""


class Fault(_Answer, frozen=True):
    """An error body."""

    error_code: str | None = None
    error_description: str | None = None


class Sent(_Answer, frozen=True):
    """Answer to a client challenge; a QR challenge also brings the code that its poll must show."""

    challenge_id: str
    device_code: str | None = None


class Proven(_Answer, frozen=True):
    """
    Answer to a client verify or poll: `access_token` is there once it succeeded.

    A poll that is not verified is pending, unless it was consumed: then the person said no.
    """

    is_verified: bool
    is_consumed: bool = False
    is_claimed: bool = False
    access_token: str | None = None
    failure_reason: str | None = None


class Authenticator(_Answer, frozen=True):
    """One of a person's authenticators, as the Server API lists it: addresses are clear, so it stays in this service."""

    user_authenticator_id: str
    verification_method: str
    created_at: str
    verified_at: str | None = None
    last_verified_at: str | None = None
    is_default: bool = False
    email: str | None = None
    phone_number: str | None = None
    username: str | None = None
    display_name: str | None = None
    previous_sms_channel: str | None = None
    webauthn_credential: "Credential | None" = None


class CredentialMaker(_Answer, frozen=True):
    """Who made the authenticator of a passkey, by its AAGUID; the icons are data URLs."""

    name: str | None = None
    svg_icon_light: str | None = None
    svg_icon_dark: str | None = None


class Credential(_Answer, frozen=True):
    """The WebAuthn part of a passkey or security key."""

    credential_id: str | None = None
    device_id: str | None = None
    name: str | None = None
    aaguid: str | None = None
    aaguid_mapping: CredentialMaker | None = None
    credential_backed_up: bool | None = None
    credential_device_type: str | None = None
    authenticator_attachment: str | None = None
    parsed_user_agent: dict[str, Any] | None = None


class UserDetails(_Answer, frozen=True):
    """The part of a user that is asked for; `custom` keeps the names that people give to authenticators."""

    is_enrolled: bool
    email: str | None = None
    email_verified: bool = False
    custom: dict[str, str | float | bool | None] = {}


class Removed(_Answer, frozen=True):
    """Answer to a removal; its content is not needed."""


class Updated(_Answer, frozen=True):
    """Answer to an update; its content is not needed."""
