"""Checks 68 and 69: the pre-built UI, launched by the real browser SDK in a frame, a window, and by redirect."""

import pytest
from playwright.async_api import Page, expect

from deploy.local.authsignal import totp
from tests.contract.accounts import enrol_email, methods, track, tracked, validated
from tests.contract.page import BrowserSdk, PageServer
from tests.contract.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="session")

_LAUNCH = """
([url, options]) => {
    window.messages = [];
    window.errors = [];
    addEventListener("message", (event) => window.messages.push(event.data));
    const onError = (error) => window.errors.push(error);
    Promise.resolve(client.launch(url, {...options, onError})).then((result) => (window.result = result ?? "undefined"));
}
"""


async def _launch(sdk: BrowserSdk, url: str, **options: object) -> None:
    await sdk.run(_LAUNCH, [url, options])


async def _prove_by_mail(page: Page, simulator: Simulator, email: str, *, frame: bool) -> None:
    inside = page.frame_locator("#__authsignal-popup-iframe") if frame else page
    await inside.get_by_role("button", name="Get a code by e-mail").click()
    await expect(inside.get_by_label("Six-digit code")).to_be_visible()
    await inside.get_by_label("Six-digit code").fill(simulator.wrong_code(email))
    await inside.get_by_role("button", name="Continue").click()
    await expect(inside.get_by_role("alert")).to_contain_text("That code did not work")
    await inside.get_by_label("Six-digit code").fill(simulator.code(email))
    await inside.get_by_role("button", name="Continue").click()


async def test_browser_68_popup_returns_a_token(sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str) -> None:
    """
    The frame opens with mode=popup, says that it is ready and how high it is, and closes with the token of the proof.
    """
    enrol_email(simulator, user_id, email)
    url = tracked(simulator, user_id)["url"]
    await _launch(sdk, url, mode="popup")
    frame = sdk.page.locator("#__authsignal-popup-iframe")
    await expect(frame).to_be_visible()
    assert await frame.get_attribute("src") == f"{url}&mode=popup"
    await _prove_by_mail(sdk.page, simulator, email, frame=True)
    await sdk.page.wait_for_function("window.result")
    token = await sdk.run("window.result.token")
    assert validated(simulator, token)["state"] == "CHALLENGE_SUCCEEDED"
    messages = await sdk.run("window.messages")
    assert '{"event":"AUTHSIGNAL_READY"}' in messages
    heights = [message["height"] for message in messages if isinstance(message, dict) and "height" in message]
    assert heights
    assert all(height > 100 for height in heights)


async def test_browser_68_closed_popup_returns_no_token(
    sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str
) -> None:
    """
    Cancelling inside the frame resolves without a token, and the action goes on waiting.
    """
    enrol_email(simulator, user_id, email)
    answer = tracked(simulator, user_id)
    await _launch(sdk, answer["url"], mode="popup")
    inside = sdk.page.frame_locator("#__authsignal-popup-iframe")
    await inside.get_by_role("button", name="Cancel").click()
    await sdk.page.wait_for_function("window.result")
    assert await sdk.run("window.result.token ?? null") is None
    assert validated(simulator, answer["token"])["state"] == "CHALLENGE_REQUIRED"


async def test_browser_68_errors_of_the_api_reach_the_page(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    A page launched with a token past its life says so, and hands code and status to the SDK's onError.
    """
    url = tracked(simulator, user_id)["url"]
    simulator.advance(601)
    await _launch(sdk, url, mode="popup")
    await sdk.page.wait_for_function("window.errors.length")
    assert await sdk.run("window.errors") == [{"errorCode": "expired_token", "statusCode": 401}]
    inside = sdk.page.frame_locator("#__authsignal-popup-iframe")
    await expect(inside.get_by_role("heading")).to_have_text("This page does not work any more")


async def test_browser_68_window_returns_a_token(sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str) -> None:
    """
    In a window of its own the page ends the same way.
    """
    enrol_email(simulator, user_id, email)
    async with sdk.page.expect_popup() as opened:
        await _launch(sdk, tracked(simulator, user_id)["url"], mode="window")
    window = await opened.value
    await _prove_by_mail(window, simulator, email, frame=False)
    await sdk.page.wait_for_function("window.result")
    assert validated(simulator, await sdk.run("window.result.token"))["state"] == "CHALLENGE_SUCCEEDED"


@pytest.mark.parametrize(("gives_up", "state"), [(False, "CHALLENGE_SUCCEEDED"), (True, "CHALLENGE_REQUIRED")])
async def test_browser_69_redirect_comes_back_with_a_token(
    sdk: BrowserSdk, simulator: Simulator, page_server: PageServer, user_id: str, email: str, *, gives_up: bool, state: str
) -> None:
    """
    The browser comes back to redirectUrl with a token, having proven the user or not; validating it tells which.
    """
    enrol_email(simulator, user_id, email)
    url = tracked(simulator, user_id, redirectUrl=f"{page_server.origin}/?step=2")["url"]
    await _launch(sdk, url, mode="redirect")
    await sdk.page.wait_for_url(url)
    if gives_up:
        await sdk.page.get_by_role("button", name="Cancel").click()
    else:
        await _prove_by_mail(sdk.page, simulator, email, frame=False)
    await sdk.page.wait_for_url(f"{page_server.origin}/?step=2&token=*")
    token = sdk.page.url.partition("&token=")[2]
    assert validated(simulator, token)["state"] == state


async def test_user_without_a_factor_enrols_in_the_prebuilt_page(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    Someone with nothing to prove themselves by is asked to add a factor, and the first right code enrols it.
    """
    await sdk.page.goto(tracked(simulator, user_id)["url"])
    await sdk.page.get_by_role("button", name="Authenticator app").click()
    secret = await sdk.page.locator("#secret").inner_text()
    code = totp.code_at(secret, int(simulator.control("GET", "/clock")["now"] // 30))
    await sdk.page.get_by_label("Six-digit code").fill(code)
    await sdk.page.keyboard.press("Enter")
    await expect(sdk.page.get_by_role("heading")).to_have_text("You are confirmed")
    assert methods(simulator, user_id) == ["AUTHENTICATOR_APP"]


async def test_prebuilt_page_uses_passkeys(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    A passkey can be added in the pre-built page and used there, at the page's own origin.
    """
    await sdk.add_authenticator()
    await sdk.page.goto(tracked(simulator, user_id)["url"])
    await sdk.page.get_by_role("button", name="Passkey").click()
    await expect(sdk.page.get_by_role("heading")).to_have_text("You are confirmed")
    token = track(simulator, user_id)
    await sdk.page.goto(f"http://localhost:{simulator.port}/?token={token}")
    await sdk.page.get_by_role("button", name="Use a passkey").click()
    await expect(sdk.page.get_by_role("heading")).to_have_text("You are confirmed")
    assert validated(simulator, token)["verificationMethod"] == "PASSKEY"


async def test_prebuilt_page_may_stand_in_frames_of_known_origins_alone(simulator: Simulator, page_server: PageServer) -> None:
    """
    The page runs scripts of its own origin alone, and names the origins whose frames it may stand in.
    """
    answer = simulator.page("/?token=any")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert f"frame-ancestors 'self' {page_server.origin}" in policy
    assert "unsafe" not in policy
    assert "<script>" not in answer.text


async def test_address_to_return_to_must_be_a_web_address(simulator: Simulator, user_id: str) -> None:
    """
    Tracking with a redirectUrl that would run as a script is an invalid request.
    """
    body = {"redirectUrl": "javascript:alert(1)"}
    answer = simulator.server_call("POST", f"/users/{user_id}/actions/signIn", body)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
