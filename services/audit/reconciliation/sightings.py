"""
From events to sightings: what an event of ours says about a provider, and what an event that carries a provider's record says.

Authsignal's records bear the idempotency key that we gave the action: it is the key, whatever the time. Cognito's bear nothing
of ours: a sign-in is matched by account and time.
"""

from datetime import UTC, datetime
from typing import Any, Final

from services.audit.detections.model import Record, subject_of
from services.audit.reconciliation.matching import Sighting
from shared.events import Event, EventType, Outcome

AUTHSIGNAL: Final = "authsignal"
COGNITO: Final = "cognito"
SOURCES: Final = (AUTHSIGNAL, COGNITO)
ACTION: Final = "action"
SIGN_IN: Final = "sign_in"
SIGN_UP: Final = "sign_up"

# What Authsignal's webhooks tell of an action, when it asks for our consent and in its log, and what was imported.
_OF_WEBHOOKS: Final = frozenset({EventType.ACTION_LOGGED, EventType.ACTION_CONSENTED})
THEIRS: Final = _OF_WEBHOOKS | {EventType.PROVIDER_RECORD_IMPORTED}
# What the challenge service, which alone speaks to Authsignal, tells of an action that is there.
_OF_ACTIONS: Final = frozenset(
    {
        EventType.ACTION_TRACKED,
        EventType.ACTION_VALIDATED,
        EventType.CHALLENGE_SENT,
        EventType.CHALLENGE_RESENT,
        EventType.CHALLENGE_VERIFIED,
        EventType.CHALLENGE_REJECTED,
        EventType.CHALLENGE_CLAIMED,
        EventType.PASSKEY_ASSERTED,
        EventType.SIGN_IN_SUCCEEDED,
    }
)
# The same where Authsignal may have a record and need not: nothing is missed, and nothing of theirs is a surprise.
_OF_MAYBE: Final = frozenset(
    {
        EventType.SIGN_IN_STARTED,
        EventType.SIGN_IN_DECOYED,
        EventType.SIGN_IN_BLOCKED,
        EventType.SIGN_IN_UNDER_REVIEW,
        EventType.SIGN_IN_FAILED,
        EventType.CHALLENGE_REQUESTED,
        EventType.CHALLENGE_ANSWERED,
        EventType.PROVIDER_CALL_FAILED,
    }
)
OURS: Final = _OF_ACTIONS | _OF_MAYBE | {EventType.SESSION_CREATED, EventType.ACCOUNT_USER_CREATED}
_LETTING_IN: Final = frozenset({"ALLOW", "CHALLENGE_SUCCEEDED", "REVIEW_SUCCEEDED"})
_SPEAKS_TO_AUTHSIGNAL: Final = "challenge"


def ours_of(record: Record) -> list[Sighting]:
    """Return what an event of ours says about the providers."""
    event = record.event
    made = []
    reference = event.authsignal
    if reference is not None and reference.idempotency_key and event.producer.service == _SPEAKS_TO_AUTHSIGNAL:
        key, is_sure = reference.idempotency_key, event.event_type in _OF_ACTIONS
        made.append(_sighting(record, AUTHSIGNAL, ACTION, key, key)._replace(lets_in=is_sure))
    kind = _at_cognito(event)
    if kind is not None and event.subject is not None and event.subject.sub:
        made.append(_sighting(record, COGNITO, kind, f"{kind} {event.subject.sub}", event.event_id))
    return made


def theirs_of(record: Record) -> Sighting | None:
    """
    Return what an event that carries a provider's record says; None when nothing of ours can be expected to stand beside it.

    The only place that knows how such an event looks. Key and state are taken from the event's reference to the action, and
    else from `data`, under either spelling.
    """
    event = record.event
    if event.event_type is EventType.PROVIDER_RECORD_IMPORTED:
        return _imported(record, event.data)
    if event.event_type not in _OF_WEBHOOKS:
        return None
    data, reference = event.data, event.authsignal
    key = (reference.idempotency_key if reference else None) or _text(data, "idempotency_key", "idempotencyKey")
    if key is None:
        return None
    state = (reference.state if reference else None) or _text(data, "state")
    return Sighting(
        AUTHSIGNAL,
        key,
        ACTION,
        _time(_text(data, "created_at", "createdAt", "verified_at", "occurred_at")) or event.occurred_at,
        key,
        record.recorded_at,
        subject_of(event) or _text(data, "user_id", "userId"),
        event.client.ip if event.client is not None else None,
        state in _LETTING_IN,
    )


def _imported(record: Record, data: dict[str, Any]) -> Sighting | None:
    event = record.event
    source, kind, ref = _text(data, "source"), _text(data, "kind"), _text(data, "record_id")
    subject, at = subject_of(event), _time(_text(data, "occurred_at"))
    if source is None or kind is None or ref is None or subject is None or at is None:
        return None
    ip = event.client.ip if event.client is not None else None
    return Sighting(source, f"{kind} {subject}", kind, at, ref, record.recorded_at, subject, ip)


def _at_cognito(event: Event) -> str | None:
    if event.event_type is EventType.ACCOUNT_USER_CREATED:
        return SIGN_UP
    # A session stands for tokens that the gateway fetched; an app that fetches its own tells the challenge service.
    is_direct = event.event_type is EventType.SIGN_IN_SUCCEEDED and event.producer.service == _SPEAKS_TO_AUTHSIGNAL
    if event.outcome is Outcome.SUCCESS and (event.event_type is EventType.SESSION_CREATED or is_direct):
        return SIGN_IN
    return None


def _sighting(record: Record, source: str, kind: str, key: str, ref: str) -> Sighting:
    event = record.event
    ip = event.client.ip if event.client is not None else None
    return Sighting(source, key, kind, event.occurred_at, ref, record.recorded_at, subject_of(event), ip)


def _text(data: dict[str, Any], *names: str) -> str | None:
    return next((value for name in names if isinstance(value := data.get(name), str) and value), None)


def _time(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
