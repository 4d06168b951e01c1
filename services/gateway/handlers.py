"""The handlers of ``/v1``: each decodes, calls one thing, encodes. Which problems a route may answer with stands beside it."""

from typing import Annotated, Any, Final

from litestar import Response, delete, get, patch, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from services.gateway.attempts.model import Attempt
from services.gateway.direct.handlers import DIRECT_HANDLERS
from services.gateway.views import (
    AttemptView,
    AuthsignalView,
    BrandView,
    ChallengeChoice,
    CodeProof,
    ConfigView,
    FeaturesView,
    ProblemView,
    ProfileChange,
    ProfileView,
    SessionView,
    SignInStart,
    SignUpStart,
    TokenProof,
)
from services.gateway.wiring import AnyRequest, cookie_of, gateway_of
from shared.challenge_api import METHOD_EMAIL_OTP
from shared.http.problems import context_of
from shared.problems import MEDIA_TYPE, NotFound

UUID_PATTERN: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
AttemptId = Annotated[str, Parameter(pattern=UUID_PATTERN, description="The attempt.")]

_WORDS: Final = {
    400: "The request does not fit (`invalid_request`).",
    401: "No proof, or not the right one (`invalid_code`, `attempt_failed`, `session_required`, `session_expired`).",
    403: "Not from this page, or stopped by rules (`origin_rejected`, `action_blocked`).",
    404: "Nothing here, or somebody else's (`not_found`).",
    409: "Already done, or a twin is under way (`conflict`).",
    410: "Too late (`attempt_expired`).",
    413: "The body is too large (`invalid_request`).",
    415: "The body is not JSON (`invalid_request`).",
    422: "The Idempotency-Key was used for another request (`idempotency_mismatch`).",
    429: "Too many; see Retry-After (`too_many_attempts`).",
    502: "A provider failed (`provider_error`).",
    503: "A provider or the audit queue does not answer (`provider_busy`, `audit_unavailable`).",
}
READ: Final = (400, 401, 503)
WRITE: Final = (400, 401, 403, 409, 413, 415, 422, 429, 502, 503)
ATTEMPT: Final = (400, 401, 403, 404, 409, 410, 413, 415, 422, 429, 502, 503)


def _problems(*statuses: int) -> dict[int, ResponseSpec]:
    return {
        status: ResponseSpec(
            ProblemView,
            generate_examples=False,
            description=_WORDS[status],
            media_type=MEDIA_TYPE,
        )
        for status in statuses
    }


@get("/v1/config", tags=["config"], operation_id="getConfig", summary="What a client needs to know before sign-in")
async def get_config(request: AnyRequest) -> ConfigView:
    """Return brand, methods, and what the Web SDK is built with."""
    settings = gateway_of(request).settings
    brand = settings.brand
    return ConfigView(
        brand=BrandView(name=brand.name, logo_url=brand.logo_url, accent=brand.accent),
        methods=(METHOD_EMAIL_OTP,),
        authsignal=AuthsignalView(tenant_id=settings.authsignal_tenant_id, base_url=settings.authsignal_client_url),
        features=FeaturesView(sdk_sign_in=settings.sdk_sign_in_enabled),
        dev_inbox_url=settings.dev_inbox_url,
    )


@post(
    "/v1/sign-ups",
    status_code=202,
    tags=["attempts"],
    operation_id="beginSignUp",
    summary="Begin a sign-up",
    responses=_problems(*WRITE),
)
async def begin_sign_up(data: SignUpStart, request: AnyRequest) -> AttemptView:
    """Send a code to an address; the answer is the same whether it has an account or not."""
    gateway = gateway_of(request)
    attempt = await gateway.attempts.begin_sign_up(
        context_of(request),
        cookie_of(request),
        email=data.email,
        display_name=data.display_name,
        device_id=data.device_id,
    )
    return gateway.show_attempt(attempt)


@post(
    "/v1/sign-ins",
    status_code=202,
    tags=["attempts"],
    operation_id="beginSignIn",
    summary="Begin a sign-in",
    responses=_problems(*WRITE),
)
async def begin_sign_in(data: SignInStart, request: AnyRequest) -> AttemptView:
    """Send a code to whoever has this address; an unknown one gets an answer that looks the same."""
    gateway = gateway_of(request)
    attempt = await gateway.attempts.begin_sign_in(
        context_of(request),
        cookie_of(request),
        identifier=data.identifier,
        method=data.method,
        device_id=data.device_id,
    )
    return gateway.show_attempt(attempt)


@get(
    "/v1/attempts/{attempt_id:str}",
    tags=["attempts"],
    operation_id="getAttempt",
    summary="Where an attempt stands",
    responses=_problems(400, 404, 503),
)
async def get_attempt(attempt_id: AttemptId, request: AnyRequest) -> AttemptView:
    """Return an attempt of this browser."""
    gateway = gateway_of(request)
    return gateway.show_attempt(await gateway.attempts.read(cookie_of(request), attempt_id))


@post(
    "/v1/attempts/{attempt_id:str}/challenges",
    status_code=202,
    tags=["attempts"],
    operation_id="sendChallenge",
    summary="Send a code, or another one",
    responses=_problems(*ATTEMPT),
)
async def send_challenge(attempt_id: AttemptId, data: ChallengeChoice, request: AnyRequest) -> AttemptView:
    """Send a code by a method that the attempt offers; again only after the cool-down."""
    gateway = gateway_of(request)
    attempt = await gateway.attempts.send_again(context_of(request), cookie_of(request), attempt_id, data.method)
    return gateway.show_attempt(attempt)


@post(
    "/v1/attempts/{attempt_id:str}/verifications",
    status_code=200,
    tags=["attempts"],
    operation_id="verifyCode",
    summary="Answer with a code",
    responses={202: ResponseSpec(AttemptView, generate_examples=False), **_problems(*ATTEMPT)},
)
async def verify_code(attempt_id: AttemptId, data: CodeProof, request: AnyRequest) -> Response[SessionView]:
    """Sign in with the code; 202 with the attempt when it must be reviewed first."""
    gateway = gateway_of(request)
    result = await gateway.attempts.verify(context_of(request), cookie_of(request), attempt_id, data.code)
    if isinstance(result, Attempt):
        return Response[Any](gateway.show_attempt(result), status_code=202)
    return Response(gateway.show_session(result))


@post(
    "/v1/attempts/{attempt_id:str}/completions",
    status_code=200,
    tags=["attempts"],
    operation_id="completeWithToken",
    summary="Answer with the Web SDK's token",
    responses={202: ResponseSpec(AttemptView, generate_examples=False), **_problems(*ATTEMPT)},
)
async def complete_with_token(attempt_id: AttemptId, data: TokenProof, request: AnyRequest) -> Response[SessionView]:
    """Sign in with a token that the Web SDK earned for this attempt in the browser."""
    gateway = gateway_of(request)
    result = await gateway.attempts.complete(context_of(request), cookie_of(request), attempt_id, data.token)
    if isinstance(result, Attempt):
        return Response[Any](gateway.show_attempt(result), status_code=202)
    return Response(gateway.show_session(result))


@delete(
    "/v1/attempts/{attempt_id:str}",
    tags=["attempts"],
    operation_id="cancelAttempt",
    summary="Give up an attempt",
    responses=_problems(400, 403, 404, 409, 422, 503),
)
async def cancel_attempt(attempt_id: AttemptId, request: AnyRequest) -> None:
    """End an attempt of this browser."""
    await gateway_of(request).attempts.cancel(context_of(request), cookie_of(request), attempt_id)


@get("/v1/session", tags=["session"], operation_id="getSession", summary="Who am I", responses=_problems(401, 503))
async def get_session(request: AnyRequest) -> SessionView:
    """Return the session of this browser."""
    gateway = gateway_of(request)
    return gateway.show_session(await gateway.session_of(request))


@delete(
    "/v1/session",
    tags=["session"],
    operation_id="endSession",
    summary="Sign out here",
    responses=_problems(400, 401, 403, 409, 422, 503),
)
async def end_session(request: AnyRequest) -> None:
    """End the session of this browser, and its tokens at Cognito."""
    gateway = gateway_of(request)
    await gateway.sessions.end(context_of(request), await gateway.session_of(request))


@get("/v1/me", tags=["account"], operation_id="getMe", summary="My account", responses=_problems(401, 404, 429, 502, 503))
async def get_me(request: AnyRequest) -> ProfileView:
    """Return the account of whoever is signed in."""
    gateway = gateway_of(request)
    session = await gateway.session_of(request)
    account = await gateway.accounts.read(session)
    if account is None:
        raise NotFound("account")
    return ProfileView(
        sub=session.sub,
        email=session.email,
        email_verified=session.email_verified,
        display_name=session.display_name,
        created_at=account.created_at,
    )


@patch(
    "/v1/me",
    tags=["account"],
    operation_id="changeMe",
    summary="Change my account",
    responses=_problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 502, 503),
)
async def change_me(data: ProfileChange, request: AnyRequest) -> ProfileView:
    """Change the name that the account shows."""
    gateway = gateway_of(request)
    session = await gateway.session_of(request)
    account = await gateway.accounts.read(session)
    if account is None:
        raise NotFound("account")
    session = await gateway.accounts.rename(context_of(request), session, data.display_name)
    return ProfileView(
        sub=session.sub,
        email=session.email,
        email_verified=session.email_verified,
        display_name=session.display_name,
        created_at=account.created_at,
    )


@get("/healthz", include_in_schema=False)
async def healthz() -> dict[str, str]:
    """Say that the process is up."""
    return {"status": "ok"}


@get("/readyz", include_in_schema=False)
async def readyz(request: AnyRequest) -> dict[str, str]:
    """Say that the state store answers; without it nothing can be decided."""
    await gateway_of(request).state.ping()
    return {"status": "ready"}


HANDLERS: Final = (
    get_config,
    begin_sign_up,
    begin_sign_in,
    get_attempt,
    send_challenge,
    verify_code,
    complete_with_token,
    cancel_attempt,
    get_session,
    end_session,
    get_me,
    change_me,
    *DIRECT_HANDLERS,
    healthz,
    readyz,
)
