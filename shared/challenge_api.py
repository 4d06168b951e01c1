"""
What the gateway and the challenge service say to each other: each call one hop.

`challenge` asks Authsignal whether and how to challenge a person and sends the code; `verify` checks the code; `claim` ties a
proven sign-up to the account that was just made; `poll` asks whether a link was opened or a prompt approved; `probe` whether
Authsignal answers at all; `complete` checks a token that was earned for an attempt, `passkey` one that was earned without a
name. The rest is about authenticators.
"""

from datetime import datetime
from enum import Enum
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from shared.events import Client
from shared.http.client import JsonClient

ACTION_SIGN_UP: Final = "signUp"
ACTION_SIGN_IN: Final = "signIn"
ACTION_MANAGE_AUTHENTICATORS: Final = "manageAuthenticators"
METHOD_EMAIL_OTP: Final = "EMAIL_OTP"
METHOD_PASSKEY: Final = "PASSKEY"
METHOD_QR_CODE: Final = "QR_CODE"

# How a person answers a challenge of each method: types a code, waits for something elsewhere, or lets the browser sign.
TYPED_METHODS: Final = frozenset({METHOD_EMAIL_OTP, "SMS", "WHATSAPP", "AUTHENTICATOR_APP"})
AWAITED_METHODS: Final = frozenset({"EMAIL_MAGIC_LINK", "PUSH", METHOD_QR_CODE})
SIGNED_METHODS: Final = frozenset({METHOD_PASSKEY, "SECURITY_KEY"})
TEXT_METHODS: Final = frozenset({"SMS", "WHATSAPP"})
METHODS: Final = TYPED_METHODS | AWAITED_METHODS | SIGNED_METHODS

UuidText = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
ActionCode = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Address = Annotated[str, Meta(min_length=3, max_length=254)]
Code = Annotated[str, Meta(pattern=r"^[0-9]{4,10}$")]
OpaqueId = Annotated[str, Meta(min_length=1, max_length=256)]
Token = Annotated[str, Meta(min_length=16, max_length=8192)]


class Verdict(Enum):
    """Where a person stands after a call."""

    ALLOWED = "allowed"
    CHALLENGED = "challenged"
    PENDING = "pending"
    VERIFIED = "verified"
    REJECTED = "rejected"
    REVIEW = "review"
    BLOCKED = "blocked"


class _Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A request or an answer between the two services."""


class ChallengeRequest(_Body, frozen=True):
    """
    Track the action when the person is known, and send a code by the method named.

    `sub` is None at sign-up, before any account exists: then only the address is challenged. `is_tracked` sends the first code
    of an action that was tracked before, whose `track_token` the gateway kept; `is_resend` sends another one, and is recorded
    as such. Without a `method` nothing is sent.
    `custom` are data points for the rules; `may_allow` says that rules may let the person through without a challenge, as they
    never may at the door.
    """

    attempt_id: UuidText
    action: ActionCode
    email: Address
    idempotency_key: UuidText
    sub: UuidText | None = None
    method: str | None = METHOD_EMAIL_OTP
    is_tracked: bool = False
    is_resend: bool = False
    track_token: Token | None = None
    custom: dict[str, str | int | float | bool] = {}
    may_allow: bool = False
    client: Client = Client()


class ChallengeAnswer(_Body, frozen=True):
    """
    `track_token` speaks for the person at Authsignal; it is only given for somebody who is enrolled already. `device_code` is
    the secret half of a QR challenge; `destination` is where a message went, masked, when it went anywhere but the address.
    """

    verdict: Verdict
    methods: tuple[str, ...] = ()
    challenge_id: str | None = None
    expires_at: datetime | None = None
    track_token: str | None = None
    device_code: str | None = None
    destination: str | None = None


class VerifyRequest(_Body, frozen=True):
    """
    Check the code of a challenge; with a `sub` also claim, validate and assert.

    A code of a method other than e-mail is checked in the person's name, with the attempt's `track_token`. With `is_reviewed`
    the code proves the address alone, and an operator's approval of the action takes the place of the rules'.
    """

    attempt_id: UuidText
    action: ActionCode
    email: Address
    idempotency_key: UuidText
    code: Code
    challenge_id: OpaqueId | None = None
    method: str = METHOD_EMAIL_OTP
    track_token: Token | None = None
    sub: UuidText | None = None
    is_reviewed: bool = False
    client: Client = Client()


class ClaimRequest(_Body, frozen=True):
    """Tie a verified sign-up challenge to the account `sub`, let the rules speak, validate and assert."""

    attempt_id: UuidText
    action: ActionCode
    email: Address
    idempotency_key: UuidText
    challenge_id: OpaqueId
    sub: UuidText
    client: Client = Client()


class PollRequest(_Body, frozen=True):
    """Ask once whether a challenge that is answered elsewhere was answered."""

    attempt_id: UuidText
    method: str
    track_token: Token
    challenge_id: OpaqueId
    device_code: OpaqueId | None = None


class PollAnswer(_Body, frozen=True):
    """PENDING, VERIFIED with the `token` that was earned, or REJECTED."""

    verdict: Verdict
    token: str | None = None


class ProbeRequest(_Body, frozen=True):
    """
    Ask whether Authsignal answers, for an attempt that asks it nothing: a decoy's fails when a real one would.

    `is_repeated` says that the call which it stands for would be tried again after a fault.
    """

    attempt_id: UuidText
    action: ActionCode
    is_repeated: bool = False
    client: Client = Client()


class ProbeAnswer(_Body, frozen=True):
    """It answers."""


class PasskeyRequest(_Body, frozen=True):
    """Validate a token that a passkey earned without a name being typed."""

    attempt_id: UuidText
    action: ActionCode
    token: Token
    client: Client = Client()


class CompleteRequest(_Body, frozen=True):
    """Validate a token that the Web SDK earned for this attempt."""

    attempt_id: UuidText
    action: ActionCode
    idempotency_key: UuidText
    sub: UuidText
    token: Token
    client: Client = Client()


class ProofAnswer(_Body, frozen=True):
    """
    The verdict on a proof. With VERIFIED comes an `assertion` for Cognito that lives one minute.

    `failure` says why a proof was rejected, in Authsignal's words (``CODE_INVALID_OR_EXPIRED``, ``MAX_ATTEMPTS_EXCEEDED``)
    or ours (``TOKEN_INVALID``, ``TOKEN_MISMATCHED``, ``TOKEN_REPLAYED``).
    """

    verdict: Verdict
    method: str | None = None
    failure: str | None = None
    assertion: str | None = None
    sub: str | None = None


class EnrolRequest(_Body, frozen=True):
    """Ask for a token with which the browser may add one authenticator."""

    attempt_id: UuidText
    sub: UuidText
    email: Address
    idempotency_key: UuidText
    client: Client = Client()


class WebhookVerdict(Enum):
    """What came of the check of a webhook's signature. CLOSED: there is no key to check with, so none is taken in."""

    GENUINE = "genuine"
    CLOSED = "closed"
    MALFORMED = "malformed"
    STALE = "stale"
    MISMATCHED = "mismatched"


class WebhookRequest(_Body, frozen=True):
    """A webhook as it came in: the signature header, empty where there was none, and the very bytes of the body."""

    signature: str
    body: bytes


class WebhookAnswer(_Body, frozen=True):
    """Whether Authsignal signed it."""

    verdict: WebhookVerdict


class ReviewRequest(_Body, frozen=True):
    """
    An action that waits for an operator's decision. `details` are what a step-up is bound to: what the operator decides about.
    """

    attempt_id: UuidText
    kind: Literal["sign_in", "step_up"]
    action: ActionCode
    idempotency_key: UuidText
    sub: UuidText
    expires_at: datetime
    details: dict[str, str | int | float | bool] = {}
    client: Client = Client()


class ReviewAnswer(_Body, frozen=True):
    """How a review stands: PENDING, ALLOWED or BLOCKED."""

    verdict: Verdict


class PersonRequest(_Body, frozen=True):
    """Ask about a person."""

    sub: UuidText


class AddressRequest(_Body, frozen=True):
    """Ask whether Authsignal has proven an address for an account."""

    sub: UuidText
    email: Address


class AddressAnswer(_Body, frozen=True):
    """Whether it has."""

    is_proven: bool


class AuthenticatorRequest(_Body, frozen=True):
    """Change one of a person's authenticators: give it a `name`, or without one remove it."""

    sub: UuidText
    authenticator_id: OpaqueId
    name: str | None = None
    client: Client = Client()


class AuthenticatorAnswer(_Body, frozen=True):
    """One authenticator, as its owner sees it; `detail` is masked."""

    id: str
    method: str
    created_at: str
    is_default: bool = False
    last_used_at: str | None = None
    name: str | None = None
    detail: str | None = None
    icon_light: str | None = None
    icon_dark: str | None = None


class AuthenticatorsAnswer(_Body, frozen=True):
    """A person's verified authenticators, oldest first."""

    authenticators: tuple[AuthenticatorAnswer, ...] = ()


class PersonRemoved(_Body, frozen=True):
    """Authsignal keeps nothing of the person any more."""


class ChallengeService:
    """The gateway's client of the challenge service. Every call raises the problems that `JsonClient.post` raises."""

    def __init__(self, http: JsonClient) -> None:
        self._http = http

    async def challenge(self, request: ChallengeRequest) -> ChallengeAnswer:
        """Track and send; not repeated by itself, since it sends mail."""
        return await self._http.post("/v1/challenges", request, ChallengeAnswer)

    async def verify(self, request: VerifyRequest) -> ProofAnswer:
        """Check a code; not repeated by itself, since a wrong code counts."""
        return await self._http.post("/v1/verifications", request, ProofAnswer)

    async def claim(self, request: ClaimRequest) -> ProofAnswer:
        """Tie a sign-up to its account."""
        return await self._http.post("/v1/claims", request, ProofAnswer)

    async def complete(self, request: CompleteRequest) -> ProofAnswer:
        """Validate the Web SDK's token."""
        return await self._http.post("/v1/completions", request, ProofAnswer)

    async def poll(self, request: PollRequest) -> PollAnswer:
        """Ask whether an awaited challenge was answered."""
        return await self._http.post("/v1/polls", request, PollAnswer)

    async def probe(self, request: ProbeRequest) -> None:
        """Return when Authsignal answers; raise what a real call would."""
        await self._http.post("/v1/probes", request, ProbeAnswer)

    async def passkey(self, request: PasskeyRequest) -> ProofAnswer:
        """Validate a passkey's token; the answer's `sub` says whose it is."""
        return await self._http.post("/v1/passkeys", request, ProofAnswer)

    async def address(self, request: AddressRequest) -> AddressAnswer:
        """Ask whose an address is."""
        return await self._http.post("/v1/addresses", request, AddressAnswer)

    async def enrol(self, request: EnrolRequest) -> ChallengeAnswer:
        """Get a token to add an authenticator with."""
        return await self._http.post("/v1/enrolments", request, ChallengeAnswer)

    async def authenticators(self, request: PersonRequest) -> AuthenticatorsAnswer:
        """List a person's authenticators."""
        return await self._http.post("/v1/authenticators/list", request, AuthenticatorsAnswer)

    async def rename_authenticator(self, request: AuthenticatorRequest) -> AuthenticatorsAnswer:
        """Name an authenticator; return the list as it is then."""
        return await self._http.post("/v1/authenticators/rename", request, AuthenticatorsAnswer)

    async def remove_authenticator(self, request: AuthenticatorRequest) -> AuthenticatorsAnswer:
        """Remove an authenticator; return the list as it is then."""
        return await self._http.post("/v1/authenticators/remove", request, AuthenticatorsAnswer)

    async def check_webhook(self, request: WebhookRequest) -> WebhookAnswer:
        """Ask whether Authsignal signed a webhook: its key never leaves the challenge service."""
        return await self._http.post("/v1/webhook-checks", request, WebhookAnswer)

    async def open_review(self, request: ReviewRequest) -> ReviewAnswer:
        """Put an action before the operators."""
        return await self._http.post("/v1/review-requests", request, ReviewAnswer)

    async def poll_review(self, request: ReviewRequest) -> ReviewAnswer:
        """Ask how a review stands; Authsignal has the last word, so a decision in its own portal counts as well."""
        return await self._http.post("/v1/review-polls", request, ReviewAnswer)

    async def remove_person(self, request: PersonRequest) -> PersonRemoved:
        """Remove a person from Authsignal with all authenticators; repeating it removes nothing more."""
        return await self._http.post("/v1/people/remove", request, PersonRemoved)
