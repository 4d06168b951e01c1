"""The reference protocol, step by step: sign up, and sign in by every method, with both SDKs unmodified in a page."""

import asyncio

import pytest

from tests.integration.gateway.ledger import Ledger
from tests.system.direct.app import App, attempt_of, totp

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_signing_up_by_a_mailed_code_signs_in(app: App) -> None:
    """SignUp, InitiateAuth, enrol by mail, answer: the account is confirmed, and its address is not called verified."""
    sub = await app.signs_up()

    user = await app.does("whoAmI")
    assert user["username"] == user["sub"] == sub
    assert user["email"] == app.email
    assert user.get("email_verified", "false") == "false"


async def test_signing_in_by_a_mailed_code(app: App, ledger: Ledger) -> None:
    """Challenge, code, answer gives all three tokens, and every step is in the log under the sign-in's key."""
    await app.signs_up()

    started = await app.does("start", app.email)
    answered = await app.does("answer", await app.earns_by_code())

    assert started["challenge"] == "CUSTOM_CHALLENGE"
    assert set(started["parameters"]) == {"USERNAME", "token"}
    assert answered["isSignedIn"]
    tokens = await app.does("tokens")
    assert tokens["AccessToken"]
    assert tokens["IdToken"]
    assert tokens["RefreshToken"]
    assert await ledger.types_of_attempt(attempt_of(started["parameters"]["token"]), expect="sign_in.succeeded") == [
        "sign_in.started",
        "action.tracked",
        "challenge.answered",
        "action.validated",
        "sign_in.succeeded",
    ]


async def test_no_address_stands_clear_in_the_log(app: App, ledger: Ledger) -> None:
    """What is recorded of a sign-in names the person by sub and keyed hash, never by address or token."""
    sub = await app.signs_up()
    started = await app.does("start", app.email)
    earned = await app.earns_by_code()
    await app.does("answer", earned)

    events = await ledger.of_attempt(attempt_of(started["parameters"]["token"]), expect="sign_in.succeeded")

    assert {event.subject.sub for event in events if event.subject} == {sub}
    assert all(event.subject and event.subject.email_hash for event in events)
    stored = b"\n".join(await ledger.everything())
    for secret in (app.email, earned, started["parameters"]["token"]):
        assert secret.encode() not in stored


async def test_a_passkey_made_after_sign_up_signs_in_without_a_name(app: App) -> None:
    """The token earned by mail adds a passkey; later the passkey alone says who signs in, and Cognito takes its token."""
    await app.has_passkeys()
    sub = await app.signs_up()
    await app.sdk("passkey.signUp", {"username": app.email, "displayName": app.email})

    answered = await app.does("signInWithPasskey")

    assert answered["isSignedIn"]
    assert (await app.does("whoAmI"))["sub"] == sub


async def test_a_magic_link_signs_in(app: App) -> None:
    """The link that is mailed for the sign-in, opened anywhere, lets the waiting page answer."""
    await app.signs_up()
    token = (await app.api("POST", "/v1/direct/authenticators"))["body"]["authsignalToken"]
    await app.does("authsignal.setToken", token)
    await app.sdk("emailML.enroll", {"email": app.email})
    await _opens(app, await app.link())
    await app.sdk("emailML.checkVerificationStatus")

    await app.does("start", app.email)
    await app.sdk("emailML.challenge")
    waiting = asyncio.create_task(app.sdk("emailML.checkVerificationStatus"))
    await _opens(app, await app.link())
    answered = await app.does("answer", (await waiting)["token"])

    assert answered["isSignedIn"]


async def test_an_authenticator_app_signs_in(app: App) -> None:
    """An authenticator app added with a token of the API signs in with its next code."""
    await app.signs_up()
    token = (await app.api("POST", "/v1/direct/authenticators"))["body"]["authsignalToken"]
    await app.does("authsignal.setToken", token)
    added = await app.sdk("totp.enroll")
    assert (await app.sdk("totp.verify", {"code": totp(added["secret"])}))["isVerified"]

    await app.does("start", app.email)
    # A code works once, so the sign-in takes the next one.
    earned = await app.sdk("totp.verify", {"code": totp(added["secret"], steps_ahead=1)})
    answered = await app.does("answer", earned["token"])

    assert answered["isSignedIn"]


async def test_signing_out_ends_the_access_token(app: App) -> None:
    """After GlobalSignOut the API takes no change from the token, although it has not run out."""
    await app.signs_up()
    assert (await app.api("POST", "/v1/direct/authenticators"))["status"] == 200

    await app.does("signOut")

    refused = await app.api("POST", "/v1/direct/authenticators")
    assert (refused["status"], refused["body"]["code"]) == (401, "unauthorized")


async def _opens(app: App, link: str) -> None:
    """Open a link of a mail in another tab, and press what the page asks to press."""
    tab = await app.page.context.new_page()
    await tab.goto(link)
    button = tab.get_by_role("button")
    if await button.count():
        await button.first.click()
    await tab.wait_for_load_state()
    await tab.close()
