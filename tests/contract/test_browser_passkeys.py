"""Checks 57 to 64: passkeys and security keys, with the real browser SDK and a virtual authenticator in Chromium."""

from pathlib import Path
from typing import Any

import pytest

from deploy.local.authsignal import webauthn_party
from deploy.local.authsignal.errors import InvalidCredential
from deploy.local.authsignal.settings import SimulatorSettings
from tests.contract.accounts import enrol_email, methods, track, validated
from tests.contract.node import NodeSdk
from tests.contract.page import BrowserSdk, PageServer
from tests.contract.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="session")
_OPTIONS = "/client/user-authenticators/passkey/authentication-options"


async def _sign_up(sdk: BrowserSdk, simulator: Simulator, user_id: str, **more: object) -> dict[str, Any]:
    token = track(simulator, user_id, action="addPasskey", scope="add:authenticators")
    return await sdk.data("passkey.signUp", {"token": token, "username": f"{user_id}@example.test", **more})


def _authenticators(simulator: Simulator, user_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = simulator.server_call("GET", f"/users/{user_id}/authenticators").json()
    return found


async def test_browser_57_passkey_is_registered_and_remembered(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    Signing up makes a real credential, which the server verifies and lists, and which the browser notes for the user.
    """
    await sdk.add_authenticator()
    data = await _sign_up(sdk, simulator, user_id)
    assert data["token"]
    assert data["userAuthenticator"]["verificationMethod"] == "PASSKEY"
    credential_id = data["registrationResponse"]["id"]
    stored = await sdk.run("JSON.parse(localStorage.getItem('as_user_passkey_map'))")
    assert stored == {user_id: [credential_id]}
    (item,) = _authenticators(simulator, user_id)
    assert item["webauthnCredential"]["credentialId"] == credential_id
    assert item["webauthnCredential"]["name"]
    assert item["webauthnCredential"]["authenticatorAttachment"] == "platform"


async def test_browser_58_passkey_signs_in_without_a_name(
    sdk: BrowserSdk, simulator: Simulator, node: NodeSdk, user_id: str
) -> None:
    """
    With nothing but an action the credential says who it is; the token is for that user and action.
    """
    simulator.server_call("PATCH", f"/users/{user_id}", {"displayName": "Mere Tane"})
    await sdk.add_authenticator()
    await _sign_up(sdk, simulator, user_id)
    data = await sdk.data("passkey.signIn", {"action": "passkeySignIn"})
    assert (data["isVerified"], data["userId"]) == (True, user_id)
    assert (data["username"], data["displayName"]) == (f"{user_id}@example.test", "Mere Tane")
    valid = node.call("validateChallenge", {"token": data["token"], "action": "passkeySignIn", "userId": user_id})
    assert (valid["isValid"], valid["verificationMethod"]) == (True, "PASSKEY")
    schemes = {call["scheme"] for call in simulator.calls("POST", "/v1/client/verify/passkey")}
    assert schemes == {"basic"}
    device_id = await sdk.run("client.anonymousId")
    (device,) = simulator.server_call("GET", f"/users/{user_id}/devices").json()
    assert (device["deviceId"], device["lastVerificationMethod"]) == (device_id, "PASSKEY")


async def test_browser_59_token_narrows_the_choice_to_its_user(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    With a token only that user's credentials are offered; without one, none is named.
    """
    await sdk.add_authenticator()
    other = f"other-{user_id}"
    mine = (await _sign_up(sdk, simulator, user_id))["registrationResponse"]["id"]
    await _sign_up(sdk, simulator, other)
    token = track(simulator, user_id)
    async with sdk.page.expect_response(lambda response: response.url.endswith("authentication-options")) as got:
        data = await sdk.data("passkey.signIn", {"token": token})
    assert data["userId"] == user_id
    options = (await (await got.value).json())["options"]
    assert [item["id"] for item in options["allowCredentials"]] == [mine]
    assert validated(simulator, data["token"])["state"] == "CHALLENGE_SUCCEEDED"
    async with sdk.page.expect_response(lambda response: response.url.endswith("authentication-options")) as got:
        await sdk.data("passkey.signIn", {})
    assert (await (await got.value).json())["options"]["allowCredentials"] == []


async def test_browser_60_autofill_signs_in(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    Autofill resolves with a token once a passkey is chosen; a second call while it waits resolves to an empty object.
    """
    await sdk.add_authenticator()
    await _sign_up(sdk, simulator, user_id)
    first, second = await sdk.run(
        """async () => {
            const input = document.createElement("input");
            input.autocomplete = "username webauthn";
            document.body.append(input);
            const first = client.passkey.signIn({autofill: true});
            const second = await client.passkey.signIn({autofill: true});
            return [await first, second];
        }"""
    )
    assert second == {}
    assert (first["data"]["isVerified"], first["data"]["userId"]) == (True, user_id)
    valid = validated(simulator, first["data"]["token"])
    assert (valid["isValid"], valid["action"]) == (True, "signIn")


async def test_browser_61_removed_passkey_is_an_invalid_credential(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    A credential that the server removed still signs in the browser, and is refused as a value.
    """
    await sdk.add_authenticator()
    await _sign_up(sdk, simulator, user_id)
    (item,) = _authenticators(simulator, user_id)
    simulator.server_call("DELETE", f"/users/{user_id}/authenticators/{item['userAuthenticatorId']}")
    answer = await sdk.call("passkey.signIn", {"action": "signIn"})
    assert answer["errorCode"] == "invalid_credential"


async def test_browser_62_availability_follows_the_server(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    A passkey noted on the device is available while the server has it, and not after its removal.
    """
    await sdk.add_authenticator()
    await _sign_up(sdk, simulator, user_id)
    assert await sdk.call("passkey.isAvailableOnDevice", {"userId": user_id}) is True
    (item,) = _authenticators(simulator, user_id)
    simulator.server_call("DELETE", f"/users/{user_id}/authenticators/{item['userAuthenticatorId']}")
    assert await sdk.call("passkey.isAvailableOnDevice", {"userId": user_id}) is False


async def test_browser_63_cookies_bind_the_ceremony_to_the_browser(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    With useCookies the /web paths are called with credentials across origins, and all three ways succeed.
    """
    await sdk.add_authenticator()
    data = await _sign_up(sdk, simulator, user_id, useCookies=True)
    assert data["token"]
    for request in ({"useCookies": True}, {"useCookies": True, "action": "webSignIn"}):
        data = await sdk.data("passkey.signIn", request)
        assert (data["isVerified"], data["userId"]) == (True, user_id)
    paths = [call["path"] for call in simulator.calls("POST", "/v1/client")]
    web = {path.removeprefix("/v1/client") for path in paths if path.endswith("/web")}
    base = "/user-authenticators/passkey"
    assert web == {f"{base}/registration-options/web", f"{base}/authentication-options/web", "/challenge/web"}
    cookie = next(item for item in await sdk.page.context.cookies() if item["name"] == "__as_challenge")
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")


async def test_ceremony_of_another_browser_is_refused(simulator: Simulator, tenant_headers: dict[str, str]) -> None:
    """
    A ceremony that was bound to a cookie goes no further without it.
    """
    begun = simulator.call("POST", "/client/challenge/web", raw='{"action": "signIn"}', headers=tenant_headers)
    body = f'{{"challengeId": "{begun.json()["challengeId"]}"}}'
    with_cookie = simulator.call("POST", _OPTIONS, raw=body, headers=tenant_headers)
    simulator.forget_cookies()
    without = simulator.call("POST", _OPTIONS, raw=body, headers=tenant_headers)
    assert (with_cookie.status_code, without.status_code) == (200, 400)


async def test_second_passkey_needs_a_scope(sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str) -> None:
    """
    With a plain token an enrolled user adds no passkey.
    """
    enrol_email(simulator, user_id, email)
    await sdk.add_authenticator()
    answer = await sdk.call("passkey.signUp", {"token": track(simulator, user_id), "username": email})
    assert answer["errorCode"] == "invalid_request"
    assert methods(simulator, user_id) == ["EMAIL_OTP"]


async def test_passkey_of_somebody_else_is_refused(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    An answer signed with another user's credential is invalid, whatever the options said; and works for no second time.
    """
    await sdk.add_authenticator()
    other = f"other-{user_id}"
    await _sign_up(sdk, simulator, user_id)
    await _sign_up(sdk, simulator, other)
    tokens = [track(simulator, user_id), track(simulator, other)]
    answers = await sdk.run(
        """async ([base, mine, others]) => {
            const call = async (token, path, body) => {
                const headers = {Authorization: `Bearer ${token}`, "Content-Type": "application/json"};
                const answer = await fetch(base + path, {method: "POST", headers, body: JSON.stringify(body)});
                return [answer.status, await answer.json()];
            };
            const begin = async (token) => (await call(token, "/user-authenticators/passkey/authentication-options", {}))[1];
            const sign = async ({challengeId, options}, allowed) => {
                const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON({...options, allowCredentials: allowed});
                const credential = await navigator.credentials.get({publicKey});
                return {challengeId, authenticationCredential: credential.toJSON()};
            };
            const foreign = (await begin(others)).options.allowCredentials;
            const pending = await begin(mine);
            const forged = await call(mine, "/verify/passkey", await sign(pending, foreign));
            const honest = await sign(pending, pending.options.allowCredentials);
            const first = await call(mine, "/verify/passkey", honest);
            const again = await call(mine, "/verify/passkey", honest);
            return [forged[0], forged[1].errorCode, first[0], again[0]];
        }""",
        [f"{simulator.browser_url}/client", *tokens],
    )
    assert answers == [400, "invalid_credential", 200, 400]


_MAKE_AND_SIGN = """
async ([creation, request]) => {
    const made = await navigator.credentials.create({publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(creation)});
    const signed = await navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(request)});
    return [made.toJSON(), signed.toJSON()];
}
"""


def _settings(origin: str, *, rp_id: str = "localhost") -> SimulatorSettings:
    return SimulatorSettings(
        tenant_id="t",
        secret_keys=(),
        smtp_host="",
        smtp_port=0,
        state_file=Path(),
        ui_url="http://localhost:1",
        allow_origins=frozenset({origin}),
        rp_id=rp_id,
    )


async def test_credential_is_bound_to_origin_party_and_challenge(sdk: BrowserSdk, page_server: PageServer) -> None:
    """
    What a browser made and signed is accepted for its origin, relying party and challenge, and refused for any other.
    """
    await sdk.add_authenticator()
    good, challenge, other = _settings(page_server.origin), webauthn_party.new_challenge(), webauthn_party.new_challenge()
    creation = webauthn_party.creation_options(
        good, challenge=challenge, user_id="u1", name="n", display_name="d", exclude=[], selection={"residentKey": "required"}
    )
    request = webauthn_party.request_options(good, challenge=challenge, allow=[])
    made, signed = await sdk.run(_MAKE_AND_SIGN, [creation, request])
    credential = webauthn_party.verify_registration(good, made, challenge=challenge)
    credential.user_handle = webauthn_party.user_handle("u1")
    foreign = [
        (_settings("http://localhost:2"), challenge),
        (_settings(page_server.origin, rp_id="example.test"), challenge),
        (good, other),
    ]
    for settings, asked in foreign:
        with pytest.raises(InvalidCredential):
            webauthn_party.verify_registration(settings, made, challenge=asked)
        with pytest.raises(InvalidCredential):
            webauthn_party.verify_authentication(settings, signed, challenge=asked, credential=credential)
    tampered = signed | {"response": signed["response"] | {"userHandle": webauthn_party.user_handle("u2")}}
    with pytest.raises(InvalidCredential, match="another user"):
        webauthn_party.verify_authentication(good, tampered, challenge=challenge, credential=credential)
    webauthn_party.verify_authentication(good, signed, challenge=challenge, credential=credential)
    with pytest.raises(InvalidCredential):
        webauthn_party.verify_authentication(good, signed, challenge=challenge, credential=credential)


@pytest.mark.parametrize("rubbish", [{}, {"id": 1}, {"response": []}, {"id": "AA", "rawId": "AA", "response": {}, "type": "x"}])
async def test_rubbish_is_no_credential(rubbish: dict[str, Any]) -> None:
    """
    Whatever a page sends in place of a credential is refused, and crashes nothing.
    """
    with pytest.raises(InvalidCredential):
        webauthn_party.verify_registration(_settings("http://localhost:2"), rubbish, challenge="AAAA")


@pytest.mark.parametrize(("outcome", "state"), [("BLOCK", "BLOCK"), ("REVIEW", "REVIEW_REQUIRED")])
async def test_rules_see_who_signs_in_by_passkey(
    sdk: BrowserSdk, simulator: Simulator, user_id: str, outcome: str, state: str
) -> None:
    """
    The action of a sign-in without a token is decided when its user is known, and a passkey does not lift the decision.
    """
    await sdk.add_authenticator()
    await _sign_up(sdk, simulator, user_id)
    simulator.decide("payOut", outcome)
    data = await sdk.data("passkey.signIn", {"action": "payOut"})
    valid = validated(simulator, data["token"])
    assert (valid["isValid"], valid["state"]) == (False, state)


async def test_browser_64_security_key_is_added_and_used(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    A key on USB, which keeps no names, is added and then asked, with options and credentials sent bare.
    """
    await sdk.add_authenticator(transport="usb")
    await sdk.set_token(track(simulator, user_id))
    added = await sdk.data("securityKey.enroll")
    assert added["token"]
    assert methods(simulator, user_id) == ["SECURITY_KEY"]
    token = track(simulator, user_id)
    await sdk.set_token(token)
    data = await sdk.data("securityKey.verify")
    assert data["isVerified"] is True
    valid = validated(simulator, data["token"])
    assert (valid["isValid"], valid["verificationMethod"]) == (True, "SECURITY_KEY")


async def test_user_without_a_security_key_cannot_use_one(sdk: BrowserSdk, simulator: Simulator, user_id: str) -> None:
    """
    Asking for a key that nobody added is an invalid request.
    """
    await sdk.set_token(track(simulator, user_id))
    assert (await sdk.call("securityKey.verify"))["errorCode"] == "invalid_request"
