"""
Begin a sign-in, for Cognito's Create trigger.

There is no gateway in front of this call, so this service also records that it begins. It takes about as long for somebody whom
nobody knows as for everybody else, and gives the same kind of answer.
"""

import hmac
from typing import Any, Final
from uuid import UUID, uuid4

from services.challenge.authsignal.answers import Tracked
from services.challenge.authsignal.provider import Authsignal
from services.challenge.direct import policy
from services.challenge.direct.bodies import ChallengeAnswer, ChallengeRequest
from services.challenge.direct.deadline import within
from services.challenge.direct.policy import Withheld
from services.challenge.direct.recording import SignInRecorder
from shared.challenge_api import Verdict
from shared.decoys import DecoyTokens
from shared.direct_api import ACTION_SIGN_IN
from shared.events import EventType, normal_address
from shared.http.context import RequestContext
from shared.ids import is_uuid
from shared.problems import Problem, ProviderBusy, retry_after
from shared.state import StateStore, Window
from shared.veil import Veil

# The make of Authsignal's tokens, as a decoy, for copies of this service that have not seen a real one yet.
_MAKE: Final = "direct:make"
_MAKE_SECONDS: Final = 30 * 86_400

_EVENTS: Final = {
    Withheld.UNKNOWN: (EventType.SIGN_IN_DECOYED, Verdict.CHALLENGED),
    Withheld.NO_FACTOR: (EventType.SIGN_IN_DECOYED, Verdict.BLOCKED),
    Withheld.BLOCKED: (EventType.SIGN_IN_BLOCKED, Verdict.BLOCKED),
    Withheld.REVIEW: (EventType.SIGN_IN_UNDER_REVIEW, Verdict.REVIEW),
    Withheld.TOO_MANY: (EventType.SIGN_IN_DECOYED, Verdict.BLOCKED),
}


class DirectSignIns:
    """
    Sign-ins that begin through the direct client.

    Args:
        starts_max: How many may begin for one person within `window_seconds`.
        seconds_max: Deadline of what Authsignal is asked.
        name_key: Makes the ids of people who do not exist.
    """

    def __init__(
        self,
        *,
        provider: Authsignal,
        recorder: SignInRecorder,
        state: StateStore,
        veil: Veil,
        name_key: bytes,
        starts_max: int,
        window_seconds: int,
        seconds_max: float,
    ) -> None:
        self._provider = provider
        self._recorder = recorder
        self._state = state
        self._veil = veil
        self._decoys = DecoyTokens()
        self._name_key = name_key
        self._starts_max = starts_max
        self._window_seconds = window_seconds
        self._seconds_max = seconds_max
        self._is_provider_failing = False
        self._knows_make = False

    async def begin(self, request: ChallengeRequest, context: RequestContext) -> ChallengeAnswer:
        """
        Track a sign-in and return its token, or a decoy of one.

        A first round gets a key of its own, which is never made of who signs in and when: two sign-ins that shared a key would
        share the proof too.

        Raises:
            ProviderBusy, ProviderError: Authsignal failed; while it does, decoys fail as well.
            AuditUnavailable: It could not be recorded.
        """
        began = self._veil.begin()
        is_first = request.idempotency_key is None
        key = request.idempotency_key or str(uuid4())
        try:
            opening = EventType.SIGN_IN_STARTED if is_first else EventType.CHALLENGE_REQUESTED
            await self._recorder.record(request, key, context, opening, Verdict.PENDING)
            token = await self._token(request, key, context, is_first=is_first)
        finally:
            await self._veil.settle(began, is_decoy=request.sub is None)
        return ChallengeAnswer(token=token, idempotency_key=key, challenge_id=str(uuid4()))

    async def _token(self, request: ChallengeRequest, key: str, context: RequestContext, *, is_first: bool) -> str:
        if request.sub is None:
            if self._is_provider_failing:
                raise ProviderBusy("decoys fail while the provider does", headers=retry_after(2))
            return await self._decoy(request, key, context, Withheld.UNKNOWN)
        if is_first and await self._is_one_too_many(request, request.sub, key, context):
            return await self._decoy(request, key, context, Withheld.TOO_MANY)
        tracked = await self._track(request, request.sub, key, context)
        await self._learn(tracked.token, key)
        about: dict[str, Any] = {"state": tracked.state, "rule_ids": tracked.rule_ids}
        why = policy.withheld(tracked, is_email_verified=request.is_email_verified)
        if why is not None:
            return await self._decoy(request, key, context, why, **about)
        await self._recorder.record(request, key, context, EventType.ACTION_TRACKED, Verdict.CHALLENGED, **about)
        return tracked.token

    async def _track(self, request: ChallengeRequest, sub: str, key: str, context: RequestContext) -> Tracked:
        # The address is Cognito's, never one that the app names: Authsignal sends there what the person is to prove.
        attributes = {"idempotencyKey": key, "email": normal_address(request.email) or None}
        try:
            async with within(self._seconds_max):
                tracked = await self._provider.track(sub, ACTION_SIGN_IN, attributes)
        except Problem as problem:
            self._is_provider_failing = True
            await self._recorder.record_fault(request, key, context, problem)
            raise
        self._is_provider_failing = False
        return tracked

    async def _is_one_too_many(self, request: ChallengeRequest, sub: str, key: str, context: RequestContext) -> bool:
        taking = await self._state.take([Window(f"limit:direct_starts:{sub}", self._starts_max, self._window_seconds)])
        if taking.unreported is not None:
            limited, reason = EventType.ABUSE_RATE_LIMITED, Withheld.TOO_MANY.value
            data = {"refusals_not_recorded": taking.unreported}
            await self._recorder.record(request, key, context, limited, Verdict.BLOCKED, reason=reason, data=data)
        return taking.refused_by is not None

    async def _decoy(self, request: ChallengeRequest, key: str, context: RequestContext, why: Withheld, **about: Any) -> str:
        event_type, verdict = _EVENTS[why]
        await self._recorder.record(request, key, context, event_type, verdict, reason=why.value, **about)
        if not self._knows_make:
            shared = await self._state.get(_MAKE)
            self._decoys.learn(shared.decode() if shared is not None else "")
        return self._decoys.make(action=ACTION_SIGN_IN, idempotency_key=key, user_id=self._user_id_of(request))

    async def _learn(self, token: str, key: str) -> None:
        """Remember how real tokens are made; the first one seen teaches all other copies, which get its make alone."""
        self._decoys.learn(token)
        if not self._knows_make:
            decoy = self._decoys.make(action=ACTION_SIGN_IN, idempotency_key=key)
            await self._state.put(_MAKE, decoy.encode(), ttl_seconds=_MAKE_SECONDS)
            self._knows_make = True

    def _user_id_of(self, request: ChallengeRequest) -> str:
        """Return whom a decoy is about: the same id for the same name, as with people who exist."""
        if request.sub is not None or is_uuid(request.username):
            return request.sub or request.username
        name = normal_address(request.username).encode("utf-8", "surrogatepass")
        return str(UUID(bytes=hmac.digest(self._name_key, name, "sha256")[:16], version=4))
