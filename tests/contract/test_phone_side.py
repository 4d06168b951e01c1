"""The phone's side of push, QR and in-app, called as phones call it: with a P-256 key and signatures over the wire."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from deploy.local.authsignal import phone_keys
from tests.contract.accounts import enrol_email, methods, track, validated
from tests.contract.simulator import Simulator


class Phone:
    """A phone with a key of its own, which names the tenant with a colon, as phones do."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._private_key, self.public_key = phone_keys.new_key_pair()
        self._tenant = "Basic " + base64.b64encode(f"{simulator.tenant_id}:".encode()).decode()

    def sign(self, message: str) -> str:
        """Sign with this phone's key."""
        return phone_keys.sign(self._private_key, message)

    def call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        token: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Call the Client API and give status and body."""
        authorization = f"Bearer {token}" if token else self._tenant
        raw = json.dumps(body) if body is not None else None
        all_headers = {"Authorization": authorization, **(headers or {})}
        answer = self._simulator.call(method, f"/client{path}", raw=raw, headers=all_headers)
        return answer.status_code, answer.json()

    def enrol(self, kind: str, token: str) -> tuple[int, dict[str, Any]]:
        """Enrol this phone for one kind of challenge."""
        body = {"publicKey": self.public_key, "deviceName": "Pixel", "devicePlatform": "android", "pushToken": "t"}
        status, answer = self.call("POST", f"/user-authenticators/{kind}", body, token=token)
        return status, answer

    def query(self) -> str:
        """The public key as it stands in query strings."""
        return "?publicKey=" + base64.urlsafe_b64encode(self.public_key.encode()).decode().rstrip("=")

    def about(self, challenge_id: str, **more: object) -> dict[str, Any]:
        """A signed body about a challenge."""
        signature = self.sign(challenge_id)
        return {"challengeId": challenge_id, "publicKey": self.public_key, "signature": signature, **more}


@pytest.fixture
def phone(simulator: Simulator) -> Phone:
    """A phone that is enrolled for nothing yet."""
    return Phone(simulator)


@pytest.mark.parametrize("kind", ["push", "qr-code", "in-app"])
def test_phone_enrols_finds_and_removes_itself(simulator: Simulator, phone: Phone, user_id: str, kind: str) -> None:
    """
    A phone is enrolled with a token, found by its key, and removes itself with a signature over the ten-minute window.
    """
    path = f"/user-authenticators/{kind}"
    assert phone.call("GET", path + phone.query())[0] == 404
    status, enrolled = phone.enrol(kind, track(simulator, user_id))
    assert (status, enrolled["userId"]) == (200, user_id)
    found = phone.call("GET", path + phone.query())[1]
    assert found["userAuthenticatorId"] == enrolled["userAuthenticatorId"]
    assert methods(simulator, user_id) == [kind.upper().replace("-", "_")]

    window = float(int(simulator.control("GET", "/clock")["now"]) // 600)
    body = {"publicKey": phone.public_key, "signature": phone.sign("0.0")}
    assert phone.call("POST", f"{path}/remove", body)[0] == 400
    body["signature"] = phone.sign(str(window))
    assert phone.call("POST", f"{path}/remove", body) == (200, {"removedAuthenticatorId": enrolled["userAuthenticatorId"]})
    assert methods(simulator, user_id) == []


def test_phone_needs_the_right_to_be_added(simulator: Simulator, phone: Phone, user_id: str, email: str) -> None:
    """
    With a plain token an enrolled user adds no phone; and a key that is another user's is nobody else's.
    """
    enrol_email(simulator, user_id, email)
    assert phone.enrol("push", track(simulator, user_id))[0] == 403
    assert phone.enrol("push", track(simulator, user_id, scope="add:authenticators"))[0] == 200
    assert phone.enrol("push", track(simulator, f"other-{user_id}"))[0] == 400


@pytest.mark.parametrize("key", ["", "AAAA", "not base64!", base64.b64encode(b"x" * 91).decode()])
def test_key_that_is_none_is_refused(simulator: Simulator, phone: Phone, user_id: str, key: str) -> None:
    """
    What is not a P-256 public key enrols no phone.
    """
    phone.public_key = key
    status, answer = phone.enrol("push", track(simulator, user_id))
    assert (status, answer["error"]) == (400, "invalid_request")


def test_phone_reads_and_approves_its_push_challenge(simulator: Simulator, phone: Phone, user_id: str) -> None:
    """
    The phone reads the challenge with a signed nonce, sees what it is about, and approves once; a forged decision fails.
    """
    phone.enrol("push", track(simulator, user_id))
    about = {"ipAddress": "192.0.2.7", "userAgent": "Browser/1", "custom": {"amount": 10}}
    token = track(simulator, user_id, action="payOut", **about)
    made = phone.call("POST", "/challenge/push", {"action": "payOut"}, token=token)[1]
    path = "/user-authenticators/push/challenge"
    nonce = phone.call("POST", f"{path}/sign{phone.query()}")[1]["message"]
    signed = {"X-Authsignal-Signature": phone.sign(nonce)}
    seen = phone.call("GET", path + phone.query(), headers=signed)[1]
    assert (seen["challengeId"], seen["actionCode"], seen["userId"]) == (made["challengeId"], "payOut", user_id)
    assert (seen["ipAddress"], seen["userAgent"], seen["custom"]) == ("192.0.2.7", "Browser/1", {"amount": 10})
    assert phone.call("GET", path + phone.query(), headers=signed)[0] == 400, "a nonce works once"
    assert phone.call("GET", path + phone.query())[1]["challengeId"] == made["challengeId"], "the signature is optional"

    forged = phone.about(made["challengeId"], approved=True) | {"signature": phone.sign("another")}
    assert phone.call("POST", path, forged)[0] == 400
    assert phone.call("POST", path, phone.about(made["challengeId"], approved=True)) == (200, {"isVerified": True})
    assert phone.call("POST", path, phone.about(made["challengeId"], approved=False))[0] == 400, "a decision is final"
    assert phone.call("GET", path + phone.query())[1] == {}
    assert validated(simulator, token)["state"] == "CHALLENGE_SUCCEEDED"


def test_strange_phone_decides_nothing(simulator: Simulator, phone: Phone, user_id: str) -> None:
    """
    Neither an unknown key nor another user's phone decides a push challenge, nor does the right phone once it is too old.
    """
    stranger = Phone(simulator)
    phone.enrol("push", track(simulator, user_id))
    stranger.enrol("push", track(simulator, f"other-{user_id}"))
    token = track(simulator, user_id)
    made = phone.call("POST", "/challenge/push", {"action": "signIn"}, token=token)[1]["challengeId"]
    path = "/user-authenticators/push/challenge"
    assert Phone(simulator).call("POST", path, phone.about(made, approved=True) | {"publicKey": stranger.public_key})[0] == 400
    assert stranger.call("POST", path, stranger.about(made, approved=True))[0] == 400
    assert Phone(simulator).call("POST", path, Phone(simulator).about(made, approved=True))[0] == 404
    simulator.advance(601)
    assert phone.call("POST", path, phone.about(made, approved=True))[0] == 400


def test_phone_changes_its_push_token(simulator: Simulator, phone: Phone, user_id: str) -> None:
    """
    A phone changes its push token with a signature over what it was given to sign.
    """
    phone.enrol("push", track(simulator, user_id))
    path = "/user-authenticators/push"
    given = phone.call("POST", f"{path}/sign{phone.query()}")[1]
    body = {"challengeId": given["challengeId"], "publicKey": phone.public_key, "pushToken": "new"}
    assert phone.call("PATCH", path, body | {"signature": phone.sign("another")})[0] == 400
    given = phone.call("POST", f"{path}/sign{phone.query()}")[1]
    assert phone.call("PATCH", path, body | {"signature": phone.sign(given["message"])})[0] == 200
    (item,) = simulator.control("GET", f"/users/{user_id}")["authenticators"]
    assert item["phone"]["push_token"] == "new"


def test_first_phone_that_scans_keeps_the_code(simulator: Simulator, phone: Phone, user_id: str) -> None:
    """
    A QR code of a page without a token belongs to the first phone that claims it.
    """
    second = Phone(simulator)
    phone.enrol("qr-code", track(simulator, user_id))
    second.enrol("qr-code", track(simulator, f"other-{user_id}"))
    made = phone.call("POST", "/challenge/qr-code", {"action": "qrSignIn", "custom": {"shop": "7"}})[1]["challengeId"]
    path = "/user-authenticators/qr-code/challenge"
    status, claimed = phone.call("POST", f"{path}/claim", phone.about(made))
    assert (status, claimed["success"], claimed["actionCode"], claimed["custom"]) == (200, True, "qrSignIn", {"shop": "7"})
    assert second.call("POST", f"{path}/claim", second.about(made))[0] == 400
    assert second.call("POST", path, second.about(made, approved=True))[0] == 400
    assert phone.call("POST", path, phone.about(made, approved=True)) == (200, {"isVerified": True})


def test_page_with_a_token_sends_no_custom_data(simulator: Simulator, phone: Phone, user_id: str) -> None:
    """
    With a token the custom data are those of the tracked action: sending other ones, or another action, is refused.
    """
    token = track(simulator, user_id)
    for body in ({"action": "signIn", "custom": {"a": 1}}, {"action": "payOut"}):
        assert phone.call("POST", "/challenge/qr-code", body, token=token)[0] == 400


def test_status_of_a_code_needs_its_device_code(simulator: Simulator, phone: Phone) -> None:
    """
    Only who made a QR challenge can ask how it stands.
    """
    made = phone.call("POST", "/challenge/qr-code", {"action": "qrSignIn"})[1]
    body = {"challengeId": made["challengeId"], "deviceCode": "guess"}
    assert phone.call("POST", "/verify/qr-code", body)[0] == 400
    pending = {"isClaimed": False, "isVerified": False, "isConsumed": False}
    assert phone.call("POST", "/verify/qr-code", body | {"deviceCode": made["deviceCode"]}) == (200, pending)


def test_app_signs_in_by_itself(simulator: Simulator, phone: Phone, user_id: str) -> None:
    """
    An app signs a challenge that names only an action, and gets a token for its user and that action; once.
    """
    phone.enrol("in-app", track(simulator, user_id))
    made = phone.call("POST", "/challenge", {"action": "appSignIn"})[1]["challengeId"]
    status, answer = phone.call("POST", "/verify/in-app", phone.about(made))
    assert (status, answer["userId"]) == (200, user_id)
    valid = validated(simulator, answer["token"])
    assert (valid["isValid"], valid["action"], valid["verificationMethod"]) == (True, "appSignIn", "IN_APP")
    assert phone.call("POST", "/verify/in-app", phone.about(made))[0] == 400
