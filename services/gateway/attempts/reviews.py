"""
Attempts under review: put before an operator, and gone on with once one has decided.

Rules:

1. An approved step-up has its grant. An approved sign-in waits for a proof again: a review takes the place of the rules, never
   of the person.
2. A rejected one is blocked, like one that the rules blocked.
3. A review that nobody decided expires.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from msgspec.structs import replace

from services.gateway.attempts.drafts import draft_of
from services.gateway.attempts.model import Attempt, AttemptKind, AttemptStatus
from services.gateway.attempts.store import AttemptStore, Held
from services.gateway.recorder import Recorder
from services.gateway.settings import GatewaySettings
from services.gateway.step_ups.grants import LIFE_SECONDS
from shared.challenge_api import ChallengeService, ReviewRequest, Verdict
from shared.events import Client, Draft, EventType, Outcome
from shared.http.context import RequestContext

REVIEWED: Final = "review"
APPROVED: Final = {AttemptKind.SIGN_IN: EventType.SIGN_IN_CHALLENGED, AttemptKind.STEP_UP: EventType.STEP_UP_ALLOWED}
REJECTED: Final = {AttemptKind.SIGN_IN: EventType.SIGN_IN_BLOCKED, AttemptKind.STEP_UP: EventType.STEP_UP_BLOCKED}


class Reviews:
    """Puts attempts under review, and learns what came of it."""

    def __init__(
        self,
        *,
        settings: GatewaySettings,
        store: AttemptStore,
        challenges: ChallengeService,
        recorder: Recorder,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._store = store
        self._challenges = challenges
        self._recorder = recorder
        self._clock = clock

    async def open(self, context: RequestContext, attempt: Attempt) -> Attempt:
        """
        Put an attempt before the operators; return it as it is then, to be kept by the caller.

        A sign-up, and a passkey that named nobody, have no action at Authsignal that an operator could decide: they stay as
        they are, and their people begin again.
        """
        attempt = replace(attempt, status=AttemptStatus.REVIEW, busy_until=0.0)
        if not is_decidable(attempt):
            return attempt
        attempt = replace(attempt, expires_at=self._clock() + self._settings.review_seconds)
        await self._challenges.open_review(_request(attempt, context.client))
        return attempt

    async def learn(self, context: RequestContext, held: Held) -> Held:
        """
        Ask how a review stands; return the attempt as it is then.

        Raises:
            Conflict: It was changed meanwhile, by a twin of this request.
        """
        attempt = held.attempt
        verdict = (await self._challenges.poll_review(_request(attempt, context.client))).verdict
        if verdict is Verdict.PENDING:
            return held
        changed = self._decided(attempt, is_approved=verdict is Verdict.ALLOWED)
        # Recorded before it is kept: a grant that is in no log can be spent by nobody.
        await self._recorder.record(context, _draft(changed))
        return await self._store.change(held, changed)

    def _decided(self, attempt: Attempt, *, is_approved: bool) -> Attempt:
        now = self._clock()
        if not is_approved:
            return replace(attempt, status=AttemptStatus.BLOCKED)
        if attempt.kind is AttemptKind.STEP_UP:
            return replace(attempt, status=AttemptStatus.ALLOWED, grant_expires_at=float(int(now) + LIFE_SECONDS))
        return replace(
            attempt,
            status=AttemptStatus.CHALLENGE_REQUIRED,
            is_reviewed=True,
            expires_at=now + self._settings.attempt_seconds,
            resend_at=now,
            codes_left=self._settings.codes_max,
            sends_left=self._settings.sends_max,
        )


def is_decidable(attempt: Attempt) -> bool:
    """Say whether an operator can decide about an attempt."""
    return attempt.kind in APPROVED and attempt.sub is not None and attempt.binding != ""


def _request(attempt: Attempt, client: Client) -> ReviewRequest:
    assert attempt.sub is not None
    return ReviewRequest(
        attempt_id=attempt.id,
        kind="sign_in" if attempt.kind is AttemptKind.SIGN_IN else "step_up",
        action=attempt.action,
        idempotency_key=attempt.idempotency_key,
        sub=attempt.sub,
        expires_at=datetime.fromtimestamp(attempt.expires_at, UTC),
        details=attempt.details,
        client=client,
    )


def _draft(attempt: Attempt) -> Draft:
    is_rejected = attempt.status is AttemptStatus.BLOCKED
    outcome = Outcome.DENIED if is_rejected else Outcome.SUCCESS
    draft = draft_of(attempt, (REJECTED if is_rejected else APPROVED)[attempt.kind], outcome, reason=REVIEWED)
    return replace(draft, data={"context_hash": attempt.details_hash}) if attempt.details_hash is not None else draft
