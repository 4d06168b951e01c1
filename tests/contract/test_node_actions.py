"""Checks of actions with the real Node SDK: track, validate, read, query, update."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.contract.node import NodeError, NodeSdk
from tests.contract.simulator import Simulator


def _enrol(node: NodeSdk, user_id: str, email: str) -> None:
    attributes = {"verificationMethod": "EMAIL_OTP", "email": email}
    node.call("enrollVerifiedAuthenticator", {"userId": user_id, "attributes": attributes})


def _track(node: NodeSdk, user_id: str, action: str = "signIn", **attributes: object) -> dict[str, Any]:
    answer: dict[str, Any] = node.call("track", {"userId": user_id, "action": action, "attributes": attributes})
    return answer


def test_node_07_enrolled_user_is_challenged(node: NodeSdk, user_id: str, email: str) -> None:
    """
    Tracking an action whose outcome is a challenge asks an enrolled user for one, and gives token, url and key.
    """
    _enrol(node, user_id, email)
    answer = _track(node, user_id)
    assert answer["state"] == "CHALLENGE_REQUIRED"
    assert answer["isEnrolled"] is True
    assert answer["enrolledVerificationMethods"] == ["EMAIL_OTP"]
    assert answer["defaultVerificationMethod"] == "EMAIL_OTP"
    for name in ("url", "token", "idempotencyKey", "allowedVerificationMethods"):
        assert answer[name]
    assert "?" in answer["url"], "launchers append further parameters with an ampersand"


def test_node_08_unenrolled_user_is_let_through(node: NodeSdk, user_id: str) -> None:
    """
    A user without a factor cannot be challenged: the state is ALLOW, and token and url let them enrol.
    """
    answer = _track(node, user_id)
    assert answer["state"] == "ALLOW"
    assert answer["isEnrolled"] is False
    assert answer["token"]
    assert answer["url"]


def test_node_09_same_key_is_one_action(node: NodeSdk, user_id: str) -> None:
    """
    Tracking the same key twice gives one action, with the state it had.
    """
    key = str(uuid.uuid4())
    first = _track(node, user_id, idempotencyKey=key)
    second = _track(node, user_id, idempotencyKey=key)
    assert first["idempotencyKey"] == second["idempotencyKey"] == key
    assert first["state"] == second["state"]
    assert [item["idempotencyKey"] for item in node.call("queryUserActions", {"userId": user_id})] == [key]


def test_node_10_fresh_token_is_not_valid_yet(node: NodeSdk, user_id: str, email: str) -> None:
    """
    Validating a token before its challenge was answered tells whose and what it is, and that it is not valid.
    """
    _enrol(node, user_id, email)
    tracked = _track(node, user_id)
    answer = node.call("validateChallenge", {"token": tracked["token"]})
    assert answer["isValid"] is False
    assert answer["state"] == "CHALLENGE_REQUIRED"
    assert answer["userId"] == user_id
    assert answer["action"] == "signIn"
    assert answer["idempotencyKey"] == tracked["idempotencyKey"]


def _mismatch(node: NodeSdk, user_id: str, expected: dict[str, str], error: str) -> None:
    tracked = _track(node, user_id)
    answer = node.call("validateChallenge", {"token": tracked["token"], **expected})
    assert answer == {"isValid": False, "error": error}


def test_node_11_other_user_is_not_valid(node: NodeSdk, user_id: str) -> None:
    """
    Validating with another user resolves to an invalid answer that says nothing about the action's state.
    """
    _mismatch(node, user_id, {"userId": "another-user"}, "User is invalid.")


def test_node_12_other_action_is_not_valid(node: NodeSdk, user_id: str) -> None:
    """
    Validating with another action does the same.
    """
    _mismatch(node, user_id, {"action": "payOut"}, "Action is invalid.")


def test_node_13_updated_state_is_read_back(node: NodeSdk, user_id: str) -> None:
    """
    A state set by hand is the one that reading the action shows.
    """
    key = _track(node, user_id)["idempotencyKey"]
    name = {"userId": user_id, "action": "signIn", "idempotencyKey": key}
    assert node.call("updateAction", {**name, "attributes": {"state": "REVIEW_REQUIRED"}})["state"] == "REVIEW_REQUIRED"
    assert node.call("getAction", name)["state"] == "REVIEW_REQUIRED"


def test_node_14_action_has_times_and_output(node: NodeSdk, user_id: str) -> None:
    """
    Reading an action gives both of its times in ISO 8601 with milliseconds, and an output that is not null.
    """
    key = _track(node, user_id)["idempotencyKey"]
    answer = node.call("getAction", {"userId": user_id, "action": "signIn", "idempotencyKey": key})
    for name in ("createdAt", "stateUpdatedAt"):
        assert answer[name].endswith("Z")
        assert abs(datetime.fromisoformat(answer[name]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert answer["output"] is not None


def test_node_15_query_filters_actions(node: NodeSdk, simulator: Simulator, user_id: str) -> None:
    """
    A query gives an array of the user's actions, narrowed by code, by state and by date.
    """
    sign_in = _track(node, user_id, "signIn")["idempotencyKey"]
    simulator.advance(3_600)
    pay_out = _track(node, user_id, "payOut")["idempotencyKey"]
    update = {"userId": user_id, "action": "payOut", "idempotencyKey": pay_out, "attributes": {"state": "BLOCK"}}
    node.call("updateAction", update)

    def keys(**filters: object) -> list[str]:
        return [item["idempotencyKey"] for item in node.call("queryUserActions", {"userId": user_id, **filters})]

    later = (datetime.now(UTC) + timedelta(minutes=30)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert keys() == [sign_in, pay_out]
    assert keys(actionCodes=["signIn"]) == [sign_in]
    assert keys(actionCodes=["signIn", "payOut"]) == [sign_in, pay_out]
    assert keys(state="BLOCK") == [pay_out]
    assert keys(fromDate=later) == [pay_out]
    assert keys(actionCodes=["nothing"]) == []


def test_unknown_action_is_not_found(node: NodeSdk, user_id: str) -> None:
    """
    Reading an action that was never tracked rejects with 404.
    """
    with pytest.raises(NodeError) as caught:
        node.call("getAction", {"userId": user_id, "action": "signIn", "idempotencyKey": "none"})
    assert caught.value.status_code == 404


@pytest.mark.parametrize("code", ["with space", "ümlaut", "x" * 65, "dot.dot"])
def test_malformed_action_code_is_refused(node: NodeSdk, user_id: str, code: str) -> None:
    """
    An action code outside 1 to 64 letters, digits, underscores and hyphens is an invalid request.
    """
    with pytest.raises(NodeError) as caught:
        node.call("track", {"userId": user_id, "action": code})
    assert (caught.value.status_code, caught.value.error_code) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("outcome", "state"),
    [("ALLOW", "ALLOW"), ("CHALLENGE", "CHALLENGE_REQUIRED"), ("REVIEW", "REVIEW_REQUIRED"), ("BLOCK", "BLOCK")],
)
def test_outcome_decides_the_state(
    node: NodeSdk, simulator: Simulator, user_id: str, email: str, outcome: str, state: str
) -> None:
    """
    What the rules decide about an action gives its state, and other actions keep the default.
    """
    _enrol(node, user_id, email)
    simulator.decide("transfer", outcome)
    assert _track(node, user_id, "transfer")["state"] == state
    assert _track(node, user_id, "signIn")["state"] == "CHALLENGE_REQUIRED"


def test_tracked_again_keeps_its_state(node: NodeSdk, simulator: Simulator, user_id: str) -> None:
    """
    Tracking a known key again does not run the rules again, even if they would now decide otherwise.
    """
    key = _track(node, user_id, "transfer")["idempotencyKey"]
    simulator.decide("transfer", "BLOCK")
    assert _track(node, user_id, "transfer", idempotencyKey=key)["state"] == "ALLOW"
    assert _track(node, user_id, "transfer")["state"] == "BLOCK"


def test_tenant_without_methods_cannot_track(node: NodeSdk, simulator: Simulator, user_id: str) -> None:
    """
    With no verification method switched on, track is refused with the service's upper-case code.
    """
    simulator.tune(methods=[])
    with pytest.raises(NodeError) as caught:
        _track(node, user_id)
    assert (caught.value.status_code, caught.value.error_code) == (400, "AUTHENTICATOR_NOT_FOUND")


@pytest.mark.parametrize(("status", "throws"), [(200, False), (400, True)])
def test_unreadable_token_is_not_valid(node: NodeSdk, simulator: Simulator, user_id: str, status: int, *, throws: bool) -> None:
    """
    A token that is garbage, forged or past its life is invalid: as an answer, or as an error if so tuned.
    """
    simulator.tune(invalid_token_status=status)
    token = _track(node, user_id)["token"]
    simulator.advance(601)
    for bad in ("garbage", token[:-2], token):
        if throws:
            with pytest.raises(NodeError) as caught:
                node.call("validateChallenge", {"token": bad})
            assert (caught.value.status_code, caught.value.error_code) == (400, "invalid_request")
        else:
            assert node.call("validateChallenge", {"token": bad}) == {"isValid": False, "error": "Token is invalid."}
