"""What clients send wrongly: each a problem document with a stable code, and nothing behind it is touched."""

from typing import Any

import pytest

from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import Answer, Person

ANY_ID = "64546c64-1054-4ccc-9a2d-da2facbeeb91"
JSON = {"Content-Type": "application/json"}

BODIES: dict[str, tuple[str, bytes, int]] = {
    "not JSON": ("/v1/sign-ins", b'{"identifier": ', 400),
    "not UTF-8": ("/v1/sign-ins", b'{"identifier": "\xff\xfe@example.test"}', 400),
    "no body": ("/v1/sign-ins", b"", 400),
    "an array": ("/v1/sign-ins", b"[]", 400),
    "null": ("/v1/sign-ins", b"null", 400),
    "an unknown field": ("/v1/sign-ins", b'{"identifier": "a@example.test", "admin": true}', 400),
    "a missing field": ("/v1/sign-ups", b'{"display_name": "Ada"}', 400),
    "a number for text": ("/v1/sign-ins", b'{"identifier": 7}', 400),
    "an object for text": ("/v1/sign-ins", b'{"identifier": {"$ne": ""}}', 400),
    "no address": ("/v1/sign-ins", b'{"identifier": "somebody"}', 400),
    "a header in an address": ("/v1/sign-ups", b'{"email": "a@example.test\\r\\nBcc: b@example.test"}', 400),
    "two addresses": ("/v1/sign-ups", b'{"email": "a@example.test,b@example.test"}', 400),
    "an address that is too long": ("/v1/sign-ups", b'{"email": "' + b"a" * 250 + b'@example.test"}', 400),
    "a control character in a name": ("/v1/sign-ups", b'{"email": "a@example.test", "display_name": "a\\u0000b"}', 400),
    "a lone surrogate": ("/v1/sign-ups", b'{"email": "a@example.test", "display_name": "\\ud800"}', 400),
    "a code of letters": (f"/v1/attempts/{ANY_ID}/verifications", b'{"code": "abcdef"}', 400),
    "a code that is too long": (f"/v1/attempts/{ANY_ID}/verifications", b'{"code": "12345678901"}', 400),
    "a number for a code": (f"/v1/attempts/{ANY_ID}/verifications", b'{"code": 123456}', 400),
    "a token that is too short": (f"/v1/attempts/{ANY_ID}/completions", b'{"token": "x"}', 400),
    "a token that is too long": (f"/v1/attempts/{ANY_ID}/completions", b'{"token": "' + b"x" * 9000 + b'"}', 400),
    "17 KiB": ("/v1/sign-ins", b'{"identifier": "' + b"a" * 17 * 1024 + b'"}', 413),
    "very deep": ("/v1/sign-ins", b"[" * 8000 + b"]" * 8000, 400),
}


def assert_problem(answer: Answer, status: int, code: str) -> None:
    """Check everything that a problem document must have."""
    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.body["type"] == f"urn:countersign:problem:{code}"
    assert answer.body["status"] == status
    assert answer.body["request_id"] == answer.headers["X-Request-Id"]
    assert answer.body["title"]
    assert answer.body["detail"]


@pytest.mark.parametrize("name", BODIES)
async def test_a_wrong_body_is_a_problem(person: Person, name: str) -> None:
    """A body that does not fit is refused as `invalid_request` before anything is recorded or sent."""
    path, body, status = BODIES[name]

    answer = await person.call("POST", path, raw=body)

    assert_problem(answer, status, "invalid_request")
    assert answer.body["title"] == ("The request is too large" if status == 413 else "The request is not valid")
    assert "Audit-Receipt" not in answer.headers


@pytest.mark.parametrize("key", [None, "a-key-of-mine"])
async def test_a_body_in_pieces_has_the_same_limit(person: Person, key: str | None) -> None:
    """The limit on bodies holds for chunked ones too, with and without an Idempotency-Key."""
    headers = {**JSON, **({"Idempotency-Key": key} if key else {})}

    async def pieces() -> Any:
        for _ in range(20):
            yield b" " * 1024

    async with person._http.post(person.url + "/v1/sign-ins", data=pieces(), headers=headers) as answer:
        assert answer.status == 413
        assert (await answer.json(content_type=None))["code"] == "invalid_request"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_only_json_comes_in(person: Person, content_type: str) -> None:
    """A form of a foreign page cannot be mistaken for a request: any other content type is 415."""
    answer = await person.call(
        "POST", "/v1/sign-ins", raw=b'{"identifier": "a@example.test"}', headers={"Content-Type": content_type}
    )

    assert_problem(answer, 415, "invalid_request")


@pytest.mark.parametrize(
    ("attempt_id", "status"),
    [
        ("..", 404),
        ("%2e%2e", 404),
        ("a%2Fb", 404),
        ("..%2f..%2fme", 404),
        ("%00", 400),
        ("1", 400),
        (ANY_ID.upper(), 400),
        (ANY_ID + "%20", 400),
        ("x" * 4000, 400),
    ],
)
async def test_ids_are_uuids_or_nothing(person: Person, attempt_id: str, status: int) -> None:
    """An id that is not a UUID in our spelling reaches no store and no provider."""
    answer = await person.call("POST", f"/v1/attempts/{attempt_id}/verifications", {"code": "123456"})

    # A path that the client itself shortens may end at a route that does not take POST.
    assert answer.status in {status, 404, 405}
    assert answer.code in {"invalid_request", "not_found"}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_other_methods_are_refused(person: Person, method: str) -> None:
    """A method that a path does not have is 405 and names those that it has."""
    answer = await person.call(method, "/v1/sign-ins", {} if method != "DELETE" else None)

    assert_problem(answer, 405, "invalid_request")
    assert answer.body["title"] == "This method is not available"
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/v1/attempts", "/nothing", "/assets/nothing.js"])
async def test_nowhere_is_404(person: Person, path: str) -> None:
    """A path that does not exist is a problem document too."""
    assert_problem(await person.call("GET", path), 404, "not_found")


async def test_nobody_is_signed_in_without_a_cookie(person: Person) -> None:
    """What needs a session says so."""
    for method, path, body in (
        ("GET", "/v1/session", None),
        ("DELETE", "/v1/session", None),
        ("GET", "/v1/me", None),
        ("PATCH", "/v1/me", {"display_name": "Ada"}),
        ("GET", "/audit/v1/events", None),
    ):
        assert_problem(await person.call(method, path, body), 401, "session_required")


async def test_rubbish_cookies_are_none(person: Person) -> None:
    """Cookies that are not of our make are not looked up."""
    for value in ("", "x", "A" * 42, "A" * 44, "../../etc", "A" * 42 + "="):
        person.cookies["__Host-sid"] = value
        assert (await person.call("GET", "/v1/session")).code == "session_required"


async def test_a_long_user_agent_is_cut(person: Person, ledger: Ledger) -> None:
    """Whatever a client calls itself, the event that keeps it stays small and readable."""
    answer = await person.call(
        "POST", "/v1/sign-ups", {"email": person.email}, headers={"User-Agent": "agent \u00ff\u00fe" + "x" * 3000}
    )

    event = await ledger.promised(answer.receipt)

    assert event.client is not None
    assert event.client.user_agent is not None
    assert len(event.client.user_agent) == 256


async def test_ids_of_requests_are_ours(person: Person) -> None:
    """A client cannot choose the request id under which its request is logged."""
    answer = await person.call("GET", "/v1/config", headers={"X-Request-Id": "chosen-by-me-0001"})

    assert answer.headers["X-Request-Id"] != "chosen-by-me-0001"
