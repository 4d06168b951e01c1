"""What the challenge service writes into the log: one event per call, of what came of it."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from shared.audit_trail import AuditTrail
from shared.challenge_api import Verdict
from shared.events import Actor, AuthsignalRef, Client, Draft, EventType, Outcome, Subject, email_hash
from shared.http.context import RequestContext
from shared.problems import Problem

OUTCOMES: Final = {
    Verdict.ALLOWED: Outcome.SUCCESS,
    Verdict.CHALLENGED: Outcome.SUCCESS,
    Verdict.VERIFIED: Outcome.SUCCESS,
    Verdict.PENDING: Outcome.PENDING,
    Verdict.REJECTED: Outcome.FAILURE,
    Verdict.REVIEW: Outcome.PENDING,
    Verdict.BLOCKED: Outcome.DENIED,
}


class Recordable(Protocol):
    """What every request that is recorded has."""

    @property
    def attempt_id(self) -> str:
        """The attempt that it belongs to."""

    @property
    def client(self) -> Client:
        """Where the person is."""


class ChallengeRecorder:
    """Writes the events of this service; every method raises `AuditUnavailable` as the trail does."""

    def __init__(self, trail: AuditTrail, *, email_hash_key: bytes) -> None:
        self._trail = trail
        self._email_hash_key = email_hash_key

    async def record(
        self,
        request: Recordable,
        context: RequestContext,
        event_type: EventType,
        verdict: Verdict | None,
        *,
        action: str,
        idempotency_key: str | None = None,
        sub: str | None = None,
        email: str | None = None,
        state: str | None = None,
        method: str | None = None,
        reason: str | None = None,
        rule_ids: tuple[str, ...] = (),
        actor: Actor | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Record what came of a call; without a `verdict` it failed."""
        await self._trail.record(
            Draft(
                event_type=event_type,
                outcome=Outcome.ERROR if verdict is None else OUTCOMES[verdict],
                reason=reason,
                request_id=context.request_id,
                trace_id=context.trace_id,
                attempt_id=request.attempt_id,
                subject=Subject(sub=sub, email_hash=email_hash(email, self._email_hash_key) if email is not None else None),
                actor=actor,
                client=request.client,
                authsignal=AuthsignalRef(
                    action=action, idempotency_key=idempotency_key, state=state, method=method, rule_ids=rule_ids
                ),
                data=dict(data or {}),
            )
        )

    async def record_fault(
        self,
        request: Recordable,
        context: RequestContext,
        problem: Problem,
        *,
        action: str,
        idempotency_key: str | None = None,
        sub: str | None = None,
        email: str | None = None,
    ) -> None:
        """Record that the provider did not do what it was asked."""
        await self.record(
            request,
            context,
            EventType.PROVIDER_CALL_FAILED,
            None,
            action=action,
            idempotency_key=idempotency_key,
            sub=sub,
            email=email,
            reason=problem.reason or problem.code,
        )
