"""The record of an attempt, as the state store keeps it (sealed)."""

from enum import Enum

from msgspec import Struct

from shared.challenge_api import Verdict


class AttemptKind(Enum):
    """What a person tries to do."""

    SIGN_UP = "sign_up"
    SIGN_IN = "sign_in"
    STEP_UP = "step_up"


class AttemptStatus(Enum):
    """
    Where an attempt stands.

    CHALLENGE_REQUIRED waits for a proof. VERIFIED has one: a sign-in whose link was opened goes on with `completions`, a
    step-up has its grant. The rest is final, but for REVIEW, which an operator ends.
    """

    CHALLENGE_REQUIRED = "challenge_required"
    VERIFIED = "verified"
    ALLOWED = "allowed"
    COMPLETED = "completed"
    FAILED = "failed"
    EXPIRED = "expired"
    REVIEW = "review"
    BLOCKED = "blocked"
    CONSUMED = "consumed"


class Attempt(Struct, frozen=True, kw_only=True):
    """
    One attempt. Times are Unix seconds.

    `sub` is None at sign-up, where no account exists yet, and for a decoy: an attempt for an address that nobody has, which
    looks and costs the same and can never succeed. `binding` is the hash of the cookie that it belongs to: the attempt
    cookie's, of an app (`client_id`) its attempt token's, and of a step-up the session's. `methods` are what the page offers,
    at the door the same to everybody; `own_methods` are those that the person has: any other is answered like a decoy.
    `ruling` is what the rules said when it began: one that is not CHALLENGED never becomes a session, but only whoever proves
    the address is told; `is_reviewed` says that an operator approved it since. `resend_at` is when the channel of `method` may
    send again, `cooling` says so of those that were used before it. `busy_until` is ahead while an answer is looked at or a
    code is sent: nothing else may happen to the attempt meanwhile, so that one proof ends it once. It ends by itself, should
    the process die in between.
    """

    id: str
    kind: AttemptKind
    action: str
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
    cooling: dict[str, float] = {}
    ruling: Verdict = Verdict.CHALLENGED
    methods: tuple[str, ...] = ()
    own_methods: tuple[str, ...] = ()
    method: str | None = None
    challenge_id: str | None = None
    client_id: str | None = None
    track_token: str | None = None
    device_code: str | None = None
    destination: str | None = None
    proof_token: str | None = None
    proof_method: str | None = None
    is_reviewed: bool = False
    details: dict[str, str | int | float | bool] = {}
    details_hash: str | None = None
    grant_expires_at: float = 0.0
    display_name: str | None = None
    device_id: str | None = None
