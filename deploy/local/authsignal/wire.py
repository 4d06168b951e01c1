"""
The wire: bodies as they come in and go out, in camelCase.

Requests ignore keys they do not know, as the service does. Optional members that have no value are left out of
answers, never sent as null.
"""

from typing import Any, Literal

import msgspec

from deploy.local.authsignal.model import ActionState, FailureReason, SmsChannel, VerificationMethod


class Incoming(msgspec.Struct, kw_only=True, rename="camel"):
    """Base of request bodies."""


class Outgoing(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """Base of answers: a member with a default is optional, and left out while it has that default."""


class TrackRequest(Incoming):
    """Body of track: what is known about the user, and what the rules may look at."""

    idempotency_key: str | None = None
    email: str | None = None
    phone_number: str | None = None
    username: str | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    device_id: str | None = None
    scope: str | None = None
    locale: str | None = None
    redirect_url: str | None = None
    custom: dict[str, Any] | None = None


class UpdateUserRequest(Incoming):
    """Body of update user: members left out stay as they are."""

    email: str | None = None
    email_verified: bool | None = None
    phone_number: str | None = None
    phone_number_verified: bool | None = None
    username: str | None = None
    display_name: str | None = None
    custom: dict[str, Any] | None = None
    locale: str | None = None
    default_verification_method: VerificationMethod | None = None


class EnrollVerifiedRequest(Incoming):
    """Body of enroll verified: a factor that the integrator proved by itself."""

    verification_method: str
    email: str | None = None
    phone_number: str | None = None
    otp_uri: str | None = None
    is_default: bool = False


class UpdateActionRequest(Incoming):
    """Body of update action."""

    state: ActionState


class ValidateRequest(Incoming):
    """Body of validate: a token, and what it is expected to be for."""

    token: str
    user_id: str | None = None
    action: str | None = None


class ChallengeRequest(Incoming):
    """Body of the server challenge: a new one, or a replay of an earlier one by its id."""

    verification_method: str | None = None
    action: str | None = None
    challenge_id: str | None = None
    idempotency_key: str | None = None
    user_id: str | None = None
    email: str | None = None
    phone_number: str | None = None
    sms_channel: SmsChannel = SmsChannel.DEFAULT
    scope: str | None = None
    locale: str | None = None
    device_id: str | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    custom: dict[str, Any] | None = None


class VerifyRequest(Incoming):
    """Body of the server verify."""

    challenge_id: str
    verification_code: str


class ClaimRequest(Incoming):
    """Body of claim: who answered the challenge."""

    challenge_id: str
    user_id: str
    skip_verification_check: bool = False


class EnrollCodeRequest(Incoming):
    """Body of a client enrolment by code: the address, by kind."""

    email: str | None = None
    phone_number: str | None = None


class ClientChallengeRequest(Incoming):
    """Body of a client challenge; SDKs send none at all."""

    user_authenticator_id: str | None = None
    sms_channel: SmsChannel = SmsChannel.DEFAULT


class ClientVerifyRequest(Incoming):
    """Body of a client verify."""

    verification_code: str


class AnonymousChallengeRequest(Incoming):
    """Body of the challenge that a browser begins in the tenant's name: what it is for."""

    action: str
    idempotency_key: str | None = None


class RegistrationOptionsRequest(Incoming):
    """Body of the passkey registration options: labels, and where the authenticator may be."""

    username: str | None = None
    display_name: str | None = None
    authenticator_attachment: Literal["platform", "cross-platform"] | None = None


class RegisterPasskeyRequest(Incoming):
    """Body of a passkey registration."""

    challenge_id: str
    registration_credential: dict[str, Any]
    conditional_create: bool = False


class PasskeyOptionsRequest(Incoming):
    """Body of the passkey authentication options."""

    challenge_id: str | None = None
    username: str | None = None


class VerifyPasskeyRequest(Incoming):
    """Body of a passkey verification."""

    challenge_id: str
    authentication_credential: dict[str, Any]
    device_id: str | None = None


class SuccessView(Outgoing):
    """Answer to deletes and revokes: a body, since one SDK trips over an empty one."""

    success: bool


class UserView(Outgoing):
    """A user, as read, updated and found."""

    is_enrolled: bool
    email_verified: bool
    phone_number_verified: bool
    user_id: str | None = None
    email: str | None = None
    phone_number: str | None = None
    username: str | None = None
    display_name: str | None = None
    custom: dict[str, Any] | None = None
    locale: str | None = None
    enrolled_verification_methods: list[VerificationMethod] | None = None
    allowed_verification_methods: list[VerificationMethod] | None = None
    default_verification_method: VerificationMethod | None = None
    created_at: str | None = None


class UsersView(Outgoing):
    """A page of users; the last id is there only if more follow."""

    users: list[UserView]
    last_evaluated_user_id: str | None = None


class NameView(Outgoing):
    """What a kind of authenticator is called."""

    name: str


class CredentialView(Outgoing):
    """What is known about a passkey or security key."""

    credential_id: str
    credential_backed_up: bool
    credential_device_type: str
    device_id: str | None = None
    name: str | None = None
    aaguid: str | None = None
    aaguid_mapping: NameView | None = None
    authenticator_attachment: str | None = None
    parsed_user_agent: dict[str, Any] | None = None


class AuthenticatorView(Outgoing):
    """One authenticator."""

    user_id: str
    user_authenticator_id: str
    verification_method: VerificationMethod
    created_at: str
    is_default: bool
    verified_at: str | None = None
    last_verified_at: str | None = None
    email: str | None = None
    phone_number: str | None = None
    username: str | None = None
    display_name: str | None = None
    previous_sms_channel: SmsChannel | None = None
    device_platform: str | None = None
    webauthn_credential: CredentialView | None = None


class EnrolledView(Outgoing):
    """Answer to enroll verified."""

    authenticator: AuthenticatorView


class TrackView(Outgoing):
    """Answer to track."""

    idempotency_key: str
    state: ActionState
    url: str
    token: str
    is_enrolled: bool
    enrolled_verification_methods: list[VerificationMethod]
    allowed_verification_methods: list[VerificationMethod]
    rule_ids: list[str]
    default_verification_method: VerificationMethod | None = None


class ActionView(Outgoing):
    """One action. `output` is what the rules computed: an object, empty here, never null."""

    state: ActionState
    created_at: str
    state_updated_at: str
    rules: list[dict[str, str]]
    rule_ids: list[str]
    output: dict[str, Any]
    verification_method: VerificationMethod | None = None


class ActionListItem(Outgoing):
    """One action of a query."""

    action_code: str
    idempotency_key: str
    created_at: str
    updated_at: str
    state: ActionState
    state_updated_at: str
    verification_method: VerificationMethod | None = None
    verified_by_authenticator_id: str | None = None


class ValidateView(Outgoing):
    """The action's name goes out under both keys: SDKs differ in which one they read."""

    is_valid: bool
    state: ActionState | None = None
    state_updated_at: str | None = None
    user_id: str | None = None
    action: str | None = None
    action_code: str | None = None
    idempotency_key: str | None = None
    verification_method: VerificationMethod | None = None
    error: str | None = None


class ChallengeView(Outgoing):
    """Answer to the server challenge; `expires_at` is in Unix seconds."""

    challenge_id: str
    idempotency_key: str
    expires_at: int


class VerifyView(Outgoing):
    """Answer to the server verify."""

    is_verified: bool
    email: str | None = None
    phone_number: str | None = None
    verification_method: VerificationMethod | None = None
    failure_reason: FailureReason | None = None


class ClaimView(Outgoing):
    """Answer to claim."""

    token: str
    verification_method: VerificationMethod


class ChallengeStatusView(Outgoing):
    """Answer to get challenge: empty if there is none."""

    challenge_id: str | None = None
    expires_at: int | None = None
    verification_method: VerificationMethod | None = None
    sms_channel: SmsChannel | None = None
    phone_number: str | None = None
    email: str | None = None
    action: str | None = None


class ClientEnrollView(Outgoing):
    """Answer to a client enrolment."""

    user_authenticator_id: str
    user_id: str


class EnrollLinkView(Outgoing):
    """Answer to an enrolment by magic link."""

    challenge_id: str
    user_authenticator_id: str
    user_id: str


class ClientChallengeView(Outgoing):
    """Answer to a client challenge."""

    challenge_id: str


class ClientVerifyView(Outgoing):
    """Answer to a client verify."""

    is_verified: bool
    access_token: str | None = None
    user_authenticator: AuthenticatorView | None = None
    failure_reason: FailureReason | None = None


class EnrollAppView(Outgoing):
    """Answer to an enrolment of an authenticator app: the same secret as a URI and as text."""

    user_authenticator_id: str
    user_id: str
    uri: str
    secret: str


class OptionsView(Outgoing):
    """WebAuthn options, and the ceremony that they belong to."""

    challenge_id: str
    options: dict[str, Any]


class PasskeyRegisteredView(Outgoing):
    """Answer to a passkey registration."""

    is_verified: bool
    access_token: str
    user_authenticator_id: str
    user_id: str
    user_authenticator: AuthenticatorView


class PasskeyVerifiedView(Outgoing):
    """Answer to a passkey verification."""

    is_verified: bool
    access_token: str
    user_id: str
    user_authenticator_id: str
    username: str | None = None
    user_display_name: str | None = None


class AvailableView(Outgoing):
    """A passkey that a device remembers and that is still good."""

    credential_id: str
    verified_at: str


class InitUserView(Outgoing):
    """The user's addresses, masked."""

    email: str | None = None
    phone_number: str | None = None


class ChallengeOptionsView(Outgoing):
    """What a challenge dialog offers."""

    token: str
    verification_methods: list[VerificationMethod]
    user: InitUserView
    default_verification_method: VerificationMethod | None = None


class InitView(Outgoing):
    """Answer to init."""

    challenge_options: ChallengeOptionsView
