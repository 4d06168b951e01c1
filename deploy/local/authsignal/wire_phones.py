"""The wire of push, QR and in-app: what pages ask, and what phones send and get."""

from typing import Any

import msgspec

from deploy.local.authsignal.wire import Incoming, Outgoing


class PushRequest(Incoming):
    """Body of a push challenge: the action must be the tracked one."""

    action: str
    user_authenticator_id: str | None = None


class PushStatusRequest(Incoming):
    """Body of the question how a push challenge stands."""

    challenge_id: str


class QrRequest(Incoming):
    """Body of a QR challenge."""

    action: str
    custom: dict[str, Any] | None = None


class QrStatusRequest(Incoming):
    """Body of the question how a QR challenge stands; only who made it knows the device code."""

    challenge_id: str
    device_code: str


class EnrolPhoneRequest(Incoming):
    """Body of a phone's enrolment; what it says to attest itself is not checked here."""

    public_key: str
    device_name: str = "Phone"
    device_platform: str = "ios"
    push_token: str | None = None


class SignedRequest(Incoming):
    """Body of a phone's call that names no challenge."""

    public_key: str
    signature: str


class SignedChallengeRequest(Incoming):
    """Body of a phone's call about a challenge; the signature is over its id, or over what `sign` gave."""

    challenge_id: str
    public_key: str
    signature: str


class DecisionRequest(SignedChallengeRequest):
    """Body of a phone's decision."""

    approved: bool
    verification_code: str | None = None


class UpdatePushRequest(SignedChallengeRequest):
    """Body of a change of a phone's push token."""

    push_token: str | None = None
    reset_expiry: bool = False


class DeliveryResult(Outgoing):
    """One phone that a push challenge was sent to."""

    user_authenticator_id: str


class PushView(Outgoing):
    """Answer to a push challenge."""

    challenge_id: str
    delivery_results: list[DeliveryResult]


class PushStatusView(Outgoing):
    """How a push challenge stands."""

    is_verified: bool
    is_consumed: bool
    access_token: str | None = None


class QrView(Outgoing):
    """Answer to a QR challenge; `expires_at` is in ISO 8601 here."""

    challenge_id: str
    device_code: str
    expires_at: str


class QrStatusView(Outgoing):
    """How a QR challenge stands."""

    is_claimed: bool
    is_verified: bool
    is_consumed: bool
    access_token: str | None = None


class PhoneView(Outgoing):
    """A phone's own view of its enrolment."""

    user_authenticator_id: str
    user_id: str
    verified_at: str
    last_verified_at: str | None = None
    expires_at: str | None = None


class RemovedView(Outgoing):
    """Answer to a phone that removed itself."""

    removed_authenticator_id: str | None = None


class NonceView(Outgoing):
    """What a phone signs before it reads its challenges, or changes itself."""

    message: str
    challenge_id: str | None = None


class PhoneChallengeView(Outgoing):
    """A challenge as the phone shows it; empty if there is none."""

    challenge_id: str | None = None
    user_id: str | None = None
    action_code: str | None = None
    idempotency_key: str | None = None
    device_id: str | None = None
    user_agent: str | None = None
    ip_address: str | None = None
    expires_at: int | None = None
    custom: dict[str, Any] | None = None


class DecisionView(Outgoing):
    """Answer to a decision: whether the action succeeded by it."""

    is_verified: bool


class ClaimedView(Outgoing):
    """Answer to a phone that scanned a QR code: what it is about to approve."""

    success: bool
    action_code: str | None = None
    idempotency_key: str | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    custom: dict[str, Any] | None = None


class InAppView(Outgoing):
    """Answer to an app that signed by itself."""

    token: str
    user_id: str
    user_authenticator_id: str
    username: str | None = None


class SocketData(Incoming):
    """What a page asks of the socket."""

    challenge_type: str
    action_code: str
    custom: dict[str, Any] | None = None


class SocketMessage(msgspec.Struct):
    """A message from a page to the socket."""

    type: str
    data: SocketData
