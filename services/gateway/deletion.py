"""
The end of an account, asked for by its owner.

Rules: it needs a factor proven within five minutes, as changes of authenticators do. That proof, and not a grant of its own: a
grant is spent by its first use, and a deletion that broke half-way must be asked for again, when Authsignal may no longer know
whom to challenge. The owner is told by mail.

Order: other sessions, then the person at Authsignal, then the account at Cognito, then the session that asked. As long as
anything is left, so is the account: whoever asks again, in this session or after another sign-in by e-mail code, finishes it,
and no step minds that it was done before.
"""

from typing import Final

from services.gateway.cognito.directory import Directory
from services.gateway.cognito.faults import CognitoRefused, CognitoUnreachable
from services.gateway.notices import Notices
from services.gateway.recorder import Recorder
from services.gateway.sessions.endings import subject_of
from services.gateway.sessions.model import Session
from services.gateway.sessions.service import Sessions
from shared.challenge_api import ChallengeService, PersonRequest
from shared.events import CognitoRef, Draft, EventType, Outcome
from shared.http.context import RequestContext
from shared.problems import Problem, StepUpRequired

OPERATION: Final = "AdminDeleteUser"
REASON: Final = "account_deleted"


class AccountDeletion:
    """Deletes accounts."""

    def __init__(
        self,
        *,
        challenges: ChallengeService,
        directory: Directory,
        sessions: Sessions,
        recorder: Recorder,
        notices: Notices,
    ) -> None:
        self._challenges = challenges
        self._directory = directory
        self._sessions = sessions
        self._recorder = recorder
        self._notices = notices

    async def delete(self, context: RequestContext, session: Session) -> None:
        """
        Delete the account of a session, and end all its sessions.

        Raises:
            StepUpRequired: The last proof is too long ago; nothing was done.
            Problem: Authsignal or Cognito did not go along: this session lives on, so that its person can ask again.
            AuditUnavailable: It could not be recorded; as long as this session lives its person can ask again.
        """
        await self._require_fresh(context, session)
        await self._recorder.record(context, _draft(session, Outcome.PENDING))
        await self._sessions.revoke_others(context, session, reason=REASON)
        try:
            await self._challenges.remove_person(PersonRequest(sub=session.sub))
            await self._delete_at_cognito(session)
        except Problem as problem:
            await self._recorder.record(context, _draft(session, Outcome.ERROR, reason=problem.reason or problem.code))
            raise
        # The account is gone. Should the queue refuse now, this session is still there, and a repeat finds all done but this.
        await self._sessions.revoke_everywhere(context, session, _draft(session, Outcome.SUCCESS), reason=REASON)
        await self._notices.account_deleted(session)

    async def _require_fresh(self, context: RequestContext, session: Session) -> None:
        try:
            self._sessions.require_fresh(session)
        except StepUpRequired as problem:
            # Somebody with an old session tries to take the account away from its owner: worth knowing, whoever it was.
            await self._recorder.record(context, _draft(session, Outcome.DENIED, reason=problem.code))
            raise

    async def _delete_at_cognito(self, session: Session) -> None:
        try:
            await self._directory.delete(session.sub, session.email_hash)
        except (CognitoRefused, CognitoUnreachable) as fault:
            raise fault.problem() from fault


def _draft(session: Session, outcome: Outcome, *, reason: str | None = None) -> Draft:
    return Draft(
        event_type=EventType.ACCOUNT_USER_DELETED,
        outcome=outcome,
        reason=reason,
        session_ref=session.ref,
        subject=subject_of(session),
        cognito=CognitoRef(operation=OPERATION),
    )
