"""JSON between services: one kept-alive pool, a deadline on every call, problems handed through as what they are."""

from typing import Any, Final, TypeVar

import aiohttp
import msgspec

from shared import problems
from shared.http.context import CURRENT
from shared.http.pool import open_http as open_http

T = TypeVar("T")
_ENCODE = msgspec.json.Encoder().encode
_DECODERS: dict[type, msgspec.json.Decoder[Any]] = {}

# The problems that a service behind the gateway may answer with, and that the gateway then answers with itself.
HANDED_THROUGH: Final[dict[str, type[problems.Problem]]] = {
    problem.code: problem
    for problem in (
        problems.AuditUnavailableProblem,
        problems.ProviderBusy,
        problems.ProviderError,
        problems.TooManyAttempts,
        problems.AttemptExpired,
        problems.LastAuthenticator,
        problems.Conflict,
        problems.TextRefused,
    )
}


class ProblemDocument(msgspec.Struct):
    """The part of a problem document that another service's answer depends on."""

    code: str = "internal"


class JsonClient:
    """
    Calls one service.

    Args:
        http: The process's pool.
        base_url: The service, without a trailing slash.
        token: Sent as Bearer.
        seconds_max: The deadline of one call, connecting and reading included.
    """

    def __init__(self, http: aiohttp.ClientSession, *, base_url: str, token: str, seconds_max: float) -> None:
        self._http = http
        self._base_url = base_url
        self._authorization = f"Bearer {token}"
        self._timeout = aiohttp.ClientTimeout(total=seconds_max)

    async def post(self, path: str, body: msgspec.Struct, answer_type: type[T]) -> T:
        """
        Send a struct and read one.

        Raises:
            ProviderBusy: No answer in time, or no connection.
            ProviderError: An answer that we cannot read, or a fault that is not handed through.
            Problem: Those of `HANDED_THROUGH`, when the service answered with one.
        """
        headers = {"Content-Type": "application/json", "Authorization": self._authorization}
        context = CURRENT.get(None)
        if context is not None:
            headers["X-Request-Id"] = context.request_id
            headers["traceparent"] = context.traceparent()
        try:
            async with self._http.post(
                self._base_url + path, data=_ENCODE(body), headers=headers, timeout=self._timeout, allow_redirects=False
            ) as answer:
                content = await answer.read()
                status = answer.status
                retry_after = answer.headers.get("Retry-After")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise problems.ProviderBusy(f"{path}: {type(error).__name__}", headers=problems.retry_after(2)) from error
        if status != 200:
            raise _problem_of(path, status, content, retry_after)
        try:
            return _decoder(answer_type).decode(content)  # type: ignore[no-any-return]
        except msgspec.DecodeError as error:
            raise problems.ProviderError(f"{path}: {error}") from error


def _decoder(answer_type: type[T]) -> msgspec.json.Decoder[Any]:
    decoder = _DECODERS.get(answer_type)
    if decoder is None:
        decoder = _DECODERS[answer_type] = msgspec.json.Decoder(answer_type)
    return decoder


def _problem_of(path: str, status: int, content: bytes, retry_after: str | None) -> problems.Problem:
    try:
        code = msgspec.json.decode(content, type=ProblemDocument).code
    except msgspec.DecodeError:
        code = "internal"
    problem = HANDED_THROUGH.get(code, problems.ProviderError)
    return problem(f"{path}: {status} {code}", headers={"Retry-After": retry_after} if retry_after else None)
