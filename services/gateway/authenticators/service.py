"""
Changes of authenticators.

Rules: a change needs a factor proven within five minutes; the last one that signs its person in is never removed; the owner
is told of every change by mail. An enrolment is begun here, done in the browser with a token that may add one authenticator,
and completed here: what was added is found by comparing the list with what it was.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from msgspec import Struct

from services.gateway.limits import Limits
from services.gateway.notices import Notices
from services.gateway.recorder import Recorder
from services.gateway.sealing import Sealer
from services.gateway.sessions.model import Session
from services.gateway.sessions.service import Sessions
from shared.challenge_api import (
    ACTION_MANAGE_AUTHENTICATORS,
    METHODS,
    AuthenticatorAnswer,
    AuthenticatorRequest,
    AuthenticatorsAnswer,
    ChallengeService,
    EnrolRequest,
    PersonRequest,
    Verdict,
)
from shared.events import AuthsignalRef, Draft, EventType, Outcome, Subject
from shared.http.context import RequestContext
from shared.ids import uuid7
from shared.problems import (
    ActionBlocked,
    InvalidRequest,
    LastAuthenticator,
    NotConfirmedYet,
    NotFound,
    Problem,
    StepUpRequired,
)
from shared.state import StateStore

# Authsignal's token lives ten minutes, and so does the enrolment that it belongs to.
ENROLMENT_SECONDS: Final = 600
Listed = tuple[AuthenticatorAnswer, ...]


class Enrolment(Struct, frozen=True, kw_only=True):
    """One authenticator on its way: `known` are the ids that were there before."""

    id: str
    sub: str
    type: str
    idempotency_key: str
    expires_at: float
    known: tuple[str, ...]
    token: str


class AccountAuthenticators:
    """What handlers need of authenticators."""

    def __init__(
        self,
        *,
        challenges: ChallengeService,
        sessions: Sessions,
        recorder: Recorder,
        notices: Notices,
        limits: Limits,
        state: StateStore,
        sealer: Sealer,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._challenges = challenges
        self._sessions = sessions
        self._recorder = recorder
        self._notices = notices
        self._limits = limits
        self._state = state
        self._sealer = sealer
        self._clock = clock

    async def list(self, session: Session) -> Listed:
        """Return a person's authenticators."""
        return (await self._challenges.authenticators(PersonRequest(sub=session.sub))).authenticators

    async def begin(self, context: RequestContext, session: Session, method: str) -> Enrolment:
        """Begin to add an authenticator; the enrolment carries the Web SDK's token."""
        await self._require_fresh(context, session, EventType.AUTHENTICATOR_ENROLMENT_STARTED, method)
        if method not in METHODS:
            raise InvalidRequest(extensions={"errors": [{"field": "type", "message": "This method is not known."}]})
        await self._limits.check_enrolment(context, session.sub)
        known = await self.list(session)
        enrolment_id, key = str(uuid7()), str(uuid7())
        await self._record(context, session, EventType.AUTHENTICATOR_ENROLMENT_STARTED, Outcome.PENDING, method)
        request = EnrolRequest(
            attempt_id=enrolment_id,
            sub=session.sub,
            email=session.email,
            idempotency_key=key,
            client=context.client,
        )
        try:
            answer = await self._challenges.enrol(request)
        except Problem as problem:
            await self._record(
                context, session, EventType.AUTHENTICATOR_ENROLMENT_STARTED, Outcome.ERROR, method, reason=problem.code
            )
            raise
        if answer.verdict is not Verdict.CHALLENGED or answer.track_token is None:
            await self._record(context, session, EventType.AUTHENTICATOR_ENROLMENT_STARTED, Outcome.DENIED, method)
            raise ActionBlocked(answer.verdict.value)
        enrolment = Enrolment(
            id=enrolment_id,
            sub=session.sub,
            type=method,
            idempotency_key=key,
            expires_at=self._clock() + ENROLMENT_SECONDS,
            known=tuple(one.id for one in known),
            token=answer.track_token,
        )
        name = _key(enrolment_id)
        await self._state.put(name, self._sealer.seal(name, msgspec.json.encode(enrolment)), ttl_seconds=ENROLMENT_SECONDS)
        await self._record(context, session, EventType.AUTHENTICATOR_ENROLMENT_STARTED, Outcome.SUCCESS, method)
        return enrolment

    async def complete(self, context: RequestContext, session: Session, enrolment_id: str) -> Listed:
        """
        Note what an enrolment has added; return the list.

        Raises:
            NotFound: There is no such enrolment of this person, or it is over.
            NotConfirmedYet: Nothing was added yet.
        """
        name = _key(enrolment_id)
        sealed = await self._state.get(name)
        opened = self._sealer.open(name, sealed) if sealed is not None else None
        if opened is None:
            raise NotFound("enrolment")
        enrolment = msgspec.json.decode(opened, type=Enrolment)
        if enrolment.sub != session.sub:
            raise NotFound("another's enrolment")
        listed = await self.list(session)
        added = [one for one in listed if one.id not in enrolment.known]
        if not added:
            raise NotConfirmedYet("nothing added", detail="Nothing was added yet. Finish it in this browser first.")
        for one in added:
            await self._record(
                context, session, EventType.AUTHENTICATOR_ADDED, Outcome.SUCCESS, one.method, authenticator_id=one.id
            )
            await self._notices.authenticator_added(session, one.method)
        # Last: should anything above fail, the enrolment can be completed again.
        await self._state.delete(name)
        return listed

    async def rename(self, context: RequestContext, session: Session, authenticator_id: str, name: str) -> Listed:
        """Give an authenticator a name of one's own; return the list."""
        one = await self._one(session, authenticator_id)
        await self._require_fresh(context, session, EventType.AUTHENTICATOR_RENAMED, one.method, authenticator_id=one.id)
        request = AuthenticatorRequest(sub=session.sub, authenticator_id=one.id, name=name, client=context.client)
        return await self._change(
            context, session, EventType.AUTHENTICATOR_RENAMED, one, self._challenges.rename_authenticator, request
        )

    async def remove(self, context: RequestContext, session: Session, authenticator_id: str) -> Listed:
        """
        Remove an authenticator; return the list.

        Raises:
            LastAuthenticator: Nothing would be left to sign in with.
            Conflict: Another removal of this person's is under way.
        """
        one = await self._one(session, authenticator_id)
        await self._require_fresh(context, session, EventType.AUTHENTICATOR_REMOVED, one.method, authenticator_id=one.id)
        request = AuthenticatorRequest(sub=session.sub, authenticator_id=one.id, client=context.client)
        listed = await self._change(
            context, session, EventType.AUTHENTICATOR_REMOVED, one, self._challenges.remove_authenticator, request
        )
        await self._notices.authenticator_removed(session, one.method)
        return listed

    async def _one(self, session: Session, authenticator_id: str) -> AuthenticatorAnswer:
        for one in await self.list(session):
            if one.id == authenticator_id:
                return one
        raise NotFound("authenticator")

    async def _require_fresh(
        self,
        context: RequestContext,
        session: Session,
        event_type: EventType,
        method: str,
        *,
        authenticator_id: str | None = None,
    ) -> None:
        try:
            self._sessions.require_fresh(session)
        except StepUpRequired as problem:
            # Somebody with an old session tries to change how its owner signs in: worth knowing, whoever it was.
            await self._record(
                context,
                session,
                event_type,
                Outcome.DENIED,
                method,
                authenticator_id=authenticator_id,
                reason=problem.code,
            )
            raise

    async def _change(
        self,
        context: RequestContext,
        session: Session,
        event_type: EventType,
        one: AuthenticatorAnswer,
        call: Callable[[AuthenticatorRequest], Awaitable[AuthenticatorsAnswer]],
        request: AuthenticatorRequest,
    ) -> Listed:
        await self._record(context, session, event_type, Outcome.PENDING, one.method, authenticator_id=one.id)
        try:
            answer = await call(request)
        except Problem as problem:
            outcome = Outcome.DENIED if isinstance(problem, LastAuthenticator) else Outcome.ERROR
            await self._record(context, session, event_type, outcome, one.method, authenticator_id=one.id, reason=problem.code)
            raise
        await self._record(context, session, event_type, Outcome.SUCCESS, one.method, authenticator_id=one.id)
        return answer.authenticators

    async def _record(
        self,
        context: RequestContext,
        session: Session,
        event_type: EventType,
        outcome: Outcome,
        method: str,
        *,
        authenticator_id: str | None = None,
        reason: str | None = None,
    ) -> None:
        await self._recorder.record(
            context,
            Draft(
                event_type=event_type,
                outcome=outcome,
                reason=reason,
                session_ref=session.ref,
                subject=Subject(sub=session.sub, email_hash=session.email_hash),
                authsignal=AuthsignalRef(action=ACTION_MANAGE_AUTHENTICATORS, method=method),
                data={"authenticator_id": authenticator_id} if authenticator_id is not None else {},
            ),
        )


def _key(enrolment_id: str) -> str:
    return f"enrolment:{enrolment_id}"
