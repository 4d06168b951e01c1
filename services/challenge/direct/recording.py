"""What is written about a sign-in through the direct client; the sign-in's idempotency key is its attempt."""

from typing import Any

from msgspec import Struct

from services.challenge.direct.bodies import AnswerRequest, ChallengeRequest
from services.challenge.recording import ChallengeRecorder
from shared.challenge_api import Verdict
from shared.direct_api import ACTION_SIGN_IN
from shared.events import Client, EventType
from shared.http.context import RequestContext
from shared.problems import Problem


class _SignIn(Struct, frozen=True):
    """Cognito tells its triggers nothing of where a person is, so these events have no client address."""

    attempt_id: str
    client: Client = Client()


class SignInRecorder:
    """Writes the events of direct sign-ins; every method raises `AuditUnavailable` as the trail does."""

    def __init__(self, recorder: ChallengeRecorder) -> None:
        self._recorder = recorder

    async def record(
        self,
        request: ChallengeRequest | AnswerRequest,
        attempt_id: str,
        context: RequestContext,
        event_type: EventType,
        verdict: Verdict,
        *,
        proof_key: str | None = None,
        **about: Any,
    ) -> None:
        """
        Record one event.

        Args:
            request: Whose sign-in it is.
            attempt_id: The sign-in's key.
            context: The trigger's request.
            event_type: What happened.
            verdict: What came of it.
            proof_key: The key of the proof, where it is another than the sign-in's.
            about: ``state``, ``method``, ``reason``, ``rule_ids``, ``data``.
        """
        await self._recorder.record(
            _SignIn(attempt_id),
            context,
            event_type,
            verdict,
            action=ACTION_SIGN_IN,
            idempotency_key=proof_key or attempt_id,
            sub=request.sub,
            email=request.email or None,
            **about,
        )

    async def record_fault(
        self, request: ChallengeRequest | AnswerRequest, attempt_id: str, context: RequestContext, problem: Problem
    ) -> None:
        """Record that Authsignal did not do what it was asked."""
        await self._recorder.record_fault(
            _SignIn(attempt_id), context, problem, action=ACTION_SIGN_IN, idempotency_key=attempt_id, sub=request.sub
        )
