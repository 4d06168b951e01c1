"""Somebody with an HTTP client, and what the mail catcher holds for them."""

import re
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec
from multidict import CIMultiDictProxy

CODE = re.compile(r"\b[0-9]{6}\b")
SESSION, ATTEMPT = "__Host-sid", "__Host-attempt"


@dataclass(frozen=True)
class Answer:
    """What came back; `body` is decoded JSON, or None where there was none."""

    status: int
    headers: CIMultiDictProxy[str]
    body: Any

    @property
    def code(self) -> str:
        """The problem's code, or nothing."""
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""

    @property
    def receipt(self) -> tuple[str, str]:
        """Event id and leaf hash of the receipt that came along."""
        event_id, _, leaf_hash = self.headers["Audit-Receipt"].partition(":")
        return event_id, leaf_hash


class Person:
    """
    One client of a gateway.

    Keeps its cookies by hand: they are ``__Host-`` cookies, hence Secure, and no client's jar sends those over plain HTTP.
    """

    def __init__(self, http: aiohttp.ClientSession, url: str, inbox_url: str) -> None:
        self._http, self.url, self._inbox_url = http, url, inbox_url
        self.email = new_address()
        self.cookies: dict[str, str] = {}
        self.seen: set[str] = set()  # codes and secrets that this person held

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send one request with the cookies held, and keep the cookies that the answer sets."""
        sent = dict(headers or {})
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None or (method != "GET" and method != "DELETE"):
            sent.setdefault("Content-Type", "application/json")
        data = raw if raw is not None else msgspec.json.encode(body) if body is not None else None
        async with self._http.request(method, self.url + path, data=data, headers=sent, allow_redirects=False) as answer:
            content = await answer.read()
            for cookie in answer.headers.getall("Set-Cookie", []):
                self._keep(cookie)
            return Answer(answer.status, answer.headers, msgspec.json.decode(content) if content else None)

    async def page(self, path: str) -> tuple[int, CIMultiDictProxy[str], str]:
        """Open a page as a browser does; return status, headers and text."""
        headers = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        async with self._http.get(self.url + path, headers=headers, allow_redirects=False) as answer:
            return answer.status, answer.headers, await answer.text()

    async def begin(self, kind: str, **more: Any) -> dict[str, Any]:
        """Begin an attempt with this person's address: ``sign-ups`` or ``sign-ins``."""
        field = "email" if kind == "sign-ups" else "identifier"
        answer = await self.call("POST", f"/v1/{kind}", {field: self.email, **more})
        assert answer.status == 202, answer.body
        attempt: dict[str, Any] = answer.body
        return attempt

    async def verify(self, attempt_id: str, code: str, **headers: str) -> Answer:
        """Answer an attempt with a code."""
        return await self.call("POST", f"/v1/attempts/{attempt_id}/verifications", {"code": code}, headers=headers)

    async def complete(self, attempt_id: str, token: str | None = None) -> Answer:
        """Come back to an attempt with a token, or without one after a wait."""
        if token is not None:
            self.seen.add(token)
        body = {"token": token} if token is not None else {}
        return await self.call("POST", f"/v1/attempts/{attempt_id}/completions", body)

    async def sign_up(self, **more: Any) -> Answer:
        """Go through a sign-up and return its last answer."""
        attempt = await self.begin("sign-ups", **more)
        answer = await self.verify(attempt["id"], await self.code())
        assert answer.status == 200, answer.body
        return answer

    async def sign_in(self) -> Answer:
        """Go through a sign-in and return its last answer."""
        attempt = await self.begin("sign-ins")
        answer = await self.verify(attempt["id"], await self.code())
        assert answer.status == 200, answer.body
        return answer

    async def codes(self) -> list[str]:
        """Return the codes mailed to this person, newest first."""
        async with self._http.get(f"{self._inbox_url}/api/messages?to={quote(self.email)}") as answer:
            messages = await answer.json()
        found = [CODE.search(message["text"]) for message in messages]
        codes = [match.group() for match in found if match]
        self.seen.update(codes)
        return codes

    async def code(self) -> str:
        """Return the code mailed last."""
        return (await self.codes())[0]

    async def wrong_code(self) -> str:
        """Return a code that was never mailed to this person."""
        mailed = await self.codes()
        return next(code for code in (f"{number:06d}" for number in range(1_000_000)) if code not in mailed)

    def stranger(self) -> "Person":
        """Return another client, with the same address and without the cookies."""
        other = Person(self._http, self.url, self._inbox_url)
        other.email = self.email
        return other

    async def elsewhere(self) -> "Person":
        """Return the same person, signed in at another browser."""
        other = self.stranger()
        await other.sign_in()
        return other

    def _keep(self, cookie: str) -> None:
        name, _, value = cookie.partition(";")[0].partition("=")
        if value:
            self.cookies[name] = value
            self.seen.add(value)
        else:
            self.cookies.pop(name, None)


def new_address() -> str:
    """Return an address that nobody has used."""
    return f"u{secrets.token_hex(8)}@example.test"
