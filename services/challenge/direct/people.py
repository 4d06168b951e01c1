"""What the gateway asks about people who are signed in through the direct client: their factors, and actions they confirm."""

import hmac
from typing import Final
from uuid import uuid4

import msgspec
from msgspec import Struct

from services.challenge import policy as states
from services.challenge.authsignal.answers import Authenticator, Tracked, Validated
from services.challenge.authsignal.provider import Authsignal
from services.challenge.direct import policy
from services.challenge.proofs import BURN_SECONDS, TOKEN_REPLAYED
from services.challenge.recording import ChallengeRecorder
from services.challenge.removals import only_removal
from shared.challenge_api import Verdict
from shared.direct_api import (
    SCOPE_ADD,
    AuthenticatorsAnswer,
    AuthenticatorView,
    PersonRequest,
    ProveAnswer,
    ProveRequest,
    Removal,
    RemovalAnswer,
    RemovalRequest,
    TrackAnswer,
    TrackRequest,
)
from shared.events import EventType
from shared.http.context import RequestContext
from shared.ids import is_action_code
from shared.problems import Conflict, Problem
from shared.state import StateStore

# As long as an Authsignal token may live by setting; a proof that comes later has nothing to be compared with.
CONTEXT_SECONDS: Final = 3600
CONTEXT_MISMATCHED: Final = "CONTEXT_MISMATCHED"


class _Tracked(Struct, frozen=True):
    """What an action was tracked for, kept under its idempotency key; `is_allowed` when the rules asked for no challenge."""

    context_hash: str
    is_allowed: bool


class DirectPeople:
    """Everything that the gateway's handlers of the direct client need."""

    def __init__(self, *, provider: Authsignal, recorder: ChallengeRecorder, state: StateStore) -> None:
        self._provider = provider
        self._recorder = recorder
        self._state = state

    async def authenticators(self, request: PersonRequest) -> AuthenticatorsAnswer:
        """Return a person's authenticators, those included that were begun and never proven."""
        found = await self._provider.authenticators(request.sub)
        return AuthenticatorsAnswer(authenticators=tuple(_view(one) for one in found))

    async def remove(self, request: RemovalRequest) -> RemovalAnswer:
        """Remove an authenticator, unless nothing to sign in with would be left. The gateway records it."""
        try:
            async with only_removal(self._state, request.sub):
                return await self._remove(request)
        except Conflict:
            return RemovalAnswer(removal=Removal.BUSY)

    async def track(self, request: TrackRequest, context: RequestContext) -> TrackAnswer:
        """Track an action and remember what it is about; without a token when the rules stop it."""
        key = str(uuid4())
        attributes = {
            "idempotencyKey": key,
            "scope": request.scope,
            "custom": dict(request.context) or None,
            "ipAddress": request.client.ip,
            "userAgent": request.client.user_agent,
            "deviceId": request.client.device_id,
        }
        try:
            tracked = await self._provider.track(request.sub, request.action, attributes)
        except Problem as problem:
            await self._recorder.record_fault(
                request, context, problem, action=request.action, idempotency_key=key, sub=request.sub
            )
            raise
        verdict = _on_track(tracked, may_enrol=request.scope == SCOPE_ADD)
        about = policy.context_hash(sub=request.sub, action=request.action, context=request.context)
        kept = _Tracked(context_hash=about, is_allowed=verdict is Verdict.ALLOWED)
        await self._state.put(
            _context_name(request.sub, request.action, key), msgspec.msgpack.encode(kept), ttl_seconds=CONTEXT_SECONDS
        )
        await self._recorder.record(
            request,
            context,
            EventType.ACTION_TRACKED,
            verdict,
            action=request.action,
            idempotency_key=key,
            sub=request.sub,
            state=tracked.state,
            rule_ids=tracked.rule_ids,
        )
        is_open = verdict in {Verdict.ALLOWED, Verdict.CHALLENGED}
        return TrackAnswer(verdict=verdict, context_hash=about, token=tracked.token if is_open else None)

    async def prove(self, request: ProveRequest, context: RequestContext) -> ProveAnswer:
        """Validate a token with user, action, idempotency key and context compared, and burn it."""
        about = policy.context_hash(sub=request.sub, action=request.action, context=request.context)
        try:
            validated = await self._provider.validate(request.token, user_id=request.sub, action=request.action)
        except Problem as problem:
            await self._recorder.record_fault(request, context, problem, action=request.action, sub=request.sub)
            raise
        verdict, failure = await self._judged(request, validated, about)
        await self._recorder.record(
            request,
            context,
            _event_of(verdict, failure),
            verdict,
            action=request.action,
            idempotency_key=validated.idempotency_key,
            sub=request.sub,
            state=validated.state,
            method=validated.verification_method,
            reason=failure,
        )
        return ProveAnswer(verdict=verdict, context_hash=about, failure=failure, method=validated.verification_method)

    async def _judged(self, request: ProveRequest, validated: Validated, about: str) -> tuple[Verdict, str | None]:
        key = validated.idempotency_key or ""
        wrong = states.mismatch(validated, user_id=request.sub, action=request.action, idempotency_key=key)
        if wrong is not None:
            return Verdict.REJECTED, wrong.value
        # The key is Authsignal's word; that it is one of ours, and what it was for, is in our own record of the track.
        kept = await self._kept(request.sub, request.action, key)
        if kept is None:
            return Verdict.REJECTED, states.Mismatch.MISMATCHED.value
        verdict = _on_proof(validated, kept)
        if verdict is not Verdict.VERIFIED:
            return verdict, None
        if not hmac.compare_digest(kept.context_hash, about):
            return Verdict.REJECTED, CONTEXT_MISMATCHED
        name = f"proof:{request.sub}:{request.action}:{key}"
        if not await self._state.add(name, request.attempt_id.encode(), ttl_seconds=BURN_SECONDS):
            return Verdict.REJECTED, TOKEN_REPLAYED
        return Verdict.VERIFIED, None

    async def _kept(self, sub: str, action: str, key: str) -> _Tracked | None:
        stored = await self._state.get(_context_name(sub, action, key))
        return msgspec.msgpack.decode(stored, type=_Tracked) if stored is not None else None

    async def _remove(self, request: RemovalRequest) -> RemovalAnswer:
        owned = await self._provider.authenticators(request.sub)
        target = next((one for one in owned if one.user_authenticator_id == request.authenticator_id), None)
        if target is None or not is_action_code(request.authenticator_id):
            return RemovalAnswer(removal=Removal.UNKNOWN)
        usable = policy.usable(owned)
        if usable == [target]:
            return RemovalAnswer(removal=Removal.LAST, method=target.verification_method)
        await self._provider.remove_authenticator(request.sub, request.authenticator_id)
        return RemovalAnswer(removal=Removal.REMOVED, method=target.verification_method)


def _on_track(tracked: Tracked, *, may_enrol: bool) -> Verdict:
    verdict = states.after_track(tracked.state)
    if verdict is not Verdict.CHALLENGED:
        return verdict
    if not tracked.is_enrolled:
        # With this token a first factor could be added, which only a request to add one may do.
        return Verdict.CHALLENGED if may_enrol else Verdict.BLOCKED
    return Verdict.ALLOWED if tracked.state == "ALLOW" else Verdict.CHALLENGED


def _on_proof(validated: Validated, kept: _Tracked) -> Verdict:
    if validated.state == "ALLOW" and kept.is_allowed:
        return Verdict.VERIFIED
    verdict = states.after_proof(validated.state)
    # isValid false beside CHALLENGE_SUCCEEDED contradicts itself: believe the no.
    return Verdict.BLOCKED if verdict is Verdict.VERIFIED and not validated.is_valid else verdict


def _event_of(verdict: Verdict, failure: str | None) -> EventType:
    if failure == TOKEN_REPLAYED:
        return EventType.TOKEN_REPLAYED
    if failure in {states.Mismatch.MISMATCHED.value, CONTEXT_MISMATCHED}:
        return EventType.ACTION_MISMATCHED
    return EventType.ACTION_VALIDATED if verdict is Verdict.VERIFIED else EventType.CHALLENGE_REJECTED


def _context_name(sub: str, action: str, key: str) -> str:
    return f"direct:context:{sub}:{action}:{key}"


def _view(one: Authenticator) -> AuthenticatorView:
    # Both sides read and write the very names of Authsignal's own API.
    return msgspec.convert(msgspec.to_builtins(one), AuthenticatorView)
