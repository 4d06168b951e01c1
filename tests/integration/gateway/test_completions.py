"""Sign-in with a token that the Web SDK earned in the browser."""

import secrets

from tests.integration.gateway.fixtures import People
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import Person
from tests.integration.gateway.simulator import Authsignal


async def test_a_token_earned_in_the_browser_opens_a_session(person: Person, authsignal: Authsignal, ledger: Ledger) -> None:
    """The token that the Client API gives for the right code completes the attempt that it was earned for."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    attempt = await person.begin("sign-ins")

    answer = await person.complete(attempt["id"], await authsignal.earn(attempt["sdk"]["token"], person.email))

    assert (answer.status, answer.body["subject"]["sub"]) == (200, sub)
    types = await ledger.types_of_attempt(attempt["id"], expect="sign_in.succeeded")
    assert types[-3:] == ["challenge.answered", "action.validated", "sign_in.succeeded"]


async def test_a_track_token_alone_proves_nothing(person: Person, ledger: Ledger) -> None:
    """The token that the attempt itself carries is no proof."""
    await person.sign_up()
    attempt = await person.begin("sign-ins")

    answer = await person.complete(attempt["id"], attempt["sdk"]["token"])

    assert (answer.status, answer.code) == (401, "attempt_failed")
    assert "challenge.rejected" in await ledger.types_of_attempt(attempt["id"], expect="challenge.rejected")


async def test_rubbish_is_no_token(people: People) -> None:
    """A made-up token is refused alike for a known person and for an address that nobody has."""
    known, unknown = people(), people()
    await known.sign_up()
    refusals = []
    for person in (known, unknown):
        attempt = await person.begin("sign-ins")
        answer = await person.complete(attempt["id"], secrets.token_urlsafe(60))
        refusals.append({**answer.body, "request_id": ""})

    assert refusals[0] == refusals[1]
    assert refusals[0]["code"] == "attempt_failed"


async def test_a_late_token_is_refused(person: Person, authsignal: Authsignal) -> None:
    """A token past its life completes nothing."""
    await person.sign_up()
    attempt = await person.begin("sign-ins")
    token = await authsignal.earn(attempt["sdk"]["token"], person.email)
    await authsignal.advance(601)

    assert (await person.complete(attempt["id"], token)).code == "attempt_failed"


async def test_a_sign_up_is_not_completed_by_token(person: Person) -> None:
    """A sign-up has no account yet that a token could belong to."""
    attempt = await person.begin("sign-ups")

    answer = await person.complete(attempt["id"], secrets.token_urlsafe(60))

    assert attempt["sdk"] is None
    assert (answer.status, answer.code) == (401, "attempt_failed")
