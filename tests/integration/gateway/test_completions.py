"""Sign-in with a token that the Web SDK earned in the browser."""

import asyncio
import secrets

from tests.integration.gateway.fixtures import People
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import SESSION, Answer, Person
from tests.integration.gateway.simulator import Authsignal


async def complete(person: Person, attempt_id: str, token: str) -> Answer:
    """Come back with a token."""
    person.seen.add(token)
    return await person.call("POST", f"/v1/attempts/{attempt_id}/completions", {"token": token})


async def test_a_token_earned_in_the_browser_opens_a_session(person: Person, authsignal: Authsignal, ledger: Ledger) -> None:
    """The token that the Client API gives for the right code completes the attempt that it was earned for."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    attempt = await person.begin("sign-ins")

    answer = await complete(person, attempt["id"], await authsignal.earn(attempt["sdk"]["token"], person.email))

    assert (answer.status, answer.body["subject"]["sub"]) == (200, sub)
    types = await ledger.types_of_attempt(attempt["id"], expect="sign_in.succeeded")
    assert types[-3:] == ["challenge.answered", "action.validated", "sign_in.succeeded"]


async def test_a_track_token_alone_proves_nothing(person: Person, ledger: Ledger) -> None:
    """The token that the attempt itself carries is no proof."""
    await person.sign_up()
    attempt = await person.begin("sign-ins")

    answer = await complete(person, attempt["id"], attempt["sdk"]["token"])

    assert (answer.status, answer.code) == (401, "attempt_failed")
    assert "challenge.rejected" in await ledger.types_of_attempt(attempt["id"], expect="challenge.rejected")


async def test_another_persons_token_is_refused(people: People, authsignal: Authsignal, ledger: Ledger) -> None:
    """A token that somebody else earned for their own attempt opens nothing here, and the mismatch is recorded."""
    victim, thief = people(), people()
    await victim.sign_up()
    await thief.sign_up()
    target, own = await victim.begin("sign-ins"), await thief.begin("sign-ins")
    del victim.cookies[SESSION]

    answer = await complete(victim, target["id"], await authsignal.earn(own["sdk"]["token"], thief.email))

    assert (answer.status, answer.code) == (401, "attempt_failed")
    assert SESSION not in victim.cookies
    assert "action.mismatched" in await ledger.types_of_attempt(target["id"], expect="action.mismatched")


async def test_a_token_of_another_attempt_is_refused(person: Person, authsignal: Authsignal, ledger: Ledger) -> None:
    """A token earned for one attempt does not complete another of the same person."""
    await person.sign_up()
    first, second = await person.begin("sign-ins"), await person.begin("sign-ins")
    token = await authsignal.earn(first["sdk"]["token"], person.email)

    wrong = await complete(person, second["id"], token)
    right = await complete(person, first["id"], token)

    assert (wrong.status, wrong.code) == (401, "attempt_failed")
    assert right.status == 200
    assert "action.mismatched" in await ledger.types_of_attempt(second["id"], expect="action.mismatched")


async def test_a_token_of_another_action_is_refused(person: Person, authsignal: Authsignal) -> None:
    """A token earned for another action of the same person signs nobody in."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    attempt = await person.begin("sign-ins")
    tracked = await authsignal.track(sub, "withdraw")

    answer = await complete(person, attempt["id"], await authsignal.earn(tracked["token"], person.email))

    assert (answer.status, answer.code) == (401, "attempt_failed")


async def test_a_token_is_spent_once(person: Person, authsignal: Authsignal) -> None:
    """A completed attempt takes its token no second time."""
    await person.sign_up()
    attempt = await person.begin("sign-ins")
    token = await authsignal.earn(attempt["sdk"]["token"], person.email)
    await complete(person, attempt["id"], token)

    answer = await complete(person, attempt["id"], token)

    assert (answer.status, answer.code) == (409, "conflict")


async def test_a_token_twice_at_once_opens_one_session(person: Person, authsignal: Authsignal) -> None:
    """The same token sent many times at once opens one session."""
    await person.sign_up()
    attempt = await person.begin("sign-ins")
    token = await authsignal.earn(attempt["sdk"]["token"], person.email)

    answers = await asyncio.gather(*(complete(person, attempt["id"], token) for _ in range(8)))

    assert sorted(answer.status for answer in answers) == [200] + [409] * 7


async def test_rubbish_is_no_token(people: People) -> None:
    """A made-up token is refused alike for a known person and for an address that nobody has."""
    known, unknown = people(), people()
    await known.sign_up()
    refusals = []
    for person in (known, unknown):
        attempt = await person.begin("sign-ins")
        answer = await complete(person, attempt["id"], secrets.token_urlsafe(60))
        refusals.append({**answer.body, "request_id": ""})

    assert refusals[0] == refusals[1]
    assert refusals[0]["code"] == "attempt_failed"


async def test_a_late_token_is_refused(person: Person, authsignal: Authsignal) -> None:
    """A token past its life completes nothing."""
    await person.sign_up()
    attempt = await person.begin("sign-ins")
    token = await authsignal.earn(attempt["sdk"]["token"], person.email)
    await authsignal.advance(601)

    assert (await complete(person, attempt["id"], token)).code == "attempt_failed"


async def test_a_sign_up_is_not_completed_by_token(person: Person) -> None:
    """A sign-up has no account yet that a token could belong to."""
    attempt = await person.begin("sign-ups")

    answer = await complete(person, attempt["id"], secrets.token_urlsafe(60))

    assert attempt["sdk"] is None
    assert (answer.status, answer.code) == (401, "attempt_failed")
