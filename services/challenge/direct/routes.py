"""
The routes of the direct client: two for Cognito's triggers, the rest for the gateway; neither may call the other's.

`build` wires what they need; without a file of trigger tokens they answer that there is nothing here.
"""

from typing import Any, Final

from litestar import Request, post
from litestar.params import JSONBody
from msgspec import Struct

from services.challenge.authsignal.provider import Authsignal
from services.challenge.direct.answers import DirectAnswers
from services.challenge.direct.bodies import AnswerRequest, AnswerVerdict, ChallengeAnswer, ChallengeRequest
from services.challenge.direct.people import DirectPeople
from services.challenge.direct.recording import SignInRecorder
from services.challenge.direct.sign_in import DirectSignIns
from services.challenge.recording import ChallengeRecorder
from services.challenge.settings import ChallengeSettings
from shared.direct_api import (
    AuthenticatorsAnswer,
    PersonRequest,
    ProveAnswer,
    ProveRequest,
    RemovalAnswer,
    RemovalRequest,
    TrackAnswer,
    TrackRequest,
)
from shared.http.problems import context_of
from shared.problems import NotFound
from shared.state import StateStore
from shared.veil import Veil

AnyRequest = Request[Any, Any, Any]
# All that a trigger's token opens, and nothing else does.
TRIGGER_PREFIX: Final = "/v1/direct/"


class Direct(Struct, frozen=True):
    """The parts of one process that the direct client needs."""

    sign_ins: DirectSignIns
    answers: DirectAnswers
    people: DirectPeople


def build(
    settings: ChallengeSettings,
    *,
    provider: Authsignal,
    recorder: ChallengeRecorder,
    state: StateStore,
    name_key: bytes,
) -> Direct | None:
    """Return the parts, or None when the direct client is off."""
    if settings.direct_token_file is None:
        return None
    sign_in_recorder = SignInRecorder(recorder)
    seconds_max = settings.direct_seconds_max
    return Direct(
        sign_ins=DirectSignIns(
            provider=provider,
            recorder=sign_in_recorder,
            state=state,
            veil=Veil(step_seconds=settings.direct_veil_seconds),
            name_key=name_key,
            starts_max=settings.direct_starts_max,
            window_seconds=settings.direct_window_seconds,
            seconds_max=seconds_max,
        ),
        answers=DirectAnswers(
            provider=provider,
            recorder=sign_in_recorder,
            state=state,
            veil=Veil(step_seconds=settings.direct_veil_seconds),
            seconds_max=seconds_max,
        ),
        people=DirectPeople(provider=provider, recorder=recorder, state=state),
    )


def _direct(request: AnyRequest) -> Direct:
    direct: Direct | None = request.app.state.direct
    if direct is None:
        raise NotFound("the direct client is off")
    return direct


@post("/v1/direct/challenges", status_code=200)
async def begin(data: JSONBody[ChallengeRequest], request: AnyRequest) -> ChallengeAnswer:
    """Track a sign-in: Cognito's Create trigger."""
    return await _direct(request).sign_ins.begin(data, context_of(request))


@post("/v1/direct/answers", status_code=200)
async def check(data: JSONBody[AnswerRequest], request: AnyRequest) -> AnswerVerdict:
    """Check an answer: Cognito's Verify trigger."""
    return await _direct(request).answers.check(data, context_of(request))


@post("/v1/people/authenticators", status_code=200)
async def authenticators(data: JSONBody[PersonRequest], request: AnyRequest) -> AuthenticatorsAnswer:
    """List a person's authenticators."""
    return await _direct(request).people.authenticators(data)


@post("/v1/people/removals", status_code=200)
async def remove(data: JSONBody[RemovalRequest], request: AnyRequest) -> RemovalAnswer:
    """Remove an authenticator."""
    return await _direct(request).people.remove(data)


@post("/v1/people/actions", status_code=200)
async def track(data: JSONBody[TrackRequest], request: AnyRequest) -> TrackAnswer:
    """Begin an action."""
    return await _direct(request).people.track(data, context_of(request))


@post("/v1/people/proofs", status_code=200)
async def prove(data: JSONBody[ProveRequest], request: AnyRequest) -> ProveAnswer:
    """Validate what the Web SDK earned."""
    return await _direct(request).people.prove(data, context_of(request))


ROUTES: Final = (begin, check, authenticators, remove, track, prove)
