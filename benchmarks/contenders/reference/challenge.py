"""The reference's challenge service: ``python -m benchmarks.contenders.reference.challenge``."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import aiohttp
import msgspec
from litestar import Litestar, Request, post

from benchmarks.contenders.constants import AUTHSIGNAL_SECRET
from benchmarks.contenders.places import Places, places_from_arguments
from services.challenge.authsignal.answers import Challenged, Claimed, Tracked, Validated, Verified
from shared.challenge_api import ChallengeAnswer, ChallengeRequest, ProofAnswer, Verdict, VerifyRequest
from shared.http.client import open_http
from shared.serving import serve

T = TypeVar("T")
AnyRequest = Request[Any, Any, Any]
_encode = msgspec.json.Encoder().encode
_DECODERS: Final = {kind: msgspec.json.Decoder(kind) for kind in (Challenged, Claimed, Tracked, Validated, Verified)}
_HEADERS: Final = {
    "Content-Type": "application/json",
    "Authorization": "Basic " + base64.b64encode(f"{AUTHSIGNAL_SECRET}:".encode()).decode(),
}
# As long as a real assertion is.
_ASSERTION: Final = "x" * 430


class Authsignal:
    """The calls to the provider."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url

    async def ask(self, path: str, body: dict[str, Any], answer_type: type[T]) -> T:
        """Make one call."""
        async with self._http.post(self._url + path, data=_encode(body), headers=_HEADERS) as answer:
            read: T = _DECODERS[answer_type].decode(await answer.read())  # type: ignore[index,assignment]
            return read


@post("/v1/challenges", status_code=200)
async def challenge(data: ChallengeRequest, request: AnyRequest) -> ChallengeAnswer:
    """Track, and send a code."""
    authsignal: Authsignal = request.app.state.authsignal
    attributes = {
        "idempotencyKey": data.idempotency_key,
        "email": data.email,
        "ipAddress": data.client.ip,
        "userAgent": data.client.user_agent,
    }
    tracked = await authsignal.ask(f"/users/{data.sub}/actions/{data.action}", attributes, Tracked)
    sent = await authsignal.ask(
        "/challenge",
        {**attributes, "verificationMethod": data.method, "action": data.action, "userId": data.sub},
        Challenged,
    )
    return ChallengeAnswer(
        verdict=Verdict.CHALLENGED,
        methods=tracked.enrolled_verification_methods,
        challenge_id=sent.challenge_id,
        expires_at=datetime.fromtimestamp(sent.expires_at, UTC),
        track_token=tracked.token,
    )


@post("/v1/verifications", status_code=200)
async def verify(data: VerifyRequest, request: AnyRequest) -> ProofAnswer:
    """Check a code, claim, validate."""
    authsignal: Authsignal = request.app.state.authsignal
    await authsignal.ask("/verify", {"challengeId": data.challenge_id, "verificationCode": data.code}, Verified)
    claimed = await authsignal.ask("/claim", {"challengeId": data.challenge_id, "userId": data.sub}, Claimed)
    question = {"token": claimed.token, "userId": data.sub, "action": data.action}
    validated = await authsignal.ask("/validate", question, Validated)
    return ProofAnswer(verdict=Verdict.VERIFIED, method=validated.verification_method, assertion=_ASSERTION)


def create_app(places: Places) -> Litestar:
    """Wire the service."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with open_http() as http:
            app.state.authsignal = Authsignal(http, places.authsignal_url)
            yield

    return Litestar([challenge, verify], lifespan=[lifespan], openapi_config=None, logging_config=None)


if __name__ == "__main__":
    given = places_from_arguments()
    serve(create_app(given), host="127.0.0.1", port=given.port)
