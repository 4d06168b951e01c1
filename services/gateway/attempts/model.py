"""The record of an attempt, as the state store keeps it (sealed)."""

from enum import Enum

from msgspec import Struct

from shared.challenge_api import Verdict


class AttemptKind(Enum):
    """What a person tries to do."""

    SIGN_UP = "sign_up"
    SIGN_IN = "sign_in"


class AttemptStatus(Enum):
    """Where an attempt stands. All but CHALLENGE_REQUIRED are final."""

    CHALLENGE_REQUIRED = "challenge_required"
    COMPLETED = "completed"
    FAILED = "failed"
    EXPIRED = "expired"
    REVIEW = "review"
    BLOCKED = "blocked"


class Attempt(Struct, frozen=True, kw_only=True):
    """
    One attempt. Times are Unix seconds.

    `sub` is None at sign-up, where no account exists yet, and for a decoy: an attempt for an address that nobody has,
    which looks and costs the same and can never succeed. `binding` is the hash of the cookie that it belongs to. `ruling` is
    what the rules said when it began: one that is not CHALLENGED never becomes a session, but only whoever proves the
    address is told. `busy_until` is ahead while an answer is looked at or a code is sent: nothing else may happen to the
    attempt meanwhile, so that one proof ends it once. It ends by itself, should the process die in between.
    """

    id: str
    kind: AttemptKind
    status: AttemptStatus
    binding: str
    email: str
    email_hash: str
    idempotency_key: str
    created_at: float
    expires_at: float
    resend_at: float
    codes_left: int
    sends_left: int
    sub: str | None = None
    is_decoy: bool = False
    busy_until: float = 0.0
    ruling: Verdict = Verdict.CHALLENGED
    methods: tuple[str, ...] = ()
    method: str | None = None
    challenge_id: str | None = None
    track_token: str | None = None
    display_name: str | None = None
    device_id: str | None = None
