"""Who may call the challenge service, and with what."""

import secrets
from typing import Any

import aiohttp
import pytest

from tests.integration.challenge.conftest import Office
from tests.integration.challenge.desk import Desk, Story

PATHS = ["/v1/challenges", "/v1/verifications", "/v1/claims", "/v1/completions"]


async def test_both_live_tokens_open(desk: Desk, office: Office) -> None:
    """During a rotation the old and the new service token are taken."""
    for token in office.tokens:
        answer = await desk.post("/v1/challenges", Story(action="signUp", sub=None).body(), token=token)
        assert answer.status == 200


@pytest.mark.parametrize("path", PATHS)
async def test_nothing_else_opens(desk: Desk, office: Office, path: str) -> None:
    """Without one of the live tokens every call is 401 before its body is looked at."""
    for token in ("", "x", secrets.token_hex(32), office.tokens[0][:-1], office.tokens[0] + "0", "\u00e4\u00f6"):
        answer = await desk.post(path, None, token=token, raw=b"not even JSON")
        assert (answer.status, answer.code) == (401, "unauthorized")
    assert desk.simulator.calls("POST", "/v1") == []


@pytest.mark.parametrize("scheme", ["Basic", "bearer", "Token", ""])
async def test_only_bearer(desk: Desk, office: Office, scheme: str) -> None:
    """The token under another scheme is no credential."""
    headers = {"Authorization": f"{scheme} {office.tokens[0]}".strip(), "Content-Type": "application/json"}
    async with aiohttp.ClientSession() as http, http.post(desk.url + PATHS[0], headers=headers, data=b"{}") as answer:
        assert answer.status == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_needs_no_token(desk: Desk, path: str) -> None:
    """Whoever watches the process needs no credential."""
    async with aiohttp.ClientSession() as http, http.get(desk.url + path) as answer:
        assert answer.status == 200


async def test_there_is_no_document_to_read(desk: Desk) -> None:
    """The service shows no API description and no other page."""
    for path in ("/schema", "/openapi.json", "/", "/docs"):
        headers = {"Authorization": f"Bearer {desk.token}"}
        async with aiohttp.ClientSession() as http, http.get(desk.url + path, headers=headers) as answer:
            assert answer.status == 404


@pytest.mark.parametrize(
    "change",
    [
        {"sub": "../../users"},
        {"sub": "a/b"},
        {"sub": ".."},
        {"sub": "3F2504E0-4F89-11D3-9A0C-0305E82C3301"},
        {"action": "sign/In"},
        {"action": ".."},
        {"action": ""},
        {"action": "a" * 65},
        {"action": "signIn?x=1"},
        {"attempt_id": "not-a-uuid"},
        {"idempotency_key": "../k"},
        {"email": "x" * 255},
        {"email": 7},
        {"is_resend": "yes"},
        {"is_tracked": "maybe"},
        {"surprise": True},
        {"client": {"ip": "192.0.2.1", "surprise": 1}},
    ],
)
async def test_odd_ids_reach_no_path(desk: Desk, change: dict[str, Any]) -> None:
    """An id that could change a path, and any field that does not fit, is refused here; Authsignal hears nothing of it."""
    answer = await desk.post("/v1/challenges", Story().body(**change))

    assert (answer.status, answer.code) == (400, "invalid_request")
    assert desk.simulator.calls("POST", "/v1") == []


@pytest.mark.parametrize("challenge_id", ["../validate", "a/b", "..", "c?d", "\u0000", "x" * 256])
async def test_a_challenge_id_stays_in_the_body(desk: Desk, challenge_id: str) -> None:
    """A challenge id is opaque to us: whatever it is, it reaches no path, and what nobody issued is refused."""
    answer = await desk.verify(Story(action="signUp", sub=None), challenge_id, "123456")

    assert (answer.status, answer.code) == (502, "provider_error")
    assert {call["path"] for call in desk.simulator.calls("POST", "/v1")} == {"/v1/verify"}


@pytest.mark.parametrize(
    ("raw", "status"),
    [(b"", 400), (b"{", 400), (b"[]", 400), (b"\xff\xfe", 400), (b"[" * 8000 + b"]" * 8000, 400), (b" " * 17_000, 413)],
)
async def test_rubbish_is_refused(desk: Desk, raw: bytes, status: int) -> None:
    """A body that is not a request is the caller's mistake, never a fault of ours."""
    answer = await desk.post("/v1/challenges", None, raw=raw)

    assert (answer.status, answer.code) == (status, "invalid_request")
