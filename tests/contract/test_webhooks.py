"""Checks 28, 29 and 72 to 75: webhooks, taken by a real server and judged by the real Node SDK."""

import base64
import hashlib
import hmac
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from deploy.local.authsignal.webhooks.signature import signature_header
from tests.contract.accounts import enrol_email, enrol_phone, enrol_sms, methods, track, tracked, validated
from tests.contract.mailbox import Mailbox
from tests.contract.node import NodeError, NodeSdk
from tests.contract.page import BrowserSdk
from tests.contract.receiver import Receiver
from tests.contract.simulator import Simulator


def _deliver_mail_by_webhook(simulator: Simulator, receiver: Receiver, **more: object) -> None:
    simulator.send_webhooks(email=f"{receiver.origin}/mail", **more)


def _challenge(node: NodeSdk, email: str) -> dict[str, Any]:
    answer: dict[str, Any] = node.call(
        "challenge", {"verificationMethod": "EMAIL_OTP", "action": "signUp", "email": email, "locale": "mi-NZ"}
    )
    return answer


def test_node_28_delivery_is_accepted_byte_for_byte(
    node: NodeSdk, simulator: Simulator, receiver: Receiver, mailbox: Mailbox, email: str
) -> None:
    """
    The SDK accepts a delivery as it came in, and finds the code in it; no mail leaves beside it.
    """
    _deliver_mail_by_webhook(simulator, receiver)
    made = _challenge(node, email)
    (got,) = receiver.wait_for("/mail", 1)
    event = node.construct_event(got.raw.decode(), got.signature)
    assert (event["type"], event["version"], event["tenantId"]) == ("email.created", 1, simulator.tenant_id)
    assert event["data"]["to"] == email
    assert event["data"]["code"] == simulator.code(email)
    assert event["data"]["idempotencyKey"] == made["idempotencyKey"]
    assert event["data"]["locale"] == "mi-NZ"
    assert got.content_type == "application/json"
    assert got.raw == json.dumps(got.body, separators=(",", ":"), ensure_ascii=False).encode(), "the body is compact"
    assert mailbox.to(email) == []


def test_node_28_with_two_keys_either_is_accepted(
    tmp_path: Path, mailbox: Mailbox, receiver: Receiver, node: NodeSdk, email: str
) -> None:
    """
    With two active keys a delivery carries two signatures, and the SDK accepts it with either key.
    """
    simulator = Simulator(tmp_path, smtp_port=mailbox.port, secret_keys=2)
    simulator.start("--webhook", f"email={receiver.origin}/mail")
    try:
        body = {"verificationMethod": "EMAIL_OTP", "action": "signUp", "email": email}
        assert simulator.server_call("POST", "/challenge", body).status_code == 200
    finally:
        simulator.stop()
    (got,) = receiver.got("/mail")
    assert got.signature.count(",v2=") == 2
    for key in simulator.secret_keys:
        assert node.construct_event(got.raw.decode(), got.signature, secret_key=key)["type"] == "email.created"


def test_node_29_bad_signatures_are_told_apart(node: NodeSdk, simulator: Simulator, receiver: Receiver, email: str) -> None:
    """
    The SDK refuses a delivery signed with a wrong key, one that is six minutes old, and one without a signature.
    """
    _deliver_mail_by_webhook(simulator, receiver)
    _challenge(node, email)
    (got,) = receiver.wait_for("/mail", 1)
    now, keys = int(time.time()), simulator.secret_keys
    bad = {
        "Signature mismatch.": signature_header(got.raw, keys=["x" * 64], at=now),
        "Timestamp is outside the tolerance zone.": signature_header(got.raw, keys=keys, at=now - 360),
        "Signature format is invalid.": "",
    }
    for message, signature in bad.items():
        with pytest.raises(NodeError, match=message):
            node.construct_event(got.raw.decode(), signature)


def test_signature_of_the_known_vector() -> None:
    """
    The signature of the vector that the SDK is known to accept comes out the same.
    """
    body = b'{"version":1,"id":"bc1598bc-e5d6-4c69-9afb-1a6fe3469d6e"}'
    header = signature_header(body, keys=["sk_test_123"], at=1740016316)
    assert header == "t=1740016316,v2=nGUCPIgB/VrGP93BX2zCk9SyzKcz5XKQ2kEJre57yZ4"
    again = base64.b64encode(hmac.digest(b"sk_test_123", b"1740016316." + body, hashlib.sha256)).decode()
    assert header.endswith(again.rstrip("="))


@pytest.mark.asyncio(loop_scope="session")
async def test_end_to_end_72_failed_provider_fails_the_challenge(
    sdk: BrowserSdk, simulator: Simulator, receiver: Receiver, mailbox: Mailbox, user_id: str, email: str
) -> None:
    """
    A provider that answers 500 makes the client's challenge an error; nothing is sent, and the call is made once.
    """
    _deliver_mail_by_webhook(simulator, receiver)
    receiver.answer("/mail", 500)
    enrol_email(simulator, user_id, email)
    await sdk.set_token(track(simulator, user_id))
    answer = await sdk.call("email.challenge")
    assert answer["errorCode"]
    assert len(receiver.got("/mail")) == 1
    assert mailbox.to(email) == []
    assert simulator.control("GET", "/outbox") == []


@pytest.mark.parametrize(("status", "expected"), [(204, 200), (500, 500)], ids=["taken", "refused"])
@pytest.mark.parametrize(("kind", "path"), [("sms", "/client/challenge/sms"), ("push", "/client/challenge/push")])
def test_texts_and_pushes_go_to_their_provider(
    simulator: Simulator,
    receiver: Receiver,
    mailbox: Mailbox,
    user_id: str,
    number: str,
    *,
    kind: str,
    path: str,
    status: int,
    expected: int,
) -> None:
    """
    With a provider's webhook set, a text message or push goes there alone, and fails with it.
    """
    simulator.send_webhooks(**{kind: f"{receiver.origin}/{kind}"})
    receiver.answer(f"/{kind}", status)
    enrol_phone(simulator, user_id)
    enrol_sms(simulator, user_id, number)
    bearer = {"Authorization": f"Bearer {track(simulator, user_id)}"}
    answer = simulator.call("POST", path, raw='{"action": "signIn"}', headers=bearer)
    assert answer.status_code == expected
    (got,) = receiver.got(f"/{kind}")
    assert (got.body["type"], got.body["data"]["userId"]) == (f"{kind}.created", user_id)
    assert mailbox.to(f"{number}@sms.example.test") == []
    if kind == "push" and expected == 200:
        assert got.body["data"]["challengeId"] == answer.json()["challengeId"]


@pytest.mark.asyncio(loop_scope="session")
async def test_end_to_end_73_integrator_may_veto(
    sdk: BrowserSdk, simulator: Simulator, receiver: Receiver, user_id: str, email: str
) -> None:
    """
    While action.verify answers 500 the right code changes nothing; once it answers 200 the same code completes the action.
    """
    enrol_email(simulator, user_id, email)
    simulator.send_webhooks(action_verify={"signIn": f"{receiver.origin}/veto"})
    receiver.answer("/veto", 500)
    answer = tracked(simulator, user_id)
    await sdk.set_token(answer["token"])
    await sdk.data("email.challenge")
    code = simulator.code(email)
    refused = await sdk.call("email.verify", {"code": code})
    assert refused["errorCode"] == "invalid_request"
    assert validated(simulator, answer["token"])["state"] == "CHALLENGE_REQUIRED"

    receiver.answer("/veto", 200)
    data = await sdk.data("email.verify", {"code": code})
    assert validated(simulator, data["token"])["state"] == "CHALLENGE_SUCCEEDED"
    first, second = receiver.got("/veto")
    for got in (first, second):
        event = got.body
        assert event["type"] == "action.verify"
        assert (event["data"]["action"], event["data"]["userId"]) == ("signIn", user_id)
        assert (event["data"]["state"], event["data"]["verificationMethod"]) == ("CHALLENGE_SUCCEEDED", "EMAIL_OTP")


def test_claim_may_be_vetoed(node: NodeSdk, simulator: Simulator, receiver: Receiver, user_id: str, email: str) -> None:
    """
    The claim of a server challenge is asked about too; vetoed, it enrols nobody, and may be made again.
    """
    simulator.send_webhooks(action_verify={"*": f"{receiver.origin}/veto"})
    receiver.answer("/veto", 403)
    challenge_id = _challenge(node, email)["challengeId"]
    node.call("verify", {"challengeId": challenge_id, "verificationCode": simulator.code(email)})
    with pytest.raises(NodeError):
        node.call("claimChallenge", {"challengeId": challenge_id, "userId": user_id})
    assert methods(simulator, user_id) == []
    receiver.answer("/veto", 204)
    token = node.call("claimChallenge", {"challengeId": challenge_id, "userId": user_id})["token"]
    assert validated(simulator, token)["isValid"] is True
    assert methods(simulator, user_id) == ["EMAIL_OTP"]


def test_veto_that_nobody_answers_is_a_no(node: NodeSdk, simulator: Simulator, user_id: str, email: str) -> None:
    """
    A webhook that nobody answers counts as refused.
    """
    simulator.send_webhooks(action_verify={"signUp": "http://127.0.0.1:9/veto"})
    challenge_id = _challenge(node, email)["challengeId"]
    node.call("verify", {"challengeId": challenge_id, "verificationCode": simulator.code(email)})
    with pytest.raises(NodeError):
        node.call("claimChallenge", {"challengeId": challenge_id, "userId": user_id})


def until_noted(simulator: Simulator, tries: int) -> None:
    """Wait until the simulator knows the answer to its latest try: from then on it counts the time to the next."""
    deadline = time.monotonic() + 30
    while len(simulator.control("GET", "/webhooks/deliveries")) < tries:
        assert time.monotonic() < deadline, f"try {tries} was never noted"
        time.sleep(0.02)


def test_end_to_end_74_authenticator_events_are_repeated(
    simulator: Simulator, receiver: Receiver, user_id: str, email: str
) -> None:
    """
    authenticator.created goes out once when it is taken; refused, it comes three times more, 30 s apart, the same bytes.
    """
    simulator.send_webhooks(authenticators=f"{receiver.origin}/factors")
    enrol_email(simulator, user_id, email)
    (got,) = receiver.wait_for("/factors", 1)
    assert (got.body["type"], got.body["data"]["email"]) == ("authenticator.created", email)
    simulator.advance(31)
    time.sleep(0.3)
    assert len(receiver.got("/factors")) == 1

    receiver.answer("/factors", 503)
    other = f"other-{user_id}"
    enrol_email(simulator, other, f"other-{email}")
    for tries in (2, 3, 4):
        receiver.wait_for("/factors", tries)
        until_noted(simulator, tries)
        simulator.advance(15)  # Far from 30: the clock goes on by itself, too.
        time.sleep(0.25)
        assert len(receiver.got("/factors")) == tries, "never sooner than 30 s"
        simulator.advance(16)
    receiver.wait_for("/factors", 5)
    simulator.advance(120)
    time.sleep(0.3)
    repeated = receiver.got("/factors")[1:]
    assert len(repeated) == 4
    assert len({item.raw for item in repeated}) == 1
    assert simulator.control("GET", "/webhooks")["waiting"] == 0


def test_changed_and_removed_factors_are_announced(simulator: Simulator, receiver: Receiver, user_id: str, email: str) -> None:
    """
    Re-pointing a factor announces its change, and removing it its removal.
    """
    simulator.send_webhooks(authenticators=f"{receiver.origin}/factors")
    enrol_email(simulator, user_id, email)
    simulator.server_call("PATCH", f"/users/{user_id}", {"email": f"new-{email}", "emailVerified": True})
    (item,) = simulator.server_call("GET", f"/users/{user_id}/authenticators").json()
    simulator.server_call("DELETE", f"/users/{user_id}/authenticators/{item['userAuthenticatorId']}")
    events = {got.body["type"]: got.body["data"] for got in receiver.wait_for("/factors", 3)}
    assert set(events) == {"authenticator.created", "authenticator.updated", "authenticator.deleted"}
    assert events["authenticator.updated"]["email"] == f"new-{email}"
    assert events["authenticator.updated"]["updatedAt"]
    assert {data["userAuthenticatorId"] for data in events.values()} == {item["userAuthenticatorId"]}


def test_end_to_end_75_logs_come_in_batches(simulator: Simulator, receiver: Receiver, user_id: str) -> None:
    """
    Logs come once the token has run out, at most 500 records at a time, and a batch that failed comes again unchanged.
    """
    simulator.send_webhooks(logs=f"{receiver.origin}/logs")
    for _ in range(502):
        tracked(simulator, user_id)
    time.sleep(0.3)
    assert receiver.got("/logs") == [], "not before the token's life is over"
    receiver.answer("/logs", 500)
    simulator.advance(601)
    failed = {got.raw for got in receiver.wait_for("/logs", 2)}
    receiver.answer("/logs", 200)
    simulator.advance(31)
    batches = [got.body["records"] for got in receiver.wait_for("/logs", 4)]
    assert sorted(len(records) for records in batches) == [2, 2, 500, 500]
    assert {got.raw for got in receiver.got("/logs")} == failed, "the same ids, byte for byte"
    (record, *_) = batches[0]
    assert record["type"] == "action.log_created"
    assert "data" not in record
    assert record["record"]["state"] == "ALLOW"
    assert record["record"]["outcome"] == "CHALLENGE"
    assert simulator.control("GET", "/webhooks")["waiting"] == 0


def test_logs_tell_what_happened_to_a_challenge(
    node: NodeSdk, simulator: Simulator, receiver: Receiver, user_id: str, email: str
) -> None:
    """
    A challenge leaves a record of each event: sent, wrong code, right code.
    """
    simulator.send_webhooks(logs=f"{receiver.origin}/logs")
    challenge_id = _challenge(node, email)["challengeId"]
    for code in (simulator.wrong_code(email), simulator.code(email)):
        node.call("verify", {"challengeId": challenge_id, "verificationCode": code})
    node.call("claimChallenge", {"challengeId": challenge_id, "userId": user_id})
    simulator.advance(601)
    (got,) = receiver.wait_for("/logs", 1)
    records = got.body["records"]
    types = [item["record"]["type"] for item in records if item["type"] == "challenge.log_created"]
    assert types == ["EMAIL_OTP_SENT", "EMAIL_OTP_INVALID_OR_EXPIRED", "EMAIL_OTP_CODE_VALID"]
    (action,) = [item["record"] for item in records if item["type"] == "action.log_created"]
    assert (action["state"], action["verificationMethod"]) == ("CHALLENGE_SUCCEEDED", "EMAIL_OTP")
    codes = {simulator.code(email), simulator.wrong_code(email)}
    # Ids in hexadecimal and times in milliseconds may well hold the same six digits.
    assert codes.isdisjoint(re.findall(r"[0-9a-f]+", got.raw.decode()))
