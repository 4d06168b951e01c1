"""
What every attempt goes through, whatever it is for: sent a code, answered, waited for, proven, given up.

Every step has the same spine: check; record that it begins; take the attempt, so that nothing else happens to it; act upstream;
keep the new state; record how it ended. Where recording fails before the upstream call nothing is done and nothing is charged.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final
from uuid import uuid4

from msgspec.structs import replace

from services.gateway import policy
from services.gateway.attempts.drafts import REJECTED, client_of, draft_of, rfc3339
from services.gateway.attempts.model import Attempt, AttemptKind, AttemptStatus
from services.gateway.attempts.reviews import Reviews, is_decidable
from services.gateway.attempts.store import AttemptStore, Held
from services.gateway.limits import Limits
from services.gateway.recorder import Recorder
from services.gateway.settings import GatewaySettings
from services.gateway.webhooks.veto import Veto
from shared.challenge_api import (
    AWAITED_METHODS,
    METHOD_EMAIL_OTP,
    METHOD_QR_CODE,
    TYPED_METHODS,
    ChallengeAnswer,
    ChallengeRequest,
    ChallengeService,
    CompleteRequest,
    PollRequest,
    ProbeRequest,
    ProofAnswer,
    Verdict,
    VerifyRequest,
)
from shared.events import EventType, Outcome
from shared.http.context import RequestContext
from shared.problems import (
    ActionBlocked,
    AlreadyDone,
    AttemptExpired,
    AttemptFailed,
    Conflict,
    InvalidCode,
    InvalidRequest,
    NotConfirmedYet,
    Problem,
    ProviderError,
    TooManyAttempts,
    retry_after,
)
from shared.veil import Veil

EXHAUSTED: Final = "MAX_ATTEMPTS_EXCEEDED"
DECLINED: Final = "DECLINED"
DECOY_REASON: Final = "unknown_identifier"
VETOED: Final = "This was stopped for your safety. Contact support if this was you."
# Longer than an answer can take: the challenge service's deadline, and those of Cognito's calls.
BUSY_SECONDS_MAX: Final = 60
POLL_SECONDS: Final = 1.0


class Flow:
    """The steps of attempts. A `binding` says whose attempt is meant: another's is not found."""

    def __init__(
        self,
        *,
        settings: GatewaySettings,
        store: AttemptStore,
        challenges: ChallengeService,
        recorder: Recorder,
        limits: Limits,
        reviews: Reviews,
        veto: Veto,
        veil: Veil,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._store = store
        self._challenges = challenges
        self._recorder = recorder
        self._limits = limits
        self._reviews = reviews
        self._veto = veto
        self._veil = veil
        self._clock = clock

    async def read(self, binding: str | None, attempt_id: str) -> Attempt:
        """Return an attempt as it stands now."""
        held = await self._store.read(attempt_id, binding=binding)
        return self._now(held.attempt)

    async def wait(self, context: RequestContext, binding: str | None, attempt_id: str, *, seconds: int) -> Attempt:
        """
        Return an attempt when it has changed, or after `seconds`.

        Only what happens elsewhere is waited for: the answer to a challenge, the end of a review. A decoy waits as long as a
        person who does not answer.
        """
        ends_at = self._clock() + seconds
        while True:
            held = await self._store.read(attempt_id, binding=binding)
            attempt = self._now(held.attempt)
            is_waiting = attempt.status is AttemptStatus.CHALLENGE_REQUIRED and attempt.method in AWAITED_METHODS
            if is_waiting and not self._is_real(attempt):
                await self.probe(context, attempt, is_repeated=True)
            elif is_waiting and self._clock() >= attempt.busy_until:
                attempt = await self._poll(context, held)
                is_waiting = attempt.status is AttemptStatus.CHALLENGE_REQUIRED
            if attempt.status is AttemptStatus.REVIEW and is_decidable(attempt):
                attempt = await self._learn(context, held)
                is_waiting = attempt.status is AttemptStatus.REVIEW
            seconds_left = ends_at - self._clock()
            if not is_waiting or seconds_left <= 0:
                return attempt
            await asyncio.sleep(min(POLL_SECONDS, seconds_left))

    async def send(self, context: RequestContext, binding: str | None, attempt_id: str, method: str) -> Attempt:
        """Send a code, link or prompt: a first one by this method, or another after the cool-down."""
        began = self._veil.begin()
        held = await self.waiting(context, binding, attempt_id)
        attempt = held.attempt
        if method not in attempt.methods:
            raise InvalidRequest(extensions={"errors": [{"field": "method", "message": "This method is not offered here."}]})
        cooling = policy.cooling(attempt)
        if not policy.is_sent(method):
            return (await self._store.change(held, replace(attempt, method=method, cooling=cooling))).attempt
        await self._require_cooled_down(context, attempt, method)
        if attempt.sends_left <= 0:
            await self._limits.note_refusal(context, "sends_per_attempt", attempt.id, attempt.email_hash)
            raise TooManyAttempts("sends used up", detail="No more codes for this sign-in. Start again to get a new one.")
        await self._limits.check_send(context, attempt.email_hash, method=method)
        await self._recorder.record(context, draft_of(attempt, EventType.CHALLENGE_REQUESTED, Outcome.PENDING))
        held = await self._store.change(
            held,
            replace(
                attempt,
                sends_left=attempt.sends_left - 1,
                resend_at=self._clock() + self._settings.resend_seconds,
                cooling=cooling,
                method=method,
                busy_until=self._clock() + BUSY_SECONDS_MAX,
            ),
        )
        changed = with_decoy_code(replace(await self._resend(context, held, method), busy_until=0.0))
        await self._veil.settle(began, is_decoy=not self._is_real(changed))
        held = await self._store.change(held, changed)
        await self._recorder.record(context, draft_of(held.attempt, EventType.CHALLENGE_REQUESTED, Outcome.SUCCESS))
        return held.attempt

    async def answer(
        self, context: RequestContext, binding: str | None, attempt_id: str, code: str
    ) -> tuple[Held, ProofAnswer]:
        """
        Answer with a code; return the verdict, which is no rejection.

        Raises:
            InvalidCode: Wrong or late; ``attempts_left`` says how many more.
            AttemptFailed: That was the last one.
        """
        began = self._veil.begin()
        held = await self.waiting(context, binding, attempt_id)
        if held.attempt.method not in TYPED_METHODS:
            raise InvalidRequest(extensions={"errors": [{"field": "code", "message": "This method has no code to type."}]})
        await self._recorder.record(context, draft_of(held.attempt, EventType.CHALLENGE_ANSWERED, Outcome.PENDING))
        held = await self._charge(held)
        try:
            await self._limits.check_answer(
                context,
                held.attempt.email_hash,
                held.attempt.device_id,
                kind=held.attempt.kind,
            )
            proof = await self._check_code(context, held.attempt, code)
        except Problem as problem:
            # Nobody looked at the code, or nobody could say so: it does not count.
            await self._refund(held)
            self._tell_veto(held.attempt, problem)
            raise
        if proof.verdict is Verdict.REJECTED:
            # Settled while the attempt is still busy: a second answer sent at once must not tell a decoy either.
            await self._veil.settle(began, is_decoy=not self._is_real(held.attempt))
            await self._reject(context, held, proof)
            raise _refusal_of_code(held.attempt, proof)
        return held, proof

    async def complete(
        self, context: RequestContext, binding: str | None, attempt_id: str, token: str | None
    ) -> tuple[Held, ProofAnswer]:
        """
        Come back with a token that the Web SDK earned, or without one after a wait that ended well.

        Raises:
            AttemptFailed: The token proves nothing here.
            NotConfirmedYet: There is nothing to complete yet.
        """
        began = self._veil.begin()
        held = await self.waiting(context, binding, attempt_id, or_verified=token is None)
        attempt = held.attempt
        token = token if token is not None else attempt.proof_token
        if token is None:
            raise NotConfirmedYet("nothing to complete")
        await self._recorder.record(context, draft_of(attempt, EventType.CHALLENGE_ANSWERED, Outcome.PENDING))
        held = await self._charge(held)
        try:
            proof = await self._check_token(context, attempt, token)
        except Problem as problem:
            await self._refund(held)
            self._tell_veto(attempt, problem)
            raise
        if proof.verdict is Verdict.REJECTED:
            await self._veil.settle(began, is_decoy=attempt.is_decoy)
            await self._reject(context, held, proof)
            raise AttemptFailed(proof.failure)
        return held, proof

    async def cancel(self, context: RequestContext, binding: str | None, attempt_id: str) -> None:
        """Give up an attempt; one that has ended stays as it ended."""
        held = await self._store.read(attempt_id, binding=binding)
        if self._now(held.attempt).status is not AttemptStatus.CHALLENGE_REQUIRED:
            return
        self._require_idle(held.attempt)
        await self._recorder.record(context, draft_of(held.attempt, EventType.ATTEMPT_CANCELLED, Outcome.SUCCESS))
        await self._store.change(held, replace(held.attempt, status=AttemptStatus.FAILED))

    async def waiting(
        self, context: RequestContext, binding: str | None, attempt_id: str, *, or_verified: bool = False
    ) -> Held:
        """Return an attempt that still waits for a proof; one that does not is refused, and the try recorded."""
        held = await self._store.read(attempt_id, binding=binding)
        status = self._now(held.attempt).status
        is_open = status is AttemptStatus.CHALLENGE_REQUIRED or (or_verified and status is AttemptStatus.VERIFIED)
        if is_open:
            self._require_idle(held.attempt)
            return held
        draft = draft_of(held.attempt, EventType.ATTEMPT_REFUSED, Outcome.DENIED, reason=status.value)
        if status is AttemptStatus.EXPIRED:
            await self._recorder.record(context, replace(draft, event_type=EventType.CHALLENGE_EXPIRED))
            raise AttemptExpired(status.value)
        await self._recorder.record(context, draft)
        if status is AttemptStatus.COMPLETED:
            raise AlreadyDone(status.value, detail="This sign-in is already done. Start again if you are not signed in.")
        raise AttemptFailed(status.value)

    async def check_send(self, context: RequestContext, attempt: Attempt) -> None:
        """
        Count one more message to the person of an attempt.

        Raises:
            TooManyAttempts: They got too many lately.
        """
        await self._limits.check_send(context, attempt.email_hash, method=attempt.method)

    async def probe(self, context: RequestContext, attempt: Attempt, *, is_repeated: bool = False) -> None:
        """
        Ask Authsignal for a sign of life where a real attempt would ask it something.

        Raises:
            ProviderBusy, ProviderError: As the real call would: a decoy that went on while others fail would show what it is.
        """
        client = client_of(context, attempt)
        request = ProbeRequest(attempt_id=attempt.id, action=attempt.action, is_repeated=is_repeated, client=client)
        await self._challenges.probe(request)

    def challenge_request(self, context: RequestContext, attempt: Attempt, method: str | None) -> ChallengeRequest:
        """Return the request that challenges the person of an attempt."""
        return ChallengeRequest(
            attempt_id=attempt.id,
            action=attempt.action,
            email=attempt.email,
            idempotency_key=attempt.idempotency_key,
            sub=_person_of(attempt),
            method=method,
            client=client_of(context, attempt),
        )

    def _now(self, attempt: Attempt) -> Attempt:
        return replace(attempt, status=policy.status_at(attempt, self._clock()))

    def _is_real(self, attempt: Attempt) -> bool:
        """Say whether the provider has anything to do with this attempt by its method."""
        return not attempt.is_decoy and attempt.method in attempt.own_methods

    async def _learn(self, context: RequestContext, held: Held) -> Attempt:
        """Ask how a review stands; a sign-in that was approved gets another code, for the proof that it waits for now."""
        try:
            attempt = (await self._reviews.learn(context, held)).attempt
        except Conflict:
            return held.attempt  # A twin of this request learned it first; the next look sees what it kept.
        if attempt.status is AttemptStatus.CHALLENGE_REQUIRED:
            # Where it cannot be sent now, the person asks for it: the page offers that.
            with contextlib.suppress(Problem):
                return await self.send(context, attempt.binding, attempt.id, METHOD_EMAIL_OTP)
        return attempt

    async def _poll(self, context: RequestContext, held: Held) -> Attempt:
        attempt = held.attempt
        if attempt.track_token is None or attempt.challenge_id is None or attempt.method is None:
            return attempt
        answer = await self._challenges.poll(
            PollRequest(
                attempt_id=attempt.id,
                method=attempt.method,
                track_token=attempt.track_token,
                challenge_id=attempt.challenge_id,
                device_code=attempt.device_code,
            )
        )
        if answer.verdict is Verdict.PENDING:
            return attempt
        is_verified = answer.verdict is Verdict.VERIFIED
        status = AttemptStatus.VERIFIED if is_verified else AttemptStatus.FAILED
        changed = replace(attempt, status=status, proof_token=answer.token)
        # Kept first: a poll earns the token once, and an event that must be told again is told by the next step.
        changed = (await self._store.change(held, changed)).attempt
        if is_verified:
            await self._recorder.record(context, draft_of(changed, EventType.CHALLENGE_VERIFIED, Outcome.SUCCESS))
        else:
            draft = draft_of(changed, REJECTED[changed.kind], Outcome.FAILURE, reason=DECLINED)
            await self._recorder.record(context, draft)
        return changed

    async def _require_cooled_down(self, context: RequestContext, attempt: Attempt, method: str) -> None:
        resend_at = policy.resend_at(attempt, method)
        wait = policy.whole_seconds(resend_at - self._clock())
        if wait > 0:
            await self._limits.note_refusal(context, "cool_down", attempt.id, attempt.email_hash)
            raise TooManyAttempts(
                "resend cool-down",
                detail=f"A code is on its way. You can send another in {wait} seconds.",
                headers=retry_after(wait),
                extensions={"resend_at": rfc3339(resend_at), "retry_after": wait},
            )

    def _require_idle(self, attempt: Attempt) -> None:
        if self._clock() < attempt.busy_until:
            raise Conflict("attempt is busy")

    def _tell_veto(self, attempt: Attempt, problem: Problem) -> None:
        # Authsignal refuses a proof that we vetoed, and its answer does not say that it was us.
        if isinstance(problem, ProviderError) and self._veto.ruling(attempt.sub) is not None:
            raise ActionBlocked("vetoed", detail=VETOED) from problem

    async def _charge(self, held: Held) -> Held:
        # Charged, and taken, before the provider is asked: of answers sent at the same moment only one finds the bytes that
        # it read, and those that come after it find the attempt busy.
        changed = replace(held.attempt, codes_left=held.attempt.codes_left - 1, busy_until=self._clock() + BUSY_SECONDS_MAX)
        return await self._store.change(held, changed)

    async def _refund(self, held: Held) -> None:
        # Somebody else's change meanwhile is newer than what we know: then the charge stands.
        with contextlib.suppress(Conflict):
            await self._store.change(held, replace(held.attempt, codes_left=held.attempt.codes_left + 1, busy_until=0.0))

    async def _check_code(self, context: RequestContext, attempt: Attempt, code: str) -> ProofAnswer:
        if not self._is_real(attempt) or attempt.method is None:
            await self.probe(context, attempt)
            return ProofAnswer(verdict=Verdict.REJECTED, failure=DECOY_REASON)
        return await self._challenges.verify(
            VerifyRequest(
                attempt_id=attempt.id,
                action=attempt.action,
                email=attempt.email,
                idempotency_key=attempt.idempotency_key,
                challenge_id=attempt.challenge_id,
                code=code,
                method=attempt.method,
                track_token=attempt.track_token,
                sub=attempt.sub if attempt.is_reviewed else _person_of(attempt),
                is_reviewed=attempt.is_reviewed,
                client=client_of(context, attempt),
            )
        )

    async def _check_token(self, context: RequestContext, attempt: Attempt, token: str) -> ProofAnswer:
        if attempt.sub is None or attempt.ruling is not Verdict.CHALLENGED:
            await self.probe(context, attempt, is_repeated=True)
            return ProofAnswer(verdict=Verdict.REJECTED, failure=DECOY_REASON)
        return await self._challenges.complete(
            CompleteRequest(
                attempt_id=attempt.id,
                action=attempt.action,
                idempotency_key=attempt.idempotency_key,
                sub=attempt.sub,
                token=token,
                client=client_of(context, attempt),
            )
        )

    async def _reject(self, context: RequestContext, held: Held, proof: ProofAnswer) -> None:
        attempt = held.attempt
        status = AttemptStatus.FAILED if _is_over(attempt, proof) else attempt.status
        await self._store.change(held, replace(attempt, status=status, busy_until=0.0))
        draft = draft_of(attempt, REJECTED[attempt.kind], Outcome.FAILURE, reason=proof.failure)
        await self._recorder.record(context, draft)

    async def _resend(self, context: RequestContext, held: Held, method: str) -> Attempt:
        attempt = held.attempt
        request = replace(self.challenge_request(context, attempt, method), is_resend=True, track_token=attempt.track_token)
        try:
            if self._is_real(attempt):
                return sent(attempt, await self._challenges.challenge(request))
            await self.probe(context, attempt)
            return attempt
        except Problem:
            # Nothing was sent, so the send is given back and there is nothing to cool down from.
            given_back = replace(attempt, sends_left=attempt.sends_left + 1, resend_at=self._clock(), busy_until=0.0)
            await self._store.change(held, given_back)
            raise


def sent(attempt: Attempt, answer: ChallengeAnswer) -> Attempt:
    """Return an attempt with what was sent for it."""
    return replace(attempt, challenge_id=answer.challenge_id, device_code=answer.device_code, destination=answer.destination)


def with_decoy_code(attempt: Attempt) -> Attempt:
    """Return an attempt that shows a QR code which nobody's phone knows, where there is no real one to show."""
    if attempt.method == METHOD_QR_CODE and (attempt.is_decoy or METHOD_QR_CODE not in attempt.own_methods):
        return replace(attempt, challenge_id=str(uuid4()))
    return attempt


def _person_of(attempt: Attempt) -> str | None:
    """
    Return whose challenge this is, as far as it is to be tied to an account.

    Rules that stopped the person keep the proof apart from the account; it only shows who asks. A sign-up proves an address,
    also when it goes on after its account was made.
    """
    is_tied = attempt.kind is not AttemptKind.SIGN_UP and attempt.ruling is Verdict.CHALLENGED
    return attempt.sub if is_tied else None


def _is_over(attempt: Attempt, proof: ProofAnswer) -> bool:
    return attempt.codes_left <= 0 or proof.failure == EXHAUSTED


def _refusal_of_code(attempt: Attempt, proof: ProofAnswer) -> Problem:
    if _is_over(attempt, proof):
        return AttemptFailed(proof.failure, detail="Too many wrong codes. Start again to get a new one.")
    return InvalidCode(proof.failure, extensions={"attempts_left": attempt.codes_left})
