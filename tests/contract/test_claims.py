"""What a claim does to actions and factors: the flows of sign-up and sign-in, through the real Node SDK."""

import uuid

import pytest

from tests.contract.node import NodeError, NodeSdk
from tests.contract.simulator import Simulator


def _prove(node: NodeSdk, simulator: Simulator, email: str, key: str, **more: object) -> str:
    """Send a code to an address, type it back, and give the id of the challenge."""
    request = {"verificationMethod": "EMAIL_OTP", "action": "signUp", "email": email, "idempotencyKey": key, **more}
    challenge_id: str = node.call("challenge", request)["challengeId"]
    answer = node.call("verify", {"challengeId": challenge_id, "verificationCode": simulator.code(email)})
    assert answer["isVerified"] is True
    return challenge_id


def _claim(node: NodeSdk, challenge_id: str, user_id: str, **more: object) -> str:
    token: str = node.call("claimChallenge", {"challengeId": challenge_id, "userId": user_id, **more})["token"]
    return token


@pytest.fixture
def key() -> str:
    """An idempotency key that nobody used before."""
    return str(uuid.uuid4())


def test_sign_up_proves_the_address_before_the_user_exists(
    node: NodeSdk, simulator: Simulator, user_id: str, email: str, key: str
) -> None:
    """
    Challenge and verify without a user, then track and claim with one: the action succeeded and the address is enrolled.
    """
    challenge_id = _prove(node, simulator, email, key)
    assert node.call("queryUsers", {"email": email})["users"] == [], "no user exists before the address is proven"

    attributes = {"email": email, "idempotencyKey": key}
    tracked = node.call("track", {"userId": user_id, "action": "signUp", "attributes": attributes})
    assert tracked["state"] == "ALLOW"
    token = _claim(node, challenge_id, user_id)

    valid = node.call("validateChallenge", {"token": token, "userId": user_id, "action": "signUp"})
    assert (valid["isValid"], valid["state"], valid["idempotencyKey"]) == (True, "CHALLENGE_SUCCEEDED", key)
    user = node.call("getUser", {"userId": user_id})
    assert (user["isEnrolled"], user["email"], user["emailVerified"]) == (True, email, True)
    assert [item["email"] for item in node.call("getAuthenticators", {"userId": user_id})] == [email]


def test_sign_in_by_proxied_code(node: NodeSdk, simulator: Simulator, user_id: str, email: str) -> None:
    """
    An enrolled user is tracked and challenged under one key; verify alone moves nothing, the claim completes the action.
    """
    enrolment = {"verificationMethod": "EMAIL_OTP", "email": email}
    node.call("enrollVerifiedAuthenticator", {"userId": user_id, "attributes": enrolment})
    tracked = node.call("track", {"userId": user_id, "action": "signIn", "attributes": {}})
    key = tracked["idempotencyKey"]
    request = {"verificationMethod": "EMAIL_OTP", "action": "signIn", "userId": user_id, "idempotencyKey": key}
    challenge_id = node.call("challenge", request)["challengeId"]
    node.call("verify", {"challengeId": challenge_id, "verificationCode": simulator.code(email)})
    assert node.call("validateChallenge", {"token": tracked["token"]})["state"] == "CHALLENGE_REQUIRED"

    token = _claim(node, challenge_id, user_id)

    for either in (token, tracked["token"]):
        valid = node.call("validateChallenge", {"token": either, "userId": user_id, "action": "signIn"})
        assert (valid["isValid"], valid["idempotencyKey"]) == (True, key)
    assert len(node.call("queryUserActions", {"userId": user_id})) == 1
    assert len(node.call("getAuthenticators", {"userId": user_id})) == 1


@pytest.mark.parametrize(("outcome", "state"), [("BLOCK", "BLOCK"), ("REVIEW", "REVIEW_REQUIRED")])
def test_claim_never_lifts_a_decision(
    node: NodeSdk, simulator: Simulator, user_id: str, email: str, key: str, outcome: str, state: str
) -> None:
    """
    A proof for an action that the rules blocked, or sent to review, leaves it so, and validate shows it.
    """
    simulator.decide("signUp", outcome)
    challenge_id = _prove(node, simulator, email, key)
    node.call("track", {"userId": user_id, "action": "signUp", "attributes": {"idempotencyKey": key}})
    token = _claim(node, challenge_id, user_id)
    valid = node.call("validateChallenge", {"token": token})
    assert (valid["isValid"], valid["state"]) == (False, state)


def test_claim_without_track_makes_the_action(node: NodeSdk, simulator: Simulator, user_id: str, email: str, key: str) -> None:
    """
    Claiming for an action that was never tracked makes it, succeeded, under the key of the challenge.
    """
    _claim(node, _prove(node, simulator, email, key), user_id)
    (action,) = node.call("queryUserActions", {"userId": user_id})
    assert (action["actionCode"], action["idempotencyKey"], action["state"]) == ("signUp", key, "CHALLENGE_SUCCEEDED")


def test_claim_may_be_repeated_by_its_user_alone(
    node: NodeSdk, simulator: Simulator, user_id: str, email: str, key: str
) -> None:
    """
    Repeating a claim gives a token again and enrols nothing twice; another user cannot claim the same challenge.
    """
    challenge_id = _prove(node, simulator, email, key)
    for _ in range(2):
        assert node.call("validateChallenge", {"token": _claim(node, challenge_id, user_id)})["isValid"] is True
    assert len(node.call("getAuthenticators", {"userId": user_id})) == 1
    with pytest.raises(NodeError, match="another user"):
        _claim(node, challenge_id, str(uuid.uuid4()))


def test_challenge_made_for_a_user_is_theirs(node: NodeSdk, simulator: Simulator, user_id: str, email: str, key: str) -> None:
    """
    A challenge that named its user cannot be claimed for someone else.
    """
    challenge_id = _prove(node, simulator, email, key, userId=user_id)
    with pytest.raises(NodeError, match="another user"):
        _claim(node, challenge_id, str(uuid.uuid4()))


def test_stale_proof_cannot_be_claimed(node: NodeSdk, simulator: Simulator, user_id: str, email: str, key: str) -> None:
    """
    A verified challenge can be claimed for as long as a token lives, and no longer.
    """
    challenge_id = _prove(node, simulator, email, key)
    simulator.advance(601)
    with pytest.raises(NodeError, match="expired"):
        _claim(node, challenge_id, user_id)


def test_skipped_check_waits_for_the_code(node: NodeSdk, simulator: Simulator, user_id: str, email: str, key: str) -> None:
    """
    A challenge claimed without verification binds it to the user; the code, typed later, completes the action.
    """
    request = {"verificationMethod": "EMAIL_OTP", "action": "signUp", "email": email, "idempotencyKey": key}
    challenge_id = node.call("challenge", request)["challengeId"]
    token = _claim(node, challenge_id, user_id, skipVerificationCheck=True)
    assert node.call("validateChallenge", {"token": token})["isValid"] is False
    assert node.call("getUser", {"userId": user_id})["isEnrolled"] is False
    node.call("verify", {"challengeId": challenge_id, "verificationCode": simulator.code(email)})
    assert node.call("validateChallenge", {"token": token})["isValid"] is True
    assert node.call("getUser", {"userId": user_id})["isEnrolled"] is True


def test_foreign_address_proves_nothing_about_an_enrolled_user(
    node: NodeSdk, simulator: Simulator, user_id: str, email: str, key: str
) -> None:
    """
    Someone enrolled with one address is not proven by another: neither challenge nor claim accepts it without a scope.
    """
    enrolment = {"verificationMethod": "EMAIL_OTP", "email": email}
    node.call("enrollVerifiedAuthenticator", {"userId": user_id, "attributes": enrolment})
    other = f"other-{email}"
    with pytest.raises(NodeError, match="another address"):
        _prove(node, simulator, other, key, userId=user_id)
    with pytest.raises(NodeError, match="another address"):
        _claim(node, _prove(node, simulator, other, key), user_id)


@pytest.mark.parametrize(("scope", "addresses"), [("add:authenticators", 2), ("update:authenticators", 1)])
def test_scope_adds_or_changes_the_factor(
    node: NodeSdk, simulator: Simulator, user_id: str, email: str, key: str, scope: str, addresses: int
) -> None:
    """
    With the scope to add, a claim gives the user a second address; with the scope to update, the new one replaces the old.
    """
    enrolment = {"verificationMethod": "EMAIL_OTP", "email": email}
    node.call("enrollVerifiedAuthenticator", {"userId": user_id, "attributes": enrolment})
    other = f"other-{email}"
    _claim(node, _prove(node, simulator, other, key, userId=user_id, scope=scope), user_id)
    enrolled = [item["email"] for item in node.call("getAuthenticators", {"userId": user_id})]
    assert enrolled == [email, other][-addresses:]
