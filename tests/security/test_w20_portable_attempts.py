"""W20: an attempt, or a session, that is carried from one browser to another."""

import uuid

import pytest

from tests.integration.gateway.fixtures import People
from tests.integration.gateway.person import ATTEMPT, SESSION, Person


@pytest.mark.parametrize("cookies", ["none", "another's", "made up"])
async def test_w20_another_clients_attempt_is_not_there(people: People, cookies: str) -> None:
    """Without the cookie of the client that began it, an attempt answers like one that never was."""
    owner, other = people(), people()
    attempt = await owner.begin("sign-ups")
    if cookies == "another's":
        await other.begin("sign-ups")
    elif cookies == "made up":
        other.cookies[ATTEMPT] = "A" * 43
    path, nowhere = f"/v1/attempts/{attempt['id']}", f"/v1/attempts/{uuid.uuid4()}"

    answers = [
        await other.call("GET", path),
        await other.call("DELETE", path),
        await other.verify(attempt["id"], await owner.code()),
        await other.call("POST", path + "/challenges", {"method": "EMAIL_OTP"}),
        await other.call("POST", path + "/completions", {"token": "x" * 40}),
    ]
    missing = await other.call("GET", nowhere)

    assert {answer.status for answer in answers} == {404}
    assert {**answers[0].body, "request_id": ""} == {**missing.body, "request_id": ""}
    assert (await owner.verify(attempt["id"], await owner.code())).status == 200


async def test_w20_a_planted_session_is_not_taken(people: People) -> None:
    """A cookie that an attacker chose, or is signed in with, is not what the victim is signed in with afterwards."""
    attacker, victim = people(), people()
    await attacker.sign_up()
    for planted in ("A" * 43, attacker.cookies[SESSION]):
        browser = victim.stranger()
        browser.cookies = {SESSION: planted, ATTEMPT: attacker.cookies[ATTEMPT]}
        answer = await browser.sign_up()
        assert answer.body["subject"]["email"] == victim.email
        assert browser.cookies[SESSION] != planted
    assert (await attacker.call("GET", "/v1/session")).body["subject"]["email"] == attacker.email


async def test_w20_every_sign_in_is_a_new_session(person: Person) -> None:
    """Signing in again in the same browser gives another secret, never the old one."""
    await person.sign_up()
    secrets = {person.cookies[SESSION]}
    for _ in range(2):
        await person.sign_in()
        secrets.add(person.cookies[SESSION])

    assert len(secrets) == 3
