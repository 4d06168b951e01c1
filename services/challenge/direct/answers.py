"""
Check the answer of a sign-in, for Cognito's Verify trigger.

Somebody whom nobody knows is never right, and learns it after about as long as everybody else.
"""

import asyncio
from typing import Any, Final

from services.challenge.authsignal.provider import Authsignal
from services.challenge.direct import policy
from services.challenge.direct.bodies import AnswerRequest, AnswerVerdict
from services.challenge.direct.deadline import within
from services.challenge.direct.policy import Refusal
from services.challenge.direct.recording import SignInRecorder
from services.challenge.proofs import BURN_SECONDS
from shared.audit_trail import AuditUnavailable, now_utc
from shared.challenge_api import Verdict
from shared.direct_api import ACTION_SIGN_IN
from shared.events import EventType, normal_address
from shared.http.context import RequestContext
from shared.problems import Problem
from shared.state import StateStore
from shared.veil import Veil

TOKEN_CHARACTERS_MIN: Final = 16
# What an event says of a proof: the recorder's ``state``, ``method`` and ``proof_key``.
About = dict[str, Any]

_WRONG: Final = (EventType.CHALLENGE_REJECTED, Verdict.REJECTED)
_EVENTS: Final = {
    Refusal.MISMATCHED: (EventType.ACTION_MISMATCHED, Verdict.REJECTED),
    Refusal.REPLAYED: (EventType.TOKEN_REPLAYED, Verdict.REJECTED),
    Refusal.REVIEW: (EventType.SIGN_IN_UNDER_REVIEW, Verdict.REVIEW),
    Refusal.BLOCKED: (EventType.SIGN_IN_BLOCKED, Verdict.BLOCKED),
}


class DirectAnswers:
    """
    Answers that come through the direct client.

    Args:
        seconds_max: Deadline of what Authsignal is asked within one call. Cognito waits 5 s and the triggers 4.
    """

    def __init__(
        self,
        *,
        provider: Authsignal,
        recorder: SignInRecorder,
        state: StateStore,
        veil: Veil,
        seconds_max: float,
    ) -> None:
        self._provider = provider
        self._recorder = recorder
        self._state = state
        self._veil = veil
        self._seconds_max = seconds_max

    async def check(self, request: AnswerRequest, context: RequestContext) -> AnswerVerdict:
        """
        Say whether an answer is right; the proof of a right one is burned.

        Cognito may repeat this very call. The burn carries the challenge's id, so the repeated call is answered as the first
        was, and every other use of the same proof is refused.

        Raises:
            ProviderBusy, ProviderError, AuditUnavailable: The trigger takes it for a wrong answer, and nothing is burned.
        """
        began = self._veil.begin()
        try:
            attempt_id = request.idempotency_key
            await self._recorder.record(request, attempt_id, context, EventType.CHALLENGE_ANSWERED, Verdict.PENDING)
            refused, about = await self._judged(request, context)
            if refused is None:
                refused = await self._spend(request, context, about)
            if refused is not None:
                await self._refuse(request, context, refused, about)
        finally:
            await self._veil.settle(began, is_decoy=request.sub is None)
        return AnswerVerdict(is_correct=refused is None)

    async def _judged(self, request: AnswerRequest, context: RequestContext) -> tuple[Refusal | None, About]:
        if request.sub is None:
            return Refusal.UNKNOWN, {}
        if len(request.answer) < TOKEN_CHARACTERS_MIN:
            return Refusal.NOT_A_TOKEN, {}
        try:
            async with within(self._seconds_max):
                return await self._validated(request, request.sub)
        except Problem as problem:
            await self._recorder.record_fault(request, request.idempotency_key, context, problem)
            raise

    async def _validated(self, request: AnswerRequest, sub: str) -> tuple[Refusal | None, About]:
        validated = await self._provider.validate(request.answer, user_id=sub, action=ACTION_SIGN_IN)
        about = {
            "state": validated.state,
            "method": validated.verification_method,
            "proof_key": validated.idempotency_key,
        }
        refused = policy.refusal(validated, sub=sub, idempotency_key=request.idempotency_key, now=now_utc())
        if refused is None and not request.is_email_verified and not await self._owns_address(sub, request.email):
            refused = Refusal.ADDRESS_UNPROVEN
        return refused, about

    async def _owns_address(self, sub: str, address: str) -> bool:
        if policy.knows_address(await self._provider.user_details(sub), address):
            return True
        if not policy.proves_address(await self._provider.authenticators(sub), address):
            return False
        # Remembered at Authsignal, so that the person may later remove the mailbox and keep a passkey.
        await self._provider.confirm_email(sub, normal_address(address))
        return True

    async def _spend(self, request: AnswerRequest, context: RequestContext, about: About) -> Refusal | None:
        name = f"proof:{request.sub}:{ACTION_SIGN_IN}:{about['proof_key']}"
        holder = request.challenge_id.encode()
        is_burned = await self._state.add(name, holder, ttl_seconds=BURN_SECONDS)
        if not is_burned and await self._state.get(name) != holder:
            return Refusal.REPLAYED
        attempt_id = request.idempotency_key
        try:
            # At once, so that they share a message; in this order.
            await asyncio.gather(
                self._recorder.record(request, attempt_id, context, EventType.ACTION_VALIDATED, Verdict.VERIFIED, **about),
                self._recorder.record(request, attempt_id, context, EventType.SIGN_IN_SUCCEEDED, Verdict.VERIFIED, **about),
            )
        except AuditUnavailable:
            # Nothing is delivered, so nothing is spent: the same proof may be shown again.
            await self._state.delete(name)
            raise
        return None

    async def _refuse(self, request: AnswerRequest, context: RequestContext, refused: Refusal, about: About) -> None:
        event_type, verdict = _EVENTS.get(refused, _WRONG)
        attempt_id = request.idempotency_key
        await self._recorder.record(request, attempt_id, context, event_type, verdict, reason=refused.value, **about)
        if request.round >= policy.ROUNDS_MAX:
            reason = "too_many_wrong_answers"
            failed = EventType.SIGN_IN_FAILED
            await self._recorder.record(request, attempt_id, context, failed, Verdict.REJECTED, reason=reason, **about)
