"""
What direct clients may do to their account: list, add and remove factors, approve payments.

Every change has the same spine as everywhere: record that it begins; act upstream; record how it ended; answer.
"""

from typing import Any, Final
from uuid import uuid4

from msgspec.structs import replace

from services.gateway.direct.callers import DirectCallers
from services.gateway.recorder import Recorder
from shared.challenge_api import Verdict
from shared.cognito_tokens import Claims
from shared.direct_api import (
    ACTION_ADD_AUTHENTICATOR,
    ACTION_AUTHORIZE_PAYMENT,
    SCOPE_ADD,
    AuthenticatorsAnswer,
    DirectService,
    PersonRequest,
    ProveRequest,
    Removal,
    RemovalRequest,
    TrackAnswer,
    TrackRequest,
)
from shared.events import AuthsignalRef, Draft, EventType, Outcome, Subject
from shared.http.context import RequestContext
from shared.problems import ActionBlocked, AttemptFailed, Conflict, LastAuthenticator, NotFound, Problem, StepUpRequired

Context = dict[str, str]

_NOT_CONFIRMED: Final = "We could not confirm this payment. Start again to approve it."
_BLOCKED: Final = "This was stopped for your safety. Contact support if this was you."


class DirectAccounts:
    """Everything that the handlers of ``/v1/direct`` need."""

    def __init__(self, *, callers: DirectCallers, service: DirectService, recorder: Recorder) -> None:
        self._callers = callers
        self._service = service
        self._recorder = recorder

    async def authenticators(self, authorization: str | None) -> AuthenticatorsAnswer:
        """Return the caller's factors, in Authsignal's own shape."""
        claims = await self._callers.reader(authorization)
        return await self._service.authenticators(PersonRequest(sub=claims.sub))

    async def begin_enrolment(self, context: RequestContext, authorization: str | None) -> str:
        """
        Return a token with which the Web SDK may add a factor.

        Raises:
            StepUpRequired: No factor was proven within the last minutes.
            ActionBlocked: The rules said no.
        """
        claims = await self._callers.writer(context, authorization)
        begun = _draft(claims, EventType.AUTHENTICATOR_ENROLMENT_STARTED, ACTION_ADD_AUTHENTICATOR)
        await self._begin(context, begun, claims, needs_fresh=True)
        answer = await self._track(context, begun, claims, ACTION_ADD_AUTHENTICATOR, scope=SCOPE_ADD)
        if answer.token is None:
            await self._end(context, begun, Outcome.DENIED, answer.verdict.value)
            raise ActionBlocked(detail=_BLOCKED)
        await self._end(context, begun, Outcome.SUCCESS)
        return answer.token

    async def remove(self, context: RequestContext, authorization: str | None, authenticator_id: str) -> None:
        """
        Remove one of the caller's factors.

        Raises:
            StepUpRequired: No factor was proven within the last minutes.
            LastAuthenticator: Nothing to sign in with would be left.
            NotFound: The caller has no such factor.
            Conflict: Another removal is under way.
        """
        claims = await self._callers.writer(context, authorization)
        begun = _draft(claims, EventType.AUTHENTICATOR_REMOVED, None, authenticator_id=authenticator_id)
        await self._begin(context, begun, claims, needs_fresh=True)
        try:
            answer = await self._service.remove(RemovalRequest(sub=claims.sub, authenticator_id=authenticator_id))
        except Problem as problem:
            await self._end(context, begun, Outcome.ERROR, problem.code)
            raise
        if answer.removal is Removal.REMOVED:
            await self._end(context, begun, Outcome.SUCCESS, method=answer.method)
            return
        refused = {Removal.LAST: LastAuthenticator, Removal.UNKNOWN: NotFound, Removal.BUSY: Conflict}[answer.removal]
        outcome = Outcome.DENIED if answer.removal is Removal.LAST else Outcome.FAILURE
        await self._end(context, begun, outcome, refused.code)
        raise refused(answer.removal.value)

    async def authorize_payment(self, context: RequestContext, authorization: str | None, payment: Context) -> str:
        """
        Return a token with which the Web SDK lets the caller approve this payment, and no other.

        Raises:
            ActionBlocked: The rules said no, or the caller has no factor to approve with.
        """
        claims = await self._callers.writer(context, authorization)
        begun = _draft(claims, EventType.STEP_UP_REQUESTED, ACTION_AUTHORIZE_PAYMENT)
        await self._begin(context, begun, claims)
        answer = await self._track(context, begun, claims, ACTION_AUTHORIZE_PAYMENT, about=payment)
        data = {"context_hash": answer.context_hash}
        if answer.token is None:
            blocked = replace(begun, event_type=EventType.STEP_UP_BLOCKED)
            await self._end(context, blocked, Outcome.DENIED, answer.verdict.value, **data)
            raise ActionBlocked(detail=_BLOCKED)
        is_allowed = answer.verdict is Verdict.ALLOWED
        event_type = EventType.STEP_UP_ALLOWED if is_allowed else EventType.STEP_UP_CHALLENGED
        await self._end(context, replace(begun, event_type=event_type), Outcome.SUCCESS, **data)
        return answer.token

    async def confirm_payment(self, context: RequestContext, authorization: str | None, token: str, payment: Context) -> None:
        """
        Return when the token proves that the caller approved this very payment, and nobody has used that proof yet.

        Raises:
            AttemptFailed: It does not; why not is only in the log.
            ActionBlocked: The rules said no, or wait for a review.
        """
        claims = await self._callers.writer(context, authorization)
        begun = _draft(claims, EventType.STEP_UP_CONSUMED, ACTION_AUTHORIZE_PAYMENT)
        await self._begin(context, begun, claims)
        request = ProveRequest(
            attempt_id=begun.attempt_id or "",
            sub=claims.sub,
            action=ACTION_AUTHORIZE_PAYMENT,
            token=token,
            context=payment,
            client=context.client,
        )
        try:
            answer = await self._service.prove(request)
        except Problem as problem:
            await self._end(context, begun, Outcome.ERROR, problem.code)
            raise
        data = {"context_hash": answer.context_hash}
        if answer.verdict is Verdict.VERIFIED:
            await self._end(context, begun, Outcome.SUCCESS, method=answer.method, **data)
            return
        failed = replace(begun, event_type=EventType.STEP_UP_FAILED)
        if answer.verdict is Verdict.REJECTED:
            await self._end(context, failed, Outcome.FAILURE, answer.failure or "not_approved", **data)
            raise AttemptFailed(answer.failure, detail=_NOT_CONFIRMED)
        await self._end(
            context, replace(begun, event_type=EventType.STEP_UP_BLOCKED), Outcome.DENIED, answer.verdict.value, **data
        )
        raise ActionBlocked(detail=_BLOCKED)

    async def _track(
        self,
        context: RequestContext,
        begun: Draft,
        claims: Claims,
        action: str,
        *,
        scope: str | None = None,
        about: Context | None = None,
    ) -> TrackAnswer:
        request = TrackRequest(
            attempt_id=begun.attempt_id or "",
            sub=claims.sub,
            action=action,
            scope=scope,
            context=about or {},
            client=context.client,
        )
        try:
            return await self._service.track(request)
        except Problem as problem:
            await self._end(context, begun, Outcome.ERROR, problem.code)
            raise

    async def _begin(self, context: RequestContext, begun: Draft, claims: Claims, *, needs_fresh: bool = False) -> None:
        if needs_fresh:
            try:
                self._callers.require_fresh(claims)
            except StepUpRequired as problem:
                await self._end(context, begun, Outcome.DENIED, problem.code)
                raise
        await self._recorder.record(context, begun)

    async def _end(
        self, context: RequestContext, begun: Draft, outcome: Outcome, reason: str | None = None, **data: str | None
    ) -> None:
        told = {name: value for name, value in data.items() if value is not None}
        ended = replace(begun, outcome=outcome, reason=reason, data={**begun.data, **told})
        await self._recorder.record(context, ended)


def _draft(claims: Claims, event_type: EventType, action: str | None, **data: Any) -> Draft:
    return Draft(
        event_type=event_type,
        outcome=Outcome.PENDING,
        attempt_id=str(uuid4()),
        session_ref=claims.origin_jti,
        subject=Subject(sub=claims.sub),
        authsignal=AuthsignalRef(action=action) if action is not None else None,
        data={"client": "direct", **data},
    )
