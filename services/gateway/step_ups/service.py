"""
Step-ups: begun by a signed-in person for one action with its details, answered like an attempt, spent once by a service.

Rules: the grant is bound to person, action and details; it lives two minutes; it counts once. ALLOW gives a grant at once;
BLOCK and REVIEW give none, and say so. A proven step-up also makes the session fresh.
"""

import contextlib
import time
from collections.abc import Callable
from typing import NamedTuple

from msgspec.structs import replace

from services.gateway import policy
from services.gateway.attempts.drafts import draft_of
from services.gateway.attempts.flow import Flow, sent
from services.gateway.attempts.model import Attempt, AttemptKind, AttemptStatus
from services.gateway.attempts.reviews import Reviews
from services.gateway.attempts.store import AttemptStore, Held
from services.gateway.recorder import Recorder
from services.gateway.sessions.model import Session
from services.gateway.sessions.service import Sessions
from services.gateway.settings import GatewaySettings
from services.gateway.step_ups import details as step_up_details
from services.gateway.step_ups.details import Details
from services.gateway.step_ups.grants import LIFE_SECONDS, GrantSigner
from shared.audit_trail import AuditUnavailable
from shared.challenge_api import ChallengeService, ProofAnswer, Verdict
from shared.events import Actor, Draft, EventType, Outcome
from shared.http.context import RequestContext
from shared.ids import is_action_code, uuid7
from shared.problems import ActionBlocked, AlreadyDone, AttemptExpired, Conflict, InvalidRequest, NotConfirmedYet, NotFound

GRANTED = frozenset({AttemptStatus.VERIFIED, AttemptStatus.ALLOWED})


class Consumption(NamedTuple):
    """What a business service says it is about to do, and with whose credential."""

    consumer: str
    sub: str
    action: str
    details: Details


class StepUps:
    """What handlers need of step-ups."""

    def __init__(
        self,
        *,
        settings: GatewaySettings,
        flow: Flow,
        store: AttemptStore,
        challenges: ChallengeService,
        sessions: Sessions,
        recorder: Recorder,
        reviews: Reviews,
        signer: GrantSigner,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._flow = flow
        self._store = store
        self._challenges = challenges
        self._sessions = sessions
        self._recorder = recorder
        self._reviews = reviews
        self._signer = signer
        self._clock = clock

    async def begin(
        self, context: RequestContext, session: Session, *, action: str, details: Details, device_id: str | None
    ) -> Attempt:
        """Ask for an action; the answer says whether it is allowed, must be proven, waits for a review, or is blocked."""
        if not is_action_code(action):
            message = "Use 1 to 64 letters, digits, dashes and underscores."
            raise InvalidRequest(extensions={"errors": [{"field": "action", "message": message}]})
        attempt = self._new(session, action, step_up_details.checked(details), device_id)
        await self._recorder.record(context, _draft(attempt, EventType.STEP_UP_REQUESTED, Outcome.PENDING))
        request = replace(self._flow.challenge_request(context, attempt, None), may_allow=True, custom=attempt.details)
        answer = await self._challenges.challenge(request)
        attempt = replace(attempt, ruling=answer.verdict)
        if answer.verdict is Verdict.CHALLENGED:
            attempt = await self._challenged(context, attempt, answer.methods, answer.track_token)
            draft = _draft(attempt, EventType.STEP_UP_CHALLENGED, Outcome.PENDING)
        elif answer.verdict is Verdict.ALLOWED:
            attempt = self._granted(attempt, AttemptStatus.ALLOWED, None)
            draft = _draft(attempt, EventType.STEP_UP_ALLOWED, Outcome.SUCCESS)
        elif answer.verdict is Verdict.REVIEW:
            attempt = await self._reviews.open(context, attempt)
            draft = _draft(attempt, EventType.STEP_UP_UNDER_REVIEW, Outcome.PENDING)
        else:
            attempt = replace(attempt, status=AttemptStatus.BLOCKED)
            draft = _draft(attempt, EventType.STEP_UP_BLOCKED, Outcome.DENIED)
        # Recorded before it is kept: a grant that is in no log can be spent by nobody.
        await self._recorder.record(context, draft)
        await self._store.add(attempt)
        return attempt

    async def read(self, context: RequestContext, session: Session, step_up_id: str, *, seconds: int) -> Attempt:
        """Return a step-up as it stands, or after up to `seconds` when it waits for something elsewhere."""
        await self._own(session, step_up_id)
        return await self._flow.wait(context, session.key, step_up_id, seconds=seconds)

    async def send(self, context: RequestContext, session: Session, step_up_id: str, method: str) -> Attempt:
        """Send a code, link or prompt for a step-up."""
        await self._own(session, step_up_id)
        return await self._flow.send(context, session.key, step_up_id, method)

    async def verify(self, context: RequestContext, session: Session, step_up_id: str, code: str) -> Attempt:
        """Answer with a code; return the step-up with its grant."""
        await self._own(session, step_up_id)
        held, proof = await self._flow.answer(context, session.key, step_up_id, code)
        return await self._proven(context, session, held, proof)

    async def complete(self, context: RequestContext, session: Session, step_up_id: str, token: str | None) -> Attempt:
        """Come back from the browser's part, or from a wait; return the step-up with its grant."""
        await self._own(session, step_up_id)
        held, proof = await self._flow.complete(context, session.key, step_up_id, token)
        return await self._proven(context, session, held, proof)

    async def consume(self, context: RequestContext, step_up_id: str, wanted: Consumption) -> Attempt:
        """
        Spend a grant, for a business service.

        Raises:
            NotFound: There is no such step-up, or it is another person's.
            ActionBlocked: Granted for another action or other details.
            NotConfirmedYet: Not granted yet.
            AlreadyDone: Spent before.
            AttemptExpired: Too late.
        """
        held = await self._store.read_any(step_up_id)
        attempt = held.attempt
        refusal = self._refusal(attempt, wanted)
        if refusal is not None:
            reason, problem = refusal
            await self._recorder.record(context, _consumed(attempt, wanted, Outcome.DENIED, reason))
            raise problem
        changed = await self._store.change(held, replace(attempt, status=AttemptStatus.CONSUMED))
        try:
            await self._recorder.record(context, _consumed(attempt, wanted, Outcome.SUCCESS, None))
        except AuditUnavailable:
            # The service is told that nothing was done, so the grant must count again.
            await self._store.change(changed, attempt)
            raise
        return changed.attempt

    async def refuse(self, context: RequestContext, step_up_id: str) -> None:
        """
        Note that somebody without a credential tried to spend a step-up.

        Nothing is noted of ids that no step-up has: guessing must not fill the log.
        """
        with contextlib.suppress(NotFound):
            attempt = (await self._store.read_any(step_up_id)).attempt
            if attempt.kind is AttemptKind.STEP_UP:
                draft = _draft(attempt, EventType.STEP_UP_CONSUMED, Outcome.DENIED, "unknown_credential")
                await self._recorder.record(context, draft)

    def grant(self, attempt: Attempt) -> str | None:
        """Return the signed grant of a step-up that has one which still lives."""
        if attempt.status not in GRANTED or self._clock() >= attempt.grant_expires_at or not attempt.grant_expires_at:
            return None
        return self._signer.sign(attempt)

    def _refusal(
        self, attempt: Attempt, wanted: Consumption
    ) -> tuple[str, NotFound | ActionBlocked | Conflict | AttemptExpired] | None:
        if attempt.kind is not AttemptKind.STEP_UP:
            return "not_a_step_up", NotFound("not a step-up")
        if attempt.sub != wanted.sub:
            return "other_person", NotFound("another person's")
        if attempt.action != wanted.action:
            return "other_action", ActionBlocked("action", detail="This was approved for another action.")
        if attempt.details_hash != step_up_details.digest(wanted.details):
            return "other_details", ActionBlocked("details", detail="This was approved with other details.")
        if attempt.status is AttemptStatus.CONSUMED:
            return "already_consumed", AlreadyDone("consumed", detail="This approval was used before.")
        if attempt.status not in GRANTED or not attempt.grant_expires_at:
            return "not_granted", NotConfirmedYet("not granted", detail="This is not approved.")
        if self._clock() >= attempt.grant_expires_at:
            return "expired", AttemptExpired("grant", detail="This approval has expired. Ask for it again.")
        return None

    async def _own(self, session: Session, step_up_id: str) -> Held:
        held = await self._store.read(step_up_id, binding=session.key)
        if held.attempt.kind is not AttemptKind.STEP_UP:
            raise NotFound("not a step-up")
        return held

    async def _challenged(
        self, context: RequestContext, attempt: Attempt, methods: tuple[str, ...], token: str | None
    ) -> Attempt:
        """The person's own methods, the preferred one first; what needs sending is sent."""
        method = methods[0] if methods else None
        attempt = replace(attempt, methods=methods, own_methods=methods, method=method, track_token=token)
        if not policy.is_sent(method):
            return attempt
        await self._flow.check_send(context, attempt)
        request = replace(self._flow.challenge_request(context, attempt, method), is_tracked=True, track_token=token)
        return sent(attempt, await self._challenges.challenge(request))

    async def _proven(self, context: RequestContext, session: Session, held: Held, proof: ProofAnswer) -> Attempt:
        if proof.verdict is not Verdict.VERIFIED:
            if proof.verdict is Verdict.REVIEW:
                stopped = await self._reviews.open(context, held.attempt)
                event_type, outcome = EventType.STEP_UP_UNDER_REVIEW, Outcome.PENDING
            else:
                stopped = replace(held.attempt, status=AttemptStatus.BLOCKED, busy_until=0.0)
                event_type, outcome = EventType.STEP_UP_BLOCKED, Outcome.DENIED
            held = await self._store.change(held, stopped)
            await self._recorder.record(context, _draft(held.attempt, event_type, outcome))
            return held.attempt
        granted = self._granted(held.attempt, AttemptStatus.VERIFIED, proof.method or held.attempt.method)
        await self._recorder.record(context, _draft(granted, EventType.STEP_UP_SUCCEEDED, Outcome.SUCCESS))
        held = await self._store.change(held, granted)
        await self._sessions.prove(session)
        return held.attempt

    def _granted(self, attempt: Attempt, status: AttemptStatus, method: str | None) -> Attempt:
        return replace(
            attempt,
            status=status,
            proof_method=method,
            proof_token=None,
            track_token=None,
            busy_until=0.0,
            grant_expires_at=float(int(self._clock()) + LIFE_SECONDS),
        )

    def _new(self, session: Session, action: str, details: Details, device_id: str | None) -> Attempt:
        now = self._clock()
        return Attempt(
            id=str(uuid7()),
            kind=AttemptKind.STEP_UP,
            action=action,
            status=AttemptStatus.CHALLENGE_REQUIRED,
            binding=session.key,
            email=session.email,
            email_hash=session.email_hash,
            idempotency_key=str(uuid7()),
            created_at=now,
            expires_at=now + self._settings.attempt_seconds,
            resend_at=now + self._settings.resend_seconds,
            codes_left=self._settings.codes_max,
            sends_left=self._settings.sends_max - 1,
            sub=session.sub,
            device_id=device_id,
            details=details,
            details_hash=step_up_details.digest(details),
        )


def _draft(attempt: Attempt, event_type: EventType, outcome: Outcome, reason: str | None = None) -> Draft:
    return replace(draft_of(attempt, event_type, outcome, reason=reason), data={"context_hash": attempt.details_hash})


def _consumed(attempt: Attempt, wanted: Consumption, outcome: Outcome, reason: str | None) -> Draft:
    draft = _draft(attempt, EventType.STEP_UP_CONSUMED, outcome, reason)
    return replace(draft, actor=Actor(kind="service", id=wanted.consumer))
