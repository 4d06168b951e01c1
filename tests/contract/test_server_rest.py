"""Rules, devices, imports and the rest of the Server API that no SDK calls."""

from typing import Any

import pytest
from webauthn.helpers import bytes_to_base64url

from tests.contract.accounts import enrol_email, methods, track, tracked
from tests.contract.node import NodeSdk
from tests.contract.simulator import Simulator


def _rule(simulator: Simulator, outcome: str, condition: object, **more: object) -> str:
    body = {"name": f"{outcome} them", "type": outcome, "conditions": condition, **more}
    rule_id: str = simulator.control("POST", "/rules", body)["rule_id"]
    return rule_id


def _var(name: str) -> dict[str, str]:
    return {"var": name}


@pytest.mark.parametrize(
    ("outcome", "state"),
    [("ALLOW", "ALLOW"), ("CHALLENGE", "CHALLENGE_REQUIRED"), ("REVIEW", "REVIEW_REQUIRED"), ("BLOCK", "BLOCK")],
)
@pytest.mark.parametrize(
    ("condition", "attributes"),
    [
        ({"inNetwork": [_var("ip.address"), ["192.0.2.0/24"]]}, {"ipAddress": "192.0.2.9"}),
        ({">": [_var("custom.amount"), 1_000]}, {"custom": {"amount": 1_001}}),
        ({"and": [_var("device.isNew"), {"==": [_var("device.id"), "d1"]}]}, {"deviceId": "d1"}),
    ],
    ids=["address", "custom data", "device"],
)
def test_rule_decides(
    node: NodeSdk, simulator: Simulator, user_id: str, email: str, *, outcome: str, state: str, condition: object,
    attributes: dict[str, object],
) -> None:  # fmt: skip
    """
    A rule that matches decides about the action, is named in the answer to track and in the action; without it, the default.
    """
    enrol_email(simulator, user_id, email)
    simulator.tune(default_outcome="BLOCK" if outcome == "CHALLENGE" else "CHALLENGE")
    rule_id = _rule(simulator, outcome, condition, action="payOut", description="as agreed")
    answer = node.call("track", {"userId": user_id, "action": "payOut", "attributes": attributes})
    assert (answer["state"], answer["ruleIds"]) == (state, [rule_id])
    name = {"userId": user_id, "action": "payOut", "idempotencyKey": answer["idempotencyKey"]}
    assert node.call("getAction", name)["rules"] == [{"ruleId": rule_id, "name": f"{outcome} them", "description": "as agreed"}]
    other = node.call("track", {"userId": user_id, "action": "signIn", "attributes": attributes})
    assert other["ruleIds"] == []


def test_rule_about_one_user_leaves_the_others(simulator: Simulator, user_id: str, email: str) -> None:
    """
    A rule about one user's address blocks that user alone; once it is taken back, nobody.
    """
    rule_id = _rule(simulator, "BLOCK", {"==": [_var("user.email"), email]})
    assert tracked(simulator, user_id, email=email)["state"] == "BLOCK"
    assert tracked(simulator, f"other-{user_id}", email=f"other-{email}")["state"] == "ALLOW"
    simulator.control("DELETE", f"/rules/{rule_id}")
    assert tracked(simulator, user_id)["state"] == "ALLOW"


def test_lowest_priority_number_decides(simulator: Simulator, user_id: str) -> None:
    """
    Of several rules that match, the lowest number decides and stands first; one that is switched off does not count.
    """
    late = _rule(simulator, "BLOCK", True, priority=50)
    first = _rule(simulator, "REVIEW", True, priority=5)
    _rule(simulator, "ALLOW", True, priority=0, is_active=False)
    answer = tracked(simulator, user_id)
    assert (answer["state"], answer["ruleIds"]) == ("REVIEW_REQUIRED", [first, late])
    path = f"/users/{user_id}/actions/signIn/{answer['idempotencyKey']}"
    assert simulator.server_call("GET", path).json()["ruleIds"] == [first]


def test_rule_narrows_the_methods(simulator: Simulator, user_id: str, email: str) -> None:
    """
    A rule's methods are the ones that track allows, and its default goes first.
    """
    enrol_email(simulator, user_id, email)
    chosen = {"verification_methods": ["PASSKEY", "EMAIL_OTP"], "default_verification_method": "PASSKEY"}
    _rule(simulator, "CHALLENGE", True, **chosen)
    answer = tracked(simulator, user_id)
    assert answer["allowedVerificationMethods"] == ["EMAIL_OTP", "PASSKEY"]
    assert answer["defaultVerificationMethod"] == "PASSKEY"


@pytest.mark.parametrize("condition", [{"nonsense": 1}, {"==": [1]}, {"var": 1}, {"==": [1, 2], "in": [1, 2]}])
def test_condition_that_means_nothing_is_refused(simulator: Simulator, condition: object) -> None:
    """
    An unknown operator, a wrong number of operands, or two operators at once are refused when the rule is set.
    """
    with pytest.raises(AssertionError, match="400"):
        _rule(simulator, "BLOCK", condition)
    assert simulator.control("GET", "/rules") == []


def test_devices_are_remembered_and_invalidated(simulator: Simulator, user_id: str) -> None:
    """
    A device given at track is listed, remembered until a time, and new again once it is invalidated; rules see all of that.
    """
    _rule(simulator, "ALLOW", _var("device.isRemembered"), priority=1)
    _rule(simulator, "REVIEW", _var("device.isNew"), priority=2)
    assert tracked(simulator, user_id, deviceId="d1")["state"] == "REVIEW_REQUIRED"
    path = f"/users/{user_id}/devices"
    (device,) = simulator.server_call("GET", path).json()
    assert device["deviceId"] == "d1"
    answer = simulator.server_call("PATCH", f"{path}/d1", {"rememberedUntil": "2099-01-01T00:00:00.000Z"})
    assert answer.json()["rememberedUntil"] == "2099-01-01T00:00:00.000Z"
    again = tracked(simulator, user_id, deviceId="d1")
    assert (again["state"], len(again["ruleIds"])) == ("ALLOW", 1)
    assert "rememberedUntil" not in simulator.server_call("PATCH", f"{path}/d1", {"rememberedUntil": None}).json()
    assert simulator.server_call("PATCH", f"{path}/d1", {"rememberedUntil": "2001-01-01"}).status_code == 400
    assert simulator.server_call("POST", f"{path}/d1/invalidate").json()["invalidatedAt"]
    assert tracked(simulator, user_id, deviceId="d1")["state"] == "REVIEW_REQUIRED"
    assert simulator.server_call("POST", f"{path}/unknown/invalidate").status_code == 404


def test_configured_methods_are_listed(simulator: Simulator) -> None:
    """
    The tenant's methods are listed with stable ids, and one that is switched off is not active.
    """
    simulator.tune(methods=["EMAIL_OTP", "PASSKEY"])
    first = simulator.server_call("GET", "/authenticators").json()
    assert {item["verificationMethod"] for item in first if item["isActive"]} == {"EMAIL_OTP", "PASSKEY"}
    assert simulator.server_call("GET", "/authenticators").json() == first


# A P-256 key in COSE form: {1: 2, 3: -7, -1: 1, -2: x, -3: y}.
_COSE_KEY = bytes.fromhex("a5010203262001215820" + "11" * 32 + "225820" + "22" * 32)


def _passkey(user_id: str, credential: bytes, **more: Any) -> dict[str, Any]:
    return {
        "userId": user_id,
        "verificationMethod": "PASSKEY",
        "credentialId": bytes_to_base64url(credential),
        "credentialPublicKey": bytes_to_base64url(_COSE_KEY),
        "name": "Old phone",
        **more,
    }


def test_passkeys_are_imported_one_by_one(simulator: Simulator, user_id: str) -> None:
    """
    Good passkeys are imported; a repeated one, a malformed one and one of another kind are named with their reason.
    """
    good, credential = _passkey(user_id, user_id.encode()), user_id.encode()
    bad = [good, _passkey(user_id, b"b", credentialPublicKey="AAAA"), _passkey(user_id, b"c", verificationMethod="SMS")]
    answer = simulator.server_call("POST", "/users/authenticators", {"authenticators": [good, *bad]}).json()
    assert (answer["total"], answer["succeeded"], answer["failed"]) == (4, 1, 3)
    assert {item["errorCode"] for item in answer["failures"]} == {"invalid_request"}
    (item,) = simulator.server_call("GET", f"/users/{user_id}/authenticators").json()
    assert item["webauthnCredential"]["credentialId"] == bytes_to_base64url(credential)
    assert item["webauthnCredential"]["name"] == "Old phone"
    assert methods(simulator, user_id) == ["PASSKEY"]


def test_own_factors_are_listed_masked(simulator: Simulator, user_id: str, email: str) -> None:
    """
    A client token lists its user's factors with masked addresses, and init offers them for the action.
    """
    enrol_email(simulator, user_id, email)
    bearer = {"Authorization": f"Bearer {track(simulator, user_id)}"}
    (item,) = simulator.call("GET", "/client/user-authenticators", headers=bearer).json()
    assert (item["verificationMethod"], item["email"]) == ("EMAIL_OTP", "u***@example.test")
    options = simulator.call("POST", "/client/init", raw="{}", headers=bearer).json()["challengeOptions"]
    assert options["verificationMethods"] == ["EMAIL_OTP"]
    assert options["user"] == {"email": "u***@example.test"}


@pytest.mark.parametrize("channel", ["DEFAULT", "WHATSAPP"])
def test_server_challenge_by_text(node: NodeSdk, simulator: Simulator, user_id: str, number: str, channel: str) -> None:
    """
    The Server API challenges a phone number too, by either channel, and a claim enrols the number.
    """
    request = {"verificationMethod": "SMS", "action": "signUp", "phoneNumber": number, "smsChannel": channel}
    challenge_id = node.call("challenge", request)["challengeId"]
    assert node.call("getChallenge", {"challengeId": challenge_id})["smsChannel"] == channel
    verified = node.call("verify", {"challengeId": challenge_id, "verificationCode": simulator.code(number)})
    assert (verified["isVerified"], verified["phoneNumber"]) == (True, number)
    node.call("claimChallenge", {"challengeId": challenge_id, "userId": user_id})
    assert methods(simulator, user_id) == ["SMS"]


def test_control_port_is_deaf_to_foreign_names(simulator: Simulator) -> None:
    """
    A call under a foreign host name, as a page that rebinds its name would make it, is refused.
    """
    answer = simulator.page_as("evil.example.test", "/control/outbox")
    assert answer.status_code == 403
    assert simulator.page_as(f"localhost:{simulator.port}", "/control/outbox").status_code == 200
