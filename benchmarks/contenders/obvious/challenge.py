"""The obvious challenge service: ``python -m benchmarks.contenders.obvious.challenge``."""

import asyncio
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import jwt
from aiobotocore.session import get_session
from authsignal.client import AuthsignalClient
from litestar import Litestar, Request, post
from litestar.di import Provide
from litestar.exceptions import NotAuthorizedException
from litestar.stores.memory import MemoryStore

from benchmarks.contenders.constants import (
    ASSERTION_KEY,
    AUTHSIGNAL_SECRET,
    EMAIL_HASH_KEY,
    POOL_ID,
    QUEUE_PATH,
    REGION,
    SERVICE_TOKEN,
)
from benchmarks.contenders.obvious.audit import OneByOne
from benchmarks.contenders.obvious.stack import internal_stack
from benchmarks.contenders.places import Places, places_from_arguments
from shared.challenge_api import ChallengeAnswer, ChallengeRequest, ProofAnswer, Verdict, VerifyRequest
from shared.events import AuthsignalRef, Draft, EventType, Outcome, Subject, email_hash
from shared.serving import serve

AnyRequest = Request[Any, Any, Any]
BURN_SECONDS = 7_200


class Provider:
    """Authsignal's SDK, each call in a thread; what the SDK has no method for goes through its session."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._sdk: Any = AuthsignalClient(AUTHSIGNAL_SECRET, api_url=url)

    async def track(self, user_id: str, action: str, attributes: dict[str, Any]) -> dict[str, Any]:
        """Track an action."""
        tracked: dict[str, Any] = await asyncio.to_thread(self._sdk.track, user_id, action, attributes)
        return tracked

    async def validate(self, attributes: dict[str, Any]) -> dict[str, Any]:
        """Validate a token."""
        validated: dict[str, Any] = await asyncio.to_thread(self._sdk.validate_challenge, attributes)
        return validated

    async def post(self, path: str, attributes: dict[str, Any]) -> dict[str, Any]:
        """Make a call that the SDK has no method for."""
        answer = await asyncio.to_thread(self._sdk.session.post, self._url + path, data=json.dumps(attributes))
        content: dict[str, Any] = answer.decamelized_content
        return content


class Services:
    """What handlers are given."""

    def __init__(self, provider: Provider, audit: OneByOne, burned: MemoryStore) -> None:
        self.provider = provider
        self.audit = audit
        self.burned = burned


async def provide_services(request: AnyRequest) -> Services:
    """Give a handler the services of its application."""
    services: Services = request.app.state.services
    return services


async def provide_caller(request: AnyRequest) -> str:
    """Give a handler the service that asks; one without the token is refused."""
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given, f"Bearer {SERVICE_TOKEN}"):
        raise NotAuthorizedException
    return "gateway"


@post("/v1/challenges", status_code=200)
async def challenge(data: ChallengeRequest, services: Services, caller: str) -> ChallengeAnswer:
    """Track, and send a code."""
    attributes = {
        "idempotencyKey": data.idempotency_key,
        "email": data.email,
        "ipAddress": data.client.ip,
        "userAgent": data.client.user_agent,
    }
    tracked = await services.provider.track(data.sub or "", data.action, attributes)
    sent = await services.provider.post(
        "/challenge", {**attributes, "verificationMethod": data.method, "action": data.action, "userId": data.sub}
    )
    await services.audit.record(_draft(data, EventType.CHALLENGE_SENT, tracked["state"]))
    return ChallengeAnswer(
        verdict=Verdict.CHALLENGED,
        methods=tuple(tracked["enrolled_verification_methods"]),
        challenge_id=sent["challenge_id"],
        expires_at=datetime.fromtimestamp(sent["expires_at"], UTC),
        track_token=tracked["token"],
    )


@post("/v1/verifications", status_code=200)
async def verify(data: VerifyRequest, services: Services, caller: str) -> ProofAnswer:
    """Check a code, claim, validate, assert."""
    question = {"challengeId": data.challenge_id, "verificationCode": data.code}
    verified = await services.provider.post("/verify", question)
    if not verified["is_verified"]:
        raise NotAuthorizedException
    claimed = await services.provider.post("/claim", {"challengeId": data.challenge_id, "userId": data.sub})
    validated = await services.provider.validate({"token": claimed["token"], "userId": data.sub, "action": data.action})
    echoed = (validated["user_id"], validated["action"], validated["idempotency_key"])
    if validated["state"] != "CHALLENGE_SUCCEEDED" or echoed != (data.sub, data.action, data.idempotency_key):
        raise NotAuthorizedException
    proof = f"{data.sub}:{data.action}:{data.idempotency_key}"
    if await services.burned.exists(proof):
        raise NotAuthorizedException
    await services.burned.set(proof, b"1", expires_in=BURN_SECONDS)
    await services.audit.record(_draft(data, EventType.CHALLENGE_VERIFIED, validated["state"]))
    return ProofAnswer(verdict=Verdict.VERIFIED, method=validated["verification_method"], assertion=_assertion(data))


def _assertion(data: VerifyRequest) -> str:
    now = int(time.time())
    claims = {
        "iss": "countersign-challenge",
        "aud": POOL_ID,
        "sub": data.sub,
        "purpose": "sign_in",
        "attempt_id": data.attempt_id,
        "jti": str(uuid4()),
        "iat": now,
        "exp": now + 60,
    }
    return jwt.encode(claims, ASSERTION_KEY, algorithm="HS256")


def _draft(data: ChallengeRequest | VerifyRequest, event_type: EventType, state: str) -> Draft:
    return Draft(
        event_type=event_type,
        outcome=Outcome.SUCCESS,
        attempt_id=data.attempt_id,
        subject=Subject(sub=data.sub, email_hash=email_hash(data.email, EMAIL_HASH_KEY.encode())),
        client=data.client,
        authsignal=AuthsignalRef(action=data.action, idempotency_key=data.idempotency_key, state=state, method="EMAIL_OTP"),
    )


def create_app(places: Places) -> Litestar:
    """Wire the service."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            sqs = await stack.enter_async_context(
                get_session().create_client("sqs", region_name=REGION, endpoint_url=places.stubs_url)
            )
            audit = OneByOne(sqs, places.stubs_url + QUEUE_PATH, "challenge")
            app.state.services = Services(Provider(places.authsignal_url), audit, MemoryStore())
            yield

    return Litestar(
        [challenge, verify],
        lifespan=[lifespan],
        dependencies={"services": Provide(provide_services), "caller": Provide(provide_caller)},
        openapi_config=None,
        **internal_stack(places),
    )


if __name__ == "__main__":
    given = places_from_arguments()
    serve(create_app(given), host="127.0.0.1", port=given.port)
