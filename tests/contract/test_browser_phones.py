"""Checks 65 to 67: push and QR codes, with the real browser SDK and phones that sign with real keys."""

import asyncio
import time
from typing import Any

import pytest

from tests.contract.accounts import decide, enrol_phone, track, validated
from tests.contract.page import BrowserSdk
from tests.contract.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="session")
_WAIT_SECONDS = 30.0

_SHOW_QR = """
async (request) => {
    window.states = [];
    window.refreshed = [];
    const onStateChange = (state, accessToken) => window.states.push([state, accessToken ?? null]);
    const onRefresh = (challengeId) => window.refreshed.push(challengeId);
    const answer = await client.qrCode.challenge({...request, onStateChange, onRefresh});
    return answer.data ?? answer;
}
"""


async def _states(sdk: BrowserSdk, wanted: str) -> list[list[Any]]:
    """Wait until the page was told a state, and give everything that it was told."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        states: list[list[Any]] = await sdk.run("window.states")
        if any(state == wanted for state, _ in states):
            return states
        await asyncio.sleep(0.05)
    raise AssertionError(f"the page was never told {wanted}: {await sdk.run('window.states')}")


def _scan(simulator: Simulator, phone_id: str, challenge_id: str) -> None:
    simulator.control("POST", f"/phones/{phone_id}/claims", {"challengeId": challenge_id})


@pytest.mark.parametrize("approved", [True, False], ids=["approved", "declined"])
async def test_browser_65_push_is_decided_on_the_phone(
    sdk: BrowserSdk, simulator: Simulator, user_id: str, *, approved: bool
) -> None:
    """
    A push challenge waits, and is then approved with a token, or declined without one.
    """
    phone_id = enrol_phone(simulator, user_id)
    await sdk.set_token(track(simulator, user_id))
    challenge_id = (await sdk.data("push.challenge", {"action": "signIn"}))["challengeId"]
    assert await sdk.data("push.verify", {"challengeId": challenge_id}) == {"isVerified": False, "isConsumed": False}
    decide(simulator, phone_id, challenge_id, approved=approved)
    data = await sdk.data("push.verify", {"challengeId": challenge_id})
    assert (data["isConsumed"], data["isVerified"]) == (True, approved)
    assert ("token" in data) is approved
    if approved:
        valid = validated(simulator, data["token"])
        assert (valid["isValid"], valid["verificationMethod"]) == (True, "PUSH")


async def test_push_without_a_phone_or_for_another_action_is_refused(
    sdk: BrowserSdk, simulator: Simulator, user_id: str
) -> None:
    """
    There must be a phone to ask, and the action must be the tracked one.
    """
    await sdk.set_token(track(simulator, user_id))
    assert (await sdk.call("push.challenge", {"action": "signIn"}))["errorCode"] == "invalid_request"
    enrol_phone(simulator, user_id)
    assert (await sdk.call("push.challenge", {"action": "payOut"}))["errorCode"] == "invalid_request"


async def test_browser_66_qr_code_over_rest_is_approved(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    A page without a token shows a code; it hears of the scan, then of the approval with a token for whoever scanned it.
    """
    phone_id = enrol_phone(simulator, user_id)
    shown = await sdk.run(_SHOW_QR, {"action": "qrSignIn", "polling": True, "pollInterval": 100, "custom": {"shop": "7"}})
    assert shown["deviceCode"]
    assert shown["expiresAt"].endswith("Z")
    _scan(simulator, phone_id, shown["challengeId"])
    await _states(sdk, "claimed")
    (waiting,) = simulator.control("GET", "/challenges")[:1]
    assert (waiting["state"], waiting["custom"]) == ("claimed", {"shop": "7"})
    decide(simulator, phone_id, shown["challengeId"], approved=True)
    states = await _states(sdk, "approved")
    valid = validated(simulator, states[-1][1])
    assert (valid["isValid"], valid["userId"], valid["action"]) == (True, user_id, "qrSignIn")
    assert valid["verificationMethod"] == "QR_CODE"
    assert {call["scheme"] for call in simulator.calls("POST", "/v1/client/verify/qr-code")} == {"basic"}


async def test_browser_66_declined_qr_code_stops_the_polling(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    After a refusal on the phone the page is told so once, and asks no more.
    """
    phone_id = enrol_phone(simulator, user_id)
    # Slow enough that no two polls are under way at once: the SDK would tell each answer.
    shown = await sdk.run(_SHOW_QR, {"action": "qrSignIn", "polling": True, "pollInterval": 1_500})
    decide(simulator, phone_id, shown["challengeId"], approved=False)
    assert [state for state, _ in await _states(sdk, "rejected")].count("rejected") == 1
    asked = len(simulator.calls("POST", "/v1/client/verify/qr-code"))
    await asyncio.sleep(2)
    assert len(simulator.calls("POST", "/v1/client/verify/qr-code")) == asked


@pytest.mark.parametrize("approved", [True, False], ids=["approved", "rejected"])
async def test_browser_67_qr_code_over_the_socket(
    sdk: BrowserSdk, simulator: Simulator, user_id: str, *, approved: bool
) -> None:
    """
    Over the socket the page gets a challenge, and is told each state as it comes, the last one with a token if approved.
    """
    phone_id = enrol_phone(simulator, user_id)
    shown = await sdk.run(_SHOW_QR, {"action": "qrSignIn"})
    assert shown["challengeId"]
    assert shown["expiresAt"].endswith("Z")
    _scan(simulator, phone_id, shown["challengeId"])
    assert await _states(sdk, "claimed") == [["claimed", None]]
    decide(simulator, phone_id, shown["challengeId"], approved=approved)
    last = "approved" if approved else "rejected"
    states = await _states(sdk, last)
    assert [state for state, _ in states] == ["claimed", last]
    if approved:
        valid = validated(simulator, states[-1][1])
        assert (valid["isValid"], valid["userId"], valid["action"]) == (True, user_id, "qrSignIn")
    assert states[-1][1] is None or approved
    await sdk.run("client.qrCode.disconnect()")
    (call,) = simulator.calls("WEBSOCKET", "/ws-v1-challenge")
    assert call["scheme"] == "basic"


async def test_browser_67_socket_carries_the_cached_token(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    With a cached token the socket is opened with it, and the challenge is for the tracked action and its user alone.
    """
    stranger, phone_id = enrol_phone(simulator, f"other-{user_id}"), enrol_phone(simulator, user_id)
    await sdk.set_token(track(simulator, user_id, custom={"amount": 10}))
    shown = await sdk.run(_SHOW_QR, {"action": "signIn"})
    (call,) = simulator.calls("WEBSOCKET", "/ws-v1-challenge")
    assert call["scheme"] == "bearer"
    (waiting,) = simulator.control("GET", "/challenges")[:1]
    assert waiting["custom"] == {"amount": 10}
    assert [phone["phone_id"] for phone in waiting["phones"]] == [phone_id]
    body = {"challengeId": shown["challengeId"], "approved": True}
    with pytest.raises(AssertionError, match="somebody else"):
        simulator.control("POST", f"/phones/{stranger}/decisions", body)
    decide(simulator, phone_id, shown["challengeId"], approved=True)
    token = (await _states(sdk, "approved"))[-1][1]
    assert validated(simulator, token)["userId"] == user_id
    await sdk.run("client.qrCode.disconnect()")


async def test_browser_67_refreshed_code_replaces_the_one_before(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    After a refresh on the same socket the page hears of the new challenge, and no more of the old one.
    """
    phone_id = enrol_phone(simulator, user_id)
    shown = await sdk.run(_SHOW_QR, {"action": "qrSignIn"})
    await sdk.run("client.qrCode.refresh()")
    await sdk.page.wait_for_function("window.refreshed.length")
    (fresh,) = await sdk.run("window.refreshed")
    assert fresh != shown["challengeId"]
    decide(simulator, phone_id, shown["challengeId"], approved=False)
    decide(simulator, phone_id, fresh, approved=True)
    states = await _states(sdk, "approved")
    assert "rejected" not in [state for state, _ in states]
    assert len(simulator.calls("WEBSOCKET", "/ws-v1-challenge")) == 1
    await sdk.run("client.qrCode.disconnect()")


_OPEN_SOCKET = """
([url, protocols]) => new Promise((resolve) => {
    const socket = new WebSocket(url, protocols);
    socket.onopen = () => { resolve(`open ${socket.protocol}`); socket.close(); };
    socket.onerror = () => resolve("refused");
})
"""


async def test_socket_lets_in_who_names_tenant_or_token(sdk: BrowserSdk, simulator: Simulator) -> None:
    """
    The handshake succeeds with the tenant's id, and fails with another one, a bad token, or nobody named.
    """
    url = simulator.browser_url.replace("http", "ws").replace("v1", "ws-v1-challenge")
    offers = {
        f"x.authsignal.tenant.{simulator.tenant_id}": "open authsignal-ws",
        "x.authsignal.tenant.another": "refused",
        "x.authsignal.token.garbage": "refused",
        "x.nobody": "refused",
    }
    for offer, expected in offers.items():
        assert await sdk.run(_OPEN_SOCKET, [url, ["authsignal-ws", offer]]) == expected


_SEND_ON_SOCKET = """
([url, protocols, message]) => new Promise((resolve) => {
    const socket = new WebSocket(url, protocols);
    socket.onopen = () => socket.send(message);
    socket.onclose = (event) => resolve(event.code);
})
"""


@pytest.mark.parametrize(
    "message",
    [
        "not JSON",
        '{"type": "NONSENSE", "data": {"challengeType": "QR_CODE", "actionCode": "signIn"}}',
        '{"type": "CREATE_CHALLENGE", "data": {"challengeType": "PUSH", "actionCode": "signIn"}}',
        '{"type": "CREATE_CHALLENGE", "data": {"challengeType": "QR_CODE", "actionCode": "not a code"}}',
    ],
)
async def test_message_that_means_nothing_closes_the_socket(sdk: BrowserSdk, simulator: Simulator, message: str) -> None:
    """
    There is no message for an error: the socket closes with the code for a broken rule.
    """
    url = simulator.browser_url.replace("http", "ws").replace("v1", "ws-v1-challenge")
    protocols = ["authsignal-ws", f"x.authsignal.tenant.{simulator.tenant_id}"]
    assert await sdk.run(_SEND_ON_SOCKET, [url, protocols, message]) == 1008
