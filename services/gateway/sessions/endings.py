"""How sessions end at Cognito, and how one ends that must never have been."""

import structlog

from services.gateway.cognito.client import Cognito
from services.gateway.cognito.faults import CognitoRefused, CognitoUnreachable
from services.gateway.recorder import Recorder
from services.gateway.sessions.model import Session
from services.gateway.sessions.store import SessionStore
from shared.events import CognitoRef, Draft, EventType, Outcome, Subject
from shared.http.context import RequestContext

log = structlog.get_logger(__name__)


class Endings:
    """Ends sessions: here first, so that no copy of the gateway knows them any more, then at Cognito."""

    def __init__(self, *, store: SessionStore, cognito: Cognito, recorder: Recorder) -> None:
        self._store = store
        self._cognito = cognito
        self._recorder = recorder

    async def end(self, session: Session) -> str | None:
        """End a session; return Cognito's error where it did not revoke the tokens: here the session is over all the same."""
        await self._store.delete(session)
        return await self.revoke(session, session.refresh_token)

    async def revoke(self, session: Session, refresh_token: str) -> str | None:
        """Revoke tokens of a session at Cognito; return its error, or None."""
        try:
            await self._cognito.revoke(refresh_token)
        except CognitoRefused as refusal:
            log.warning("session.revoke_refused", session_ref=session.ref, code=refusal.code)
            return refusal.code
        except CognitoUnreachable as error:
            log.warning("session.revoke_failed", session_ref=session.ref, error=str(error))
            return "Unreachable"
        return None

    async def undo(self, context: RequestContext, session: Session) -> None:
        """End a session whose tokens must not be delivered, since the queue refused to record them."""
        error = await self.end(session)
        await self._recorder.announce(context, [revoked(session, reason="audit_unavailable", error=error)])


def revoked(session: Session, *, reason: str, error: str | None) -> Draft:
    """Return the event that a session was ended for it, and what Cognito said."""
    return Draft(
        event_type=EventType.SESSION_REVOKED,
        outcome=Outcome.SUCCESS if error is None else Outcome.ERROR,
        reason=reason,
        session_ref=session.ref,
        subject=subject_of(session),
        cognito=CognitoRef(operation="RevokeToken", error=error),
    )


def subject_of(session: Session) -> Subject:
    """Return whom an event about a session is about."""
    return Subject(sub=session.sub, email_hash=session.email_hash)
