"""What proves a person, what does not, and what is recorded of it."""

import asyncio
import time
import uuid
from typing import Any

import pytest

from shared.ids import is_uuid
from tests.integration.challenge.conftest import Office
from tests.integration.challenge.desk import Desk, Reply, Story, claims_of


async def proven(desk: Desk, story: Story) -> Reply:
    """Challenge a person and answer with the right code."""
    asked = await desk.challenge(story)
    return await desk.verify(story, asked.body["challenge_id"], desk.simulator.code(story.email))


async def test_the_right_code_earns_an_assertion(desk: Desk, office: Office) -> None:
    """A verified person gets an assertion about this very sub and attempt that lives one minute."""
    story = await desk.enrolled()

    answer = await proven(desk, story)

    assert (answer.body["verdict"], answer.body["method"]) == ("verified", "EMAIL_OTP")
    claims = claims_of(answer.body["assertion"], office.assertion_key, office.pool)
    assert (claims["sub"], claims["purpose"], claims["attempt_id"]) == (story.sub, "sign_in", story.attempt_id)
    assert claims["exp"] - claims["iat"] == 60
    assert abs(claims["iat"] - time.time()) < 5
    assert is_uuid(claims["jti"])


async def test_a_sign_up_proof_speaks_of_the_address(desk: Desk, office: Office) -> None:
    """Before there is an account the assertion is about the address, in its one spelling, and good for sign-up alone."""
    story = Story(action="signUp", sub=None, email=f"Mixed.{uuid.uuid4().hex}@Example.test")
    asked = await desk.challenge(story)

    answer = await desk.verify(story, asked.body["challenge_id"], desk.simulator.code(story.email.lower()))

    claims = claims_of(answer.body["assertion"], office.assertion_key, office.pool)
    assert (claims["sub"], claims["purpose"]) == (story.email.lower(), "sign_up")


async def test_a_proof_without_a_person_signs_nobody_in(desk: Desk) -> None:
    """A verified address without an account, in a sign-in, earns no assertion at all."""
    story = Story(action="signIn", sub=None)

    answer = await proven(desk, story)

    assert answer.body["verdict"] == "verified"
    assert answer.body.get("assertion") is None


async def test_a_wrong_code_earns_nothing(desk: Desk) -> None:
    """A wrong code is rejected with Authsignal's reason, and recorded as such."""
    story = await desk.enrolled()
    asked = await desk.challenge(story)

    answer = await desk.verify(story, asked.body["challenge_id"], desk.simulator.wrong_code(story.email))

    assert answer.ruling == ("rejected", "CODE_INVALID_OR_EXPIRED")
    events = await desk.events(story, expect="challenge.rejected")
    assert events[-1].reason == "CODE_INVALID_OR_EXPIRED"


async def test_an_address_that_was_not_challenged_is_not_proven(desk: Desk) -> None:
    """A code that was sent to one address proves no other, whatever the caller says."""
    story = Story(action="signUp", sub=None)
    asked = await desk.challenge(story)
    code = desk.simulator.code(story.email)
    story.email = f"victim{uuid.uuid4().hex}@example.test"

    answer = await desk.verify(story, asked.body["challenge_id"], code)

    assert answer.ruling == ("rejected", "TOKEN_MISMATCHED")
    assert (await desk.events(story, expect="action.mismatched"))[-1].outcome.value == "failure"


async def test_a_browser_proof_is_validated(desk: Desk, office: Office) -> None:
    """A token that the Client API gave for this action and key earns an assertion."""
    story = await desk.enrolled()
    asked = await desk.challenge(story)

    answer = await desk.complete(story, desk.earn(asked.body["track_token"], story.email))

    assert answer.body["verdict"] == "verified"
    assert claims_of(answer.body["assertion"], office.assertion_key, office.pool)["sub"] == story.sub
    assert [event.event_type.value for event in await desk.events(story, expect="action.validated")] == [
        "challenge.sent",
        "action.validated",
    ]


@pytest.mark.parametrize("part", ["sub", "action", "idempotency_key"])
async def test_a_token_is_good_for_what_it_was_earned_for(desk: Desk, part: str) -> None:
    """A token for another user, another action or another idempotency key is refused, and the mismatch recorded."""
    story = await desk.enrolled()
    asked = await desk.challenge(story)
    token = desk.earn(asked.body["track_token"], story.email)
    other: Any = "withdraw" if part == "action" else str(uuid.uuid4())
    setattr(story, part, other)

    answer = await desk.complete(story, token)

    assert answer.ruling == ("rejected", "TOKEN_MISMATCHED")
    event = (await desk.events(story, expect="action.mismatched"))[-1]
    assert (event.outcome.value, event.reason) == ("failure", "TOKEN_MISMATCHED")


async def test_a_token_that_proves_nothing_yet_is_rejected(desk: Desk) -> None:
    """The track token, spent before any challenge was answered, is no proof."""
    story = await desk.enrolled()
    asked = await desk.challenge(story)

    answer = await desk.complete(story, asked.body["track_token"])

    assert answer.ruling == ("rejected", None)
    assert (await desk.events(story, expect="challenge.rejected"))[-1].authsignal is not None


@pytest.mark.parametrize("status", [200, 400])
async def test_a_made_up_token_is_invalid(desk: Desk, status: int) -> None:
    """A token that Authsignal does not know opens nothing, whichever way Authsignal says so."""
    story = await desk.enrolled()
    desk.simulator.tune(invalid_token_status=status)

    answer = await desk.complete(story, "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl")

    if status == 200:
        assert answer.ruling == ("rejected", "TOKEN_INVALID")
    else:
        assert (answer.status, answer.code) == (502, "provider_error")
    assert answer.body.get("assertion") is None


async def test_a_proof_is_spent_once(desk: Desk) -> None:
    """The same token again is a replay: rejected, and recorded as one."""
    story = await desk.enrolled()
    asked = await desk.challenge(story)
    token = desk.earn(asked.body["track_token"], story.email)
    await desk.complete(story, token)

    again = await desk.complete(story, token)

    assert again.ruling == ("rejected", "TOKEN_REPLAYED")
    assert (await desk.events(story, expect="token.replayed"))[-1].outcome.value == "failure"


async def test_of_many_at_once_one_spends_it(desk: Desk) -> None:
    """The same token many times at once earns one assertion."""
    story = await desk.enrolled()
    asked = await desk.challenge(story)
    token = desk.earn(asked.body["track_token"], story.email)

    answers = await asyncio.gather(*(desk.complete(story, token) for _ in range(10)))

    assert sorted(answer.body["verdict"] for answer in answers) == ["rejected"] * 9 + ["verified"]


async def test_another_attempt_cannot_spend_it_again(desk: Desk) -> None:
    """A spent proof stays spent under another attempt id."""
    story = await desk.enrolled()
    asked = await desk.challenge(story)
    token = desk.earn(asked.body["track_token"], story.email)
    await desk.complete(story, token)
    story.attempt_id = str(uuid.uuid4())

    assert (await desk.complete(story, token)).body["failure"] == "TOKEN_REPLAYED"


@pytest.mark.parametrize(
    ("outcome", "verdict"), [("ALLOW", "challenged"), ("CHALLENGE", "challenged"), ("REVIEW", "review"), ("BLOCK", "blocked")]
)
async def test_the_rules_are_heard(desk: Desk, outcome: str, verdict: str) -> None:
    """Allow still asks for a proof; review and block are told to the gateway, which gets a code sent in either case."""
    story = await desk.enrolled()
    desk.simulator.decide("signIn", outcome)

    answer = await desk.challenge(story)

    assert answer.body["verdict"] == verdict
    assert answer.body["challenge_id"]
    assert desk.simulator.code(story.email)
    assert (answer.body.get("track_token") is not None) == (verdict == "challenged")


@pytest.mark.parametrize(("outcome", "verdict"), [("REVIEW", "review"), ("BLOCK", "blocked")])
async def test_what_the_rules_stopped_no_proof_moves(desk: Desk, outcome: str, verdict: str) -> None:
    """A proof for an action that the rules stopped earns no assertion, neither by code nor by claim."""
    story = await desk.enrolled()
    desk.simulator.decide("signIn", outcome)
    asked = await desk.challenge(story)

    answer = await desk.verify(story, asked.body["challenge_id"], desk.simulator.code(story.email))

    assert answer.body.get("assertion") is None
    assert answer.body["verdict"] in {verdict, "rejected"}


async def test_a_blocked_sign_up_is_not_claimed(desk: Desk) -> None:
    """The rules see a new account before its proof is tied to it: blocked means no assertion."""
    story = Story(action="signUp")
    anonymous = Story(**{**vars(story), "sub": None})
    asked = await desk.challenge(anonymous)
    await desk.verify(anonymous, asked.body["challenge_id"], desk.simulator.code(story.email))
    desk.simulator.decide("signUp", "BLOCK")

    answer = await desk.claim(story, asked.body["challenge_id"])

    assert answer.ruling == ("blocked", None)
    assert (await desk.events(story, expect="challenge.claimed"))[-1].outcome.value == "denied"


async def test_somebody_not_enrolled_gets_no_token(desk: Desk) -> None:
    """A person whom Authsignal does not know proves the address by a code and gets no token to enrol with."""
    answer = await desk.challenge(Story())

    assert answer.body["methods"] == ["EMAIL_OTP"]
    assert "track_token" not in answer.body


async def test_what_authsignal_learns(desk: Desk) -> None:
    """Track carries the client's address, agent and device, and nothing that was not known."""
    story = await desk.enrolled()

    await desk.post("/v1/challenges", story.body(client={"ip": "192.0.2.9", "device_id": "device-0001"}))

    user = desk.simulator.control("GET", f"/users/{story.sub}")
    action = next(item for item in user["actions"] if item["idempotency_key"] == story.idempotency_key)
    assert (action["ip_address"], action["device_id"], action["user_agent"]) == ("192.0.2.9", "device-0001", None)
    assert user["user"]["email"] == story.email


async def test_an_event_of_each_call_with_its_context(desk: Desk) -> None:
    """Events carry attempt, action, key, state and the keyed hash of the address, and never the address."""
    story = await desk.enrolled()

    await proven(desk, story)

    events = await desk.events(story, expect="challenge.verified")
    assert [event.event_type.value for event in events] == ["challenge.sent", "challenge.verified"]
    for event in events:
        assert event.subject is not None
        assert event.authsignal is not None
        assert (event.subject.sub, event.authsignal.idempotency_key) == (story.sub, story.idempotency_key)
        assert story.email not in str(event)
    assert events[0].authsignal is not None
    assert events[0].authsignal.state == "CHALLENGE_REQUIRED"
