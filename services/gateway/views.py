"""What clients send and see. Unknown fields are refused; every field of an answer is always there."""

import math
from datetime import UTC, datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from services.gateway import policy
from services.gateway.attempts.model import Attempt, AttemptKind, AttemptStatus
from services.gateway.sessions.model import Session

Address = Annotated[str, Meta(min_length=3, max_length=254, description="An e-mail address.")]
Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$", description="A name for people.")]
DeviceId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{8,64}$", description="The Web SDK's anonymous id.")]
Method = Annotated[str, Meta(pattern=r"^[A-Z_]{2,40}$", description="A verification method, such as EMAIL_OTP.")]
Code = Annotated[str, Meta(pattern=r"^[0-9]{4,10}$", description="The code from the message, digits only.")]
SdkToken = Annotated[str, Meta(min_length=16, max_length=8192, description="The token that the Web SDK returned.")]


class _Input(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request body."""


class SignUpStart(_Input, frozen=True):
    """Begin a sign-up."""

    email: Address
    display_name: Name | None = None
    device_id: DeviceId | None = None


class SignInStart(_Input, frozen=True):
    """Begin a sign-in. Without a method the person's default is used."""

    identifier: Address
    method: Method | None = None
    device_id: DeviceId | None = None


class ChallengeChoice(_Input, frozen=True):
    """Ask for a code: the first by this method, or another one."""

    method: Method


class CodeProof(_Input, frozen=True):
    """Answer with a code."""

    code: Code


class TokenProof(_Input, frozen=True):
    """Answer with the Web SDK's token."""

    token: SdkToken


class ProfileChange(_Input, frozen=True):
    """Change one's profile."""

    display_name: Name


class Delivery(Struct, frozen=True, kw_only=True):
    """Where a code went, masked."""

    channel: str
    destination: str


class SdkView(Struct, frozen=True, kw_only=True):
    """What the Web SDK needs to go on in the browser."""

    token: str
    tenant_id: str
    base_url: str


class AttemptView(Struct, frozen=True, kw_only=True):
    """One try to sign up or in."""

    id: str
    kind: AttemptKind
    status: AttemptStatus
    methods: tuple[str, ...]
    method: str | None
    delivery: Delivery | None
    attempts_left: int
    resend_at: datetime | None
    expires_at: datetime
    sdk: SdkView | None


class SubjectView(Struct, frozen=True, kw_only=True):
    """Who is signed in."""

    sub: str
    email: str
    display_name: str | None


class SessionView(Struct, frozen=True, kw_only=True):
    """A session, as its owner sees it."""

    id: str
    subject: SubjectView
    groups: tuple[str, ...]
    methods: tuple[str, ...]
    authenticated_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    idle_expires_at: datetime


class ProfileView(Struct, frozen=True, kw_only=True):
    """One's account."""

    sub: str
    email: str
    email_verified: bool
    display_name: str | None
    created_at: datetime | None


class BrandView(Struct, frozen=True, kw_only=True):
    """How the pages call themselves."""

    name: str
    logo_url: str | None
    accent: str | None


class AuthsignalView(Struct, frozen=True, kw_only=True):
    """What the Web SDK is built with."""

    tenant_id: str
    base_url: str


class FeaturesView(Struct, frozen=True, kw_only=True):
    """What this deployment has switched on."""

    sdk_sign_in: bool


class ConfigView(Struct, frozen=True, kw_only=True):
    """What a client needs to know before anybody signs in."""

    brand: BrandView
    methods: tuple[str, ...]
    authsignal: AuthsignalView
    features: FeaturesView
    dev_inbox_url: str | None


class FieldError(Struct, frozen=True, kw_only=True):
    """What one field wants."""

    field: str
    message: str


class ProblemView(Struct, frozen=True, kw_only=True):
    """A problem document (RFC 9457). `code` is stable; the texts may change."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldError] | UnsetType = UNSET
    attempts_left: int | UnsetType = UNSET
    resend_at: datetime | UnsetType = UNSET
    retry_after: int | UnsetType = UNSET


def when(seconds: float) -> datetime:
    """Return Unix seconds as a time in UTC, to the second."""
    return datetime.fromtimestamp(int(seconds), UTC)


def attempt_view(attempt: Attempt, *, sdk: SdkView | None) -> AttemptView:
    """Return what a client may see of an attempt: nothing that tells a decoy from a real one."""
    is_sent = attempt.method is not None
    is_waiting = attempt.status is AttemptStatus.CHALLENGE_REQUIRED
    return AttemptView(
        id=attempt.id,
        kind=attempt.kind,
        status=attempt.status,
        methods=attempt.methods,
        method=attempt.method,
        delivery=Delivery(channel="email", destination=policy.masked_address(attempt.email)) if is_sent else None,
        attempts_left=attempt.codes_left,
        # Rounded up: who comes at the moment that was named must not be told to wait.
        resend_at=when(math.ceil(attempt.resend_at)) if is_waiting and attempt.sends_left > 0 else None,
        expires_at=when(attempt.expires_at),
        sdk=sdk if is_waiting else None,
    )


def session_view(session: Session, *, idle_seconds: int) -> SessionView:
    """Return what a person may see of the session: no token."""
    return SessionView(
        id=session.ref,
        subject=SubjectView(sub=session.sub, email=session.email, display_name=session.display_name),
        groups=session.groups,
        methods=session.methods,
        authenticated_at=when(session.authenticated_at),
        last_seen_at=when(session.last_seen_at),
        expires_at=when(session.expires_at),
        idle_expires_at=when(min(session.last_seen_at + idle_seconds, session.expires_at)),
    )
