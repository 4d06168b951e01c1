"""
One person signs in, as the sign-in app does it: two requests on one connection.

``POST /v1/sign-ins`` gives an attempt and its cookie; ``POST /v1/attempts/{id}/verifications`` answers with the code. Every
person signs in once, so that nothing is remembered from an earlier time.
"""

import asyncio
import itertools
import secrets
import time
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from benchmarks.lab.raw_http import Answer, Connection, Headers
from benchmarks.stubs.authsignal import GOOD_CODE
from benchmarks.stubs.people import address_of

# Everybody of the whole run, over all contenders: nobody comes twice.
_PEOPLE: Iterator[int] = itertools.count(1)
_USER_AGENT = b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"


class UnexpectedAnswer(Exception):
    """A contender did not sign the person in: its figures would mean nothing."""


class Load(NamedTuple):
    """What one slice of load gave. Times are in seconds; `requests` are those of single requests, two a sign-in."""

    sign_ins: int
    seconds: float
    requests: list[float]


class _Attempt(msgspec.Struct):
    id: str


class _Session(msgspec.Struct):
    subject: dict[str, str | None]


_attempt_of = msgspec.json.Decoder(_Attempt).decode
_session_of = msgspec.json.Decoder(_Session).decode


class Visitor:
    """
    Signs people in at one gateway.

    Args:
        port: The gateway's.
        sends_keys: Send an ``Idempotency-Key`` with each write, as the sign-in app does.
    """

    def __init__(self, port: int, *, sends_keys: bool) -> None:
        self._port = port
        self._sends_keys = sends_keys
        self._headers = (
            b"content-type: application/json\r\naccept: application/json\r\norigin: http://localhost:%d\r\n"
            b"sec-fetch-site: same-origin\r\nsec-fetch-mode: cors\r\nuser-agent: %b\r\n" % (port, _USER_AGENT)
        )
        self._cookies: dict[bytes, bytes] = {}

    async def arrive(self) -> None:
        """Fetch what a browser has before it signs in: a framework's CSRF cookie, to be sent back beside its header."""
        connection = await Connection.open(self._port)
        answer = await connection.ask("GET", "/healthz", b"")
        connection.close()
        token = _cookies_of(answer.headers).get(b"csrftoken")
        if token is not None:
            # Only this one is shared: every person begins with a session of their own.
            self._cookies[b"csrftoken"] = token
            self._headers += b"x-csrftoken: %b\r\n" % token

    async def sign_in_counted(self, sign_ins: int, *, at_once: int) -> None:
        """
        Sign a number of people in, `at_once` of them at the same time.

        Raises:
            UnexpectedAnswer: Somebody was not signed in.
        """
        left = iter(range(sign_ins))

        async def one_after_another(connection: Connection) -> None:
            for _ in left:
                await self._sign_in(connection, next(_PEOPLE), [])

        connections = [await Connection.open(self._port) for _ in range(at_once)]
        async with asyncio.TaskGroup() as group:
            for connection in connections:
                group.create_task(one_after_another(connection))
        for connection in connections:
            connection.close()

    async def sign_in_many(self, *, at_once: int, seconds: float) -> Load:
        """
        Keep `at_once` people signing in for `seconds`, each on a connection of its own, and wait for the last of them.

        Raises:
            UnexpectedAnswer: Somebody was not signed in.
        """
        connections = [await Connection.open(self._port) for _ in range(at_once)]
        requests: list[float] = []
        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for connection in connections:
                group.create_task(self._sign_in_until(connection, started + seconds, requests))
        took = time.perf_counter() - started
        for connection in connections:
            connection.close()
        return Load(len(requests) // 2, took, requests)

    async def _sign_in_until(self, connection: Connection, ends_at: float, requests: list[float]) -> None:
        while time.perf_counter() < ends_at:
            await self._sign_in(connection, next(_PEOPLE), requests)

    async def _sign_in(self, connection: Connection, person: int, requests: list[float]) -> None:
        address = address_of(person)
        cookies = dict(self._cookies)
        begun = time.perf_counter()
        body = b'{"identifier":"%b","method":"EMAIL_OTP"}' % address.encode()
        answer = await connection.ask("POST", "/v1/sign-ins", self._headers_with(cookies), body)
        answered = time.perf_counter()
        _expect(answer, 202)
        cookies.update(_cookies_of(answer.headers))
        path = f"/v1/attempts/{_attempt_of(answer.body).id}/verifications"
        body = b'{"code":"%b"}' % GOOD_CODE.encode()
        answer = await connection.ask("POST", path, self._headers_with(cookies), body)
        requests += (answered - begun, time.perf_counter() - answered)
        _expect(answer, 200)
        if _session_of(answer.body).subject["email"] != address:
            raise UnexpectedAnswer(f"the session is not {address}'s: {answer.body[:300]!r}")

    def _headers_with(self, cookies: dict[bytes, bytes]) -> bytes:
        headers = self._headers
        if self._sends_keys:
            headers += b"idempotency-key: %b\r\n" % secrets.token_hex(16).encode()
        if cookies:
            headers += b"cookie: %b\r\n" % b"; ".join(b"%b=%b" % pair for pair in cookies.items())
        return headers


def _expect(answer: Answer, status: int) -> None:
    if answer.status != status:
        raise UnexpectedAnswer(f"expected {status}, got {answer.status}: {answer.body[:500]!r}")


def _cookies_of(headers: Headers) -> dict[bytes, bytes]:
    pairs = (value.partition(b";")[0].partition(b"=") for name, value in headers if name == b"set-cookie")
    return {name: value for name, _, value in pairs}
