"""
Reviews: actions that the rules want a person to look at, and what operators decide.

Rules:

1. Authsignal has the last word: how a review stands is read from the action there, so that a decision in its own portal counts
   like one made here, and nothing that is kept here can approve anything.
2. What is kept is a list for operators: it names account and details, never an address, and goes when the review does.
3. A decision is recorded before it is made, with the operator's name, and again once Authsignal has it. It is made once.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from services.challenge import policy
from services.challenge.authsignal.provider import Authsignal
from services.challenge.recording import ChallengeRecorder
from shared.challenge_api import ReviewAnswer, ReviewRequest, Verdict
from shared.events import Actor, Client, EventType
from shared.http.context import RequestContext
from shared.problems import AlreadyDone, Conflict, NotFound
from shared.state import StateStore

LIST: Final = "reviews"
# Longer than the provider calls of one decision can take.
DECISION_SECONDS_MAX: Final = 15
STATES: Final = {"approve": "REVIEW_SUCCEEDED", "reject": "REVIEW_FAILED"}
VERDICTS: Final = {"approve": Verdict.ALLOWED, "reject": Verdict.BLOCKED}
EVENTS: Final = {
    ("sign_in", "approve"): EventType.SIGN_IN_REVIEW_APPROVED,
    ("sign_in", "reject"): EventType.SIGN_IN_REVIEW_REJECTED,
    ("step_up", "approve"): EventType.STEP_UP_REVIEW_APPROVED,
    ("step_up", "reject"): EventType.STEP_UP_REVIEW_REJECTED,
}


class Decision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator decides. The note is kept in the audit log: it must name nobody's address."""

    decision: Literal["approve", "reject"]
    operator: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    note: Annotated[str, Meta(max_length=500)] = ""


class ReviewView(Struct, frozen=True, kw_only=True):
    """One action that waits, as operators see it; `id` is its attempt's, under which the log has the whole story."""

    id: str
    kind: str
    action: str
    idempotency_key: str
    sub: str
    details: dict[str, str | int | float | bool]
    ip: str | None
    expires_at: datetime


class ReviewList(Struct, frozen=True, kw_only=True):
    """Everything that waits, the one that ends first at the top."""

    reviews: list[ReviewView]


class Reviews:
    """Keeps the list, and carries out decisions; every method raises what the provider and the trail raise."""

    def __init__(
        self,
        *,
        provider: Authsignal,
        recorder: ChallengeRecorder,
        state: StateStore,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._provider = provider
        self._recorder = recorder
        self._state = state
        self._clock = clock

    async def open(self, request: ReviewRequest) -> ReviewAnswer:
        """Put an action on the operators' list. The gateway records that it is under review."""
        ttl_seconds = max(1, int(request.expires_at.timestamp() - self._clock()))
        kept = replace(request, client=Client(ip=request.client.ip))
        await self._state.put(_key(request.attempt_id), msgspec.json.encode(kept), ttl_seconds=ttl_seconds)
        await self._state.add_member(LIST, request.attempt_id, ttl_seconds=ttl_seconds)
        return ReviewAnswer(verdict=Verdict.PENDING)

    async def poll(self, request: ReviewRequest) -> ReviewAnswer:
        """Return how a review stands at Authsignal."""
        state = await self._provider.action_state(request.sub, request.action, request.idempotency_key)
        return ReviewAnswer(verdict=policy.after_review(state))

    async def waiting(self) -> ReviewList:
        """Return everything that waits for a decision."""
        found = [await self._find(attempt_id) for attempt_id in await self._state.members(LIST)]
        waiting = sorted((review for review in found if review is not None), key=lambda review: review.expires_at)
        return ReviewList(reviews=[_view(review) for review in waiting])

    async def decide(self, attempt_id: str, decision: Decision, context: RequestContext) -> ReviewView:
        """
        Approve or reject.

        Raises:
            NotFound: Nothing waits under this id.
            AlreadyDone: It was decided before, here or at Authsignal.
            Conflict: It is being decided.
        """
        async with self._only_decision(attempt_id):
            review = await self._find(attempt_id)
            if review is None:
                raise NotFound("no such review")
            state = await self._provider.action_state(review.sub, review.action, review.idempotency_key)
            if policy.after_review(state) is not Verdict.PENDING:
                await self._forget(attempt_id)
                raise AlreadyDone("review decided", detail="This was decided already.")
            await self._record(review, decision, context, Verdict.PENDING, state)
            wanted = STATES[decision.decision]
            state = await self._provider.set_action_state(review.sub, review.action, review.idempotency_key, wanted)
            # Decided at Authsignal. After a crash here the opening event tells who began it, and the list drops it at the
            # next decision or at its end.
            await self._record(review, decision, context, VERDICTS[decision.decision], state)
            await self._forget(attempt_id)
        return _view(review)

    @asynccontextmanager
    async def _only_decision(self, attempt_id: str) -> AsyncIterator[None]:
        lock = f"deciding:{attempt_id}"
        if not await self._state.add(lock, b"1", ttl_seconds=DECISION_SECONDS_MAX):
            raise Conflict("decision under way")
        try:
            yield
        finally:
            await self._state.delete(lock)

    async def _find(self, attempt_id: str) -> ReviewRequest | None:
        kept = await self._state.get(_key(attempt_id))
        return msgspec.json.decode(kept, type=ReviewRequest) if kept is not None else None

    async def _forget(self, attempt_id: str) -> None:
        await self._state.delete(_key(attempt_id))
        await self._state.remove_member(LIST, attempt_id)

    async def _record(
        self, review: ReviewRequest, decision: Decision, context: RequestContext, verdict: Verdict, state: str
    ) -> None:
        await self._recorder.record(
            # Where the operator is: the person's own events say where the person was.
            replace(review, client=context.client),
            context,
            EVENTS[review.kind, decision.decision],
            verdict,
            action=review.action,
            idempotency_key=review.idempotency_key,
            sub=review.sub,
            state=state,
            actor=Actor(kind="operator", id=decision.operator),
            data={"note": decision.note} if decision.note else None,
        )


def _key(attempt_id: str) -> str:
    return f"review:{attempt_id}"


def _view(review: ReviewRequest) -> ReviewView:
    return ReviewView(
        id=review.attempt_id,
        kind=review.kind,
        action=review.action,
        idempotency_key=review.idempotency_key,
        sub=review.sub,
        details=review.details,
        ip=review.client.ip,
        expires_at=review.expires_at.astimezone(UTC),
    )
