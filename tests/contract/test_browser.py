"""Checks with the real browser SDK in Chromium: construction, and codes by e-mail."""

import pytest

from tests.contract.mailbox import Mailbox
from tests.contract.page import BrowserSdk
from tests.contract.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _track(simulator: Simulator, user_id: str, **attributes: object) -> str:
    answer = simulator.server_call("POST", f"/users/{user_id}/actions/signIn", attributes)
    token: str = answer.json()["token"]
    return token


def _enrol_on_server(simulator: Simulator, user_id: str, email: str) -> None:
    body = {"verificationMethod": "EMAIL_OTP", "email": email}
    assert simulator.server_call("POST", f"/users/{user_id}/authenticators", body).status_code == 200


async def test_browser_41_device_id_is_kept_in_a_cookie(sdk: BrowserSdk) -> None:
    """
    Constructing the SDK sets the cookie __as_aid to its anonymousId; constructing it again finds the same one.
    """
    first = await sdk.page.evaluate("window.client.anonymousId")
    cookies = {cookie["name"]: cookie["value"] for cookie in await sdk.page.context.cookies()}
    assert cookies["__as_aid"] == first
    await sdk.construct()
    assert await sdk.page.evaluate("window.client.anonymousId") == first


async def test_browser_42_no_token_no_request(sdk: BrowserSdk, simulator: Simulator) -> None:
    """
    Challenging without a token answers token_not_set and sends nothing.
    """
    answer = await sdk.call("email.challenge")
    assert answer["errorCode"] == "token_not_set"
    assert simulator.calls("POST", "/v1/client") == []
    assert simulator.calls("OPTIONS", "/v1/client") == []


async def test_browser_44_enrol_sends_one_message(
    sdk: BrowserSdk, simulator: Simulator, mailbox: Mailbox, user_id: str, email: str
) -> None:
    """
    Enrolling an address gives authenticator and user, and sends one mail with the code in text and page.
    """
    await sdk.set_token(_track(simulator, user_id))
    data = await sdk.data("email.enroll", {"email": email})
    assert data["userAuthenticatorId"]
    assert data["userId"] == user_id
    (mail,) = mailbox.to(email)
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        assert simulator.code(email) in part.get_content()


async def test_browser_45_challenge_needs_no_body(sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str) -> None:
    """
    Challenging sends an empty body marked as JSON, and gets the id of the challenge.
    """
    _enrol_on_server(simulator, user_id, email)
    await sdk.set_token(_track(simulator, user_id))
    async with sdk.page.expect_request(lambda request: request.method == "POST") as sent:
        assert (await sdk.data("email.challenge"))["challengeId"]
    request = await sent.value
    assert request.post_data is None
    assert (await request.all_headers())["content-type"] == "application/json"


async def test_browser_46_wrong_code_is_data(sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str) -> None:
    """
    A wrong code is an answer with a reason: nothing is thrown, and there is no token.
    """
    _enrol_on_server(simulator, user_id, email)
    await sdk.set_token(_track(simulator, user_id))
    await sdk.data("email.challenge")
    data = await sdk.data("email.verify", {"code": simulator.wrong_code(email)})
    assert data == {"isVerified": False, "failureReason": "CODE_INVALID_OR_EXPIRED"}


async def test_browser_47_right_code_gives_a_token(sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str) -> None:
    """
    The right code gives a token under that name, and no accessToken beside it.
    """
    _enrol_on_server(simulator, user_id, email)
    await sdk.set_token(_track(simulator, user_id))
    await sdk.data("email.challenge")
    data = await sdk.data("email.verify", {"code": simulator.code(email)})
    assert data["isVerified"] is True
    assert data["token"]
    assert "accessToken" not in data


async def test_browser_48_new_token_is_used_and_accepted(
    sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str
) -> None:
    """
    After a success the next call carries the new token, and the service accepts it.
    """
    _enrol_on_server(simulator, user_id, email)
    first = _track(simulator, user_id)
    await sdk.set_token(first)
    await sdk.data("email.challenge")
    second = (await sdk.data("email.verify", {"code": simulator.code(email)}))["token"]
    assert second != first
    async with sdk.page.expect_request(lambda request: request.method == "POST") as sent:
        assert (await sdk.data("email.challenge"))["challengeId"]
    headers = await (await sent.value).all_headers()
    assert headers["authorization"] == f"Bearer {second}"


async def test_browser_49_only_an_enrolment_returns_the_authenticator(
    sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str
) -> None:
    """
    The proof that completes an enrolment returns the authenticator, masked; a later proof does not.
    """
    await sdk.set_token(_track(simulator, user_id))
    enrolled = await sdk.data("email.enroll", {"email": email})
    data = await sdk.data("email.verify", {"code": simulator.code(email)})
    authenticator = data["userAuthenticator"]
    assert authenticator["userAuthenticatorId"] == enrolled["userAuthenticatorId"]
    assert authenticator["verificationMethod"] == "EMAIL_OTP"
    assert authenticator["email"] == "u***@example.test"

    await sdk.set_token(_track(simulator, user_id))
    await sdk.data("email.challenge")
    again = await sdk.data("email.verify", {"code": simulator.code(email)})
    assert again["isVerified"] is True
    assert "userAuthenticator" not in again


async def test_browser_50_tries_are_limited(sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str) -> None:
    """
    After ten tries in five minutes the reason is MAX_ATTEMPTS_EXCEEDED, even for the right code.
    """
    _enrol_on_server(simulator, user_id, email)
    await sdk.set_token(_track(simulator, user_id))
    await sdk.data("email.challenge")
    for _ in range(10):
        data = await sdk.data("email.verify", {"code": simulator.wrong_code(email)})
        assert data["failureReason"] == "CODE_INVALID_OR_EXPIRED"
    data = await sdk.data("email.verify", {"code": simulator.code(email)})
    assert data == {"isVerified": False, "failureReason": "MAX_ATTEMPTS_EXCEEDED"}


async def test_browser_51_sends_are_limited(
    sdk: BrowserSdk, simulator: Simulator, mailbox: Mailbox, user_id: str, email: str
) -> None:
    """
    The thirteenth code in ten minutes is refused as a value, too_many_requests, and is not sent.
    """
    _enrol_on_server(simulator, user_id, email)
    await sdk.set_token(_track(simulator, user_id))
    for _ in range(12):
        await sdk.data("email.challenge")
    answer = await sdk.call("email.challenge")
    assert answer["errorCode"] == "too_many_requests"
    assert "data" not in answer
    assert len(mailbox.to(email)) == 12


async def test_browser_52_expired_token_is_reported_once_a_call(
    sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str
) -> None:
    """
    A call with a token past its life answers expired_token and calls onTokenExpired, once for each call.
    """
    _enrol_on_server(simulator, user_id, email)
    await sdk.set_token(_track(simulator, user_id))
    await sdk.data("email.challenge")
    simulator.advance(601)
    for number, (method, *args) in enumerate(
        [("email.challenge",), ("email.verify", {"code": "000000"}), ("email.enroll", {"email": email})], start=1
    ):
        answer = await sdk.call(str(method), *args)
        assert answer["errorCode"] == "expired_token"
        assert await sdk.times_expired() == number


async def test_browser_53_second_factor_needs_a_scope(sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str) -> None:
    """
    With a plain token an enrolled user cannot add a factor; with the scope add:authenticators, or after a proof, they can.
    """
    _enrol_on_server(simulator, user_id, email)
    await sdk.set_token(_track(simulator, user_id))
    answer = await sdk.call("email.enroll", {"email": f"second-{email}"})
    assert answer["errorCode"] == "invalid_request"

    await sdk.set_token(_track(simulator, user_id, scope="add:authenticators"))
    await sdk.data("email.enroll", {"email": f"second-{email}"})
    proven = await sdk.data("email.verify", {"code": simulator.code(f"second-{email}")})
    assert proven["isVerified"] is True

    await sdk.data("email.enroll", {"email": f"third-{email}"})
    proven = await sdk.data("email.verify", {"code": simulator.code(f"third-{email}")})
    assert proven["isVerified"] is True
    found = simulator.server_call("GET", f"/users/{user_id}/authenticators").json()
    assert [item["email"] for item in found] == [email, f"second-{email}", f"third-{email}"]


async def test_browser_54_tracked_address_is_enrolled_by_its_proof(
    sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str
) -> None:
    """
    A user with no factor is challenged at the address given at track, and the proof enrols it.
    """
    await sdk.set_token(_track(simulator, user_id, email=email))
    assert (await sdk.data("email.challenge"))["challengeId"]
    data = await sdk.data("email.verify", {"code": simulator.code(email)})
    assert data["userAuthenticator"]["verificationMethod"] == "EMAIL_OTP"
    user = simulator.server_call("GET", f"/users/{user_id}").json()
    assert user["enrolledVerificationMethods"] == ["EMAIL_OTP"]
    assert user["emailVerified"] is True


async def test_challenge_without_address_is_refused(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    A user with neither factor nor address cannot be challenged.
    """
    await sdk.set_token(_track(simulator, user_id))
    assert (await sdk.call("email.challenge"))["errorCode"] == "invalid_request"


async def test_two_first_enrolments_give_one_factor(sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str) -> None:
    """
    Of two enrolments begun while the user had no factor, the one proven first counts; the other one lacks the scope by then.
    """
    first, second = (_track(simulator, user_id) for _ in range(2))
    for token, address in ((first, email), (second, f"second-{email}")):
        await sdk.set_token(token)
        await sdk.data("email.enroll", {"email": address})
    await sdk.set_token(first)
    assert (await sdk.data("email.verify", {"code": simulator.code(email)}))["isVerified"] is True
    await sdk.set_token(second)
    answer = await sdk.call("email.verify", {"code": simulator.code(f"second-{email}")})
    assert answer["errorCode"] == "invalid_request"
    found = simulator.server_call("GET", f"/users/{user_id}/authenticators").json()
    assert [item["email"] for item in found if "verifiedAt" in item] == [email]


async def test_deleted_user_cannot_use_their_token(sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str) -> None:
    """
    A token of a user who was deleted since is invalid, and brings nothing of theirs back.
    """
    await sdk.set_token(_track(simulator, user_id, email=email))
    simulator.server_call("DELETE", f"/users/{user_id}")
    answer = await sdk.call("email.enroll", {"email": email})
    assert answer["errorCode"] == "invalid_token"
    assert simulator.server_call("GET", f"/users/{user_id}/authenticators").json() == []
