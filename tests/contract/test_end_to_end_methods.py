"""Check 71 for every other method: tracked and validated by the Node SDK, proven with the browser SDK."""

from collections.abc import Awaitable, Callable

import pytest

from deploy.local.authsignal import totp
from tests.contract.accounts import decide, enrol_phone, enrol_sms, track
from tests.contract.node import NodeSdk
from tests.contract.page import BrowserSdk
from tests.contract.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="session")

Prove = Callable[[BrowserSdk, Simulator, str, str], Awaitable[str]]


async def _by_sms(sdk: BrowserSdk, simulator: Simulator, user_id: str, token: str) -> str:
    del user_id
    await sdk.set_token(token)
    await sdk.data("sms.challenge")
    return str((await sdk.data("sms.verify", {"code": simulator.code(_NUMBER)}))["token"])


async def _by_whatsapp(sdk: BrowserSdk, simulator: Simulator, user_id: str, token: str) -> str:
    del user_id
    await sdk.set_token(token)
    await sdk.data("whatsapp.challenge")
    return str((await sdk.data("whatsapp.verify", {"code": simulator.code(_NUMBER)}))["token"])


async def _by_app(sdk: BrowserSdk, simulator: Simulator, user_id: str, token: str) -> str:
    await sdk.set_token(track(simulator, user_id, action="addApp", scope="add:authenticators"))
    secret = (await sdk.data("totp.enroll"))["secret"]
    step = int(simulator.control("GET", "/clock")["now"] // 30)
    await sdk.data("totp.verify", {"code": totp.code_at(secret, step)})
    await sdk.set_token(token)
    return str((await sdk.data("totp.verify", {"code": totp.code_at(secret, step + 1)}))["token"])


async def _by_link(sdk: BrowserSdk, simulator: Simulator, user_id: str, token: str) -> str:
    email = f"{user_id}@example.test"
    await sdk.set_token(track(simulator, user_id, action="addLink", scope="add:authenticators"))
    await sdk.data("emailML.enroll", {"email": email})
    assert simulator.open_link(email).status_code == 200
    await sdk.set_token(token)
    await sdk.data("emailML.challenge")
    assert simulator.open_link(email).status_code == 200
    return str((await sdk.data("emailML.checkVerificationStatus"))["token"])


async def _by_passkey(sdk: BrowserSdk, simulator: Simulator, user_id: str, token: str) -> str:
    await sdk.add_authenticator()
    adding = track(simulator, user_id, action="addPasskey", scope="add:authenticators")
    await sdk.data("passkey.signUp", {"token": adding, "username": user_id})
    return str((await sdk.data("passkey.signIn", {"token": token}))["token"])


async def _by_security_key(sdk: BrowserSdk, simulator: Simulator, user_id: str, token: str) -> str:
    await sdk.add_authenticator(transport="usb")
    await sdk.set_token(track(simulator, user_id, action="addKey", scope="add:authenticators"))
    await sdk.data("securityKey.enroll")
    await sdk.set_token(token)
    return str((await sdk.data("securityKey.verify"))["token"])


async def _by_push(sdk: BrowserSdk, simulator: Simulator, user_id: str, token: str) -> str:
    phone_id = enrol_phone(simulator, user_id)
    await sdk.set_token(token)
    challenge_id = (await sdk.data("push.challenge", {"action": "signIn"}))["challengeId"]
    decide(simulator, phone_id, challenge_id, approved=True)
    return str((await sdk.data("push.verify", {"challengeId": challenge_id}))["token"])


async def _by_qr_code(sdk: BrowserSdk, simulator: Simulator, user_id: str, token: str) -> str:
    phone_id = enrol_phone(simulator, user_id)
    await sdk.set_token(token)
    shown = await sdk.run(
        """async () => {
            const onStateChange = (state, accessToken) => { window.proven = accessToken; };
            return (await client.qrCode.challenge({action: "signIn", onStateChange})).data;
        }"""
    )
    decide(simulator, phone_id, shown["challengeId"], approved=True)
    await sdk.page.wait_for_function("window.proven")
    await sdk.run("client.qrCode.disconnect()")
    return str(await sdk.run("window.proven"))


_NUMBER = "+64215550171"
_PROOFS: dict[str, Prove] = {
    "SMS": _by_sms,
    "WHATSAPP": _by_whatsapp,
    "AUTHENTICATOR_APP": _by_app,
    "EMAIL_MAGIC_LINK": _by_link,
    "PASSKEY": _by_passkey,
    "SECURITY_KEY": _by_security_key,
    "PUSH": _by_push,
    "QR_CODE": _by_qr_code,
}


@pytest.mark.parametrize("method", _PROOFS)
async def test_end_to_end_71_each_method_from_track_to_validate(
    node: NodeSdk, sdk: BrowserSdk, simulator: Simulator, user_id: str, method: str
) -> None:
    """
    Tracked by a server, proven in the browser, the action is valid, succeeded, and says by which method.
    """
    enrol_sms(simulator, user_id, _NUMBER)
    tracked = node.call("track", {"userId": user_id, "action": "signIn"})
    assert tracked["state"] == "CHALLENGE_REQUIRED"
    token = await _PROOFS[method](sdk, simulator, user_id, tracked["token"])
    for given in (token, tracked["token"]):
        valid = node.call("validateChallenge", {"token": given, "userId": user_id, "action": "signIn"})
        assert (valid["isValid"], valid["state"]) == (True, "CHALLENGE_SUCCEEDED")
        assert valid["verificationMethod"] == method
        assert valid["idempotencyKey"] == tracked["idempotencyKey"]
