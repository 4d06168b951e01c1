"""The challenge service's composition root: handlers, and what they need, wired once."""

import hmac
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from litestar import Litestar, Request, get, post
from litestar.params import JSONBody
from prometheus_client import CollectorRegistry, Gauge

from services.challenge import desk
from services.challenge.assertions import AssertionMint
from services.challenge.authenticators import Authenticators
from services.challenge.authsignal.calls import Caller
from services.challenge.authsignal.client_api import ClientApi
from services.challenge.authsignal.provider import Authsignal
from services.challenge.authsignal.transport import AwaitedSession
from services.challenge.direct import routes as direct
from services.challenge.proofs import Proofs
from services.challenge.recording import ChallengeRecorder
from services.challenge.reviews import Reviews
from services.challenge.service import Challenges
from services.challenge.settings import ChallengeSettings
from shared.audit_trail import AuditTrail, service_event
from shared.challenge_api import (
    AddressAnswer,
    AddressRequest,
    AuthenticatorRequest,
    AuthenticatorsAnswer,
    ChallengeAnswer,
    ChallengeRequest,
    ClaimRequest,
    CompleteRequest,
    EnrolRequest,
    PasskeyRequest,
    PersonRemoved,
    PersonRequest,
    PollAnswer,
    PollRequest,
    ProbeAnswer,
    ProbeRequest,
    ProofAnswer,
    VerifyRequest,
)
from shared.events import EventType
from shared.http.breaker import CircuitBreaker
from shared.http.client import open_http
from shared.http.context import RequestContext
from shared.http.middleware import AsgiApp, Headers, RequestMiddleware, Scope
from shared.http.problems import EXCEPTION_HANDLERS, JsonRequest, context_of
from shared.problems import Unauthorized
from shared.settings import read_keys, read_secrets
from shared.sqs import queue_sender
from shared.state import open_state
from shared.telemetry.metrics import HttpMetrics, serve_metrics
from shared.telemetry.tracing import Tracing
from shared.texts import TextLimits

AnyRequest = Request[Any, Any, Any]
BODY_BYTES_MAX = 16 * 1024
OPEN_PATHS = frozenset({"/healthz", "/readyz"})


def _challenges(request: AnyRequest) -> Challenges:
    challenges: Challenges = request.app.state.challenges
    return challenges


def _authenticators(request: AnyRequest) -> Authenticators:
    authenticators: Authenticators = request.app.state.authenticators
    return authenticators


@post("/v1/challenges", status_code=200)
async def challenge(data: JSONBody[ChallengeRequest], request: AnyRequest) -> ChallengeAnswer:
    """Track, and send a code."""
    return await _challenges(request).challenge(data, context_of(request))


@post("/v1/verifications", status_code=200)
async def verify(data: JSONBody[VerifyRequest], request: AnyRequest) -> ProofAnswer:
    """Check a code."""
    return await _challenges(request).verify(data, context_of(request))


@post("/v1/claims", status_code=200)
async def claim(data: JSONBody[ClaimRequest], request: AnyRequest) -> ProofAnswer:
    """Tie a sign-up to its account."""
    return await _challenges(request).claim(data, context_of(request))


@post("/v1/completions", status_code=200)
async def complete(data: JSONBody[CompleteRequest], request: AnyRequest) -> ProofAnswer:
    """Validate a token of the Web SDK."""
    return await _challenges(request).complete(data, context_of(request))


@post("/v1/polls", status_code=200)
async def poll(data: JSONBody[PollRequest], request: AnyRequest) -> PollAnswer:
    """Ask whether an awaited challenge was answered."""
    return await _challenges(request).poll(data)


@post("/v1/probes", status_code=200)
async def probe(data: JSONBody[ProbeRequest], request: AnyRequest) -> ProbeAnswer:
    """Say whether Authsignal answers."""
    await _challenges(request).probe(data, context_of(request))
    return ProbeAnswer()


@post("/v1/passkeys", status_code=200)
async def passkey(data: JSONBody[PasskeyRequest], request: AnyRequest) -> ProofAnswer:
    """Validate a token that a passkey earned without a name."""
    return await _challenges(request).passkey(data, context_of(request))


@post("/v1/addresses", status_code=200)
async def address(data: JSONBody[AddressRequest], request: AnyRequest) -> AddressAnswer:
    """Say whose an address is."""
    return await _authenticators(request).has_proven(data)


@post("/v1/enrolments", status_code=200)
async def enrol(data: JSONBody[EnrolRequest], request: AnyRequest) -> ChallengeAnswer:
    """Give a token to add an authenticator with."""
    return await _authenticators(request).enrol(data, context_of(request))


@post("/v1/authenticators/list", status_code=200)
async def list_authenticators(data: JSONBody[PersonRequest], request: AnyRequest) -> AuthenticatorsAnswer:
    """List a person's authenticators."""
    return await _authenticators(request).list(data)


@post("/v1/authenticators/rename", status_code=200)
async def rename_authenticator(data: JSONBody[AuthenticatorRequest], request: AnyRequest) -> AuthenticatorsAnswer:
    """Name an authenticator."""
    return await _authenticators(request).rename(data)


@post("/v1/authenticators/remove", status_code=200)
async def remove_authenticator(data: JSONBody[AuthenticatorRequest], request: AnyRequest) -> AuthenticatorsAnswer:
    """Remove an authenticator."""
    return await _authenticators(request).remove(data)


@post("/v1/people/remove", status_code=200)
async def remove_person(data: JSONBody[PersonRequest], request: AnyRequest) -> PersonRemoved:
    """Remove a person with all authenticators."""
    return await _authenticators(request).remove_person(data)


@get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that the process is up."""
    return {"status": "ok"}


@get("/readyz")
async def readyz(request: AnyRequest) -> dict[str, str]:
    """Say that the state store answers; providers are not asked, their faults are answered per request."""
    await request.app.state.store.ping()
    return {"status": "ready"}


HANDLERS: Final = (
    challenge,
    verify,
    claim,
    complete,
    poll,
    probe,
    passkey,
    address,
    enrol,
    list_authenticators,
    rename_authenticator,
    remove_authenticator,
    remove_person,
    *direct.ROUTES,
    *desk.ROUTES,
    healthz,
    readyz,
)


class BearerGuard:
    """
    Lets in callers that hold one of the live service tokens; health checks come in without.

    Args:
        tokens: The gateway's.
        trigger_tokens: Those of Cognito's triggers, which open the triggers' own paths alone; the gateway's do not open these.
        operator_tokens: Those of operators, likewise for reviews.
    """

    def __init__(self, tokens: list[str], trigger_tokens: list[str], operator_tokens: list[str]) -> None:
        self._expected = _headers_of(tokens)
        self._expected_by_prefix = {
            direct.TRIGGER_PREFIX: _headers_of(trigger_tokens),
            desk.OPERATOR_PREFIX: _headers_of(operator_tokens),
        }

    async def __call__(self, scope: Scope, headers: Headers, context: RequestContext) -> None:
        """See `Guard`."""
        if scope["path"] in OPEN_PATHS:
            return
        given = headers.get(b"authorization", b"")
        of_prefix = (live for prefix, live in self._expected_by_prefix.items() if scope["path"].startswith(prefix))
        live = next(of_prefix, self._expected)
        # Every live token is compared, in constant time, so that the time tells nothing about which one was close.
        matches = [hmac.compare_digest(given, expected) for expected in live]
        if not any(matches):
            raise Unauthorized("service token")


def _headers_of(tokens: list[str]) -> list[bytes]:
    return [f"Bearer {token}".encode() for token in tokens]


def _secrets_of(path: str | None) -> list[str]:
    return read_secrets(path) if path is not None else []


def create_app(settings: ChallengeSettings) -> AsgiApp:
    """
    Build the service. Secrets are read here, connections open when the server starts.

    Raises:
        SettingsError: A secret file is missing or wrong.
    """
    secret_key = read_secrets(settings.authsignal_secret_file)[0]
    guard = BearerGuard(
        read_secrets(settings.service_token_file),
        _secrets_of(settings.direct_token_file),
        _secrets_of(settings.operator_token_file),
    )
    mint = AssertionMint(key=read_keys(settings.assertion_key_file)[0], user_pool_id=settings.user_pool_id)
    email_hash_key = read_keys(settings.email_hash_key_file)[0].encode()
    webhook_keys = _secrets_of(settings.webhook_key_file)
    store = open_state(settings.state_url)
    registry = CollectorRegistry()
    tracing = Tracing("challenge", sample_ratio=settings.trace_sample_ratio, otlp_url=settings.otlp_url)

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(tracing.close)
            stack.push_async_callback(store.close)
            http = await stack.enter_async_context(open_http())
            send = await stack.enter_async_context(queue_sender(settings, settings.audit_queue_url))
            trail = AuditTrail(send, "challenge")
            stack.push_async_callback(trail.close)
            breaker = CircuitBreaker(failures_max=settings.breaker_failures_max, open_seconds=settings.breaker_open_seconds)
            caller = Caller(budget_seconds=settings.authsignal_budget_seconds, breaker=breaker)
            session = AwaitedSession(http, secret_key=secret_key, seconds_max=settings.authsignal_seconds_max)
            api_url = settings.authsignal_url
            provider = Authsignal(session, api_url=api_url, secret_key=secret_key, caller=caller)
            app.state.store = store
            recorder = ChallengeRecorder(trail, email_hash_key=email_hash_key)
            app.state.challenges = Challenges(
                provider=provider,
                client_api=ClientApi(session, api_url=api_url, tenant_id=settings.authsignal_tenant_id, caller=caller),
                proofs=Proofs(provider=provider, state=store, mint=mint),
                recorder=recorder,
                texts=TextLimits(store, settings.texts),
            )
            app.state.authenticators = Authenticators(provider=provider, recorder=recorder, state=store)
            app.state.direct = direct.build(
                settings, provider=provider, recorder=recorder, state=store, name_key=email_hash_key
            )
            app.state.desk = desk.Desk(
                reviews=Reviews(provider=provider, recorder=recorder, state=store), webhook_keys=webhook_keys
            )
            backlog = Gauge("audit_backlog_entries", "Entries that the queue has refused so far", registry=registry)
            backlog.set_function(lambda: trail.backlog_entries)
            serve_metrics(registry, settings.host, settings.metrics_port)
            await trail.announce(service_event(EventType.SERVICE_STARTED))
            yield
            await trail.announce(service_event(EventType.SERVICE_STOPPED))

    app = Litestar(
        HANDLERS,
        lifespan=[lifespan],
        exception_handlers=EXCEPTION_HANDLERS,
        request_class=JsonRequest,
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
    )
    return RequestMiddleware(
        app,
        metrics=HttpMetrics(registry),
        tracing=tracing,
        guard=guard,
        trusts_callers=True,
        headers=[(b"cache-control", b"no-store")],
    )
