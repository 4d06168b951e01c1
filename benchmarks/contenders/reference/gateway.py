"""The reference's gateway: ``python -m benchmarks.contenders.reference.gateway``."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
import msgspec
from litestar import Litestar, Request, get, post

from benchmarks.contenders.constants import POOL_ID, SERVICE_TOKEN
from benchmarks.contenders.places import Places, places_from_arguments
from benchmarks.stubs.aws import CLIENT_ID
from services.gateway.attempts.model import AttemptKind, AttemptStatus
from services.gateway.views import AttemptView, CodeProof, Delivery, NextStep, SessionView, SignInStart, SubjectView
from shared.challenge_api import ChallengeAnswer, ChallengeRequest, ProofAnswer, VerifyRequest
from shared.events import Client
from shared.http.client import open_http
from shared.ids import uuid7
from shared.serving import serve

AnyRequest = Request[Any, Any, Any]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_challenge_answer = msgspec.json.Decoder(ChallengeAnswer).decode
_proof_answer = msgspec.json.Decoder(ProofAnswer).decode
_LATE: Final = datetime(2100, 1, 1, tzinfo=UTC)
# As long as a signature of Signature Version 4 and a SECRET_HASH are, so that the bytes on the wire are as many.
_AWS_AUTHORIZATION: Final = "AWS4-HMAC-SHA256 " + "x" * 260
_SECRET_HASH: Final = "x" * 44


class Hops:
    """The calls to others, and the attempts between the two requests."""

    def __init__(self, http: aiohttp.ClientSession, places: Places) -> None:
        self._http = http
        self._cognito_url = places.stubs_url + "/"
        self._challenge_url = places.challenge_url
        self.attempts: dict[str, VerifyRequest] = {}

    async def find(self, address: str) -> str:
        """Return the sub of an address."""
        answer = await self._cognito(
            "AdminGetUser", {"UserPoolId": POOL_ID, "Username": address}, {"Authorization": _AWS_AUTHORIZATION}
        )
        sub: str = answer["UserAttributes"][0]["Value"]
        return sub

    async def issue(self, sub: str, assertion: str) -> None:
        """Trade an assertion for tokens."""
        username = {"USERNAME": sub, "SECRET_HASH": _SECRET_HASH}
        started = await self._cognito(
            "InitiateAuth", {"ClientId": CLIENT_ID, "AuthFlow": "CUSTOM_AUTH", "AuthParameters": username}
        )
        body = {
            "ClientId": CLIENT_ID,
            "ChallengeName": "CUSTOM_CHALLENGE",
            "Session": started["Session"],
            "ChallengeResponses": {**username, "ANSWER": assertion},
        }
        await self._cognito("RespondToAuthChallenge", body)

    async def ask_challenge_service(self, path: str, body: msgspec.Struct) -> bytes:
        """Make one call to the challenge service."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {SERVICE_TOKEN}"}
        async with self._http.post(self._challenge_url + path, data=_encode(body), headers=headers) as answer:
            return await answer.read()

    async def _cognito(self, operation: str, body: dict[str, Any], extra: dict[str, str] | None = None) -> Any:
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}",
            **(extra or {}),
        }
        async with self._http.post(self._cognito_url, data=_encode(body), headers=headers) as answer:
            return _decode(await answer.read())


@post("/v1/sign-ins", status_code=202)
async def begin_sign_in(data: SignInStart, request: AnyRequest) -> AttemptView:
    """Find the person, have a code sent."""
    hops: Hops = request.app.state.hops
    sub = await hops.find(data.identifier)
    attempt_id, key = str(uuid7()), str(uuid7())
    client = Client(ip="127.0.0.1", user_agent=request.headers.get("user-agent"))
    asked = ChallengeRequest(
        attempt_id=attempt_id, action="signIn", email=data.identifier, idempotency_key=key, sub=sub, client=client
    )
    answer = _challenge_answer(await hops.ask_challenge_service("/v1/challenges", asked))
    hops.attempts[attempt_id] = VerifyRequest(
        attempt_id=attempt_id,
        action="signIn",
        email=data.identifier,
        idempotency_key=key,
        challenge_id=answer.challenge_id or "",
        code="",
        sub=sub,
        client=client,
    )
    return AttemptView(
        id=attempt_id,
        kind=AttemptKind.SIGN_IN,
        status=AttemptStatus.CHALLENGE_REQUIRED,
        methods=answer.methods,
        method="EMAIL_OTP",
        delivery=Delivery(channel="email", destination="p***@example.test"),
        attempts_left=5,
        resend_at=_LATE,
        expires_at=_LATE,
        sdk=None,
        next=NextStep.CODE,
        qr=None,
    )


@post("/v1/attempts/{attempt_id:str}/verifications", status_code=200)
async def verify_code(attempt_id: str, data: CodeProof, request: AnyRequest) -> SessionView:
    """Have the code checked, have tokens issued."""
    hops: Hops = request.app.state.hops
    asked = msgspec.structs.replace(hops.attempts.pop(attempt_id), code=data.code)
    proof = _proof_answer(await hops.ask_challenge_service("/v1/verifications", asked))
    await hops.issue(asked.sub or "", proof.assertion or "")
    return SessionView(
        id=attempt_id,
        subject=SubjectView(sub=asked.sub or "", email=asked.email, display_name="Some Person"),
        groups=(),
        methods=("EMAIL_OTP",),
        authenticated_at=_LATE,
        last_seen_at=_LATE,
        expires_at=_LATE,
        idle_expires_at=_LATE,
    )


@get("/healthz")
async def healthz() -> None:
    """Say that the process is up."""


def create_app(places: Places) -> Litestar:
    """Wire the gateway."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with open_http() as http:
            app.state.hops = Hops(http, places)
            yield

    handlers = [begin_sign_in, verify_code, healthz]
    return Litestar(handlers, lifespan=[lifespan], openapi_config=None, logging_config=None)


if __name__ == "__main__":
    given = places_from_arguments()
    serve(create_app(given), host="127.0.0.1", port=given.port)
