"""Checks of the server-side challenge with the real Node SDK."""

import time

import pytest

from tests.contract.mailbox import Mailbox
from tests.contract.node import NodeError, NodeSdk
from tests.contract.simulator import Simulator


def _challenge(node: NodeSdk, email: str, **more: object) -> str:
    request = {"verificationMethod": "EMAIL_OTP", "action": "signUp", "email": email, **more}
    challenge_id: str = node.call("challenge", request)["challengeId"]
    return challenge_id


def test_node_17_code_is_mailed_and_verified(node: NodeSdk, simulator: Simulator, mailbox: Mailbox, email: str) -> None:
    """
    A challenge mails a code; a wrong one is answered with a reason, the right one with the address it proves.
    """
    challenge_id = _challenge(node, email)
    (mail,) = mailbox.to(email)
    text = mail.get_body(("plain",))
    assert text is not None
    assert simulator.code(email) in text.get_content()

    wrong = {"challengeId": challenge_id, "verificationCode": simulator.wrong_code(email)}
    assert node.call("verify", wrong) == {"isVerified": False, "failureReason": "CODE_INVALID_OR_EXPIRED"}
    right = node.call("verify", {"challengeId": challenge_id, "verificationCode": simulator.code(email)})
    assert right["isVerified"] is True
    assert right["email"] == email


def test_node_18_claim_needs_verification(node: NodeSdk, simulator: Simulator, user_id: str, email: str) -> None:
    """
    A challenge can be claimed only after its code was right; the token it gives then validates as succeeded.
    """
    challenge_id = _challenge(node, email)
    with pytest.raises(NodeError) as caught:
        node.call("claimChallenge", {"challengeId": challenge_id, "userId": user_id})
    assert caught.value.status_code == 400

    node.call("verify", {"challengeId": challenge_id, "verificationCode": simulator.code(email)})
    claimed = node.call("claimChallenge", {"challengeId": challenge_id, "userId": user_id})
    assert claimed["verificationMethod"] == "EMAIL_OTP"
    valid = node.call("validateChallenge", {"token": claimed["token"], "userId": user_id, "action": "signUp"})
    assert valid["isValid"] is True
    assert valid["state"] == "CHALLENGE_SUCCEEDED"
    assert valid["verificationMethod"] == "EMAIL_OTP"


def test_node_19_claim_may_skip_verification(node: NodeSdk, user_id: str, email: str) -> None:
    """
    Asked to skip the check, claim gives a token for a challenge whose code nobody typed; it does not call that a success.
    """
    challenge_id = _challenge(node, email)
    request = {"challengeId": challenge_id, "userId": user_id, "skipVerificationCheck": True}
    token = node.call("claimChallenge", request)["token"]
    assert token
    assert node.call("validateChallenge", {"token": token})["state"] == "CHALLENGE_REQUIRED"


def test_node_20_challenge_expires_at_unix_seconds(node: NodeSdk, email: str) -> None:
    """
    Expiry is a number of Unix seconds, ten minutes ahead, both when the challenge is made and when it is read.
    """
    request = {"verificationMethod": "EMAIL_OTP", "action": "signUp", "email": email}
    made = node.call("challenge", request)
    read = node.call("getChallenge", {"challengeId": made["challengeId"]})
    assert isinstance(read["expiresAt"], int)
    assert read["expiresAt"] == made["expiresAt"]
    assert abs(read["expiresAt"] - time.time() - 600) < 10
    assert read["email"] == email
    assert "verificationMethod" not in read, "it shows the method only once completed"


def test_unknown_challenge_reads_as_empty(node: NodeSdk, user_id: str) -> None:
    """
    Reading a challenge that does not exist gives an empty object.
    """
    assert node.call("getChallenge", {"challengeId": user_id}) == {}
    assert node.call("getChallenge", {"userId": user_id, "action": "signIn"}) == {}


def test_replayed_challenge_gets_a_new_code(node: NodeSdk, simulator: Simulator, email: str) -> None:
    """
    Challenging again by id keeps the challenge and replaces its code: only the newest one is right.
    """
    challenge_id = _challenge(node, email)
    first = simulator.code(email)
    again = node.call("challenge", {"challengeId": challenge_id})
    assert again["challengeId"] == challenge_id
    second = simulator.code(email)
    if first != second:
        assert node.call("verify", {"challengeId": challenge_id, "verificationCode": first})["isVerified"] is False
    assert node.call("verify", {"challengeId": challenge_id, "verificationCode": second})["isVerified"] is True


def test_code_works_once(node: NodeSdk, simulator: Simulator, email: str) -> None:
    """
    A code that was right is wrong afterwards, and its challenge cannot be replayed.
    """
    challenge_id = _challenge(node, email)
    request = {"challengeId": challenge_id, "verificationCode": simulator.code(email)}
    assert node.call("verify", request)["isVerified"] is True
    assert node.call("verify", request) == {"isVerified": False, "failureReason": "CODE_INVALID_OR_EXPIRED"}
    with pytest.raises(NodeError):
        node.call("challenge", {"challengeId": challenge_id})


def test_code_expires_with_its_challenge(node: NodeSdk, simulator: Simulator, email: str) -> None:
    """
    The right code is not accepted once the challenge is past its life.
    """
    challenge_id = _challenge(node, email)
    request = {"challengeId": challenge_id, "verificationCode": simulator.code(email)}
    simulator.advance(600)
    assert node.call("verify", request) == {"isVerified": False, "failureReason": "CODE_INVALID_OR_EXPIRED"}


def test_tries_are_limited_and_forgiven_with_time(node: NodeSdk, simulator: Simulator, email: str) -> None:
    """
    The eleventh try in five minutes is refused even with the right code; five minutes later it is accepted.
    """
    challenge_id = _challenge(node, email)
    wrong = {"challengeId": challenge_id, "verificationCode": simulator.wrong_code(email)}
    for _ in range(10):
        assert node.call("verify", wrong)["failureReason"] == "CODE_INVALID_OR_EXPIRED"
    right = {"challengeId": challenge_id, "verificationCode": simulator.code(email)}
    assert node.call("verify", right) == {"isVerified": False, "failureReason": "MAX_ATTEMPTS_EXCEEDED"}
    simulator.advance(301)
    assert node.call("verify", right)["isVerified"] is True


def test_sends_are_limited_by_address(node: NodeSdk, email: str) -> None:
    """
    The thirteenth code to one address in ten minutes is refused with 429; other addresses are not affected.
    """
    for _ in range(12):
        _challenge(node, email)
    with pytest.raises(NodeError) as caught:
        _challenge(node, email)
    assert (caught.value.status_code, caught.value.error_code) == (429, "too_many_requests")
    _challenge(node, f"other-{email}")


def test_refused_mail_is_an_error_and_leaves_nothing(node: NodeSdk, mailbox: Mailbox, user_id: str, email: str) -> None:
    """
    If the mail server refuses the message, the challenge rejects and no challenge is pending.
    """
    mailbox.refuses = True
    try:
        with pytest.raises(NodeError) as caught:
            _challenge(node, email, userId=user_id)
    finally:
        mailbox.refuses = False
    assert caught.value.status_code == 500
    assert node.call("getChallenge", {"userId": user_id}) == {}
    assert mailbox.to(email) == []


@pytest.mark.parametrize(
    "request_body",
    [
        {"action": "signUp", "email": "a@example.test"},
        {"verificationMethod": "PASSKEY", "action": "signUp", "email": "a@example.test"},
        {"verificationMethod": "EMAIL_OTP", "email": "a@example.test"},
        {"verificationMethod": "EMAIL_OTP", "action": "signUp"},
        {"verificationMethod": "EMAIL_OTP", "action": "signUp", "email": "nobody"},
        {"verificationMethod": "EMAIL_OTP", "action": "signUp", "email": "a@example.test\r\nBcc: b@example.test"},
        {"verificationMethod": "EMAIL_OTP", "action": "../x", "email": "a@example.test"},
        {"verificationMethod": "EMAIL_OTP", "action": "signUp", "email": 7},
        {"challengeId": "unknown"},
    ],
    ids=["no method", "wrong method", "no action", "no address", "no domain", "header", "action", "type", "unknown id"],
)
def test_bad_challenge_is_an_invalid_request(node: NodeSdk, request_body: dict[str, object]) -> None:
    """
    What is missing or malformed rejects with 400 invalid_request, and sends nothing.
    """
    with pytest.raises(NodeError) as caught:
        node.call("challenge", request_body)
    assert (caught.value.status_code, caught.value.error_code) == (400, "invalid_request")
