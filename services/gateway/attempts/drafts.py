"""How an attempt looks in an event, and to the challenge service."""

import time

import msgspec

from services.gateway.attempts.model import Attempt, AttemptKind
from shared.challenge_api import ACTION_SIGN_IN, ACTION_SIGN_UP
from shared.events import AuthsignalRef, Client, Draft, EventType, Outcome, Subject
from shared.http.context import RequestContext


def action_of(attempt: Attempt) -> str:
    """Return the Authsignal action of an attempt."""
    return ACTION_SIGN_UP if attempt.kind is AttemptKind.SIGN_UP else ACTION_SIGN_IN


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
        subject=Subject(sub=attempt.sub, email_hash=attempt.email_hash),
        authsignal=AuthsignalRef(action=action_of(attempt), idempotency_key=attempt.idempotency_key, method=attempt.method),
    )


def rfc3339(seconds: float) -> str:
    """Return Unix seconds as RFC 3339 text in UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
