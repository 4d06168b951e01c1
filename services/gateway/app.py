"""
The gateway's composition root.

From the outside in: the request middleware (with the origin guard), the router that sends ``/audit`` to the audit service and
page paths to the sign-in app, idempotency, and the framework with the handlers of ``/v1``.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import aiohttp
from litestar import Litestar
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from prometheus_client import CollectorRegistry, Gauge

from services.gateway.account import Accounts
from services.gateway.activity import Activity
from services.gateway.attempts.door import Door
from services.gateway.attempts.finish import Finish
from services.gateway.attempts.flow import Flow
from services.gateway.attempts.reviews import Reviews
from services.gateway.attempts.store import AttemptStore
from services.gateway.audit_proxy import PREFIX, AuditProxy
from services.gateway.authenticators.service import AccountAuthenticators
from services.gateway.businesses import Businesses
from services.gateway.cognito.client import Cognito
from services.gateway.cognito.directory import Directory
from services.gateway.cognito.quota import CognitoQuota
from services.gateway.deletion import AccountDeletion
from services.gateway.direct import wiring as direct
from services.gateway.direct.cors import DirectCors
from services.gateway.guard import OriginGuard
from services.gateway.handlers import HANDLERS
from services.gateway.idempotency import IdempotencyMiddleware
from services.gateway.limits import Limits
from services.gateway.mail import Mailer
from services.gateway.natives import NativeClients
from services.gateway.notices import Notices
from services.gateway.pages import DIST, sign_in_pages
from services.gateway.recorder import Recorder
from services.gateway.sealing import Sealer
from services.gateway.sessions.endings import Endings
from services.gateway.sessions.refresh import Refresh
from services.gateway.sessions.service import Sessions
from services.gateway.sessions.store import SessionStore
from services.gateway.settings import GatewaySettings
from services.gateway.step_ups.grants import GrantSigner
from services.gateway.step_ups.service import StepUps
from services.gateway.webhooks.messages import Messages, open_sns
from services.gateway.webhooks.service import Webhooks
from services.gateway.webhooks.veto import Veto
from services.gateway.wiring import Gateway
from shared.audit_trail import AuditTrail, service_event
from shared.aws_json import open_aws_json
from shared.challenge_api import ChallengeService
from shared.decoys import DecoyTokens
from shared.events import EventType
from shared.http.client import JsonClient, open_http
from shared.http.middleware import AsgiApp, Receive, RequestMiddleware, Scope, SendMessage
from shared.http.pages import Pages
from shared.http.problems import EXCEPTION_HANDLERS, JsonRequest
from shared.settings import read_keys, read_secrets
from shared.sqs import queue_sender
from shared.state import StateStore, open_state
from shared.telemetry.metrics import HttpMetrics, serve_metrics
from shared.telemetry.tracing import Tracing
from shared.texts import TextLimits
from shared.veil import Veil

BODY_BYTES_MAX: Final = 16 * 1024
API_PATHS: Final = ("/v1/", "/healthz", "/readyz", "/openapi.json", "/.well-known/")
HSTS: Final = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
VERSION: Final = "0.1.0"


class Secrets(NamedTuple):
    """What the secret files held, read once."""

    challenge_token: str
    client_secret: str
    session_keys: list[str]
    email_hash_key: bytes
    grant_keys: list[str]
    audit_token: str | None
    businesses: Businesses


class Upstreams(NamedTuple):
    """What the gateway calls."""

    http: aiohttp.ClientSession
    challenges: ChallengeService
    cognito: Cognito
    directory: Directory
    quota: CognitoQuota


class Router:
    """Sends a request to the API, the audit service or the pages, by its path."""

    def __init__(self, api: AsgiApp, pages: Pages) -> None:
        self._api = api
        self._pages = pages
        self.proxy: AuditProxy | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: SendMessage) -> None:
        """Serve one ASGI connection."""
        path = scope["path"] if scope["type"] == "http" else ""
        if path == PREFIX or path.startswith(PREFIX + "/"):
            assert self.proxy is not None
            await self.proxy.forward(scope, receive, send)
        elif scope["type"] == "http" and scope["method"] == "GET" and not path.startswith(API_PATHS):
            await self._pages.serve(scope, send)
        else:
            await self._api(scope, receive, send)


def create_app(settings: GatewaySettings) -> AsgiApp:
    """
    Build the gateway. Secrets are read here, connections open when the server starts.

    Raises:
        SettingsError: A secret file is missing or wrong.
    """
    held = Secrets(
        challenge_token=read_secrets(settings.challenge_token_file)[0],
        client_secret=read_secrets(settings.client_secret_file)[0],
        session_keys=read_keys(settings.session_key_file),
        email_hash_key=read_keys(settings.email_hash_key_file)[0].encode(),
        grant_keys=read_keys(settings.grant_key_file),
        audit_token=read_secrets(settings.audit_token_file)[0] if settings.audit_token_file is not None else None,
        businesses=Businesses.from_file(settings.business_token_hashes_file),
    )
    state = open_state(settings.state_url)
    sealer = Sealer(held.session_keys)
    registry = CollectorRegistry()
    tracing = Tracing("gateway", sample_ratio=settings.trace_sample_ratio, otlp_url=settings.otlp_url)
    guard = OriginGuard(frozenset({settings.public_url, *settings.allowed_origins}))
    is_https = urlsplit(settings.public_url).scheme == "https"

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(tracing.close)
            stack.push_async_callback(state.close)
            send = await stack.enter_async_context(queue_sender(settings, settings.audit_queue_url))
            trail = AuditTrail(send, "gateway")
            stack.push_async_callback(trail.close)
            guard.recorder = Recorder(trail)
            app.state.gateway, router.proxy = await _connect(stack, settings, held, state, sealer, guard.recorder)
            backlog = Gauge("audit_backlog_entries", "Entries that the queue has refused so far", registry=registry)
            backlog.set_function(lambda: trail.backlog_entries)
            serve_metrics(registry, settings.host, settings.metrics_port)
            await trail.announce(service_event(EventType.SERVICE_STARTED))
            yield
            await trail.announce(service_event(EventType.SERVICE_STOPPED))

    api = create_api(lifespan)
    pages = sign_in_pages(dist=DIST, authsignal_url=settings.authsignal_client_url, is_https=is_https)
    router = Router(IdempotencyMiddleware(api, state, sealer, body_bytes_max=BODY_BYTES_MAX), pages)
    app = RequestMiddleware(
        router,
        metrics=HttpMetrics(registry),
        tracing=tracing,
        guard=guard,
        trusted_proxies=settings.trusted_proxies,
        country_header=settings.country_header,
        headers=[
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
            (b"cross-origin-resource-policy", b"same-origin"),
            *([HSTS] if is_https else []),
        ],
    )
    return DirectCors(app, settings.allowed_origins) if settings.direct_client_id is not None else app


def create_api(lifespan: Any = None) -> Litestar:
    """Return the framework's part: the handlers of ``/v1`` and the OpenAPI document."""
    return Litestar(
        HANDLERS,
        lifespan=[lifespan] if lifespan is not None else [],
        exception_handlers=EXCEPTION_HANDLERS,
        request_class=JsonRequest,
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=OpenAPIConfig(
            title="Countersign gateway",
            version=VERSION,
            description="Sign up, sign in and manage an account. Errors are problem documents (RFC 9457) with stable codes.",
            path="/",
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        ),
        logging_config=None,
    )


async def _open_upstreams(
    stack: AsyncExitStack, settings: GatewaySettings, held: Secrets, state: StateStore, sealer: Sealer
) -> Upstreams:
    http = await stack.enter_async_context(open_http())
    quota = CognitoQuota(state, settings.cognito_rates)
    idp = await stack.enter_async_context(
        open_aws_json(
            settings,
            "cognito-idp",
            endpoint_url=settings.cognito_endpoint_url or settings.aws_endpoint_url,
            prefix="AWSCognitoIdentityProviderService",
            version="1.1",
            seconds_max=settings.cognito_seconds_max,
        )
    )
    return Upstreams(
        http=http,
        challenges=ChallengeService(
            JsonClient(
                http,
                base_url=settings.challenge_url,
                token=held.challenge_token,
                seconds_max=settings.challenge_seconds_max,
            )
        ),
        cognito=Cognito(
            http,
            url=settings.cognito_url,
            client_id=settings.client_id,
            client_secret=held.client_secret,
            quota=quota,
            seconds_max=settings.cognito_seconds_max,
        ),
        directory=Directory(idp, user_pool_id=settings.user_pool_id, state=state, sealer=sealer, quota=quota),
        quota=quota,
    )


def _build_door(
    settings: GatewaySettings,
    upstreams: Upstreams,
    *,
    store: AttemptStore,
    sessions: Sessions,
    limits: Limits,
    recorder: Recorder,
    reviews: Reviews,
    veto: Veto,
    email_hash_key: bytes,
) -> tuple[Door, Flow]:
    challenges = upstreams.challenges
    veil = Veil(step_seconds=settings.veil_seconds)
    flow = Flow(
        settings=settings,
        store=store,
        challenges=challenges,
        recorder=recorder,
        limits=limits,
        reviews=reviews,
        veto=veto,
        veil=veil,
    )
    finish = Finish(
        store=store,
        challenges=challenges,
        cognito=upstreams.cognito,
        directory=upstreams.directory,
        sessions=sessions,
        recorder=recorder,
        reviews=reviews,
    )
    door = Door(
        settings=settings,
        flow=flow,
        store=store,
        directory=upstreams.directory,
        challenges=challenges,
        finish=finish,
        recorder=recorder,
        limits=limits,
        veil=veil,
        email_hash_key=email_hash_key,
        decoy_tokens=DecoyTokens(),
    )
    return door, flow


def _build_sessions(
    settings: GatewaySettings,
    held: Secrets,
    state: StateStore,
    sealer: Sealer,
    recorder: Recorder,
    cognito: Cognito,
    clients: NativeClients,
) -> tuple[Sessions, Refresh]:
    store = SessionStore(state, sealer, idle=settings.idle)
    endings = Endings(store=store, cognito=cognito, recorder=recorder)
    sessions = Sessions(
        store=store,
        recorder=recorder,
        endings=endings,
        clients=clients,
        email_hash_key=held.email_hash_key,
        absolute=settings.absolute,
    )
    refresh = Refresh(store=store, state=state, cognito=cognito, recorder=recorder, endings=endings, clients=clients)
    return sessions, refresh


def _open_mail(stack: AsyncExitStack, settings: GatewaySettings) -> tuple[Mailer, Notices]:
    mailer = Mailer(smtp_url=settings.smtp_url, sender=settings.mail_sender, brand=settings.brand.name)
    notices = Notices(mailer, account_url=f"{settings.public_url}/account")
    stack.push_async_callback(notices.close)
    return mailer, notices


async def _open_webhooks(
    stack: AsyncExitStack,
    settings: GatewaySettings,
    held: Secrets,
    state: StateStore,
    *,
    challenges: ChallengeService,
    recorder: Recorder,
    limits: Limits,
    veto: Veto,
    mailer: Mailer,
) -> Webhooks:
    messages: Messages | None = None
    if settings.delivers_messages:
        sns = await stack.enter_async_context(open_sns(settings))
        texts = TextLimits(state, settings.texts)
        messages = Messages(mailer=mailer, sns=sns, texts=texts, brand=settings.brand.name)
    return Webhooks(
        challenges=challenges,
        recorder=recorder,
        limits=limits,
        state=state,
        veto=veto,
        messages=messages,
        tenant_id=settings.authsignal_tenant_id,
        email_hash_key=held.email_hash_key,
    )


async def _connect(
    stack: AsyncExitStack,
    settings: GatewaySettings,
    held: Secrets,
    state: StateStore,
    sealer: Sealer,
    recorder: Recorder,
) -> tuple[Gateway, AuditProxy]:
    upstreams = await _open_upstreams(stack, settings, held, state, sealer)
    http, challenges, cognito, directory, quota = upstreams
    limits = Limits(state, recorder, settings, quota)
    clients = NativeClients(settings.native_clients)
    sessions, refresh = _build_sessions(settings, held, state, sealer, recorder, cognito, clients)
    store = AttemptStore(state, sealer, attempt_seconds=settings.attempt_seconds)
    veto = Veto(settings.veto_file)
    reviews = Reviews(settings=settings, store=store, challenges=challenges, recorder=recorder)
    door, flow = _build_door(
        settings,
        upstreams,
        store=store,
        sessions=sessions,
        limits=limits,
        recorder=recorder,
        reviews=reviews,
        veto=veto,
        email_hash_key=held.email_hash_key,
    )
    mailer, notices = _open_mail(stack, settings)
    signer = GrantSigner(held.grant_keys, issuer=settings.public_url)
    gateway = Gateway(
        settings=settings,
        door=door,
        flow=flow,
        sessions=sessions,
        accounts=Accounts(cognito=cognito, directory=directory, sessions=sessions, refresh=refresh, recorder=recorder),
        authenticators=AccountAuthenticators(
            challenges=challenges,
            sessions=sessions,
            recorder=recorder,
            notices=notices,
            limits=limits,
            state=state,
            sealer=sealer,
        ),
        activity=Activity(http, audit_url=settings.audit_url, token=held.audit_token),
        step_ups=StepUps(
            settings=settings,
            flow=flow,
            store=store,
            challenges=challenges,
            sessions=sessions,
            recorder=recorder,
            reviews=reviews,
            signer=signer,
        ),
        signer=signer,
        businesses=held.businesses,
        webhooks=await _open_webhooks(
            stack, settings, held, state, challenges=challenges, recorder=recorder, limits=limits, veto=veto, mailer=mailer
        ),
        state=state,
        clients=clients,
        refresh=refresh,
        limits=limits,
        deletion=AccountDeletion(
            challenges=challenges, directory=directory, sessions=sessions, recorder=recorder, notices=notices
        ),
        direct=direct.build(
            settings, http, challenge_token=held.challenge_token, cognito=cognito, recorder=recorder, limits=limits
        ),
    )
    proxy_http = await stack.enter_async_context(open_http())
    return gateway, AuditProxy(proxy_http, sessions, refresh, audit_url=settings.audit_url)
