"""
What a webhook says, and how it looks in the log. Pure.

A body is one envelope with ``data``, or a batch of up to 500 with a ``record`` each. Members that we do not know are ignored:
the provider may add some at any time. What is known is taken over by name, so that no code, address, link or free text can
come along. Source: Authsignal's documentation of webhooks.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from shared.events import AuthsignalRef, Client, Draft, EventType, Outcome, Subject, clean_text, email_hash
from shared.ids import is_action_code, is_uuid

RECORDS_MAX: Final = 500
ACTION_VERIFY: Final = "action.verify"
EMAIL_CREATED: Final = "email.created"
SMS_CREATED: Final = "sms.created"
PUSH_CREATED: Final = "push.created"
# Somebody has to carry these out, and Authsignal believes whoever answers 2xx that it was done.
ERRANDS: Final = frozenset({EMAIL_CREATED, SMS_CREATED, PUSH_CREATED})

EVENT_TYPES: Final = {
    "action.log_created": EventType.ACTION_LOGGED,
    "challenge.log_created": EventType.CHALLENGE_LOGGED,
    ACTION_VERIFY: EventType.ACTION_CONSENTED,
}
OUTCOMES: Final = {
    "ALLOW": Outcome.SUCCESS,
    "CHALLENGE_SUCCEEDED": Outcome.SUCCESS,
    "REVIEW_SUCCEEDED": Outcome.SUCCESS,
    "CHALLENGE_REQUIRED": Outcome.PENDING,
    "REVIEW_REQUIRED": Outcome.PENDING,
    "CHALLENGE_FAILED": Outcome.FAILURE,
    "REVIEW_FAILED": Outcome.FAILURE,
    "BLOCK": Outcome.DENIED,
}
# Members whose values are words, ids and times of the provider's. The name in the log, and the name in the webhook.
WORDS: Final = {
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "deleted_at": "deletedAt",
    "verified_at": "verifiedAt",
    "state_updated_at": "stateUpdatedAt",
    "rules_outcome": "outcome",
    "log_type": "type",
    "status_code": "statusCode",
    "user_authenticator_id": "userAuthenticatorId",
    "challenge_id": "challengeId",
}
WORD_CHARACTERS_MAX: Final = 128


class Unreadable(ValueError):
    """The body is not JSON, or nothing in it is an envelope."""


class Envelope(Struct, frozen=True, kw_only=True, rename="camel"):
    """One event of Authsignal's; `id` is its own, the same in every delivery."""

    id: str
    type: str
    tenant_id: str
    time: str | None = None
    data: dict[str, Any] = {}
    record: dict[str, Any] = {}

    def word(self, name: str) -> str | None:
        """Return a member of the payload that is text, cut to a length that is fit for the log."""
        value = (self.record or self.data).get(name)
        return clean_text(value, WORD_CHARACTERS_MAX) if isinstance(value, str) and value else None


class _Batch(Struct, frozen=True):
    records: list[Envelope]


def read(body: bytes) -> list[Envelope]:
    """
    Return the envelopes of a body, in their order, each id once.

    Raises:
        Unreadable: There is none, or there are too many.
    """
    try:
        raw = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        envelopes = (
            msgspec.json.decode(body, type=_Batch).records if "records" in raw else [msgspec.json.decode(body, type=Envelope)]
        )
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(type(error).__name__) from error
    if not 1 <= len(envelopes) <= RECORDS_MAX:
        raise Unreadable("number of records")
    if not all(1 <= len(envelope.id) <= WORD_CHARACTERS_MAX for envelope in envelopes):
        raise Unreadable("id of a record")
    return list({envelope.id: envelope for envelope in envelopes}.values())


def draft_of(envelope: Envelope, *, email_hash_key: bytes, refusal: str | None = None) -> Draft:
    """
    Return how an envelope looks in the log.

    Args:
        refusal: Why the thing that it asks for is not done, when it is not.
    """
    event_type = EVENT_TYPES.get(envelope.type, EventType.WEBHOOK_RECEIVED)
    outcome = OUTCOMES.get(envelope.word("state") or "", Outcome.SUCCESS)
    if refusal is not None:
        outcome = Outcome.DENIED
        event_type = EventType.ACTION_VETOED if event_type is EventType.ACTION_CONSENTED else event_type
    words = {ours: word for ours, theirs in WORDS.items() if (word := envelope.word(theirs)) is not None}
    named = {"id": envelope.id, "type": envelope.type, "time": envelope.time}
    webhook = {name: clean_text(value, WORD_CHARACTERS_MAX) for name, value in named.items() if value is not None}
    ip = envelope.word("ipAddress")
    return Draft(
        event_type=event_type,
        outcome=outcome,
        reason=refusal,
        subject=_subject(envelope, email_hash_key),
        authsignal=_action(envelope),
        # Where the person was, as Authsignal tells it; else the event is about the delivery, and has the sender's address.
        client=Client(ip=ip, device_id=envelope.word("deviceId"), country=envelope.word("countryCode")) if ip else None,
        data={"webhook": webhook, **words, **({} if _action(envelope) else _method(envelope))},
    )


def _subject(envelope: Envelope, email_hash_key: bytes) -> Subject | None:
    sub = envelope.word("userId")
    to = envelope.word("to") if envelope.type == EMAIL_CREATED else None
    email = envelope.word("email") or to
    if email is None and sub is None:
        return None
    return Subject(
        sub=sub if sub is not None and is_uuid(sub) else None,
        email_hash=email_hash(email, email_hash_key) if email is not None else None,
    )


def _action(envelope: Envelope) -> AuthsignalRef | None:
    code = envelope.word("actionCode") or envelope.word("action")
    if code is None or not is_action_code(code):
        return None
    rules = envelope.record.get("rules")
    ids = [rule.get("ruleId") for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
    return AuthsignalRef(
        action=code,
        idempotency_key=envelope.word("idempotencyKey"),
        state=envelope.word("state"),
        method=envelope.word("verificationMethod"),
        rule_ids=tuple(clean_text(one, WORD_CHARACTERS_MAX) for one in ids[:RECORDS_MAX] if isinstance(one, str)),
    )


def _method(envelope: Envelope) -> dict[str, str]:
    method = envelope.word("verificationMethod")
    return {"method": method} if method is not None else {}
