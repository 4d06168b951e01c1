"""
The four calls of the challenge service.

Each makes its provider calls, decides by `policy`, and records what came of it before it answers. The opening event of every
story is the gateway's, written before it calls here; so a call that dies half-way still shows as begun and not ended.
"""

from datetime import UTC, datetime
from typing import Any, Final

from services.challenge import policy
from services.challenge.assertions import AssertionMint, Purpose
from services.challenge.authsignal.answers import Validated
from services.challenge.authsignal.provider import Authsignal
from shared.audit_trail import AuditTrail
from shared.challenge_api import (
    ACTION_SIGN_UP,
    METHOD_EMAIL_OTP,
    ChallengeAnswer,
    ChallengeRequest,
    ClaimRequest,
    CompleteRequest,
    ProofAnswer,
    Verdict,
    VerifyRequest,
)
from shared.events import AuthsignalRef, Client, Draft, EventType, Outcome, Subject, email_hash, normal_address
from shared.http.context import RequestContext
from shared.ids import uuid7
from shared.problems import Problem
from shared.state import StateStore

# A proof is burned for longer than any token of it can live: Authsignal's tokens live 10 minutes, up to 60 by setting.
BURN_SECONDS: Final = 2 * 3600
TOKEN_REPLAYED: Final = "TOKEN_REPLAYED"

AnyRequest = ChallengeRequest | VerifyRequest | ClaimRequest | CompleteRequest

_OUTCOMES: Final = {
    Verdict.CHALLENGED: Outcome.SUCCESS,
    Verdict.VERIFIED: Outcome.SUCCESS,
    Verdict.REJECTED: Outcome.FAILURE,
    Verdict.REVIEW: Outcome.PENDING,
    Verdict.BLOCKED: Outcome.DENIED,
}


class Challenges:
    """Everything that the handlers need, built once per process."""

    def __init__(
        self, *, provider: Authsignal, trail: AuditTrail, state: StateStore, mint: AssertionMint, email_hash_key: bytes
    ) -> None:
        self._provider = provider
        self._trail = trail
        self._state = state
        self._mint = mint
        self._email_hash_key = email_hash_key

    async def challenge(self, request: ChallengeRequest, context: RequestContext) -> ChallengeAnswer:
        """Track the action of a known person, and send a code where this service can."""
        try:
            answer, state, rules = await self._challenge(request)
        except Problem as problem:
            await self._record_fault(request, context, problem)
            raise
        is_sent = answer.challenge_id is not None
        event_type = EventType.ACTION_TRACKED
        if is_sent:
            event_type = EventType.CHALLENGE_RESENT if request.is_resend else EventType.CHALLENGE_SENT
        method = request.method if is_sent else None
        await self._record(request, context, event_type, answer.verdict, state=state, method=method, rule_ids=rules)
        return answer

    async def verify(self, request: VerifyRequest, context: RequestContext) -> ProofAnswer:
        """Check a code; for a known person also claim, validate and assert."""
        try:
            verified = await self._provider.verify(request.challenge_id, request.code)
            is_own_address = verified.email is None or normal_address(verified.email) == normal_address(request.email)
            if verified.is_verified and not is_own_address:
                # The challenge was made for another address than this attempt's: the proof is somebody else's.
                answer, state = ProofAnswer(verdict=Verdict.REJECTED, failure=policy.Mismatch.MISMATCHED.value), None
            elif not verified.is_verified:
                answer, state = ProofAnswer(verdict=Verdict.REJECTED, failure=verified.failure_reason), None
            elif request.sub is None:
                answer, state = self._address_proof(request), None
            else:
                answer, state = await self._claim_and_prove(request, request.sub)
        except Problem as problem:
            await self._record_fault(request, context, problem)
            raise
        await self._record_proof(request, context, answer, EventType.CHALLENGE_VERIFIED, state)
        return answer

    async def claim(self, request: ClaimRequest, context: RequestContext) -> ProofAnswer:
        """Tie a proven sign-up to its account. The rules see it first: a blocked sign-up gets no assertion."""
        try:
            tracked = await self._provider.track(request.sub, request.action, self._attributes(request, request.email))
            verdict = policy.after_track(tracked.state)
            if verdict is Verdict.CHALLENGED:
                answer, state = await self._claim_and_prove(request, request.sub)
                await self._ensure_enrolled(request.sub, request.email)
            else:
                answer, state = ProofAnswer(verdict=verdict), tracked.state
        except Problem as problem:
            await self._record_fault(request, context, problem)
            raise
        await self._record_proof(request, context, answer, EventType.CHALLENGE_CLAIMED, state)
        return answer

    async def complete(self, request: CompleteRequest, context: RequestContext) -> ProofAnswer:
        """Validate the token that the Web SDK earned for this attempt."""
        try:
            answer, state = await self._prove(request, request.sub, request.token)
        except Problem as problem:
            await self._record_fault(request, context, problem)
            raise
        await self._record_proof(request, context, answer, EventType.ACTION_VALIDATED, state)
        return answer

    async def _challenge(self, request: ChallengeRequest) -> tuple[ChallengeAnswer, str | None, tuple[str, ...]]:
        state: str | None = None
        token: str | None = None
        rules: tuple[str, ...] = ()
        ruling = Verdict.CHALLENGED
        methods: tuple[str, ...] = (METHOD_EMAIL_OTP,)
        if request.sub is not None and not request.is_resend:
            tracked = await self._provider.track(request.sub, request.action, self._attributes(request, request.email))
            state, rules = tracked.state, tracked.rule_ids
            methods = policy.offered_methods(tracked)
            token = tracked.token if tracked.is_enrolled else None
            ruling = policy.after_track(tracked.state)
        if ruling is not Verdict.CHALLENGED:
            return await self._challenge_address_only(request, ruling), state, rules
        if request.method not in policy.SERVER_METHODS:
            return ChallengeAnswer(verdict=Verdict.CHALLENGED, methods=methods, track_token=token), state, rules
        sent = await self._provider.challenge(
            {
                **self._attributes(request, request.email),
                "verificationMethod": request.method,
                "action": request.action,
                "userId": request.sub,
            }
        )
        answer = ChallengeAnswer(
            verdict=Verdict.CHALLENGED,
            methods=methods,
            challenge_id=sent.challenge_id,
            expires_at=datetime.fromtimestamp(sent.expires_at, UTC),
            track_token=token,
        )
        return answer, state, rules

    async def _challenge_address_only(self, request: ChallengeRequest, ruling: Verdict) -> ChallengeAnswer:
        """
        Send a code although the rules stopped the person: only whoever has the mailbox is told so, after the proof.

        The challenge has a key of its own and no user, so that no proof of it can move the action that was stopped.
        """
        attributes = {**self._attributes(request, request.email), "idempotencyKey": str(uuid7())}
        sent = await self._provider.challenge({**attributes, "verificationMethod": METHOD_EMAIL_OTP, "action": request.action})
        return ChallengeAnswer(
            verdict=ruling,
            methods=(METHOD_EMAIL_OTP,),
            challenge_id=sent.challenge_id,
            expires_at=datetime.fromtimestamp(sent.expires_at, UTC),
        )

    def _address_proof(self, request: VerifyRequest) -> ProofAnswer:
        """The address is proven, and no account is tied to it: only a sign-up may go on from here."""
        assertion = None
        if request.action == ACTION_SIGN_UP:
            address = normal_address(request.email)
            assertion = self._mint.mint(subject=address, purpose=Purpose.SIGN_UP, attempt_id=request.attempt_id)
        return ProofAnswer(verdict=Verdict.VERIFIED, method=METHOD_EMAIL_OTP, assertion=assertion)

    async def _claim_and_prove(self, request: VerifyRequest | ClaimRequest, sub: str) -> tuple[ProofAnswer, str | None]:
        claimed = await self._provider.claim(request.challenge_id, sub)
        return await self._prove(request, sub, claimed.token)

    async def _prove(self, request: AnyRequest, sub: str, token: str) -> tuple[ProofAnswer, str | None]:
        """Validate a token with user, action and idempotency key compared, and burn the proof."""
        validated = await self._provider.validate(token, user_id=sub, action=request.action)
        wrong = policy.mismatch(validated, user_id=sub, action=request.action, idempotency_key=request.idempotency_key)
        if wrong is not None:
            return ProofAnswer(verdict=Verdict.REJECTED, failure=wrong.value), validated.state
        verdict = policy.after_proof(validated.state)
        if verdict is not Verdict.VERIFIED or not validated.is_valid:
            return ProofAnswer(verdict=_never_verified(verdict)), validated.state
        if not await self._burn(request, sub):
            return ProofAnswer(verdict=Verdict.REJECTED, failure=TOKEN_REPLAYED), validated.state
        return self._sign_in_proof(request, sub, validated), validated.state

    def _sign_in_proof(self, request: AnyRequest, sub: str, validated: Validated) -> ProofAnswer:
        assertion = self._mint.mint(subject=sub, purpose=Purpose.SIGN_IN, attempt_id=request.attempt_id)
        return ProofAnswer(verdict=Verdict.VERIFIED, method=validated.verification_method, assertion=assertion)

    async def _burn(self, request: AnyRequest, sub: str) -> bool:
        key = f"proof:{sub}:{request.action}:{request.idempotency_key}"
        return await self._state.add(key, request.attempt_id.encode(), ttl_seconds=BURN_SECONDS)

    async def _ensure_enrolled(self, sub: str, email: str) -> None:
        # Claiming enrols the address on Authsignal's side as far as its documentation goes; where it did not, the next
        # sign-in would find nobody enrolled, so it is made sure of here.
        user = await self._provider.get_user(sub)
        if METHOD_EMAIL_OTP not in user.enrolled_verification_methods:
            await self._provider.enroll_verified_email(sub, email)

    def _attributes(self, request: ChallengeRequest | ClaimRequest, email: str) -> dict[str, Any]:
        client: Client = request.client
        return {
            "idempotencyKey": request.idempotency_key,
            "email": normal_address(email),
            "ipAddress": client.ip,
            "userAgent": client.user_agent,
            "deviceId": client.device_id,
        }

    async def _record_proof(
        self, request: AnyRequest, context: RequestContext, answer: ProofAnswer, on_success: EventType, state: str | None
    ) -> None:
        event_type = on_success
        if answer.failure == TOKEN_REPLAYED:
            event_type = EventType.TOKEN_REPLAYED
        elif answer.failure == policy.Mismatch.MISMATCHED.value:
            event_type = EventType.ACTION_MISMATCHED
        elif answer.verdict is Verdict.REJECTED:
            event_type = EventType.CHALLENGE_REJECTED
        await self._record(
            request, context, event_type, answer.verdict, state=state, method=answer.method, reason=answer.failure
        )

    async def _record_fault(self, request: AnyRequest, context: RequestContext, problem: Problem) -> None:
        await self._record(
            request,
            context,
            EventType.PROVIDER_CALL_FAILED,
            None,
            reason=problem.reason or problem.code,
        )

    async def _record(
        self,
        request: AnyRequest,
        context: RequestContext,
        event_type: EventType,
        verdict: Verdict | None,
        *,
        state: str | None = None,
        method: str | None = None,
        reason: str | None = None,
        rule_ids: tuple[str, ...] = (),
    ) -> None:
        email = getattr(request, "email", None)
        await self._trail.record(
            Draft(
                event_type=event_type,
                outcome=Outcome.ERROR if verdict is None else _OUTCOMES[verdict],
                reason=reason,
                request_id=context.request_id,
                trace_id=context.trace_id,
                attempt_id=request.attempt_id,
                subject=Subject(
                    sub=request.sub, email_hash=email_hash(email, self._email_hash_key) if email is not None else None
                ),
                client=request.client,
                authsignal=AuthsignalRef(
                    action=request.action,
                    idempotency_key=request.idempotency_key,
                    state=state,
                    method=method,
                    rule_ids=rule_ids,
                ),
            )
        )


def _never_verified(verdict: Verdict) -> Verdict:
    # isValid false beside CHALLENGE_SUCCEEDED would contradict itself: believe the no.
    return Verdict.BLOCKED if verdict is Verdict.VERIFIED else verdict
