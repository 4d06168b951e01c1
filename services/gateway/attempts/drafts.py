"""How an attempt looks in an event, and to the challenge service."""

import time
from typing import Final

import msgspec

from services.gateway.attempts.model import Attempt, AttemptKind
from shared.events import AuthsignalRef, Client, Draft, EventType, Outcome, Subject
from shared.http.context import RequestContext

REJECTED: Final = {
    AttemptKind.SIGN_UP: EventType.SIGN_UP_REJECTED,
    AttemptKind.SIGN_IN: EventType.SIGN_IN_FAILED,
    AttemptKind.STEP_UP: EventType.STEP_UP_FAILED,
}


def client_of(context: RequestContext, attempt: Attempt) -> Client:
    """Return the request's client with the device that the attempt was begun on."""
    return msgspec.structs.replace(context.client, device_id=attempt.device_id)


def draft_of(attempt: Attempt, event_type: EventType, outcome: Outcome, *, reason: str | None = None) -> Draft:
    """Return an event about an attempt."""
    return Draft(
        event_type=event_type,
        outcome=outcome,
        reason=reason,
        attempt_id=attempt.id,
        subject=Subject(sub=attempt.sub, email_hash=attempt.email_hash or None),
        authsignal=AuthsignalRef(action=attempt.action, idempotency_key=attempt.idempotency_key, method=attempt.method),
    )


def rfc3339(seconds: float) -> str:
    """Return Unix seconds as RFC 3339 text in UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
