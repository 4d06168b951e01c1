"""The obvious gateway: ``python -m benchmarks.contenders.obvious.gateway``."""

import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import msgspec
from aiobotocore.session import get_session
from litestar import Litestar, Request, get, post
from litestar.di import Provide
from litestar.exceptions import NotFoundException

from benchmarks.contenders.constants import CLIENT_SECRET, EMAIL_HASH_KEY, POOL_ID, QUEUE_PATH, REGION, SERVICE_TOKEN
from benchmarks.contenders.obvious.audit import OneByOne
from benchmarks.contenders.obvious.stack import public_stack
from benchmarks.contenders.places import Places, places_from_arguments
from benchmarks.stubs.aws import CLIENT_ID
from services.gateway.attempts.model import AttemptKind, AttemptStatus
from services.gateway.cognito.client import claims_of
from services.gateway.views import AttemptView, CodeProof, Delivery, NextStep, SessionView, SignInStart, SubjectView, when
from shared.events import AuthsignalRef, Client, Draft, EventType, Outcome, Subject, email_hash
from shared.ids import uuid7
from shared.serving import serve

AnyRequest = Request[Any, Any, Any]
ATTEMPT_SECONDS = 600
SESSION_SECONDS = 43_200


class Challenges:
    """The challenge service, asked with httpx."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Make one call."""
        answer = await self._http.post(path, json=body, headers={"Authorization": f"Bearer {SERVICE_TOKEN}"})
        answer.raise_for_status()
        read: dict[str, Any] = answer.json()
        return read


class Accounts:
    """Cognito, asked with aiobotocore."""

    def __init__(self, cognito: Any) -> None:
        self._cognito = cognito

    async def find(self, address: str) -> str:
        """Return the sub of an address."""
        user = await self._cognito.admin_get_user(UserPoolId=POOL_ID, Username=address)
        attributes = {attribute["Name"]: attribute["Value"] for attribute in user["UserAttributes"]}
        return str(attributes["sub"])

    async def sign_in(self, sub: str, assertion: str) -> dict[str, Any]:
        """Trade an assertion for tokens."""
        username = {"USERNAME": sub, "SECRET_HASH": _secret_hash(sub)}
        started = await self._cognito.initiate_auth(ClientId=CLIENT_ID, AuthFlow="CUSTOM_AUTH", AuthParameters=username)
        answered = await self._cognito.respond_to_auth_challenge(
            ClientId=CLIENT_ID,
            ChallengeName=started["ChallengeName"],
            Session=started["Session"],
            ChallengeResponses={**username, "ANSWER": assertion},
        )
        tokens: dict[str, Any] = answered["AuthenticationResult"]
        return tokens


class Services:
    """What handlers are given."""

    def __init__(self, challenges: Challenges, accounts: Accounts, audit: OneByOne) -> None:
        self.challenges = challenges
        self.accounts = accounts
        self.audit = audit


async def provide_services(request: AnyRequest) -> Services:
    """Give a handler the services of its application."""
    services: Services = request.app.state.services
    return services


async def provide_client(request: AnyRequest) -> Client:
    """Give a handler who asks."""
    return Client(ip=request.client.host if request.client else None, user_agent=request.headers.get("user-agent"))


@post("/v1/sign-ins", status_code=202)
async def begin_sign_in(data: SignInStart, request: AnyRequest, services: Services, client: Client) -> AttemptView:
    """Find the person, have a code sent."""
    now = time.time()
    attempt_id, key = str(uuid7()), str(uuid7())
    attempt = {"email": data.identifier, "key": key, "created_at": now}
    await services.audit.record(_draft(EventType.SIGN_IN_STARTED, Outcome.PENDING, attempt_id, attempt, client))
    attempt["sub"] = await services.accounts.find(data.identifier)
    answer = await services.challenges.ask(
        "/v1/challenges",
        {
            "attempt_id": attempt_id,
            "action": "signIn",
            "email": data.identifier,
            "idempotency_key": key,
            "sub": attempt["sub"],
            "method": "EMAIL_OTP",
            "client": msgspec.to_builtins(client),
        },
    )
    attempt["challenge_id"] = answer["challenge_id"]
    request.session[attempt_id] = attempt
    await services.audit.record(_draft(EventType.SIGN_IN_CHALLENGED, Outcome.SUCCESS, attempt_id, attempt, client))
    return AttemptView(
        id=attempt_id,
        kind=AttemptKind.SIGN_IN,
        status=AttemptStatus.CHALLENGE_REQUIRED,
        methods=tuple(answer["methods"]),
        method="EMAIL_OTP",
        delivery=Delivery(channel="email", destination="p***@example.test"),
        attempts_left=5,
        resend_at=when(now + 30),
        expires_at=when(now + ATTEMPT_SECONDS),
        sdk=None,
        next=NextStep.CODE,
        qr=None,
    )


@post("/v1/attempts/{attempt_id:str}/verifications", status_code=200)
async def verify_code(attempt_id: str, data: CodeProof, request: AnyRequest, services: Services, client: Client) -> SessionView:
    """Have the code checked, have tokens issued, open a session."""
    attempt = request.session.get(attempt_id)
    if attempt is None:
        raise NotFoundException
    await services.audit.record(_draft(EventType.CHALLENGE_ANSWERED, Outcome.PENDING, attempt_id, attempt, client))
    proof = await services.challenges.ask(
        "/v1/verifications",
        {
            "attempt_id": attempt_id,
            "action": "signIn",
            "email": attempt["email"],
            "idempotency_key": attempt["key"],
            "challenge_id": attempt["challenge_id"],
            "code": data.code,
            "sub": attempt["sub"],
            "client": msgspec.to_builtins(client),
        },
    )
    tokens = await services.accounts.sign_in(attempt["sub"], proof["assertion"])
    claims = claims_of(tokens["IdToken"])
    now = time.time()
    request.set_session(
        {
            "sub": claims.sub,
            "email": claims.email,
            "access_token": tokens["AccessToken"],
            "refresh_token": tokens["RefreshToken"],
            "expires_at": now + SESSION_SECONDS,
        }
    )
    for event_type in (EventType.SIGN_IN_SUCCEEDED, EventType.SESSION_CREATED):
        await services.audit.record(_draft(event_type, Outcome.SUCCESS, attempt_id, attempt, client))
    return SessionView(
        id=str(uuid7()),
        subject=SubjectView(sub=claims.sub, email=claims.email, display_name=claims.name),
        groups=claims.groups,
        methods=(proof["method"],),
        authenticated_at=when(now),
        last_seen_at=when(now),
        expires_at=when(now + SESSION_SECONDS),
        idle_expires_at=when(now + 3600),
    )


@get("/healthz")
async def healthz() -> None:
    """Say that the process is up."""


def _draft(event_type: EventType, outcome: Outcome, attempt_id: str, attempt: dict[str, Any], client: Client) -> Draft:
    return Draft(
        event_type=event_type,
        outcome=outcome,
        request_id=str(uuid7()),
        attempt_id=attempt_id,
        subject=Subject(sub=attempt.get("sub"), email_hash=email_hash(attempt["email"], EMAIL_HASH_KEY.encode())),
        client=client,
        authsignal=AuthsignalRef(action="signIn", idempotency_key=attempt["key"], method="EMAIL_OTP"),
    )


def _secret_hash(username: str) -> str:
    digest = hmac.digest(CLIENT_SECRET.encode(), (username + CLIENT_ID).encode(), hashlib.sha256)
    return base64.b64encode(digest).decode()


def create_app(places: Places) -> Litestar:
    """Wire the gateway."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            where = {"region_name": REGION, "endpoint_url": places.stubs_url}
            cognito = await stack.enter_async_context(get_session().create_client("cognito-idp", **where))
            sqs = await stack.enter_async_context(get_session().create_client("sqs", **where))
            http = await stack.enter_async_context(httpx.AsyncClient(base_url=places.challenge_url, timeout=30))
            audit = OneByOne(sqs, places.stubs_url + QUEUE_PATH, "gateway")
            app.state.services = Services(Challenges(http), Accounts(cognito), audit)
            yield

    return Litestar(
        [begin_sign_in, verify_code, healthz],
        lifespan=[lifespan],
        dependencies={"services": Provide(provide_services), "client": Provide(provide_client)},
        openapi_config=None,
        **public_stack(places),
    )


if __name__ == "__main__":
    given = places_from_arguments()
    serve(create_app(given), host="127.0.0.1", port=given.port)
