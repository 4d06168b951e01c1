"""Check 55: SMS, WhatsApp and the authenticator app behave as e-mail codes do, with the real browser SDK."""

import pytest

from deploy.local.authsignal import totp
from tests.contract.accounts import enrol_email, enrol_sms, methods, track
from tests.contract.mailbox import Mailbox
from tests.contract.page import BrowserSdk
from tests.contract.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_browser_55_text_message_is_sent_and_enrols(
    sdk: BrowserSdk, simulator: Simulator, mailbox: Mailbox, user_id: str, number: str
) -> None:
    """
    Enrolling a number sends one message, also readable as mail; a wrong code is a reason, the right one enrols, once.
    """
    await sdk.set_token(track(simulator, user_id))
    enrolled = await sdk.data("sms.enroll", {"phoneNumber": number})
    assert enrolled["userId"] == user_id
    (mail,) = mailbox.to(f"{number}@sms.example.test")
    assert simulator.code(number) in str(mail["Subject"])
    wrong = await sdk.data("sms.verify", {"code": simulator.wrong_code(number)})
    assert wrong == {"isVerified": False, "failureReason": "CODE_INVALID_OR_EXPIRED"}

    data = await sdk.data("sms.verify", {"code": simulator.code(number)})
    assert data["isVerified"] is True
    assert data["token"]
    assert "accessToken" not in data
    assert data["userAuthenticator"]["userAuthenticatorId"] == enrolled["userAuthenticatorId"]
    assert data["userAuthenticator"]["phoneNumber"] == f"***{number[-3:]}"
    assert methods(simulator, user_id) == ["SMS"]

    await sdk.set_token(track(simulator, user_id))
    assert (await sdk.data("sms.challenge"))["challengeId"]
    again = await sdk.data("sms.verify", {"code": simulator.code(number)})
    assert again["isVerified"] is True
    assert "userAuthenticator" not in again


async def test_browser_55_seventh_text_message_is_refused(
    sdk: BrowserSdk, simulator: Simulator, mailbox: Mailbox, user_id: str, number: str
) -> None:
    """
    The seventh message in ten minutes is refused as a value, too_many_requests, and is not sent.
    """
    enrol_sms(simulator, user_id, number)
    await sdk.set_token(track(simulator, user_id))
    for _ in range(6):
        await sdk.data("sms.challenge")
    answer = await sdk.call("sms.challenge")
    assert answer["errorCode"] == "too_many_requests"
    assert len(mailbox.to(f"{number}@sms.example.test")) == 6


@pytest.mark.parametrize("method", ["sms", "whatsapp"])
async def test_browser_55_tries_of_texts_are_limited(
    sdk: BrowserSdk, simulator: Simulator, user_id: str, number: str, method: str
) -> None:
    """
    After ten tries in five minutes even the right code is MAX_ATTEMPTS_EXCEEDED.
    """
    enrol_sms(simulator, user_id, number)
    await sdk.set_token(track(simulator, user_id))
    await sdk.data(f"{method}.challenge")
    for _ in range(10):
        await sdk.data(f"{method}.verify", {"code": simulator.wrong_code(number)})
    data = await sdk.data(f"{method}.verify", {"code": simulator.code(number)})
    assert data == {"isVerified": False, "failureReason": "MAX_ATTEMPTS_EXCEEDED"}


async def test_browser_55_whatsapp_uses_the_number_at_hand(
    sdk: BrowserSdk, simulator: Simulator, mailbox: Mailbox, user_id: str, number: str
) -> None:
    """
    WhatsApp has no enrolment: it writes to the number enrolled for SMS, and the proof says WHATSAPP and adds no factor.
    """
    enrol_sms(simulator, user_id, number)
    await sdk.set_token(track(simulator, user_id))
    assert (await sdk.data("whatsapp.challenge"))["challengeId"]
    (mail,) = mailbox.to(f"{number}@sms.example.test")
    assert str(mail["Subject"]).startswith("WhatsApp")
    data = await sdk.data("whatsapp.verify", {"code": simulator.code(number)})
    assert data["isVerified"] is True
    assert "userAuthenticator" not in data
    (item,) = simulator.server_call("GET", f"/users/{user_id}/authenticators").json()
    assert (item["verificationMethod"], item["previousSmsChannel"]) == ("SMS", "WHATSAPP")


async def test_browser_55_tracked_number_is_enrolled_by_its_proof(
    sdk: BrowserSdk, simulator: Simulator, user_id: str, number: str
) -> None:
    """
    A user with no factor is challenged at the number given at track, and the proof enrols it.
    """
    await sdk.set_token(track(simulator, user_id, phoneNumber=number))
    await sdk.data("whatsapp.challenge")
    data = await sdk.data("whatsapp.verify", {"code": simulator.code(number)})
    assert data["userAuthenticator"]["verificationMethod"] == "WHATSAPP"
    assert methods(simulator, user_id) == ["WHATSAPP"]


async def test_browser_55_authenticator_app_is_enrolled_by_its_first_code(
    sdk: BrowserSdk, simulator: Simulator, user_id: str
) -> None:
    """
    The URI for the app holds the secret that is shown; a code worked out from it enrols; each code works once.
    """
    await sdk.set_token(track(simulator, user_id))
    enrolled = await sdk.data("totp.enroll")
    assert totp.secret_of(enrolled["uri"]) == enrolled["secret"]
    step = int(simulator.control("GET", "/clock")["now"] // 30)
    code = totp.code_at(enrolled["secret"], step)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    refused = await sdk.data("totp.verify", {"code": wrong})
    assert refused == {"isVerified": False, "failureReason": "CODE_INVALID_OR_EXPIRED"}
    data = await sdk.data("totp.verify", {"code": code})
    assert data["isVerified"] is True
    assert data["userAuthenticator"]["userAuthenticatorId"] == enrolled["userAuthenticatorId"]
    assert methods(simulator, user_id) == ["AUTHENTICATOR_APP"]

    await sdk.set_token(track(simulator, user_id))
    assert (await sdk.data("totp.verify", {"code": code}))["isVerified"] is False
    simulator.advance(60)
    later = totp.code_at(enrolled["secret"], step + 2)
    data = await sdk.data("totp.verify", {"code": later})
    assert data["isVerified"] is True
    assert "userAuthenticator" not in data


async def test_browser_55_tries_of_app_codes_are_limited(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    After ten tries in five minutes even the right code of an app is MAX_ATTEMPTS_EXCEEDED.
    """
    await sdk.set_token(track(simulator, user_id))
    secret = (await sdk.data("totp.enroll"))["secret"]
    for _ in range(10):
        await sdk.data("totp.verify", {"code": "nocode"})
    code = totp.code_at(secret, int(simulator.control("GET", "/clock")["now"] // 30))
    data = await sdk.data("totp.verify", {"code": code})
    assert data == {"isVerified": False, "failureReason": "MAX_ATTEMPTS_EXCEEDED"}


async def test_app_begun_without_the_right_to_add_never_counts(
    sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str
) -> None:
    """
    An app begun while the user had no factor cannot be completed with a plain token once they have one.
    """
    await sdk.set_token(track(simulator, user_id))
    secret = (await sdk.data("totp.enroll"))["secret"]
    enrol_email(simulator, user_id, email)
    code = totp.code_at(secret, int(simulator.control("GET", "/clock")["now"] // 30))
    assert (await sdk.data("totp.verify", {"code": code}))["isVerified"] is False
    await sdk.set_token(track(simulator, user_id, scope="add:authenticators"))
    assert (await sdk.data("totp.verify", {"code": code}))["isVerified"] is True


@pytest.mark.parametrize("call", [("sms.enroll", {"phoneNumber": "0211234567"}), ("sms.challenge",), ("whatsapp.challenge",)])
async def test_text_without_a_number_is_refused(
    sdk: BrowserSdk, simulator: Simulator, user_id: str, call: tuple[object, ...]
) -> None:
    """
    A number that is not in international form, or none at all, is an invalid request.
    """
    await sdk.set_token(track(simulator, user_id))
    method, *arguments = call
    assert (await sdk.call(str(method), *arguments))["errorCode"] == "invalid_request"


@pytest.mark.parametrize("call", [("sms.enroll", {"phoneNumber": "+64211234567"}), ("totp.enroll",)])
async def test_further_factor_needs_a_scope(
    sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str, call: tuple[object, ...]
) -> None:
    """
    With a plain token an enrolled user adds neither a number nor an app.
    """
    enrol_email(simulator, user_id, email)
    await sdk.set_token(track(simulator, user_id))
    method, *arguments = call
    assert (await sdk.call(str(method), *arguments))["errorCode"] == "invalid_request"
