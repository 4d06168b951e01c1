"""Sign-up, sign-in, and the attempts that they are."""

from typing import Any, Final

from litestar import Response, delete, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody

from services.gateway.attempts.model import Attempt
from services.gateway.handlers.documents import ATTEMPT, WRITE, AttemptId, problems, wait_seconds
from services.gateway.sessions.model import SignedIn
from services.gateway.views import (
    AttemptView,
    ChallengeChoice,
    CodeProof,
    PasskeyStart,
    SignedInView,
    SignInStart,
    SignUpStart,
    TokenProof,
)
from services.gateway.wiring import AnyRequest, Gateway, binding_of, gateway_of
from shared.http.problems import context_of


@post(
    "/v1/sign-ups",
    status_code=202,
    tags=["attempts"],
    operation_id="beginSignUp",
    summary="Begin a sign-up",
    responses=problems(*WRITE),
)
async def begin_sign_up(data: JSONBody[SignUpStart], request: AnyRequest) -> AttemptView:
    """Send a code to an address; the answer is the same whether it has an account or not."""
    gateway = gateway_of(request)
    caller = gateway.clients.caller(request, data.client_id)
    attempt = await gateway.door.begin_sign_up(
        context_of(request),
        caller,
        email=data.email,
        display_name=data.display_name,
        device_id=data.device_id,
    )
    return gateway.show_attempt(attempt, caller)


@post(
    "/v1/sign-ins",
    status_code=202,
    tags=["attempts"],
    operation_id="beginSignIn",
    summary="Begin a sign-in",
    responses=problems(*WRITE),
)
async def begin_sign_in(data: JSONBody[SignInStart], request: AnyRequest) -> AttemptView:
    """Send a code to whoever has this address; an unknown one gets an answer that looks the same."""
    gateway = gateway_of(request)
    caller = gateway.clients.caller(request, data.client_id)
    attempt = await gateway.door.begin_sign_in(
        context_of(request),
        caller,
        identifier=data.identifier,
        method=data.method,
        device_id=data.device_id,
    )
    return gateway.show_attempt(attempt, caller)


@post(
    "/v1/sign-ins/passkey",
    status_code=200,
    tags=["attempts"],
    operation_id="signInWithPasskey",
    summary="Sign in with a passkey, no name typed",
    responses={202: ResponseSpec(AttemptView, generate_examples=False), **problems(*WRITE)},
)
async def sign_in_with_passkey(data: JSONBody[PasskeyStart], request: AnyRequest) -> Response[SignedInView]:
    """Sign in whoever the token belongs to that the Web SDK's `passkey.signIn` returned."""
    gateway = gateway_of(request)
    caller = gateway.clients.caller(request, data.client_id)
    result = await gateway.door.sign_in_with_passkey(context_of(request), caller, token=data.token, device_id=data.device_id)
    return _session_or_attempt(gateway, result)


@get(
    "/v1/attempts/{attempt_id:str}",
    tags=["attempts"],
    operation_id="getAttempt",
    summary="Where an attempt stands",
    responses=problems(400, 404, 502, 503),
)
async def get_attempt(attempt_id: AttemptId, request: AnyRequest) -> AttemptView:
    """Return an attempt of this browser; with ``Prefer: wait=n``, once it has changed or after n seconds."""
    gateway = gateway_of(request)
    binding = binding_of(request)
    attempt = await gateway.flow.wait(context_of(request), binding, attempt_id, seconds=wait_seconds(request))
    return gateway.show_attempt(attempt)


@post(
    "/v1/attempts/{attempt_id:str}/challenges",
    status_code=202,
    tags=["attempts"],
    operation_id="sendChallenge",
    summary="Send a code, or another one",
    responses=problems(*ATTEMPT),
)
async def send_challenge(attempt_id: AttemptId, data: JSONBody[ChallengeChoice], request: AnyRequest) -> AttemptView:
    """Send a code by a method that the attempt offers; again only after the cool-down."""
    gateway = gateway_of(request)
    attempt = await gateway.flow.send(context_of(request), binding_of(request), attempt_id, data.method)
    return gateway.show_attempt(attempt)


@post(
    "/v1/attempts/{attempt_id:str}/verifications",
    status_code=200,
    tags=["attempts"],
    operation_id="verifyCode",
    summary="Answer with a code",
    responses={202: ResponseSpec(AttemptView, generate_examples=False), **problems(*ATTEMPT)},
)
async def verify_code(attempt_id: AttemptId, data: JSONBody[CodeProof], request: AnyRequest) -> Response[SignedInView]:
    """Sign in with the code; 202 with the attempt when it must be reviewed first."""
    gateway = gateway_of(request)
    result = await gateway.door.verify(context_of(request), binding_of(request), attempt_id, data.code)
    return _session_or_attempt(gateway, result)


@post(
    "/v1/attempts/{attempt_id:str}/completions",
    status_code=200,
    tags=["attempts"],
    operation_id="completeWithToken",
    summary="Answer with the Web SDK's token",
    responses={202: ResponseSpec(AttemptView, generate_examples=False), **problems(*ATTEMPT)},
)
async def complete_with_token(attempt_id: AttemptId, data: JSONBody[TokenProof], request: AnyRequest) -> Response[SignedInView]:
    """Sign in with a token that the Web SDK earned for this attempt, or without one after a wait that ended well."""
    gateway = gateway_of(request)
    result = await gateway.door.complete(context_of(request), binding_of(request), attempt_id, data.token)
    return _session_or_attempt(gateway, result)


@delete(
    "/v1/attempts/{attempt_id:str}",
    tags=["attempts"],
    operation_id="cancelAttempt",
    summary="Give up an attempt",
    responses=problems(400, 403, 404, 409, 422, 503),
)
async def cancel_attempt(attempt_id: AttemptId, request: AnyRequest) -> None:
    """End an attempt of this browser."""
    await gateway_of(request).flow.cancel(context_of(request), binding_of(request), attempt_id)


def _session_or_attempt(gateway: Gateway, result: SignedIn | Attempt) -> Response[SignedInView]:
    if isinstance(result, Attempt):
        return Response[Any](gateway.show_attempt(result), status_code=202)
    return Response(gateway.show_signed_in(result))


ATTEMPT_HANDLERS: Final = (
    begin_sign_up,
    begin_sign_in,
    sign_in_with_passkey,
    get_attempt,
    send_challenge,
    verify_code,
    complete_with_token,
    cancel_attempt,
)
