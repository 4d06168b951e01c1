"""
The calls about challenges and proofs.

Each makes its provider calls, decides by `policy`, and records what came of it before it answers. The opening event of every
story is the gateway's, written before it calls here; so a call that dies half-way still shows as begun and not ended.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from services.challenge import policy
from services.challenge.authsignal.answers import Tracked
from services.challenge.authsignal.client_api import AWAITED, SENT, TYPED, ClientApi
from services.challenge.authsignal.provider import Authsignal
from services.challenge.proofs import TOKEN_REPLAYED, Proofs
from services.challenge.recording import ChallengeRecorder
from shared.challenge_api import (
    ACTION_SIGN_IN,
    METHOD_EMAIL_OTP,
    METHOD_PASSKEY,
    SIGNED_METHODS,
    TEXT_METHODS,
    ChallengeAnswer,
    ChallengeRequest,
    ClaimRequest,
    CompleteRequest,
    PasskeyRequest,
    PollAnswer,
    PollRequest,
    ProbeRequest,
    ProofAnswer,
    Verdict,
    VerifyRequest,
)
from shared.events import EventType, normal_address
from shared.http.context import RequestContext
from shared.problems import InvalidRequest, Problem, TextRefused
from shared.texts import TextLimits

AnyRequest = ChallengeRequest | VerifyRequest | ClaimRequest | CompleteRequest


class Challenges:
    """Everything that the handlers of challenges need, built once per process."""

    def __init__(
        self,
        *,
        provider: Authsignal,
        client_api: ClientApi,
        proofs: Proofs,
        recorder: ChallengeRecorder,
        texts: TextLimits,
    ) -> None:
        self._provider = provider
        self._texts = texts
        self._client_api = client_api
        self._proofs = proofs
        self._recorder = recorder

    async def challenge(self, request: ChallengeRequest, context: RequestContext) -> ChallengeAnswer:
        """Track the action of a known person, and send a code, link or prompt where the method has one."""
        try:
            answer, tracked = await self._challenge(request, context)
        except TextRefused:
            raise
        except Problem as problem:
            await self._fault(request, context, problem)
            raise
        is_sent = answer.challenge_id is not None
        event_type = EventType.ACTION_TRACKED
        if is_sent:
            event_type = EventType.CHALLENGE_RESENT if request.is_resend else EventType.CHALLENGE_SENT
        await self._recorder.record(
            request,
            context,
            event_type,
            answer.verdict,
            action=request.action,
            idempotency_key=request.idempotency_key,
            sub=request.sub,
            email=request.email,
            state=tracked.state if tracked is not None else None,
            method=request.method if is_sent else None,
            rule_ids=tracked.rule_ids if tracked is not None else (),
        )
        return answer

    async def verify(self, request: VerifyRequest, context: RequestContext) -> ProofAnswer:
        """Check a code; for a known person also claim or validate, and assert."""
        try:
            if request.method == METHOD_EMAIL_OTP:
                answer, state = await self._check_email_code(request)
            else:
                answer, state = await self._check_own_code(request)
        except Problem as problem:
            await self._fault(request, context, problem)
            raise
        await self._record_proof(request, context, answer, EventType.CHALLENGE_VERIFIED, state)
        return answer

    async def claim(self, request: ClaimRequest, context: RequestContext) -> ProofAnswer:
        """Tie a proven sign-up to its account. The rules see it first: a blocked sign-up gets no assertion."""
        try:
            tracked = await self._provider.track(request.sub, request.action, _attributes(request))
            verdict = policy.before_claim(tracked.state)
            if verdict is Verdict.CHALLENGED:
                claimed = await self._provider.claim(request.challenge_id, request.sub)
                # Before the proof is spent: a fault in between must leave it to be claimed again with another code.
                await self._ensure_enrolled(request.sub, request.email)
                answer, state = await self._prove(request, request.sub, claimed.token)
            else:
                answer, state = ProofAnswer(verdict=verdict), tracked.state
        except Problem as problem:
            await self._fault(request, context, problem)
            raise
        await self._record_proof(request, context, answer, EventType.CHALLENGE_CLAIMED, state)
        return answer

    async def complete(self, request: CompleteRequest, context: RequestContext) -> ProofAnswer:
        """Validate a token that was earned for this attempt, in the browser or by waiting."""
        try:
            answer, state = await self._prove(request, request.sub, request.token)
        except Problem as problem:
            await self._fault(request, context, problem)
            raise
        await self._record_proof(request, context, answer, EventType.ACTION_VALIDATED, state)
        return answer

    async def passkey(self, request: PasskeyRequest, context: RequestContext) -> ProofAnswer:
        """Validate a token that a passkey earned without a name."""
        action = request.action
        try:
            answer, validated = await self._proofs.of_passkey(request.token, attempt_id=request.attempt_id, action=action)
        except Problem as problem:
            await self._recorder.record_fault(request, context, problem, action=action)
            raise
        await self._recorder.record(
            request,
            context,
            _event_of(answer, EventType.PASSKEY_ASSERTED),
            answer.verdict,
            action=action,
            idempotency_key=validated.idempotency_key,
            sub=answer.sub,
            state=validated.state,
            method=answer.method or METHOD_PASSKEY,
            reason=answer.failure,
        )
        return answer

    async def poll(self, request: PollRequest) -> PollAnswer:
        """Ask once whether an awaited challenge was answered. Nothing is recorded: the gateway records what it learns."""
        if request.method not in AWAITED:
            raise InvalidRequest("method is not awaited")
        proven = await self._client_api.poll(
            request.method, request.track_token, challenge_id=request.challenge_id, device_code=request.device_code
        )
        if proven.is_verified and proven.access_token is not None:
            return PollAnswer(verdict=Verdict.VERIFIED, token=proven.access_token)
        return PollAnswer(verdict=Verdict.REJECTED if proven.is_consumed else Verdict.PENDING)

    async def probe(self, request: ProbeRequest, context: RequestContext) -> None:
        """Return when Authsignal answers; else fail, and record it, as a call for a person does."""
        try:
            await self._provider.probe(is_repeated=request.is_repeated)
        except Problem as problem:
            await self._recorder.record_fault(request, context, problem, action=request.action)
            raise

    async def _challenge(self, request: ChallengeRequest, context: RequestContext) -> tuple[ChallengeAnswer, Tracked | None]:
        tracked: Tracked | None = None
        token = request.track_token
        methods: tuple[str, ...] = (METHOD_EMAIL_OTP,)
        if request.sub is not None and not (request.is_tracked or request.is_resend):
            tracked = await self._provider.track(request.sub, request.action, _attributes(request))
            ruling = policy.after_track(tracked.state)
            if tracked.state == "ALLOW" and request.may_allow:
                return ChallengeAnswer(verdict=Verdict.ALLOWED), tracked
            if ruling is not Verdict.CHALLENGED:
                if request.may_allow:
                    return ChallengeAnswer(verdict=ruling), tracked
                return await self._challenge_address_only(request, ruling), tracked
            methods = policy.offered_methods(tracked, self._methods)
            token = tracked.token if tracked.is_enrolled else None
        method = request.method
        if tracked is not None and method not in methods:
            # Not this person's: nothing is sent, and the gateway shows what it would show to anybody.
            method = None
        if method == METHOD_EMAIL_OTP:
            return await self._send_email_code(request, methods, token), tracked
        if method in SENT and token is not None:
            return await self._send_own(request, context, method, methods, token), tracked
        return ChallengeAnswer(verdict=Verdict.CHALLENGED, methods=methods, track_token=token), tracked

    @property
    def _methods(self) -> frozenset[str]:
        return self._client_api.methods | SIGNED_METHODS | {METHOD_EMAIL_OTP}

    async def _send_email_code(self, request: ChallengeRequest, methods: tuple[str, ...], token: str | None) -> ChallengeAnswer:
        sent = await self._provider.challenge(
            {
                **_attributes(request),
                "verificationMethod": METHOD_EMAIL_OTP,
                "action": request.action,
                "userId": request.sub,
            }
        )
        return ChallengeAnswer(
            verdict=Verdict.CHALLENGED,
            methods=methods,
            challenge_id=sent.challenge_id,
            expires_at=datetime.fromtimestamp(sent.expires_at, UTC),
            track_token=token,
        )

    async def _send_own(
        self, request: ChallengeRequest, context: RequestContext, method: str, methods: tuple[str, ...], token: str
    ) -> ChallengeAnswer:
        """Send by a method that belongs to the person's own authenticators, in the person's name."""
        destination = None
        if method in TEXT_METHODS:
            number = policy.phone_of(await self._provider.authenticators(request.sub or ""), method)
            if not await self._may_text(request, context, number):
                return ChallengeAnswer(verdict=Verdict.CHALLENGED, methods=methods, track_token=token)
            destination = policy.masked_number(number) if number is not None else None
        sent = await self._client_api.send(method, token, action=request.action)
        return ChallengeAnswer(
            verdict=Verdict.CHALLENGED,
            methods=methods,
            challenge_id=sent.challenge_id,
            track_token=token,
            device_code=sent.device_code,
            destination=destination,
        )

    async def _may_text(self, request: ChallengeRequest, context: RequestContext, number: str | None) -> bool:
        """
        Say whether a text may go to a number; at the door a refusal is silent, since it would tell who has such a number.

        Raises:
            TextRefused: It may not, and whoever asks is signed in.
        """
        refusal = await self._texts.refusal(number)
        if refusal is None:
            return True
        if refusal.unreported is not None:
            await self._recorder.record(
                request,
                context,
                EventType.ABUSE_RATE_LIMITED,
                Verdict.BLOCKED,
                action=request.action,
                idempotency_key=request.idempotency_key,
                sub=request.sub,
                email=request.email,
                method=request.method,
                reason=refusal.reason,
                data={"country": refusal.country, "refusals_not_recorded": refusal.unreported},
            )
        if request.action != ACTION_SIGN_IN:
            raise TextRefused(refusal.reason)
        return False

    async def _challenge_address_only(self, request: ChallengeRequest, ruling: Verdict) -> ChallengeAnswer:
        """
        Send a code although the rules stopped the person: only whoever has the mailbox is told so, after the proof.

        The challenge has a key of its own and no user, so that no proof of it can move the action that was stopped.
        """
        if request.method != METHOD_EMAIL_OTP:
            return ChallengeAnswer(verdict=ruling)
        attributes = {**_attributes(request), "idempotencyKey": str(uuid4())}
        sent = await self._provider.challenge({**attributes, "verificationMethod": METHOD_EMAIL_OTP, "action": request.action})
        return ChallengeAnswer(
            verdict=ruling,
            methods=(METHOD_EMAIL_OTP,),
            challenge_id=sent.challenge_id,
            expires_at=datetime.fromtimestamp(sent.expires_at, UTC),
        )

    async def _check_email_code(self, request: VerifyRequest) -> tuple[ProofAnswer, str | None]:
        if request.challenge_id is None:
            raise InvalidRequest("no challenge to answer")
        verified = await self._provider.verify(request.challenge_id, request.code)
        if not verified.is_verified:
            return ProofAnswer(verdict=Verdict.REJECTED, failure=verified.failure_reason), None
        if verified.email is not None and normal_address(verified.email) != normal_address(request.email):
            # The challenge was made for another address than this attempt's: the proof is somebody else's.
            return ProofAnswer(verdict=Verdict.REJECTED, failure=policy.Mismatch.MISMATCHED.value), None
        if request.sub is None:
            proof = self._proofs.of_address(request.email, attempt_id=request.attempt_id, action=request.action)
            return proof, None
        if request.is_reviewed:
            return await self._proofs.of_review(
                attempt_id=request.attempt_id,
                sub=request.sub,
                action=request.action,
                idempotency_key=request.idempotency_key,
                method=METHOD_EMAIL_OTP,
            )
        return await self._claim_and_prove(request, request.challenge_id, request.sub)

    async def _check_own_code(self, request: VerifyRequest) -> tuple[ProofAnswer, str | None]:
        if request.method not in TYPED or request.track_token is None or request.sub is None:
            raise InvalidRequest("no code of this method can be checked")
        proven = await self._client_api.check(request.method, request.track_token, request.code)
        if not proven.is_verified or proven.access_token is None:
            return ProofAnswer(verdict=Verdict.REJECTED, failure=proven.failure_reason), None
        return await self._prove(request, request.sub, proven.access_token)

    async def _claim_and_prove(self, request: VerifyRequest, challenge_id: str, sub: str) -> tuple[ProofAnswer, str | None]:
        claimed = await self._provider.claim(challenge_id, sub)
        return await self._prove(request, sub, claimed.token)

    async def _prove(
        self, request: VerifyRequest | ClaimRequest | CompleteRequest, sub: str, token: str
    ) -> tuple[ProofAnswer, str | None]:
        return await self._proofs.of_token(
            token,
            attempt_id=request.attempt_id,
            sub=sub,
            action=request.action,
            idempotency_key=request.idempotency_key,
        )

    async def _ensure_enrolled(self, sub: str, email: str) -> None:
        # Claiming enrols the address on Authsignal's side as far as its documentation goes; where it did not, the next
        # sign-in would find nobody enrolled, so it is made sure of here.
        user = await self._provider.get_user(sub)
        if METHOD_EMAIL_OTP not in user.enrolled_verification_methods:
            await self._provider.enroll_verified_email(sub, email)

    async def _record_proof(
        self, request: AnyRequest, context: RequestContext, answer: ProofAnswer, on_success: EventType, state: str | None
    ) -> None:
        await self._recorder.record(
            request,
            context,
            _event_of(answer, on_success),
            answer.verdict,
            action=request.action,
            idempotency_key=request.idempotency_key,
            sub=request.sub,
            email=getattr(request, "email", None),
            state=state,
            method=answer.method,
            reason=answer.failure,
        )

    async def _fault(self, request: AnyRequest, context: RequestContext, problem: Problem) -> None:
        await self._recorder.record_fault(
            request,
            context,
            problem,
            action=request.action,
            idempotency_key=request.idempotency_key,
            sub=request.sub,
            email=getattr(request, "email", None),
        )


def _event_of(answer: ProofAnswer, on_success: EventType) -> EventType:
    if answer.failure == TOKEN_REPLAYED:
        return EventType.TOKEN_REPLAYED
    if answer.failure == policy.Mismatch.MISMATCHED.value:
        return EventType.ACTION_MISMATCHED
    return EventType.CHALLENGE_REJECTED if answer.verdict is Verdict.REJECTED else on_success


def _attributes(request: ChallengeRequest | ClaimRequest) -> dict[str, Any]:
    client = request.client
    return {
        "idempotencyKey": request.idempotency_key,
        "email": normal_address(request.email),
        "ipAddress": client.ip,
        "userAgent": client.user_agent,
        "deviceId": client.device_id,
        "custom": getattr(request, "custom", None) or None,
    }
