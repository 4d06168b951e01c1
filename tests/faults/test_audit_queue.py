"""The audit queue refuses: nothing happens that is not recorded, and it works again without a restart."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.meddler import ACCESS_DENIED, Meddler, Meddling
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import SESSION, Answer, Person
from tests.integration.gateway.vault import Vault
from tests.stack import RunningStack

REDELIVERY_SECONDS_MAX = 60.0
QUEUE_FAULTS = {"refuses": Meddling("SendMessage", answer=ACCESS_DENIED), "hangs up": Meddling("SendMessage")}


def refused(answer: Answer) -> bool:
    """Say whether an answer tells that nothing could be recorded."""
    return (answer.status, answer.code, "Retry-After" in answer.headers) == (503, "audit_unavailable", True)


@contextmanager
def denied(stack: RunningStack, service: str) -> Iterator[None]:
    """Take from a service the right to send to any queue, while the block lasts."""
    iam, user = stack.aws("iam"), f"countersign-local-{service}"
    statement = {"Effect": "Deny", "Action": "sqs:SendMessage", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=user, PolicyName="deny-audit", PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_user_policy(UserName=user, PolicyName="deny-audit")


async def test_without_the_right_to_send_nothing_happens(person: Person, stack: RunningStack, vault: Vault) -> None:
    """While IAM denies the gateway the queue every write is 503, sends no mail and costs no try; then all works again."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    attempt = await person.begin("sign-ins")
    code, mailed = await person.code(), len(await person.codes())
    sessions = len(await vault.sessions_of(sub))
    with denied(stack, "gateway"):
        answers = [
            await person.call("POST", "/v1/sign-ins", {"identifier": person.email}),
            await person.call("POST", "/v1/sign-ups", {"email": person.email}),
            await person.verify(attempt["id"], code),
            await person.call("DELETE", f"/v1/attempts/{attempt['id']}"),
            await person.call("PATCH", "/v1/me", {"display_name": "Unrecorded"}),
            await person.call("DELETE", "/v1/session"),
        ]

    assert all(refused(answer) for answer in answers), [(answer.status, answer.body) for answer in answers]
    assert len(await person.codes()) == mailed
    assert len(await vault.sessions_of(sub)) == sessions
    assert (await vault.attempt(attempt["id"])).codes_left == attempt["attempts_left"]
    assert (await person.call("GET", "/v1/me")).body["display_name"] is None
    assert (await person.verify(attempt["id"], code)).status == 200


async def test_a_challenge_service_that_cannot_record_lets_nobody_in(person: Person, stack: RunningStack, vault: Vault) -> None:
    """When only the challenge service is denied the queue, the gateway answers 503 as well and opens no session."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    attempt = await person.begin("sign-ins")
    before = len(await vault.sessions_of(sub))
    with denied(stack, "challenge"):
        answer = await person.verify(attempt["id"], await person.wrong_code())

    assert refused(answer)
    assert (await vault.attempt(attempt["id"])).codes_left == 5
    assert (await person.verify(attempt["id"], await person.code())).status == 200
    assert len(await vault.sessions_of(sub)) == before + 1


@pytest.mark.parametrize("fault", QUEUE_FAULTS)
async def test_the_opening_event_decides(person: Person, meddler: Meddler, fault: str) -> None:
    """Whether the queue refuses or hangs up: without the opening event neither Cognito nor Authsignal is asked."""
    meddler.meddle(Meddling("SendMessage", answer=QUEUE_FAULTS[fault].answer))

    answer = await person.call("POST", "/v1/sign-ins", {"identifier": person.email})

    assert refused(answer)
    assert meddler.count("AdminGetUser") == 0
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("kind", ["sign-ups", "sign-ins"])
async def test_a_session_that_cannot_be_recorded_is_taken_back(
    person: Person, meddler: Meddler, vault: Vault, stack: RunningStack, ledger: Ledger, kind: str
) -> None:
    """
    When only the closing event is refused, the tokens that Cognito has issued are revoked, no session is left and no cookie
    goes out; the refused events, and that the session was revoked, reach the log when the queue is back.
    """
    sub = (await person.sign_up()).body["subject"]["sub"]
    person.cookies.pop(SESSION)
    before = len(await vault.sessions_of(sub))
    attempt = await person.begin(kind)
    meddler.meddle(Meddling("SendMessage", answer=ACCESS_DENIED, body_has="session.created"))

    answer = await person.verify(attempt["id"], await person.code())

    assert refused(answer)
    assert SESSION not in person.cookies
    assert len(await vault.sessions_of(sub)) == before
    assert (meddler.count("RespondToAuthChallenge"), meddler.count("RevokeToken")) == (1, 1)
    meddler.meddle()
    await eventually_revoked(ledger, sub)
    assert (await person.sign_in()).status == 200


async def eventually_revoked(ledger: Ledger, sub: str) -> None:
    """Wait until the log shows a session that was created and revoked again."""
    deadline = time.monotonic() + REDELIVERY_SECONDS_MAX
    while True:
        types = await ledger.types_of_subject(sub)
        if "session.revoked" in types and types.count("session.created") == 2:
            return
        assert time.monotonic() < deadline, types
        await asyncio.sleep(0.1)


async def test_an_account_whose_making_was_not_recorded_still_works(
    person: Person, meddler: Meddler, ledger: Ledger, stack: RunningStack
) -> None:
    """A sign-up whose closing events are refused leaves an account that the next try finds; no second one is made."""
    attempt = await person.begin("sign-ups")
    meddler.meddle(Meddling("SendMessage", answer=ACCESS_DENIED, body_has="account.user.created", times=1))

    answer = await person.verify(attempt["id"], await person.code())

    assert refused(answer)
    assert (await person.sign_up()).status == 200
    users = stack.aws("cognito-idp").list_users(UserPoolId=stack["aws"]["user_pool_id"], Filter=f'email = "{person.email}"')[
        "Users"
    ]
    assert len(users) == 1
    deadline = time.monotonic() + REDELIVERY_SECONDS_MAX
    while "account.user.created" not in (types := await ledger.types_of_attempt(attempt["id"], expect="sign_up.requested")):
        assert time.monotonic() < deadline, types
        await asyncio.sleep(0.1)


async def test_what_was_refused_leaves_no_hole(person: Person, meddler: Meddler, ledger: Ledger) -> None:
    """After the queue was away, the numbers of the gateway's process have no gap: refused events came late, not never."""
    # For as long as it takes: what was refused is offered again meanwhile, and would use up a number of refusals.
    meddler.meddle(Meddling("SendMessage", answer=ACCESS_DENIED))
    for _ in range(3):
        assert refused(await person.call("POST", "/v1/sign-ups", {"email": person.email}))
    meddler.meddle()

    answer = await person.call("POST", "/v1/sign-ups", {"email": person.email})

    event = await ledger.promised(answer.receipt)
    deadline = time.monotonic() + REDELIVERY_SECONDS_MAX
    while missing := await ledger.missing_numbers(event.producer.instance, event.producer.seq):
        assert time.monotonic() < deadline, missing
        await asyncio.sleep(0.1)
