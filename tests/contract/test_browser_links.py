"""Check 56: magic links, with the real browser SDK and the page behind the link."""

import asyncio
import time

import pytest
import requests
from playwright.async_api import Browser

from tests.contract.accounts import enrol_email, methods, track, validated
from tests.contract.mailbox import Mailbox
from tests.contract.page import BrowserSdk
from tests.contract.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="session")
_SECONDS = 30


def _open(url: str) -> requests.Response:
    return requests.get(url, timeout=_SECONDS)


async def test_browser_56_page_learns_that_the_link_was_opened(
    sdk: BrowserSdk, simulator: Simulator, mailbox: Mailbox, browser: Browser, user_id: str, email: str
) -> None:
    """
    The page asks once a second and gets its token after the link in the mail is opened, in another browser.
    """
    await sdk.set_token(track(simulator, user_id))
    enrolled = await sdk.data("emailML.enroll", {"email": email})
    assert set(enrolled) == {"challengeId", "userAuthenticatorId", "userId"}
    (mail,) = mailbox.to(email)
    text = mail.get_body(("plain",))
    assert text is not None
    assert simulator.link(email) in text.get_content()

    started = time.monotonic()
    asking = asyncio.create_task(sdk.data("emailML.checkVerificationStatus"))
    asked = 0
    while asked < 3:
        await asyncio.sleep(0.1)
        asked = len(simulator.calls("POST", "/v1/client/verify/email-magic-link/finalize"))
        assert asked <= time.monotonic() - started + 1.5
    elsewhere = await browser.new_context()
    page = await elsewhere.new_page()
    await page.goto(simulator.link(email))
    assert await page.get_by_role("heading", level=1).inner_text() == "You are confirmed"
    await elsewhere.close()

    data = await asking
    assert data["isVerified"] is True
    assert data["userAuthenticator"]["verificationMethod"] == "EMAIL_MAGIC_LINK"
    assert validated(simulator, data["token"])["verificationMethod"] == "EMAIL_MAGIC_LINK"
    assert methods(simulator, user_id) == ["EMAIL_MAGIC_LINK"]


async def test_link_is_replaced_dies_and_bears_being_opened_twice(simulator: Simulator, user_id: str, email: str) -> None:
    """
    A newer link kills the older one; a link too old is over; opening a good one twice is as good as once.
    """
    bearer = {"Authorization": f"Bearer {track(simulator, user_id, email=email)}"}

    def send() -> str:
        assert simulator.call("POST", "/client/challenge/email-magic-link", headers=bearer).status_code == 200
        return simulator.link(email)

    first, second = send(), send()
    assert _open(first).status_code == 410
    simulator.advance(601)
    assert _open(second).status_code == 410
    assert methods(simulator, user_id) == []
    bearer = {"Authorization": f"Bearer {track(simulator, user_id)}"}
    third = send()
    assert [_open(third).status_code for _ in range(2)] == [200, 200]
    assert _open(third[:-1]).status_code == 410
    assert methods(simulator, user_id) == ["EMAIL_MAGIC_LINK"]


async def test_thirteenth_link_is_refused(sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str) -> None:
    """
    Links have the budget of mail: twelve in ten minutes.
    """
    await sdk.set_token(track(simulator, user_id, email=email))
    for _ in range(12):
        await sdk.data("emailML.challenge")
    assert (await sdk.call("emailML.challenge"))["errorCode"] == "too_many_requests"


async def test_link_is_no_factor_for_codes(sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str) -> None:
    """
    A user enrolled with codes by mail is not sent links instead with a plain token.
    """
    enrol_email(simulator, user_id, email)
    await sdk.set_token(track(simulator, user_id, email=email))
    assert (await sdk.call("emailML.challenge"))["errorCode"] == "invalid_request"
