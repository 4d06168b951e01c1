"""
What the gateway asks of the challenge service for apps that talk to Cognito themselves (the direct client).

`authenticators` and `remove` are about a person's factors, in Authsignal's own shapes; `track` begins an action and gives the
token that the app's Web SDK goes on with; `prove` validates what the Web SDK earned, once, against the very same context.
"""

from enum import Enum
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from shared.challenge_api import ActionCode, OpaqueId, Token, UuidText, Verdict
from shared.events import Client
from shared.http.client import JsonClient

ACTION_SIGN_IN: Final = "cognitoAuth"
ACTION_ADD_AUTHENTICATOR: Final = "addAuthenticator"
ACTION_AUTHORIZE_PAYMENT: Final = "authorizePayment"

SCOPE_ADD: Final = "add:authenticators"
# What an action is about, such as a payment's amount and payee; short texts, in their one canonical spelling.
Context = Annotated[dict[str, Annotated[str, Meta(max_length=200)]], Meta(max_length=8)]


class _Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A request or an answer between the two services."""


class PersonRequest(_Body, frozen=True):
    """Ask about a person."""

    sub: UuidText


class Icons(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Who made a passkey's authenticator; the icons are data URLs."""

    name: str | None = None
    svg_icon_light: str | None = None
    svg_icon_dark: str | None = None


class CredentialView(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The WebAuthn part of a passkey or security key."""

    credential_id: str | None = None
    device_id: str | None = None
    name: str | None = None
    aaguid: str | None = None
    aaguid_mapping: Icons | None = None
    credential_backed_up: bool | None = None
    credential_device_type: str | None = None
    authenticator_attachment: str | None = None
    parsed_user_agent: dict[str, Any] | None = None


class AuthenticatorView(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One authenticator as Authsignal's Server API shows it to the person that it belongs to; times are ISO 8601."""

    user_authenticator_id: str
    verification_method: str
    created_at: str
    verified_at: str | None = None
    last_verified_at: str | None = None
    is_default: bool | None = None
    email: str | None = None
    phone_number: str | None = None
    username: str | None = None
    display_name: str | None = None
    previous_sms_channel: str | None = None
    webauthn_credential: CredentialView | None = None


class AuthenticatorsAnswer(_Body, frozen=True):
    """A person's authenticators, in Authsignal's order."""

    authenticators: tuple[AuthenticatorView, ...] = ()


class RemovalRequest(_Body, frozen=True):
    """Remove one of a person's authenticators."""

    sub: UuidText
    authenticator_id: OpaqueId


class Removal(Enum):
    """What became of a removal."""

    REMOVED = "removed"
    UNKNOWN = "unknown"
    LAST = "last"
    BUSY = "busy"


class RemovalAnswer(_Body, frozen=True):
    """The removal's result, and which method it was where one is known."""

    removal: Removal
    method: str | None = None


class TrackRequest(_Body, frozen=True):
    """Begin an action of a signed-in person. `scope` is what the token may do to their authenticators."""

    attempt_id: UuidText
    sub: UuidText
    action: ActionCode
    scope: str | None = None
    context: Context = {}
    client: Client = Client()


class TrackAnswer(_Body, frozen=True):
    """
    CHALLENGED or ALLOWED with a `token`; BLOCKED or REVIEW without. The `context_hash` is what a proof will be held to.
    """

    verdict: Verdict
    context_hash: str
    token: str | None = None


class ProveRequest(_Body, frozen=True):
    """Validate, and burn, a token that was earned for this person, action and context."""

    attempt_id: UuidText
    sub: UuidText
    action: ActionCode
    token: Token
    context: Context = {}
    client: Client = Client()


class ProveAnswer(_Body, frozen=True):
    """VERIFIED, or why not: `failure` is one of ours (``CONTEXT_MISMATCHED``, ``TOKEN_REPLAYED``, ...)."""

    verdict: Verdict
    context_hash: str
    failure: str | None = None
    method: str | None = None


class DirectService:
    """The gateway's client of these calls. Every call raises the problems that `JsonClient.post` raises."""

    def __init__(self, http: JsonClient) -> None:
        self._http = http

    async def authenticators(self, request: PersonRequest) -> AuthenticatorsAnswer:
        """List a person's authenticators."""
        return await self._http.post("/v1/people/authenticators", request, AuthenticatorsAnswer)

    async def remove(self, request: RemovalRequest) -> RemovalAnswer:
        """Remove an authenticator, unless it is the last one that works."""
        return await self._http.post("/v1/people/removals", request, RemovalAnswer)

    async def track(self, request: TrackRequest) -> TrackAnswer:
        """Begin an action."""
        return await self._http.post("/v1/people/actions", request, TrackAnswer)

    async def prove(self, request: ProveRequest) -> ProveAnswer:
        """Validate a token; not repeated by itself, since it burns."""
        return await self._http.post("/v1/people/proofs", request, ProveAnswer)
