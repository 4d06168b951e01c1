"""
The flows: begin an attempt, send another code, answer it, come back with the Web SDK's token, give up.

Every flow has the same spine: check; record that it begins; act upstream; keep the new state; record how it ended; answer.
Where recording fails before the upstream call nothing is done and nothing is charged; where it fails after, what was won is
taken back.
"""

import contextlib
import time
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from services.gateway import cookies, policy
from services.gateway.attempts.drafts import action_of, client_of, draft_of, rfc3339
from services.gateway.attempts.finish import Finish
from services.gateway.attempts.model import Attempt, AttemptKind, AttemptStatus
from services.gateway.attempts.store import AttemptStore, Held
from services.gateway.cognito.directory import Directory
from services.gateway.cognito.faults import CognitoRefused, CognitoUnreachable
from services.gateway.decoys import DecoyTokens
from services.gateway.limits import Limits
from services.gateway.recorder import Recorder
from services.gateway.sessions.model import Session
from services.gateway.settings import GatewaySettings
from services.gateway.veil import Veil
from shared.challenge_api import (
    METHOD_EMAIL_OTP,
    ChallengeAnswer,
    ChallengeRequest,
    ChallengeService,
    CompleteRequest,
    ProofAnswer,
    Verdict,
    VerifyRequest,
)
from shared.events import EventType, Outcome, email_hash, normal_address
from shared.http.context import RequestContext
from shared.ids import uuid7
from shared.problems import (
    AttemptExpired,
    AttemptFailed,
    Conflict,
    InvalidCode,
    InvalidRequest,
    Problem,
    TooManyAttempts,
    retry_after,
)

EXHAUSTED: Final = "MAX_ATTEMPTS_EXCEEDED"
# Longer than an answer can take: the challenge service's deadline, and those of Cognito's calls.
BUSY_SECONDS_MAX: Final = 60
DECOY_REASON: Final = "unknown_identifier"


class Attempts:
    """Everything about attempts that handlers need."""

    def __init__(
        self,
        *,
        settings: GatewaySettings,
        store: AttemptStore,
        directory: Directory,
        challenges: ChallengeService,
        finish: Finish,
        recorder: Recorder,
        limits: Limits,
        veil: Veil,
        email_hash_key: bytes,
        decoy_tokens: DecoyTokens,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._store = store
        self._directory = directory
        self._challenges = challenges
        self._finish = finish
        self._recorder = recorder
        self._limits = limits
        self._veil = veil
        self._email_hash_key = email_hash_key
        self._decoy_tokens = decoy_tokens
        self._clock = clock

    # --- begin

    async def begin_sign_up(
        self, context: RequestContext, cookie_header: str | None, *, email: str, display_name: str | None, device_id: str | None
    ) -> Attempt:
        """Send a code to an address. Whether it has an account is not looked at: the answer could not tell."""
        attempt = self._new(AttemptKind.SIGN_UP, self._address("email", email), device_id, display_name=display_name)
        await self._limits.check_start(context, attempt.email_hash)
        await self._recorder.record(context, draft_of(attempt, EventType.SIGN_UP_REQUESTED, Outcome.PENDING))
        answer = await self._challenges.challenge(self._challenge_request(context, attempt, METHOD_EMAIL_OTP))
        attempt = self._challenged(attempt, answer)
        return await self._begun(context, cookie_header, attempt, EventType.SIGN_UP_CHALLENGED)

    async def begin_sign_in(
        self, context: RequestContext, cookie_header: str | None, *, identifier: str, method: str | None, device_id: str | None
    ) -> Attempt:
        """Send a code to whoever has this address; for an address that nobody has, look exactly as if."""
        began = self._veil.begin()
        attempt = self._new(AttemptKind.SIGN_IN, self._address("identifier", identifier), device_id)
        await self._limits.check_start(context, attempt.email_hash)
        await self._recorder.record(context, draft_of(attempt, EventType.SIGN_IN_STARTED, Outcome.PENDING))
        account = await self._find(attempt)
        if account is None:
            attempt = self._decoy(attempt)
        else:
            attempt = replace(attempt, sub=account)
            request = self._challenge_request(context, attempt, method or METHOD_EMAIL_OTP)
            attempt = self._challenged(attempt, await self._challenges.challenge(request))
        event_type = EventType.SIGN_IN_DECOYED if attempt.is_decoy else EventType.SIGN_IN_CHALLENGED
        attempt = await self._begun(context, cookie_header, attempt, event_type)
        await self._veil.settle(began, is_decoy=attempt.is_decoy)
        return attempt

    # --- go on

    async def read(self, cookie_header: str | None, attempt_id: str) -> Attempt:
        """Return an attempt as it stands now."""
        held = await self._held(cookie_header, attempt_id)
        return replace(held.attempt, status=policy.status_at(held.attempt, self._clock()))

    async def send_again(self, context: RequestContext, cookie_header: str | None, attempt_id: str, method: str) -> Attempt:
        """Send another code: a first one by this method, or a resend after the cool-down."""
        began = self._veil.begin()
        held = await self._waiting(context, cookie_header, attempt_id)
        attempt = held.attempt
        if method not in attempt.methods:
            raise InvalidRequest(extensions={"errors": [{"field": "method", "message": "This method is not offered here."}]})
        wait = policy.seconds_until_resend(attempt, self._clock())
        if wait > 0:
            extensions = {"resend_at": rfc3339(attempt.resend_at), "retry_after": wait}
            raise TooManyAttempts(
                "resend cool-down",
                detail=f"A code is on its way. You can send another in {wait} seconds.",
                headers=retry_after(wait),
                extensions=extensions,
            )
        if attempt.sends_left <= 0:
            raise TooManyAttempts("sends used up", detail="No more codes for this sign-in. Start again to get a new one.")
        await self._limits.check_send(context, attempt.email_hash)
        await self._recorder.record(context, draft_of(attempt, EventType.CHALLENGE_REQUESTED, Outcome.PENDING))
        held = await self._store.change(
            held,
            replace(
                attempt,
                sends_left=attempt.sends_left - 1,
                resend_at=self._clock() + self._settings.resend_seconds,
                method=method,
                busy_until=self._clock() + BUSY_SECONDS_MAX,
            ),
        )
        challenge_id = attempt.challenge_id
        if not attempt.is_decoy:
            challenge_id = (await self._resend(context, held, method)).challenge_id
        await self._veil.settle(began, is_decoy=attempt.is_decoy)
        held = await self._store.change(held, replace(held.attempt, challenge_id=challenge_id, busy_until=0.0))
        await self._recorder.record(context, draft_of(held.attempt, EventType.CHALLENGE_REQUESTED, Outcome.SUCCESS))
        return held.attempt

    async def verify(self, context: RequestContext, cookie_header: str | None, attempt_id: str, code: str) -> Session | Attempt:
        """
        Answer with a code; return the session, or the attempt when it now waits for a review.

        Raises:
            InvalidCode: Wrong or late; ``attempts_left`` says how many more.
            AttemptFailed: That was the last one, or a provider refused.
        """
        began = self._veil.begin()
        held = await self._waiting(context, cookie_header, attempt_id)
        await self._recorder.record(context, draft_of(held.attempt, EventType.CHALLENGE_ANSWERED, Outcome.PENDING))
        held = await self._charge(held)
        try:
            await self._limits.check_answer(context, held.attempt.email_hash)
            proof = await self._check_code(context, held.attempt, code)
        except Problem:
            # Nobody looked at the code, or nobody could say so: it does not count.
            await self._refund(held)
            raise
        if proof.verdict is Verdict.REJECTED:
            # Settled while the attempt is still busy: a second answer sent at once must not tell a decoy either.
            await self._veil.settle(began, is_decoy=held.attempt.is_decoy)
            await self._reject(context, held, proof)
            raise _refusal_of_code(held.attempt, proof)
        return await self._finish.with_proof(context, held, proof)

    async def complete(
        self, context: RequestContext, cookie_header: str | None, attempt_id: str, token: str
    ) -> Session | Attempt:
        """Come back with a token that the Web SDK earned; return what `verify` returns."""
        began = self._veil.begin()
        held = await self._waiting(context, cookie_header, attempt_id)
        attempt = held.attempt
        await self._recorder.record(context, draft_of(attempt, EventType.CHALLENGE_ANSWERED, Outcome.PENDING))
        held = await self._charge(held)
        if attempt.sub is None or attempt.ruling is not Verdict.CHALLENGED:
            proof = ProofAnswer(verdict=Verdict.REJECTED, failure=DECOY_REASON)
        else:
            request = CompleteRequest(
                attempt_id=attempt.id,
                action=action_of(attempt),
                idempotency_key=attempt.idempotency_key,
                sub=attempt.sub,
                token=token,
                client=client_of(context, attempt),
            )
            try:
                proof = await self._challenges.complete(request)
            except Problem:
                await self._refund(held)
                raise
        if proof.verdict is Verdict.REJECTED:
            await self._veil.settle(began, is_decoy=attempt.is_decoy)
            await self._reject(context, held, proof)
            raise AttemptFailed(proof.failure)
        return await self._finish.with_proof(context, held, proof)

    async def cancel(self, context: RequestContext, cookie_header: str | None, attempt_id: str) -> None:
        """Give up an attempt; one that has ended stays as it ended."""
        held = await self._held(cookie_header, attempt_id)
        if policy.status_at(held.attempt, self._clock()) is not AttemptStatus.CHALLENGE_REQUIRED:
            return
        self._require_idle(held.attempt)
        await self._recorder.record(context, draft_of(held.attempt, EventType.ATTEMPT_CANCELLED, Outcome.SUCCESS))
        await self._store.change(held, replace(held.attempt, status=AttemptStatus.FAILED))

    # --- the steps

    def _address(self, field: str, text: str) -> str:
        if not policy.is_address(text):
            raise InvalidRequest(extensions={"errors": [{"field": field, "message": "Enter an e-mail address."}]})
        return normal_address(text)

    def _new(self, kind: AttemptKind, address: str, device_id: str | None, display_name: str | None = None) -> Attempt:
        now = self._clock()
        return Attempt(
            id=str(uuid7()),
            kind=kind,
            status=AttemptStatus.CHALLENGE_REQUIRED,
            binding="",
            email=address,
            email_hash=email_hash(address, self._email_hash_key),
            idempotency_key=str(uuid7()),
            created_at=now,
            expires_at=now + self._settings.attempt_seconds,
            resend_at=now + self._settings.resend_seconds,
            codes_left=self._settings.codes_max,
            sends_left=self._settings.sends_max - 1,
            display_name=display_name,
            device_id=device_id,
        )

    async def _find(self, attempt: Attempt) -> str | None:
        try:
            account = await self._directory.find(attempt.email, attempt.email_hash)
        except (CognitoRefused, CognitoUnreachable) as fault:
            raise fault.problem() from fault
        return account.sub if account is not None else None

    def _decoy(self, attempt: Attempt) -> Attempt:
        return replace(
            attempt,
            is_decoy=True,
            track_token=self._decoy_token(attempt),
            methods=(METHOD_EMAIL_OTP,),
            # Whatever method was asked for: a known person who has no other gets a code by e-mail too.
            method=METHOD_EMAIL_OTP,
        )

    def _challenged(self, attempt: Attempt, answer: ChallengeAnswer) -> Attempt:
        if answer.track_token is not None:
            self._decoy_tokens.learn(answer.track_token)
        return replace(
            attempt,
            ruling=answer.verdict,
            methods=answer.methods,
            method=METHOD_EMAIL_OTP if answer.challenge_id is not None else None,
            challenge_id=answer.challenge_id,
            track_token=answer.track_token or self._decoy_token(attempt),
        )

    def _decoy_token(self, attempt: Attempt) -> str:
        return self._decoy_tokens.make(action=action_of(attempt), idempotency_key=attempt.idempotency_key)

    async def _begun(
        self, context: RequestContext, cookie_header: str | None, attempt: Attempt, event_type: EventType
    ) -> Attempt:
        secret = cookies.read(cookie_header, cookies.ATTEMPT) or cookies.new_secret()
        attempt = replace(attempt, binding=cookies.digest(secret))
        await self._store.add(attempt)
        outcome = Outcome.DENIED if attempt.is_decoy else Outcome.SUCCESS
        reason = DECOY_REASON if attempt.is_decoy else None
        await self._recorder.record(context, draft_of(attempt, event_type, outcome, reason=reason))
        seconds = self._settings.attempt_seconds
        context.set_cookie(cookies.set_header(cookies.ATTEMPT, secret, seconds=seconds))
        return attempt

    async def _held(self, cookie_header: str | None, attempt_id: str) -> Held:
        secret = cookies.read(cookie_header, cookies.ATTEMPT)
        return await self._store.read(attempt_id, binding=cookies.digest(secret) if secret is not None else None)

    async def _waiting(self, context: RequestContext, cookie_header: str | None, attempt_id: str) -> Held:
        """Return an attempt that still waits for a proof; one that does not is refused, and the try recorded."""
        held = await self._held(cookie_header, attempt_id)
        status = policy.status_at(held.attempt, self._clock())
        if status is AttemptStatus.CHALLENGE_REQUIRED:
            self._require_idle(held.attempt)
            return held
        draft = draft_of(held.attempt, EventType.ATTEMPT_REFUSED, Outcome.DENIED, reason=status.value)
        if status is AttemptStatus.EXPIRED:
            await self._recorder.record(context, replace(draft, event_type=EventType.CHALLENGE_EXPIRED))
            raise AttemptExpired(status.value)
        await self._recorder.record(context, draft)
        if status is AttemptStatus.COMPLETED:
            raise Conflict(status.value, detail="This sign-in is already done. Start again if you are not signed in.")
        raise AttemptFailed(status.value)

    def _require_idle(self, attempt: Attempt) -> None:
        if self._clock() < attempt.busy_until:
            raise Conflict("attempt is busy")

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
        if attempt.is_decoy or attempt.challenge_id is None:
            return ProofAnswer(verdict=Verdict.REJECTED, failure=DECOY_REASON)
        return await self._challenges.verify(
            VerifyRequest(
                attempt_id=attempt.id,
                action=action_of(attempt),
                email=attempt.email,
                idempotency_key=attempt.idempotency_key,
                challenge_id=attempt.challenge_id,
                code=code,
                sub=_person_of(attempt),
                client=client_of(context, attempt),
            )
        )

    async def _reject(self, context: RequestContext, held: Held, proof: ProofAnswer) -> None:
        attempt = held.attempt
        status = AttemptStatus.FAILED if _is_over(attempt, proof) else attempt.status
        await self._store.change(held, replace(attempt, status=status, busy_until=0.0))
        event_type = EventType.SIGN_UP_REJECTED if attempt.kind is AttemptKind.SIGN_UP else EventType.SIGN_IN_FAILED
        await self._recorder.record(context, draft_of(attempt, event_type, Outcome.FAILURE, reason=proof.failure))

    async def _resend(self, context: RequestContext, held: Held, method: str) -> ChallengeAnswer:
        attempt = held.attempt
        request = self._challenge_request(context, attempt, method)
        try:
            return await self._challenges.challenge(replace(request, is_resend=True))
        except Problem:
            # No code left, so the send is given back and there is nothing to cool down from.
            given_back = replace(attempt, sends_left=attempt.sends_left + 1, resend_at=self._clock(), busy_until=0.0)
            await self._store.change(held, given_back)
            raise

    def _challenge_request(self, context: RequestContext, attempt: Attempt, method: str) -> ChallengeRequest:
        return ChallengeRequest(
            attempt_id=attempt.id,
            action=action_of(attempt),
            email=attempt.email,
            idempotency_key=attempt.idempotency_key,
            sub=_person_of(attempt),
            method=method,
            client=client_of(context, attempt),
        )


def _person_of(attempt: Attempt) -> str | None:
    """
    Return whose challenge this is, as far as it is to be tied to an account.

    Rules that stopped the person keep the proof from being tied to the account; it only shows who asks. A sign-up proves an
    address, also when it goes on after its account was made.
    """
    is_tied = attempt.kind is AttemptKind.SIGN_IN and attempt.ruling is Verdict.CHALLENGED
    return attempt.sub if is_tied else None


def _is_over(attempt: Attempt, proof: ProofAnswer) -> bool:
    return attempt.codes_left <= 0 or proof.failure == EXHAUSTED


def _refusal_of_code(attempt: Attempt, proof: ProofAnswer) -> Problem:
    if _is_over(attempt, proof):
        return AttemptFailed(proof.failure, detail="Too many wrong codes. Start again to get a new one.")
    return InvalidCode(proof.failure, extensions={"attempts_left": attempt.codes_left})
