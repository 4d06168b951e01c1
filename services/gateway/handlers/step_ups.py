"""Step-ups: asked for and proven by a person, spent by a business service."""

from typing import Final

from litestar import get, post
from litestar.params import JSONBody

from services.gateway.handlers.documents import ATTEMPT, WRITE, StepUpId, problems, wait_seconds
from services.gateway.step_ups.service import Consumption
from services.gateway.views import ChallengeChoice, CodeProof, SpentView, StepUpSpend, StepUpStart, StepUpView, TokenProof
from services.gateway.wiring import AnyRequest, gateway_of
from shared.http.problems import context_of
from shared.problems import Unauthorized


@post(
    "/v1/step-ups",
    status_code=200,
    tags=["step-ups"],
    operation_id="beginStepUp",
    summary="Ask for an action",
    responses=problems(*WRITE),
)
async def begin_step_up(data: JSONBody[StepUpStart], request: AnyRequest) -> StepUpView:
    """Say what a person is about to do; the answer says whether it is allowed, must be proven, or is stopped."""
    gateway = gateway_of(request)
    session = await gateway.session_of(request)
    attempt = await gateway.step_ups.begin(
        context_of(request), session, action=data.action, details=data.context, device_id=data.device_id
    )
    return gateway.show_step_up(attempt)


@get(
    "/v1/step-ups/{step_up_id:str}",
    tags=["step-ups"],
    operation_id="getStepUp",
    summary="Where a step-up stands",
    responses=problems(400, 401, 404, 502, 503),
)
async def get_step_up(step_up_id: StepUpId, request: AnyRequest) -> StepUpView:
    """Return a step-up of whoever is signed in; with ``Prefer: wait=n``, once it has changed or after n seconds."""
    gateway = gateway_of(request)
    session = await gateway.session_of(request)
    attempt = await gateway.step_ups.read(context_of(request), session, step_up_id, seconds=wait_seconds(request))
    return gateway.show_step_up(attempt)


@post(
    "/v1/step-ups/{step_up_id:str}/challenges",
    status_code=200,
    tags=["step-ups"],
    operation_id="sendStepUpChallenge",
    summary="Send a code for a step-up, or choose another method",
    responses=problems(*ATTEMPT),
)
async def send_step_up_challenge(step_up_id: StepUpId, data: JSONBody[ChallengeChoice], request: AnyRequest) -> StepUpView:
    """Send by a method that the person has."""
    gateway = gateway_of(request)
    session = await gateway.session_of(request)
    return gateway.show_step_up(await gateway.step_ups.send(context_of(request), session, step_up_id, data.method))


@post(
    "/v1/step-ups/{step_up_id:str}/verifications",
    status_code=200,
    tags=["step-ups"],
    operation_id="verifyStepUp",
    summary="Prove a step-up with a code",
    responses=problems(*ATTEMPT),
)
async def verify_step_up(step_up_id: StepUpId, data: JSONBody[CodeProof], request: AnyRequest) -> StepUpView:
    """Answer with a code; the step-up then carries its grant."""
    gateway = gateway_of(request)
    session = await gateway.session_of(request)
    return gateway.show_step_up(await gateway.step_ups.verify(context_of(request), session, step_up_id, data.code))


@post(
    "/v1/step-ups/{step_up_id:str}/completions",
    status_code=200,
    tags=["step-ups"],
    operation_id="completeStepUp",
    summary="Prove a step-up with the Web SDK's token",
    responses=problems(*ATTEMPT),
)
async def complete_step_up(step_up_id: StepUpId, data: JSONBody[TokenProof], request: AnyRequest) -> StepUpView:
    """Come back from the browser's part, or from a wait; the step-up then carries its grant."""
    gateway = gateway_of(request)
    session = await gateway.session_of(request)
    return gateway.show_step_up(await gateway.step_ups.complete(context_of(request), session, step_up_id, data.token))


@post(
    "/v1/step-ups/{step_up_id:str}/consume",
    status_code=200,
    tags=["step-ups"],
    operation_id="consumeStepUp",
    summary="Spend a grant, as a business service",
    responses=problems(*ATTEMPT),
)
async def consume_step_up(step_up_id: StepUpId, data: JSONBody[StepUpSpend], request: AnyRequest) -> SpentView:
    """Make a grant count, once: for the person, the action and the very details that were approved."""
    gateway = gateway_of(request)
    try:
        consumer = gateway.businesses.name_of(request.headers.get("authorization"))
    except Unauthorized:
        await gateway.step_ups.refuse(context_of(request), step_up_id)
        raise
    wanted = Consumption(consumer=consumer, sub=data.sub, action=data.action, details=data.context)
    attempt = await gateway.step_ups.consume(context_of(request), step_up_id, wanted)
    return SpentView(ok=True, id=attempt.id, sub=data.sub, action=attempt.action)


STEP_UP_HANDLERS: Final = (
    begin_step_up,
    get_step_up,
    send_step_up_challenge,
    verify_step_up,
    complete_step_up,
    consume_step_up,
)
