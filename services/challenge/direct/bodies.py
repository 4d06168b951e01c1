"""What Cognito's triggers ask, and what they are answered. A person without a `sub` is one whom Cognito does not know."""

from typing import Annotated

from msgspec import Meta, Struct

from shared.challenge_api import UuidText

# What was typed into a sign-in form, as Cognito hands it on: it need not be an address.
Username = Annotated[str, Meta(max_length=256)]
# A wrong answer may be anything; whether it can be a token at all is looked at later.
Answer = Annotated[str, Meta(max_length=8192)]


class _Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request or an answer."""


class ChallengeRequest(_Body, frozen=True):
    """Begin a sign-in, or with its `idempotency_key` another round of it."""

    username: Username
    sub: UuidText | None = None
    email: Annotated[str, Meta(max_length=254)] = ""
    is_email_verified: bool = False
    idempotency_key: UuidText | None = None


class ChallengeAnswer(_Body, frozen=True):
    """The app gets the `token`; the rest is for the answer's request. `challenge_id` is new in every round."""

    token: str
    idempotency_key: str
    challenge_id: str


class AnswerRequest(_Body, frozen=True):
    """Check what the app answered a challenge with."""

    username: Username
    idempotency_key: UuidText
    challenge_id: UuidText
    round: Annotated[int, Meta(ge=1, le=100)]
    answer: Answer
    sub: UuidText | None = None
    email: Annotated[str, Meta(max_length=254)] = ""
    is_email_verified: bool = False


class AnswerVerdict(_Body, frozen=True):
    """Whether Cognito may take the answer."""

    is_correct: bool
