"""
Calls to Authsignal with a deadline, bounded retries where a call is safe to repeat, a circuit breaker, and faults by name.

Safe to repeat: track (it carries our idempotency key), validate, reading. Never repeated: challenge (sends mail), verify (a
wrong code counts), claim and enrol (their effect may have happened).
"""

import asyncio
import json
import random
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import aiohttp
import msgspec
import structlog
from authsignal.client import AuthsignalClient

from services.challenge.authsignal.answers import (
    Challenged,
    Claimed,
    Enrolled,
    Fault,
    Tracked,
    User,
    Validated,
    Verified,
)
from services.challenge.authsignal.transport import Answer, AwaitedSession
from shared import problems
from shared.http.breaker import CircuitBreaker, CircuitOpen
from shared.ids import is_action_code, is_uuid

T = TypeVar("T")
Attributes = dict[str, Any]
log = structlog.get_logger(__name__)

TRIES_MAX: Final = 3
PAUSE_SECONDS: Final = 0.05
BUSY_RETRY_SECONDS: Final = 2
TOO_MANY_RETRY_SECONDS: Final = 60


class Authsignal:
    """
    The provider.

    Args:
        http: The process's connection pool.
        api_url: Base URL with ``/v1``.
        secret_key: Server API key.
        seconds_max: Deadline of one request.
        budget_seconds: Deadline of one call with its retries.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        *,
        api_url: str,
        secret_key: str,
        seconds_max: float,
        budget_seconds: float,
        breaker: CircuitBreaker,
    ) -> None:
        self._api_url = api_url
        self._budget_seconds = budget_seconds
        self._breaker = breaker
        self._session = AwaitedSession(http, secret_key=secret_key, seconds_max=seconds_max)
        self._sdk: Any = AuthsignalClient(secret_key, api_url=api_url)
        self._sdk.session = self._session
        self._decoders: dict[type, msgspec.json.Decoder[Any]] = {}

    async def track(self, user_id: str, action: str, attributes: Attributes) -> Tracked:
        """Track an action; `attributes` must carry ``idempotencyKey``, which makes a retry safe."""
        _check_ids(user_id, action)
        return await self._ask("track", lambda: self._sdk.track(user_id, action, _present(attributes)), Tracked, safe=True)

    async def validate(self, token: str, *, user_id: str, action: str) -> Validated:
        """Ask what became of the action that a token belongs to."""
        _check_ids(user_id, action)
        attributes = {"token": token, "userId": user_id, "action": action}
        return await self._ask("validate", lambda: self._sdk.validate_challenge(attributes), Validated, safe=True)

    async def challenge(self, attributes: Attributes) -> Challenged:
        """Send a code from the server's side."""
        return await self._ask("challenge", lambda: self._post("/challenge", attributes), Challenged)

    async def verify(self, challenge_id: str, code: str) -> Verified:
        """Check a code from the server's side."""
        attributes = {"challengeId": challenge_id, "verificationCode": code}
        return await self._ask("verify", lambda: self._post("/verify", attributes), Verified)

    async def claim(self, challenge_id: str, user_id: str) -> Claimed:
        """Tie a verified challenge to a user."""
        _check_ids(user_id)
        attributes = {"challengeId": challenge_id, "userId": user_id}
        return await self._ask("claim", lambda: self._post("/claim", attributes), Claimed)

    async def get_user(self, user_id: str) -> User:
        """Read a user."""
        _check_ids(user_id)
        return await self._ask("get_user", lambda: self._sdk.get_user(user_id), User, safe=True)

    async def enroll_verified_email(self, user_id: str, email: str) -> None:
        """Enrol an address that was proven elsewhere as an e-mail authenticator."""
        _check_ids(user_id)
        attributes = {"verificationMethod": "EMAIL_OTP", "email": email}
        await self._ask("enroll", lambda: self._sdk.enroll_verified_authenticator(user_id, attributes), Enrolled)

    def _post(self, path: str, attributes: Attributes) -> Coroutine[Any, Any, Answer]:
        # The Python SDK has no method for these endpoints; the transport is the same.
        return self._session.request("POST", self._api_url + path, json.dumps(_present(attributes)))

    async def _ask(
        self,
        operation: str,
        call: Callable[[], Coroutine[Any, Any, Answer]],
        answer_type: type[T],
        *,
        safe: bool = False,
    ) -> T:
        """
        Make one call.

        Raises:
            ProviderBusy: No answer, 5xx, 429, or the circuit is open.
            TooManyAttempts: The provider's own limit on this person.
            ProviderError: A refusal that is our mistake, or an answer that we cannot read.
        """
        ends_at = time.monotonic() + self._budget_seconds
        for tries_left in reversed(range(TRIES_MAX if safe else 1)):
            try:
                answer = await self._try(call, ends_at)
            except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError.
                self._breaker.failed()
                fault = f"{operation}: {type(error).__name__}"
                cause: Exception | None = error
            else:
                if answer.status < 500:
                    return self._read(operation, answer, answer_type)
                self._breaker.failed()
                fault = f"{operation}: {answer.status}"
                cause = None
            if not tries_left or time.monotonic() >= ends_at:
                break
            log.info("provider.call_retried", operation=operation, fault=fault)
            await asyncio.sleep(PAUSE_SECONDS * (1 + random.random()))  # noqa: S311 - jitter
        raise problems.ProviderBusy(fault, headers=problems.retry_after(BUSY_RETRY_SECONDS)) from cause

    async def _try(self, call: Callable[[], Coroutine[Any, Any, Answer]], ends_at: float) -> Answer:
        try:
            self._breaker.before_call()
        except CircuitOpen as error:
            raise problems.ProviderBusy("circuit open", headers=problems.retry_after(BUSY_RETRY_SECONDS)) from error
        async with asyncio.timeout(max(0.0, ends_at - time.monotonic())):
            return await call()

    def _read(self, operation: str, answer: Answer, answer_type: type[T]) -> T:
        if answer.status == 200:
            try:
                read: T = self._decoder(answer_type).decode(answer.content)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                self._breaker.failed()
                raise problems.ProviderError(f"{operation}: unreadable answer") from error
            self._breaker.succeeded()
            return read
        self._breaker.succeeded()
        code = _error_code(answer.content)
        if code == "too_many_requests":
            raise problems.TooManyAttempts(f"{operation}: {code}", headers=problems.retry_after(TOO_MANY_RETRY_SECONDS))
        if answer.status == 429:
            raise problems.ProviderBusy(f"{operation}: 429", headers=problems.retry_after(BUSY_RETRY_SECONDS))
        raise problems.ProviderError(f"{operation}: {answer.status} {code}")

    def _decoder(self, answer_type: type) -> msgspec.json.Decoder[Any]:
        decoder = self._decoders.get(answer_type)
        if decoder is None:
            decoder = self._decoders[answer_type] = msgspec.json.Decoder(answer_type)
        return decoder


def _present(attributes: Attributes) -> Attributes:
    return {name: value for name, value in attributes.items() if value is not None}


def _check_ids(user_id: str, action: str | None = None) -> None:
    # The SDK would put "a/../b" into a path as it is: nothing but a UUID and an action code may come here.
    if not is_uuid(user_id):
        raise problems.InvalidRequest("user id is no UUID")
    if action is not None and not is_action_code(action):
        raise problems.InvalidRequest("not an action code")


def _error_code(content: bytes) -> str | None:
    try:
        return msgspec.json.decode(content, type=Fault).error_code
    except msgspec.DecodeError:
        return None
