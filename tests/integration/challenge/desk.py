"""The challenge service over HTTP, and the events that it put on a queue of its own."""

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import jwt

from shared.events import Event, decode
from tests.contract.simulator import Simulator

EVENTS_SECONDS_MAX = 30.0


@dataclass(frozen=True)
class Reply:
    """What the service answered."""

    status: int
    body: Any
    retry_after: str | None

    @property
    def code(self) -> str:
        """The problem's code, or nothing."""
        return str(self.body.get("code", ""))

    @property
    def ruling(self) -> tuple[str, str | None]:
        """The verdict, and why a proof was rejected. An answer that lets somebody in has no place here."""
        assert self.body.get("assertion") is None
        return self.body["verdict"], self.body.get("failure")


@dataclass
class Story:
    """The ids of one attempt of one person."""

    action: str = "signIn"
    sub: str | None = field(default_factory=lambda: str(uuid.uuid4()))
    attempt_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    idempotency_key: str = field(default_factory=lambda: str(uuid.uuid4()))
    email: str = field(default_factory=lambda: f"u{uuid.uuid4().hex}@example.test")

    def body(self, **more: Any) -> dict[str, Any]:
        """Return a request body about this attempt."""
        named = {name: getattr(self, name) for name in ("attempt_id", "action", "idempotency_key", "email", "sub")}
        return {**named, "client": {"ip": "192.0.2.7", "user_agent": "test"}, **more}


class Desk:
    """
    A client of one challenge service.

    Args:
        http: Sends the requests.
        url: The service.
        token: Its service token.
        simulator: The Authsignal that it uses.
        sqs: A client of the queue's account.
        queue_url: The queue that it writes its events to.
    """

    def __init__(
        self, http: aiohttp.ClientSession, *, url: str, token: str, simulator: Simulator, sqs: Any, queue_url: str
    ) -> None:
        self._http, self.url, self.token, self.simulator = http, url, token, simulator
        self._sqs, self._queue_url = sqs, queue_url

    async def post(self, path: str, body: Any, *, token: str | None = None, raw: bytes | None = None) -> Reply:
        """Call the service."""
        headers = {"Authorization": f"Bearer {self.token if token is None else token}", "Content-Type": "application/json"}
        sent: dict[str, Any] = {"data": raw} if raw is not None else {"json": body}
        async with self._http.post(self.url + path, headers=headers, **sent) as answer:
            return Reply(answer.status, await answer.json(content_type=None), answer.headers.get("Retry-After"))

    async def challenge(self, story: Story, **more: Any) -> Reply:
        """Ask for a challenge."""
        return await self.post("/v1/challenges", story.body(**more))

    async def verify(self, story: Story, challenge_id: str, code: str, **more: Any) -> Reply:
        """Answer a challenge with a code."""
        return await self.post("/v1/verifications", story.body(challenge_id=challenge_id, code=code, **more))

    async def claim(self, story: Story, challenge_id: str) -> Reply:
        """Tie a proven sign-up to its account."""
        return await self.post("/v1/claims", story.body(challenge_id=challenge_id))

    async def complete(self, story: Story, token: str) -> Reply:
        """Come back with a token of the Web SDK."""
        body = story.body(token=token)
        del body["email"]
        return await self.post("/v1/completions", body)

    async def enrolled(self) -> Story:
        """Return a sign-in of a person who has signed up before."""
        story = Story(action="signUp")
        proven = await self.challenge(Story(**{**vars(story), "sub": None}))
        code = self.simulator.code(story.email)
        await self.verify(Story(**{**vars(story), "sub": None}), proven.body["challenge_id"], code)
        claimed = await self.claim(story, proven.body["challenge_id"])
        assert claimed.body["verdict"] == "verified", claimed.body
        return Story(sub=story.sub, email=story.email)

    def earn(self, token: str, email: str) -> str:
        """Do what the Web SDK does with a track token: challenge, then verify with the mailed code."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.simulator.call("POST", "/client/challenge/email-otp", raw="{}", headers=headers)
        body = f'{{"verificationCode": "{self.simulator.code(email)}"}}'
        earned = self.simulator.call("POST", "/client/verify/email-otp", raw=body, headers=headers).json()
        return str(earned["accessToken"])

    async def events(self, story: Story, *, expect: str) -> list[Event]:
        """Take events off the queue until one of type `expect` is there; return those of this attempt, in order."""
        found: list[Event] = []
        deadline = time.monotonic() + EVENTS_SECONDS_MAX
        while not any(event.event_type.value == expect for event in found):
            assert time.monotonic() < deadline, f"no {expect} among {[event.event_type.value for event in found]}"
            taken = await asyncio.to_thread(
                self._sqs.receive_message, QueueUrl=self._queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=0
            )
            for message in taken.get("Messages", []):
                events = [decode(line.encode()) for line in message["Body"].split("\n")]
                found += [event for event in events if event.attempt_id == story.attempt_id]
                self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])
        return sorted(found, key=lambda event: event.producer.seq)


def claims_of(assertion: str, key: str, pool: str) -> dict[str, Any]:
    """Verify an assertion as the triggers do, and return its claims."""
    claims: dict[str, Any] = jwt.decode(assertion, key, algorithms=["HS256"], audience=pool, issuer="countersign-challenge")
    return claims
