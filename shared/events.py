"""
The audit event: what every producer writes and the audit log keeps.

Rules:

1. The bytes that a producer serialises are the entry. Nothing downstream serialises them again.
2. ``leaf_hash = SHA-256(0x00 || bytes)`` (RFC 6962 section 2.1), lower-case hex wherever it is text.
3. An event type is never renamed and never reused; it is only retired, with a note beside it.
4. No event holds a code, a token, a secret, a TOTP URI or a clear e-mail address.
5. ``producer.seq`` counts 0, 1, 2, ... within ``producer.instance``, so that a missing event shows as a hole.
"""

import hashlib
import hmac
from datetime import datetime
from enum import Enum
from typing import Any, Final

import msgspec

SCHEMA_VERSION: Final = 1
TEXT_CHARACTERS_MAX: Final = 512


class EventType(Enum):
    """Every kind of event, as ``noun.verb_past``."""

    SIGN_UP_REQUESTED = "sign_up.requested"
    SIGN_UP_CHALLENGED = "sign_up.challenged"
    SIGN_UP_VERIFIED = "sign_up.verified"
    SIGN_UP_REJECTED = "sign_up.rejected"
    ACCOUNT_USER_CREATED = "account.user.created"
    ACCOUNT_ADDRESS_VERIFIED = "account.address.verified"
    ACCOUNT_ADDRESS_RELEASED = "account.address.released"
    ACCOUNT_PROFILE_CHANGED = "account.profile.changed"
    ACCOUNT_USER_DELETED = "account.user.deleted"
    SIGN_IN_STARTED = "sign_in.started"
    SIGN_IN_CHALLENGED = "sign_in.challenged"
    SIGN_IN_DECOYED = "sign_in.decoyed"
    SIGN_IN_SUCCEEDED = "sign_in.succeeded"
    SIGN_IN_FAILED = "sign_in.failed"
    SIGN_IN_BLOCKED = "sign_in.blocked"
    SIGN_IN_UNDER_REVIEW = "sign_in.under_review"
    SIGN_IN_REVIEW_APPROVED = "sign_in.review.approved"
    SIGN_IN_REVIEW_REJECTED = "sign_in.review.rejected"
    CHALLENGE_REQUESTED = "challenge.requested"
    CHALLENGE_SENT = "challenge.sent"
    CHALLENGE_RESENT = "challenge.resent"
    CHALLENGE_ANSWERED = "challenge.answered"
    CHALLENGE_VERIFIED = "challenge.verified"
    CHALLENGE_REJECTED = "challenge.rejected"
    CHALLENGE_CLAIMED = "challenge.claimed"
    CHALLENGE_EXPIRED = "challenge.expired"
    ACTION_TRACKED = "action.tracked"
    ACTION_VALIDATED = "action.validated"
    ACTION_MISMATCHED = "action.mismatched"
    ACTION_CONSENTED = "action.consented"
    ACTION_VETOED = "action.vetoed"
    ACTION_LOGGED = "action.logged"
    CHALLENGE_LOGGED = "challenge.logged"
    TOKEN_REPLAYED = "token.replayed"
    PASSKEY_ASSERTED = "passkey.asserted"
    AUTHENTICATOR_ENROLMENT_STARTED = "authenticator.enrolment.started"
    AUTHENTICATOR_ADDED = "authenticator.added"
    AUTHENTICATOR_RENAMED = "authenticator.renamed"
    AUTHENTICATOR_REMOVED = "authenticator.removed"
    STEP_UP_REQUESTED = "step_up.requested"
    STEP_UP_ALLOWED = "step_up.allowed"
    STEP_UP_CHALLENGED = "step_up.challenged"
    STEP_UP_SUCCEEDED = "step_up.succeeded"
    STEP_UP_FAILED = "step_up.failed"
    STEP_UP_BLOCKED = "step_up.blocked"
    STEP_UP_UNDER_REVIEW = "step_up.under_review"
    STEP_UP_REVIEW_APPROVED = "step_up.review.approved"
    STEP_UP_REVIEW_REJECTED = "step_up.review.rejected"
    STEP_UP_CONSUMED = "step_up.consumed"
    ATTEMPT_CANCELLED = "attempt.cancelled"
    ATTEMPT_REFUSED = "attempt.refused"
    SESSION_CREATED = "session.created"
    SESSION_ROTATED = "session.rotated"
    SESSION_REFRESH_REUSED = "session.refresh.reused"
    SESSION_ENDED = "session.ended"
    SESSION_EXPIRED = "session.expired"
    SESSION_REVOKED = "session.revoked"
    SESSION_ALL_REVOKED = "session.all.revoked"
    ABUSE_RATE_LIMITED = "abuse.rate_limited"
    ABUSE_CSRF_REJECTED = "abuse.csrf.rejected"
    PROVIDER_CALL_FAILED = "provider.call_failed"
    WEBHOOK_RECEIVED = "webhook.received"
    WEBHOOK_REFUSED = "webhook.refused"
    MESSAGE_SENT = "message.sent"
    MESSAGE_FAILED = "message.failed"
    PROVIDER_RECORD_IMPORTED = "provider.record.imported"
    AUDIT_QUERY_EXECUTED = "audit.query.executed"
    AUDIT_ACCESS_REFUSED = "audit.access.refused"
    AUDIT_SEARCH_SAVED = "audit.search.saved"
    AUDIT_SEARCH_CHANGED = "audit.search.changed"
    AUDIT_SEARCH_REMOVED = "audit.search.removed"
    AUDIT_ERASURE_STARTED = "audit.erasure.started"
    AUDIT_ERASURE_REFUSED = "audit.erasure.refused"
    AUDIT_SUBJECT_ERASED = "audit.subject.erased"
    AUDIT_HOLD_PLACED = "audit.hold.placed"
    AUDIT_HOLD_RELEASED = "audit.hold.released"
    AUDIT_EXPORT_CREATED = "audit.export.created"
    AUDIT_ARCHIVE_WRITTEN = "audit.archive.written"
    AUDIT_RETENTION_DROPPED = "audit.retention.dropped"
    AUDIT_SEAL_STOPPED = "audit.seal.stopped"
    AUDIT_SEAL_RESUMED = "audit.seal.resumed"
    AUDIT_ALERT_RAISED = "audit.alert.raised"
    AUDIT_ALERT_CLOSED = "audit.alert.closed"
    AUDIT_DETECTION_RUN = "audit.detection.run"
    AUDIT_QUARANTINE_REPAIRED = "audit.quarantine.repaired"
    SERVICE_STARTED = "service.started"
    SERVICE_STOPPED = "service.stopped"


class Outcome(Enum):
    """How the thing that the event speaks of ended, or that it has not ended yet."""

    SUCCESS = "success"
    FAILURE = "failure"
    DENIED = "denied"
    ERROR = "error"
    PENDING = "pending"


class _Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Settings that all parts of an event share."""


class Producer(_Part, frozen=True):
    """Which process wrote the event: `instance` is new at every start, `seq` is 0-based within it."""

    service: str
    instance: str
    seq: int


class Subject(_Part, frozen=True):
    """Whom the event is about: a Cognito sub, or before one is known the keyed hash of an address."""

    sub: str | None = None
    email_hash: str | None = None


class Actor(_Part, frozen=True):
    """Who acted when it is not the subject: `kind` is user, service or operator."""

    kind: str
    id: str


class Client(_Part, frozen=True):
    """Where the request came from, as the gateway saw it."""

    ip: str | None = None
    user_agent: str | None = None
    device_id: str | None = None
    country: str | None = None


class AuthsignalRef(_Part, frozen=True):
    """The Authsignal action that this event belongs to."""

    action: str
    idempotency_key: str | None = None
    state: str | None = None
    method: str | None = None
    rule_ids: tuple[str, ...] = ()


class CognitoRef(_Part, frozen=True):
    """The Cognito operation that this event speaks of, and the error code it answered with."""

    operation: str
    error: str | None = None


class HttpRef(_Part, frozen=True):
    """The request that caused the event: `route` is the template, never the path."""

    method: str
    route: str
    status: int | None = None


class Draft(msgspec.Struct, kw_only=True, frozen=True):
    """An event as its author states it; `AuditTrail.record` adds id, time, salt and producer."""

    event_type: EventType
    outcome: Outcome
    reason: str | None = None
    request_id: str | None = None
    trace_id: str | None = None
    attempt_id: str | None = None
    session_ref: str | None = None
    subject: Subject | None = None
    actor: Actor | None = None
    client: Client | None = None
    authsignal: AuthsignalRef | None = None
    cognito: CognitoRef | None = None
    http: HttpRef | None = None
    data: dict[str, Any] = {}


class Event(_Part, frozen=True):
    """
    One audit event, as it is serialised and sealed.

    `event_id` is a UUIDv7, `occurred_at` is UTC with microseconds, `salt` is 128 random bits (32 hex digits) that keep an
    erased entry from being guessed back from its leaf hash.
    """

    event_id: str
    schema_version: int
    event_type: EventType
    outcome: Outcome
    occurred_at: datetime
    producer: Producer
    salt: str
    reason: str | None = None
    request_id: str | None = None
    trace_id: str | None = None
    attempt_id: str | None = None
    session_ref: str | None = None
    subject: Subject | None = None
    actor: Actor | None = None
    client: Client | None = None
    authsignal: AuthsignalRef | None = None
    cognito: CognitoRef | None = None
    http: HttpRef | None = None
    data: dict[str, Any] = {}


# U+FFFE and U+FFFF in UTF-8, which JSON leaves as they are and SQS refuses; and what stands in for them.
_NON_CHARACTERS: Final = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
_REPLACEMENT: Final = "\ufffd".encode()

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Event)


def encode(event: Event) -> bytes:
    """
    Serialise an event to the bytes that are its entry: one line of JSON that a queue message may contain.

    Text that the queue would refuse is replaced, whatever field it came in: one such character would hold back every entry
    that shares its message, and every refused one behind it.
    """
    try:
        entry = _ENCODER.encode(event)
    except UnicodeEncodeError:  # A lone surrogate.
        entry = _ENCODER.encode(_cleaned(msgspec.to_builtins(event, str_keys=True)))
    for non_character in _NON_CHARACTERS:
        if non_character in entry:
            entry = entry.replace(non_character, _REPLACEMENT)
    return entry


def decode(entry: bytes) -> Event:
    """
    Read an entry.

    Raises:
        msgspec.ValidationError: The bytes are JSON but no event of this schema.
        msgspec.DecodeError: The bytes are not JSON.
    """
    return _DECODER.decode(entry)


def leaf_hash(entry: bytes) -> bytes:
    """Return the 32-byte Merkle leaf hash of an entry. Source: RFC 6962 section 2.1."""
    return hashlib.sha256(b"\x00" + entry).digest()


def email_hash(address: str, key: bytes) -> str:
    """
    Return the keyed hash under which an address appears in the log: HMAC-SHA256, lower-case hex.

    The address is stripped and lower-cased first, so that every spelling a person types finds the same records.
    """
    return hmac.digest(key, normal_address(address).encode(), "sha256").hex()


def normal_address(address: str) -> str:
    """Return the one spelling of an e-mail address that is compared, hashed and sent."""
    return address.strip().lower()


def clean_text(text: str, characters_max: int = TEXT_CHARACTERS_MAX) -> str:
    """
    Make text from outside fit for an entry: cut it, and replace what a queue message must not contain.

    SQS takes U+0009, U+000A, U+000D, U+0020 to U+D7FF, U+E000 to U+FFFD and the planes above. JSON escapes the control
    characters; lone surrogates and the two non-characters are left for us.
    """
    return "".join(
        "\ufffd" if 0xD800 <= (point := ord(char)) <= 0xDFFF or point & 0xFFFE == 0xFFFE else char
        for char in text[:characters_max]
    )


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value, len(value))
    if isinstance(value, dict):
        return {_cleaned(name): _cleaned(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    return value
