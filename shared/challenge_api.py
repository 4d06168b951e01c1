"""
What the gateway and the challenge service say to each other: four calls, each one hop.

`challenge` asks Authsignal whether and how to challenge a person and sends the code; `verify` checks the code; `claim` ties a
proven sign-up to the account that was just made; `complete` checks a token that the Web SDK earned in the browser.
"""

from datetime import datetime
from enum import Enum
from typing import Annotated, Final

from msgspec import Meta, Struct

from shared.events import Client
from shared.http.client import JsonClient

ACTION_SIGN_UP: Final = "signUp"
ACTION_SIGN_IN: Final = "signIn"
METHOD_EMAIL_OTP: Final = "EMAIL_OTP"

UuidText = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
ActionCode = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Address = Annotated[str, Meta(min_length=3, max_length=254)]
Code = Annotated[str, Meta(pattern=r"^[0-9]{4,10}$")]
OpaqueId = Annotated[str, Meta(min_length=1, max_length=256)]
Token = Annotated[str, Meta(min_length=16, max_length=8192)]


class Verdict(Enum):
    """Where a person stands after a call."""

    CHALLENGED = "challenged"
    VERIFIED = "verified"
    REJECTED = "rejected"
    REVIEW = "review"
    BLOCKED = "blocked"


class _Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A request or an answer between the two services."""


class ChallengeRequest(_Body, frozen=True):
    """
    Track the action when the person is known, and send a code by the method named.

    `sub` is None at sign-up, before any account exists: then only the address is challenged. `is_resend` sends another code
    for an action that was tracked before. Without a `method` nothing is sent.
    """

    attempt_id: UuidText
    action: ActionCode
    email: Address
    idempotency_key: UuidText
    sub: UuidText | None = None
    method: str | None = METHOD_EMAIL_OTP
    is_resend: bool = False
    client: Client = Client()


class ChallengeAnswer(_Body, frozen=True):
    """`track_token` lets the Web SDK go on in the browser; it is only given for a person who is enrolled already."""

    verdict: Verdict
    methods: tuple[str, ...] = ()
    challenge_id: str | None = None
    expires_at: datetime | None = None
    track_token: str | None = None


class VerifyRequest(_Body, frozen=True):
    """Check the code of a challenge; with a `sub` also claim, validate and assert."""

    attempt_id: UuidText
    action: ActionCode
    email: Address
    idempotency_key: UuidText
    challenge_id: OpaqueId
    code: Code
    sub: UuidText | None = None
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
