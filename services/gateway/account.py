"""One's own account: read it, and change the name it shows."""

from services.gateway.cognito.client import Cognito
from services.gateway.cognito.directory import Account, Directory
from services.gateway.cognito.faults import CognitoRefused, CognitoUnreachable
from services.gateway.recorder import Recorder
from services.gateway.sessions.model import Session
from services.gateway.sessions.refresh import Refresh
from services.gateway.sessions.service import Sessions
from shared.events import CognitoRef, Draft, EventType, Outcome, Subject
from shared.http.context import RequestContext


class Accounts:
    """What handlers need of accounts."""

    def __init__(
        self, *, cognito: Cognito, directory: Directory, sessions: Sessions, refresh: Refresh, recorder: Recorder
    ) -> None:
        self._cognito = cognito
        self._directory = directory
        self._sessions = sessions
        self._refresh = refresh
        self._recorder = recorder

    async def read(self, session: Session) -> Account | None:
        """Return the account of a session as Cognito has it now."""
        try:
            return await self._directory.look_up(session.sub)
        except (CognitoRefused, CognitoUnreachable) as fault:
            raise fault.problem() from fault

    async def rename(self, context: RequestContext, session: Session, display_name: str) -> Session:
        """Change the name at Cognito and in the session; return the session."""
        await self._recorder.record(context, _draft(session, Outcome.PENDING, None))
        try:
            session = await self._refresh.with_fresh_tokens(context, session)
            await self._cognito.change_name(session.access_token, display_name)
        except (CognitoRefused, CognitoUnreachable) as fault:
            error = fault.code if isinstance(fault, CognitoRefused) else "Unreachable"
            await self._recorder.record(context, _draft(session, Outcome.ERROR, error))
            raise fault.problem() from fault
        session = await self._sessions.change(session, display_name=display_name)
        await self._recorder.record(context, _draft(session, Outcome.SUCCESS, None))
        return session


def _draft(session: Session, outcome: Outcome, error: str | None) -> Draft:
    return Draft(
        event_type=EventType.ACCOUNT_PROFILE_CHANGED,
        outcome=outcome,
        session_ref=session.ref,
        subject=Subject(sub=session.sub, email_hash=session.email_hash),
        cognito=CognitoRef(operation="UpdateUserAttributes", error=error),
        data={"fields": ["display_name"]},
    )
