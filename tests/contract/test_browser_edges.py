"""Checks in Chromium of what surrounds the endpoints: cross-origin rules, and errors of every kind."""

from typing import Any

import pytest

from tests.contract.endpoints import client_endpoints
from tests.contract.page import BrowserSdk, PageServer, SdkThrew
from tests.contract.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="session")

_FETCH = """
async ([url, method, credentials, token]) => {
  const headers = {"Content-Type": "application/json", Authorization: `Bearer ${token}`};
  try {
    const response = await fetch(url, {method, headers, credentials});
    return {status: response.status, body: await response.json()};
  } catch (error) {
    return {thrown: error.name};
  }
}
"""


async def _fetch(sdk: BrowserSdk, url: str, method: str, *, credentials: str = "same-origin", token: str = "none") -> Any:
    return await sdk.page.evaluate(_FETCH, [url, method, credentials, token])


@pytest.mark.parametrize("credentials", ["same-origin", "include"])
@pytest.mark.parametrize(("method", "path"), client_endpoints())
async def test_browser_43_preflight_lets_the_page_in(
    sdk: BrowserSdk, simulator: Simulator, method: str, path: str, credentials: str
) -> None:
    """
    A page of an allowed origin can call every endpoint with authorization and content type, and with credentials.
    """
    answer = await _fetch(sdk, f"{simulator.browser_url}/client{path}", method, credentials=credentials)
    assert answer["status"] == 401
    assert [call["status"] for call in simulator.calls("OPTIONS", f"/v1/client{path}")] == [204]


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


_BAD_BODIES = {"not JSON": "{", "not an object": "[]", "wrong type": '{"email": 1, "verificationCode": 1}'}


def _assert_is_error(body: Any) -> None:
    assert isinstance(body, dict)
    assert body["error"]
    assert body["error"] == body["errorCode"]
    assert body["errorDescription"]


@pytest.mark.parametrize(("method", "path"), client_endpoints())
async def test_browser_70_every_error_has_the_three_keys(
    sdk: BrowserSdk, simulator: Simulator, user_id: str, method: str, path: str
) -> None:
    """
    Errors of every endpoint, its unknown neighbours and its crashes included, are JSON objects that the page can read.
    """
    url = f"{simulator.browser_url}/client{path}"
    tracked = simulator.server_call("POST", f"/users/{user_id}/actions/signIn", {}).json()

    refused = await _fetch(sdk, url, method)
    assert refused["status"] == 401
    _assert_is_error(refused["body"])

    missing = await _fetch(sdk, f"{url}/nothing-here", method)
    assert missing["status"] == 404
    _assert_is_error(missing["body"])

    wrong_method = await _fetch(sdk, url, "DELETE")
    assert wrong_method["status"] == 405
    _assert_is_error(wrong_method["body"])

    simulator.fault(kind="crash", path_prefix=f"/v1/client{path}")
    crashed = await _fetch(sdk, url, method, token=tracked["token"])
    assert crashed["status"] == 500
    _assert_is_error(crashed["body"])


@pytest.mark.parametrize("body", _BAD_BODIES.values(), ids=_BAD_BODIES.keys())
@pytest.mark.parametrize("path", ["/user-authenticators/email-otp", "/verify/email-otp"])
async def test_bad_body_is_an_invalid_request(simulator: Simulator, user_id: str, path: str, body: str) -> None:
    """
    A body that is no JSON, no object, or has a member of the wrong type is an invalid request with the three keys.
    """
    token = simulator.server_call("POST", f"/users/{user_id}/actions/signIn", {}).json()["token"]
    answer = simulator.call("POST", f"/client{path}", raw=body, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/json"
    _assert_is_error(answer.json())


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
