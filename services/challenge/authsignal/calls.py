"""
How a call to Authsignal is made: a deadline, bounded retries where it is safe to repeat, a circuit breaker, faults by name.
"""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import aiohttp
import msgspec
import structlog

from services.challenge.authsignal.answers import Fault
from services.challenge.authsignal.transport import Answer
from shared import problems
from shared.http.breaker import CircuitBreaker, CircuitOpen

T = TypeVar("T")
Call = Callable[[], Coroutine[Any, Any, Answer]]
log = structlog.get_logger(__name__)

TRIES_MAX: Final = 3
PAUSE_SECONDS: Final = 0.05
BUSY_RETRY_SECONDS: Final = 2
TOO_MANY_RETRY_SECONDS: Final = 60
EXPIRED_CODES: Final = frozenset({"expired_token", "invalid_token"})


class Caller:
    """
    Makes calls.

    Args:
        budget_seconds: Deadline of one call with its retries.
        breaker: Shared by all calls of the process.
    """

    def __init__(self, *, budget_seconds: float, breaker: CircuitBreaker) -> None:
        self._budget_seconds = budget_seconds
        self._breaker = breaker
        self._decoders: dict[type, msgspec.json.Decoder[Any]] = {}

    async def ask(
        self,
        operation: str,
        call: Call,
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

    async def _try(self, call: Call, ends_at: float) -> Answer:
        try:
            self._breaker.before_call()
        except CircuitOpen as error:
            raise problems.ProviderBusy("circuit open", headers=problems.retry_after(BUSY_RETRY_SECONDS)) from error
        async with asyncio.timeout(max(0.0, ends_at - time.monotonic())):
            return await call()

    def _read(self, operation: str, answer: Answer, answer_type: type[T]) -> T:
        if answer.status in {200, 204}:
            try:
                read: T = self._decoder(answer_type).decode(answer.content or b"{}")
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
        if code in EXPIRED_CODES:
            raise problems.AttemptExpired(f"{operation}: {code}")
        raise problems.ProviderError(f"{operation}: {answer.status} {code}")

    def _decoder(self, answer_type: type) -> msgspec.json.Decoder[Any]:
        decoder = self._decoders.get(answer_type)
        if decoder is None:
            decoder = self._decoders[answer_type] = msgspec.json.Decoder(answer_type)
        return decoder


def _error_code(content: bytes) -> str | None:
    try:
        return msgspec.json.decode(content, type=Fault).error_code
    except msgspec.DecodeError:
        return None
