"""What Authsignal answers, as far as we read it. Unknown keys are ignored: the provider may add some at any time."""

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
    rule_ids: tuple[str, ...] = ()


class Validated(_Answer, frozen=True):
    """Answer to validate. A wrong user or action comes as ``isValid: false`` with an `error`, and without a state."""

    is_valid: bool
    state: str | None = None
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
