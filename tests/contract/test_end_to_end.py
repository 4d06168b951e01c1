"""Checks from end to end: tracked by one SDK, proven by another, validated by a third."""

import pytest
from authsignal.client import AuthsignalClient

from tests.contract.node import NodeSdk
from tests.contract.page import BrowserSdk
from tests.contract.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_end_to_end_71_email_code_from_track_to_validate(
    node: NodeSdk, python: AuthsignalClient, sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str
) -> None:
    """
    Tracked by a server, enrolled in the browser, then proven again: each time validate says succeeded, by EMAIL_OTP.
    """
    tracked = node.call("track", {"userId": user_id, "action": "signUp", "attributes": {"email": email}})
    assert tracked["state"] == "ALLOW"
    await sdk.set_token(tracked["token"])
    await sdk.data("email.enroll", {"email": email})
    enrolled = await sdk.data("email.verify", {"code": simulator.code(email)})
    expected = {"userId": user_id, "action": "signUp"}
    valid = node.call("validateChallenge", {"token": enrolled["token"], **expected})
    assert valid["isValid"] is True
    assert valid["state"] == "CHALLENGE_SUCCEEDED"
    assert valid["verificationMethod"] == "EMAIL_OTP"
    assert valid["idempotencyKey"] == tracked["idempotencyKey"]

    tracked = python.track(user_id, "signIn")
    assert tracked["state"] == "CHALLENGE_REQUIRED"
    await sdk.set_token(tracked["token"])
    await sdk.data("email.challenge")
    proven = await sdk.data("email.verify", {"code": simulator.code(email)})
    valid = python.validate_challenge({"token": proven["token"], "userId": user_id, "action": "signIn"})
    assert valid["is_valid"] is True
    assert valid["state"] == "CHALLENGE_SUCCEEDED"
    assert valid["verification_method"] == "EMAIL_OTP"
    assert valid["idempotency_key"] == tracked["idempotency_key"]


@pytest.mark.parametrize(("outcome", "state"), [("BLOCK", "BLOCK"), ("REVIEW", "REVIEW_REQUIRED")])
async def test_proof_in_the_browser_never_lifts_a_decision(
    node: NodeSdk, sdk: BrowserSdk, simulator: Simulator, user_id: str, email: str, outcome: str, state: str
) -> None:
    """
    Proving oneself for an action that was blocked, or sent to review, leaves it so.
    """
    simulator.decide("signIn", outcome)
    tracked = node.call("track", {"userId": user_id, "action": "signIn", "attributes": {"email": email}})
    await sdk.set_token(tracked["token"])
    await sdk.data("email.challenge")
    proven = await sdk.data("email.verify", {"code": simulator.code(email)})
    valid = node.call("validateChallenge", {"token": proven["token"]})
    assert (valid["isValid"], valid["state"]) == (False, state)
