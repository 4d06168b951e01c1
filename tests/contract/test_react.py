"""C30: the challenge dialog of the real `@authsignal/react`, which begins with init, opens and proves the user."""

import pytest
from playwright.async_api import expect

from tests.contract.accounts import enrol_email, track, validated
from tests.contract.page import BrowserSdk, PageServer
from tests.contract.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _show(sdk: BrowserSdk, simulator: Simulator, page_server: PageServer) -> None:
    await sdk.page.goto(f"{page_server.origin}/dialog")
    await sdk.run("settings => window.show(settings)", {"tenantId": simulator.tenant_id, "baseUrl": simulator.browser_url})
    await sdk.page.wait_for_function("Boolean(window.startChallenge)")


async def test_react_dialog_opens_and_takes_a_code(
    sdk: BrowserSdk, simulator: Simulator, page_server: PageServer, user_id: str, email: str
) -> None:
    """
    The dialog opens with the user's masked address, sends a code, and succeeds with a token that validates.
    """
    enrol_email(simulator, user_id, email)
    await _show(sdk, simulator, page_server)
    await sdk.run("token => window.startChallenge(token)", track(simulator, user_id))
    dialog = sdk.page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    await expect(dialog).to_contain_text("u***@example.test")
    (call,) = simulator.calls("POST", "/v1/client/init")
    assert (call["status"], call["scheme"]) == (200, "bearer")
    await dialog.get_by_role("textbox").fill(simulator.code(email))
    await sdk.page.wait_for_function("window.outcome")
    assert validated(simulator, await sdk.run("window.outcome.token"))["state"] == "CHALLENGE_SUCCEEDED"


async def test_react_dialog_reports_an_expired_token(
    sdk: BrowserSdk, simulator: Simulator, page_server: PageServer, user_id: str, email: str
) -> None:
    """
    With a token past its life no dialog opens, and the page is told that it expired.
    """
    enrol_email(simulator, user_id, email)
    token = track(simulator, user_id)
    simulator.advance(601)
    await _show(sdk, simulator, page_server)
    await sdk.run("token => window.startChallenge(token)", token)
    await sdk.page.wait_for_function("window.outcome")
    assert await sdk.run("window.outcome") == {"expired": True}
