"""The control page in Chromium: a person looks inside, and plays the phone."""

import pytest
from playwright.async_api import Page, expect

from tests.contract.accounts import enrol_email, enrol_phone, methods, track, validated
from tests.contract.page import BrowserSdk
from tests.contract.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _open(sdk: BrowserSdk, simulator: Simulator, view: str) -> Page:
    page = await sdk.page.context.new_page()
    await page.goto(f"http://localhost:{simulator.port}/control/ui#{view}")
    return page


@pytest.mark.parametrize(("button", "key", "state"), [("Approve", "a", "approved"), ("Decline", "d", "declined")])
@pytest.mark.parametrize("by_key", [False, True], ids=["click", "key"])
async def test_person_plays_the_phone(
    sdk: BrowserSdk, simulator: Simulator, user_id: str, *, button: str, key: str, state: str, by_key: bool
) -> None:
    """
    A push challenge appears by itself, is decided by one click or one key, and the page that asked learns of it.
    """
    enrol_phone(simulator, user_id)
    control = await _open(sdk, simulator, "phone")
    await sdk.set_token(track(simulator, user_id))
    challenge_id = (await sdk.data("push.challenge", {"action": "signIn"}))["challengeId"]
    pushes = control.get_by_role("article").filter(has=control.get_by_role("heading", name="Push: signIn"))
    mine = pushes.filter(has_text=user_id)
    await expect(mine.get_by_role("button", name=button)).to_be_visible()
    if by_key:
        await control.keyboard.press(key)
    else:
        await mine.get_by_role("button", name=button).click()
    await expect(mine).to_contain_text(state)
    data = await sdk.data("push.verify", {"challengeId": challenge_id})
    assert (data["isConsumed"], data["isVerified"]) == (True, state == "approved")


async def test_person_gives_a_user_a_phone(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    A phone is enrolled from the page for push and QR, shown among the user's factors, and removed again.
    """
    control = await _open(sdk, simulator, "users")
    await control.get_by_label("User id").fill(user_id)
    await control.get_by_label("Name of the phone").fill("Mere's phone")
    await control.get_by_role("button", name="Enrol the phone").click()
    card = control.get_by_role("article").filter(has_text=user_id)
    await expect(card).to_contain_text("Mere's phone")
    assert methods(simulator, user_id) == ["PUSH", "QR_CODE"]
    await card.get_by_role("button", name="Remove Mere's phone").click()
    await expect(card).to_contain_text("No factors")
    assert methods(simulator, user_id) == []


async def test_person_sets_a_rule(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    A rule typed into the page decides about the next action; a condition that means nothing is refused in words.
    """
    control = await _open(sdk, simulator, "rules")
    rule = control.locator("form").filter(has_text="Add a rule")
    await rule.get_by_label("Name").fill("Not this one")
    await rule.get_by_label("Outcome").select_option("BLOCK")
    await rule.get_by_label("Condition").fill('{"nonsense": 1}')
    await rule.get_by_role("button", name="Add the rule").click()
    await expect(control.get_by_role("alert")).to_contain_text("no such operator")
    await rule.get_by_label("Condition").fill(f'{{"==": [{{"var": "user.id"}}, "{user_id}"]}}')
    await rule.get_by_role("button", name="Add the rule").click()
    await expect(control.get_by_role("article")).to_contain_text("Not this one")
    assert validated(simulator, track(simulator, user_id))["state"] == "BLOCK"


async def test_views_show_messages_and_actions_and_nothing_runs_in_them(
    sdk: BrowserSdk, simulator: Simulator, email: str
) -> None:
    """
    Codes and actions appear; what a caller put into a name is shown as text, and the policy lets no foreign script run.
    """
    hostile = f"<img src=x onerror=document.title='owned'>{email[:13]}"
    enrol_email(simulator, hostile, email)
    token = track(simulator, hostile, action="payOut")
    await sdk.set_token(token)
    await sdk.data("email.challenge")
    control = await _open(sdk, simulator, "outbox")
    await expect(control.get_by_role("cell", name=simulator.code(email))).to_be_visible()
    await control.keyboard.press("3")
    await expect(control.get_by_role("row").filter(has_text=hostile)).to_contain_text("CHALLENGE_REQUIRED")
    await control.get_by_role("tab", name="Actions").press("ArrowRight")
    await expect(control.get_by_role("tab", name="Outbox")).to_be_focused()
    assert await control.title() == "Authsignal simulator: control"
    policy = simulator.page("/control/ui").headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
