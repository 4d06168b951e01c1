"""Checks with the real Python SDK."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from authsignal.client import ApiException, AuthsignalClient

from tests.contract.simulator import Simulator


def _enrol(python: AuthsignalClient, user_id: str, email: str) -> str:
    answer = python.enroll_verified_authenticator(user_id, {"verificationMethod": "EMAIL_OTP", "email": email})
    authenticator_id: str = answer["authenticator"]["user_authenticator_id"]
    return authenticator_id


def test_python_30_content_type_is_exact(python: AuthsignalClient, user_id: str, email: str) -> None:
    """
    Every success that has a body says exactly application/json: with a charset this SDK finds no content at all.
    """
    content_types: list[str | None] = []

    def note(answer: requests.Response, *_: object, **__: object) -> None:
        content_types.append(answer.headers.get("Content-Type"))

    python.session.hooks["response"].append(note)
    key = python.track(user_id, "signIn")["idempotency_key"]
    assert key
    token = python.track(user_id, "signIn", {"idempotencyKey": key})["token"]
    authenticator_id = _enrol(python, user_id, email)
    calls: list[Callable[[], Any]] = [
        lambda: python.get_user(user_id),
        lambda: python.update_user(user_id, {"displayName": "Mere"}),
        lambda: python.get_authenticators(user_id),
        lambda: python.get_action(user_id, "signIn", key),
        lambda: python.update_action(user_id, "signIn", key, {"state": "ALLOW"}),
        lambda: python.validate_challenge({"token": token}),
        lambda: python.delete_authenticator(user_id, authenticator_id),
        lambda: python.delete_user(user_id),
    ]
    for call in calls:
        call()
    assert content_types == ["application/json"] * (3 + len(calls))


def test_python_31_deletes_return_none(python: AuthsignalClient, user_id: str, email: str) -> None:
    """
    Deleting an authenticator and a user returns None, without an exception.
    """
    authenticator_id = _enrol(python, user_id, email)
    assert python.delete_authenticator(user_id, authenticator_id) is None
    assert python.delete_user(user_id) is None


def test_python_32_wrong_secret_is_unauthorized(simulator: Simulator, user_id: str) -> None:
    """
    A wrong secret key raises with status, code and the service's words.
    """
    client = AuthsignalClient(api_secret_key="not-the-key", api_url=simulator.api_url)
    with client.session, pytest.raises(ApiException) as caught:
        client.get_user(user_id)
    assert caught.value.status_code == 401
    assert caught.value.error_code == "unauthorized"
    assert str(caught.value) == f"AuthsignalException: 401 - {caught.value.error_description}"
    assert caught.value.error_description.startswith("The request is unauthorized.")


def test_python_33_validate_names_the_action(python: AuthsignalClient, user_id: str) -> None:
    """
    Validating a token gives validity, state, user, action and key, in snake case.
    """
    tracked = python.track(user_id, "signIn")
    answer = python.validate_challenge({"token": tracked["token"]})
    assert answer["is_valid"] is False
    assert answer["state"] == "ALLOW"
    assert answer["user_id"] == user_id
    assert answer["action"] == answer["action_code"] == "signIn"
    assert answer["idempotency_key"] == tracked["idempotency_key"]


def test_python_34_user_is_compared_in_camel_case_only(python: AuthsignalClient, user_id: str) -> None:
    """
    Another user under `userId` is not valid; under `user_id` it is ignored, as the service does.
    """
    token = python.track(user_id, "signIn")["token"]
    assert python.validate_challenge({"token": token, "userId": "other"}) == {
        "is_valid": False,
        "error": "User is invalid.",
    }
    assert python.validate_challenge({"token": token, "user_id": "other"})["user_id"] == user_id


def test_python_35_snake_case_attributes_are_ignored(python: AuthsignalClient, simulator: Simulator, user_id: str) -> None:
    """
    Tracking with keys in snake case succeeds and stores none of them.
    """
    attributes = {"phone_number": "+64211234567", "ip_address": "192.0.2.1", "device_id": "d", "user_agent": "u"}
    python.track(user_id, "signIn", attributes)
    detail = simulator.control("GET", f"/users/{user_id}")
    assert detail["user"]["phone_number"] is None
    (action,) = detail["actions"]
    assert (action["ip_address"], action["device_id"], action["user_agent"]) == (None, None, None)


def test_python_36_update_answers_in_snake_case(python: AuthsignalClient, user_id: str) -> None:
    """
    Updating a user answers with what was stored.
    """
    answer = python.update_user(user_id, {"phoneNumber": "+64211234567", "displayName": "Mere Tane"})
    assert answer["phone_number"] == "+64211234567"
    assert answer["display_name"] == "Mere Tane"


def test_python_37_authenticators_are_a_list(python: AuthsignalClient, user_id: str, email: str) -> None:
    """
    The authenticators of an enrolled user are a list.
    """
    _enrol(python, user_id, email)
    found = python.get_authenticators(user_id)
    assert isinstance(found, list)
    assert [item["email"] for item in found] == [email]


def test_python_38_action_is_blocked_by_hand(python: AuthsignalClient, user_id: str) -> None:
    """
    Setting the state BLOCK answers with the state BLOCK.
    """
    key = python.track(user_id, "signIn")["idempotency_key"]
    assert python.update_action(user_id, "signIn", key, {"state": "BLOCK"})["state"] == "BLOCK"


@pytest.mark.parametrize("name", ["auth0|123:456", "Ngāti Whātua 7", "a b", "100%", "a+b&c=d", "名前?x#y"])
def test_python_39_strange_user_ids_round_trip(python: AuthsignalClient, simulator: Simulator, user_id: str, name: str) -> None:
    """
    A user id with colons, pipes, spaces, percent signs or letters of any script is stored as it was meant.
    """
    strange = f"{name} {user_id}"
    tracked = python.track(strange, "signIn")
    assert python.validate_challenge({"token": tracked["token"]})["user_id"] == strange
    assert python.get_action(strange, "signIn", tracked["idempotency_key"])["state"] == "ALLOW"
    assert strange in {user["user_id"] for user in simulator.control("GET", "/users")}


@pytest.mark.parametrize("status", [500, 502, 503])
def test_python_40_empty_server_error_raises_at_once(
    python: AuthsignalClient, simulator: Simulator, user_id: str, status: int
) -> None:
    """
    A server error without a body raises with its status, and does not hang.
    """
    simulator.fault(kind="respond", status=status, body="")
    started = time.monotonic()
    with pytest.raises(ApiException) as caught:
        python.get_user(user_id)
    assert caught.value.status_code == status
    assert time.monotonic() - started < 20
