"""Checks in Chromium of what surrounds the endpoints: cross-origin rules, and errors of every kind."""

import base64
import json
from typing import Any

import pytest

from tests.contract.accounts import track
from tests.contract.endpoints import client_endpoints
from tests.contract.page import BrowserSdk, PageServer, SdkThrew
from tests.contract.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="session")

_FETCH = """
async ([calls, credentials, token]) => Promise.all(calls.map(async ([method, url]) => {
  const headers = {"Content-Type": "application/json", Authorization: `Bearer ${token}`};
  try {
    const response = await fetch(url, {method, headers, credentials});
    return {status: response.status, body: await response.json()};
  } catch (error) {
    return {thrown: error.name};
  }
}))
"""
_ENDPOINTS = client_endpoints()
_CONTRACT_POSTS = (
    "user-authenticators/email-otp",
    "challenge/email-otp",
    "verify/email-otp",
    "user-authenticators/sms",
    "challenge/sms",
    "verify/sms",
    "challenge/whatsapp",
    "verify/whatsapp",
    "user-authenticators/totp",
    "verify/totp",
    "user-authenticators/email-magic-link",
    "challenge/email-magic-link",
    "verify/email-magic-link/finalize",
    "challenge",
    "challenge/web",
    "user-authenticators/passkey/registration-options",
    "user-authenticators/passkey/registration-options/web",
    "user-authenticators/passkey",
    "user-authenticators/passkey/authentication-options",
    "user-authenticators/passkey/authentication-options/web",
    "verify/passkey",
    "user-authenticators/security-key/registration-options",
    "user-authenticators/security-key",
    "user-authenticators/security-key/authentication-options",
    "verify/security-key",
    "challenge/push",
    "verify/push",
    "challenge/qr-code",
    "verify/qr-code",
    "init",
)


async def _fetch(
    sdk: BrowserSdk, calls: list[tuple[str, str]], *, credentials: str = "same-origin", token: str = "none"
) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = await sdk.page.evaluate(_FETCH, [calls, credentials, token])
    return answers


def _calls(simulator: Simulator, *, suffix: str = "", method: str = "") -> list[tuple[str, str]]:
    return [(method or own, f"{simulator.browser_url}/client{path}{suffix}") for own, path in _ENDPOINTS]


async def test_browser_43_every_endpoint_of_the_contract_is_there() -> None:
    """
    The Client API has each of the contract's endpoints, C1 to C27, C29 and C30; the socket, C28, is not one of them.
    """
    named = {("POST", f"/{path}") for path in _CONTRACT_POSTS}
    named |= {("GET", "/user-authenticators/passkey"), ("GET", "/user-authenticators")}
    assert named <= set(_ENDPOINTS)


@pytest.mark.parametrize("credentials", ["same-origin", "include"])
async def test_browser_43_preflight_lets_the_page_in(sdk: BrowserSdk, simulator: Simulator, credentials: str) -> None:
    """
    A page of an allowed origin can call every endpoint with authorization and content type, and with credentials.
    """
    answers = await _fetch(sdk, _calls(simulator), credentials=credentials)
    assert {answer.get("status") for answer in answers} == {401}, list(zip(_ENDPOINTS, answers, strict=True))
    preflights = simulator.calls("OPTIONS", "/v1/client")
    assert {call["status"] for call in preflights} == {204}
    assert {call["path"] for call in preflights} == {f"/v1/client{path}" for _, path in _ENDPOINTS}


async def test_preflight_names_what_is_allowed(simulator: Simulator, page_server: PageServer) -> None:
    """
    A preflight echoes the exact origin and allows credentials; another origin, and the Server API, are granted nothing.
    """
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}

    def preflight(path: str, origin: str) -> dict[str, str]:
        answer = simulator.call("OPTIONS", path, headers=asked | {"Origin": origin})
        return {name.lower(): value for name, value in answer.headers.items()}

    granted = preflight("/client/verify/email-otp", page_server.origin)
    assert granted["access-control-allow-origin"] == page_server.origin
    assert granted["access-control-allow-credentials"] == "true"
    assert {"authorization", "content-type"} <= set(granted["access-control-allow-headers"].split(", "))
    assert "content-type" not in granted, "an empty answer must not call itself JSON"
    for path, origin in [("/client/verify/email-otp", "http://localhost:1"), ("/validate", page_server.origin)]:
        assert not [name for name in preflight(path, origin) if name.startswith("access-control-allow")]


_MEMBERS = (
    "email",
    "phoneNumber",
    "verificationCode",
    "challengeId",
    "action",
    "deviceCode",
    "username",
    "publicKey",
    "signature",
    "registrationCredential",
    "authenticationCredential",
    "userAuthenticatorId",
    "approved",
    "custom",
    "response",
    "id",
    "rawId",
)
_BAD_BODIES = {"not JSON": "{", "not an object": "[]", "wrong types": json.dumps(dict.fromkeys(_MEMBERS, 1))}


def _assert_is_error(body: Any) -> None:
    assert isinstance(body, dict)
    assert body["error"]
    assert body["error"] == body["errorCode"]
    assert body["errorDescription"]


async def test_browser_70_every_error_has_the_three_keys(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    Errors of every endpoint, its unknown neighbours and its crashes included, are JSON objects that the page can read.
    """
    token = track(simulator, user_id)
    kinds = {
        401: _calls(simulator),
        404: _calls(simulator, suffix="/nothing-here"),
        405: _calls(simulator, method="DELETE"),
    }
    for status, calls in kinds.items():
        for call, answer in zip(calls, await _fetch(sdk, calls), strict=True):
            assert answer.get("status") == status, (call, answer)
            _assert_is_error(answer["body"])
    simulator.fault(kind="crash", path_prefix="/v1/client", times=len(_ENDPOINTS))
    for call, answer in zip(_calls(simulator), await _fetch(sdk, _calls(simulator), token=token), strict=True):
        assert answer.get("status") == 500, (call, answer)
        _assert_is_error(answer["body"])


@pytest.mark.parametrize("body", _BAD_BODIES.values(), ids=_BAD_BODIES.keys())
async def test_bad_body_is_an_invalid_request(simulator: Simulator, user_id: str, body: str) -> None:
    """
    To no endpoint is a body that is no JSON, no object, or has members of the wrong type a crash: what refuses it is a 4xx.
    """
    bearer = {"Authorization": f"Bearer {track(simulator, user_id)}"}
    tenant = {"Authorization": f"Basic {base64.b64encode(simulator.tenant_id.encode()).decode()}"}
    for method, path in _ENDPOINTS:
        for headers in (bearer, tenant):
            answer = simulator.call(method, f"/client{path}", raw=body, headers=headers)
            assert answer.headers["Content-Type"] == "application/json", path
            assert answer.status_code < 500, (path, answer.text)
            if answer.status_code >= 400:
                _assert_is_error(answer.json())
    answer = simulator.call("POST", "/client/verify/email-otp", raw=body, headers=bearer)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("fault", "thrown"),
    [
        ({"kind": "respond", "status": 502, "body": "<html>bad gateway</html>", "content_type": "text/html"}, "SyntaxError"),
        ({"kind": "respond", "status": 500}, "SyntaxError"),
        ({"kind": "drop"}, "TypeError"),
    ],
    ids=["rubbish", "empty", "dropped"],
)
async def test_rubbish_and_dropped_connections_throw_in_the_page(
    sdk: BrowserSdk, simulator: Simulator, user_id: str, fault: dict[str, Any], thrown: str
) -> None:
    """
    An answer that is no JSON, or empty, and no answer at all, make the SDK throw: tests of apps can provoke each of them.
    """
    tracked = simulator.server_call("POST", f"/users/{user_id}/actions/signIn", {}).json()
    await sdk.set_token(tracked["token"])
    simulator.fault(path_prefix="/v1/client", times=9, **fault)
    with pytest.raises(SdkThrew, match=f"^{thrown}:"):
        await sdk.call("email.challenge")
