"""What clients send and see. Unknown fields are refused; every field of an answer is always there."""

import math
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar.openapi.spec import OpenAPIType, Schema
from litestar.params import Parameter
from msgspec import UNSET, Meta, Struct, UnsetType

from services.gateway import policy
from services.gateway.attempts.model import Attempt, AttemptKind, AttemptStatus
from services.gateway.sessions.model import NativeTokens, Session
from shared.challenge_api import AWAITED_METHODS, METHOD_QR_CODE, SIGNED_METHODS

Address = Annotated[str, Meta(min_length=3, max_length=254, description="An e-mail address.")]
Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$", description="A name for people.")]
DeviceId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{8,64}$", description="The Web SDK's anonymous id.")]
Method = Annotated[str, Meta(pattern=r"^[A-Z_]{2,40}$", description="A verification method, such as EMAIL_OTP.")]
Code = Annotated[str, Meta(pattern=r"^[0-9]{4,10}$", description="The code from the message, digits only.")]
ActionCode = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="What a person is about to do.")]
# An integer is a number too, so the framework's own "one of integer, number" would admit none.
DETAIL: Final = Schema(any_of=[Schema(type=OpenAPIType(name)) for name in ("string", "number", "boolean")])
Details = Annotated[dict[str, str | int | float | bool], Parameter(schema_extra={"additional_properties": DETAIL})]
ClientId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{3,64}$", description="A registered native app; never a browser.")]
RefreshTokenText = Annotated[str, Meta(min_length=1, max_length=256, description="The refresh token that came last.")]
SdkToken = Annotated[str, Meta(min_length=16, max_length=8192, description="The token that the Web SDK returned.")]


class _Input(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request body."""


class SignUpStart(_Input, frozen=True):
    """Begin a sign-up."""

    email: Address
    display_name: Name | None = None
    device_id: DeviceId | None = None
    client_id: ClientId | None = None


class SignInStart(_Input, frozen=True):
    """Begin a sign-in. Without a method the person's default is used."""

    identifier: Address
    method: Method | None = None
    device_id: DeviceId | None = None
    client_id: ClientId | None = None


class ChallengeChoice(_Input, frozen=True):
    """Ask for a code: the first by this method, or another one."""

    method: Method


class CodeProof(_Input, frozen=True):
    """Answer with a code."""

    code: Code


class TokenProof(_Input, frozen=True):
    """Answer with the Web SDK's token; without one, after a wait that ended well."""

    token: SdkToken | None = None


class PasskeyStart(_Input, frozen=True):
    """Sign in with a passkey, no name typed."""

    token: SdkToken
    device_id: DeviceId | None = None
    client_id: ClientId | None = None


class TokenRefresh(_Input, frozen=True):
    """Trade a refresh token, which works once."""

    refresh_token: RefreshTokenText


class EnrolmentStart(_Input, frozen=True):
    """Add an authenticator of this type."""

    type: Method


class Nothing(_Input, frozen=True):
    """An empty object."""


class AuthenticatorName(_Input, frozen=True):
    """Name an authenticator."""

    name: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]*$")]


class StepUpStart(_Input, frozen=True):
    """Ask for an action, with the details that it is bound to."""

    action: ActionCode
    context: Details = {}
    device_id: DeviceId | None = None


class StepUpSpend(_Input, frozen=True):
    """What a business service is about to do."""

    sub: Annotated[str, Meta(pattern=r"^[0-9a-f-]{36}$")]
    action: ActionCode
    context: Details = {}


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


class NextStep(Enum):
    """What a page draws now."""

    CODE = "code"
    WAIT = "wait"
    SDK = "sdk"
    COMPLETE = "complete"
    DONE = "done"


class QrView(Struct, frozen=True, kw_only=True):
    """What a page draws as a QR code, and until when it is good."""

    content: str
    expires_at: datetime


class AttemptView(Struct, frozen=True, kw_only=True):
    """
    One try to sign up or in. `next` says what the page does now.

    `attempt_token` comes with the first answer to a native app, which sends it back as a Bearer credential.
    """

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
    next: NextStep
    qr: QrView | None
    attempt_token: str | UnsetType = UNSET


class StepUpView(Struct, frozen=True, kw_only=True):
    """One action that was asked for. With the status `allowed` or `verified` comes the grant, while it lives."""

    id: str
    action: str
    context: Details
    status: AttemptStatus
    methods: tuple[str, ...]
    method: str | None
    delivery: Delivery | None
    attempts_left: int
    resend_at: datetime | None
    expires_at: datetime
    sdk: SdkView | None
    next: NextStep
    qr: QrView | None
    grant: str | None


class SpentView(Struct, frozen=True, kw_only=True):
    """A grant that counted just now."""

    ok: bool
    id: str
    sub: str
    action: str


class AuthenticatorView(Struct, frozen=True, kw_only=True):
    """One way to sign in; `detail` is masked, icons are data URLs."""

    id: str
    method: str
    name: str | None
    detail: str | None
    created_at: str
    last_used_at: str | None
    is_default: bool
    icon_light: str | None
    icon_dark: str | None


class AuthenticatorListView(Struct, frozen=True, kw_only=True):
    """All ways to sign in; changes are possible until `fresh_until` without confirming again."""

    authenticators: list[AuthenticatorView]
    fresh_until: datetime | None


class EnrolmentView(Struct, frozen=True, kw_only=True):
    """An authenticator on its way: the Web SDK goes on with `sdk`."""

    id: str
    type: str
    expires_at: datetime
    sdk: SdkView


class SessionItemView(Struct, frozen=True, kw_only=True):
    """One of one's sessions."""

    id: str
    is_current: bool
    device: str
    ip: str | None
    country: str | None
    created_at: datetime
    last_seen_at: datetime
    methods: tuple[str, ...]


class SessionListView(Struct, frozen=True, kw_only=True):
    """All of one's sessions."""

    sessions: list[SessionItemView]


class ActivityView(Struct, frozen=True, kw_only=True):
    """One thing that happened to one's account, from the audit log."""

    id: str
    occurred_at: str
    type: str
    outcome: str
    method: str | None
    ip: str | None
    device: str | None
    receipt: str


class ActivityListView(Struct, frozen=True, kw_only=True):
    """What happened lately, newest first."""

    events: list[ActivityView]


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


class TokensView(Struct, frozen=True, kw_only=True):
    """A native app's tokens. The access token lives `expires_in` seconds; the refresh token works once."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    refresh_token: str


class SignedInView(SessionView, frozen=True, kw_only=True):
    """The session of whoever just signed in; `tokens` come to native apps alone, a browser gets a cookie."""

    tokens: TokensView | UnsetType = UNSET


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
    demo_checkout: bool


class ActionsView(Struct, frozen=True, kw_only=True):
    """The action codes that a browser needs."""

    sign_in: str


class ConfigView(Struct, frozen=True, kw_only=True):
    """What a client needs to know before anybody signs in."""

    brand: BrandView
    methods: tuple[str, ...]
    authsignal: AuthsignalView
    actions: ActionsView
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
    next: str | UnsetType = UNSET


def when(seconds: float) -> datetime:
    """Return Unix seconds as a time in UTC, to the second."""
    return datetime.fromtimestamp(int(seconds), UTC)


def attempt_view(attempt: Attempt, *, sdk: SdkView | None, token: str | None) -> AttemptView:
    """Return what a client may see of an attempt: nothing that tells a decoy from a real one."""
    return AttemptView(id=attempt.id, kind=attempt.kind, attempt_token=token or UNSET, **_common(attempt, sdk))


def step_up_view(attempt: Attempt, *, sdk: SdkView | None, grant: str | None) -> StepUpView:
    """Return what its person may see of a step-up."""
    return StepUpView(id=attempt.id, action=attempt.action, context=attempt.details, grant=grant, **_common(attempt, sdk))


def _common(attempt: Attempt, sdk: SdkView | None) -> dict[str, Any]:
    is_waiting = attempt.status is AttemptStatus.CHALLENGE_REQUIRED
    may_resend = is_waiting and attempt.sends_left > 0 and policy.is_sent(attempt.method)
    return {
        "status": attempt.status,
        "methods": attempt.methods,
        "method": attempt.method,
        "delivery": _delivery(attempt),
        "attempts_left": attempt.codes_left,
        # Rounded up: who comes at the moment that was named must not be told to wait.
        "resend_at": when(math.ceil(attempt.resend_at)) if may_resend else None,
        "expires_at": when(attempt.expires_at),
        "sdk": sdk if is_waiting else None,
        "next": _next(attempt),
        "qr": _qr(attempt) if is_waiting else None,
    }


def _delivery(attempt: Attempt) -> Delivery | None:
    channel = policy.CHANNELS.get(attempt.method or "")
    if channel is None:
        return None
    if channel == "email":
        return Delivery(channel=channel, destination=policy.masked_address(attempt.email))
    # At the door nobody is told a part of a number; a signed-in person is.
    is_inside = attempt.kind is AttemptKind.STEP_UP and attempt.destination is not None
    return Delivery(channel=channel, destination=(attempt.destination or "") if is_inside else "your phone")


def _next(attempt: Attempt) -> NextStep:
    if attempt.status is AttemptStatus.VERIFIED and attempt.proof_token is not None:
        return NextStep.COMPLETE
    if attempt.status is not AttemptStatus.CHALLENGE_REQUIRED:
        return NextStep.DONE
    if attempt.method in AWAITED_METHODS:
        return NextStep.WAIT
    return NextStep.SDK if attempt.method in SIGNED_METHODS else NextStep.CODE


def _qr(attempt: Attempt) -> QrView | None:
    if attempt.method != METHOD_QR_CODE or attempt.challenge_id is None:
        return None
    return QrView(content=attempt.challenge_id, expires_at=when(attempt.expires_at))


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


def signed_in_view(session: SessionView, tokens: NativeTokens | None) -> SignedInView:
    """Return what whoever just signed in is told."""
    return SignedInView(**msgspec.structs.asdict(session), tokens=tokens_view(tokens) if tokens is not None else UNSET)


def tokens_view(tokens: NativeTokens) -> TokensView:
    """Return an app's tokens, in the words of RFC 6749 section 5.1."""
    return TokensView(
        access_token=tokens.access_token,
        token_type="Bearer",
        expires_in=tokens.expires_in,
        refresh_token=tokens.refresh_token,
    )
