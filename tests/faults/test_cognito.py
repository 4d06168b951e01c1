"""Cognito throttles, breaks, or does not answer."""

import pytest

from tests.faults.meddler import BROKEN, THROTTLED, Meddler, Meddling
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import SESSION, Person
from tests.integration.gateway.vault import Vault

FAULTS = {"throttles": (THROTTLED, "provider_busy"), "hangs up": (None, "provider_busy"), "breaks": (BROKEN, "provider_error")}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", ["InitiateAuth", "RespondToAuthChallenge"])
async def test_no_tokens_no_session(
    person: Person, meddler: Meddler, vault: Vault, ledger: Ledger, operation: str, fault: str
) -> None:
    """When Cognito does not issue tokens for a good proof, that is said and recorded, and beginning again works."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    person.cookies.pop(SESSION)
    before = len(await vault.sessions_of(sub))
    attempt = await person.begin("sign-ins")
    answer_with, code = FAULTS[fault]
    meddler.meddle(Meddling(operation, answer=answer_with))

    answer = await person.verify(attempt["id"], await person.code())

    assert (answer.status in {502, 503}, answer.code) == (True, code)
    assert ("Retry-After" in answer.headers) == (answer.status == 503)
    assert SESSION not in person.cookies
    assert len(await vault.sessions_of(sub)) == before
    events = await ledger.of_attempt(attempt["id"], expect="sign_in.failed")
    assert events[-1].cognito is not None
    assert events[-1].cognito.operation == operation
    meddler.meddle()
    assert (await person.sign_in()).status == 200


async def test_one_throttled_start_is_tried_again(person: Person, meddler: Meddler) -> None:
    """A single throttled InitiateAuth, which changes nothing, is repeated and nobody notices."""
    await person.sign_up()
    attempt = await person.begin("sign-ins")
    meddler.meddle(Meddling("InitiateAuth", answer=THROTTLED, times=1))

    assert (await person.verify(attempt["id"], await person.code())).status == 200
    assert meddler.count("InitiateAuth") == 2


async def test_an_answer_to_the_challenge_is_never_repeated(person: Person, meddler: Meddler) -> None:
    """RespondToAuthChallenge spends its session, so it is made once whatever comes back."""
    await person.sign_up()
    attempt = await person.begin("sign-ins")
    meddler.meddle(Meddling("RespondToAuthChallenge", answer=THROTTLED))

    await person.verify(attempt["id"], await person.code())

    assert meddler.count("RespondToAuthChallenge") == 1


@pytest.mark.parametrize("fault", ["throttles", "hangs up"])
async def test_an_account_that_cannot_be_looked_up(person: Person, meddler: Meddler, fault: str) -> None:
    """When Cognito does not say whether an address is known, nobody is treated as unknown: 503, no attempt, no mail."""
    meddler.meddle(Meddling("AdminGetUser", answer=FAULTS[fault][0]))

    answer = await person.call("POST", "/v1/sign-ins", {"identifier": person.email})

    assert (answer.status, answer.code) == (503, "provider_busy")
    assert await person.codes() == []


async def test_a_sign_up_whose_answer_was_lost(person: Person, meddler: Meddler) -> None:
    """When SignUp was done but its answer lost, beginning again finds the account and signs in to it."""
    attempt = await person.begin("sign-ups")
    meddler.meddle(Meddling("SignUp", is_done=True))

    lost = await person.verify(attempt["id"], await person.code())
    meddler.meddle()

    assert (lost.status, lost.code) == (503, "provider_busy")
    assert (await person.sign_up()).status == 200


async def test_signing_out_needs_no_cognito(person: Person, meddler: Meddler, ledger: Ledger) -> None:
    """A browser is signed out even when the tokens cannot be revoked, and the log says that they were not."""
    await person.sign_up()
    meddler.meddle(Meddling("RevokeToken"))

    answer = await person.call("DELETE", "/v1/session")

    assert answer.status == 204
    assert SESSION not in person.cookies
    event = await ledger.promised(answer.receipt)
    assert event.cognito is not None
    assert (event.outcome.value, event.cognito.error) == ("error", "Unreachable")


async def test_a_refresh_that_is_refused_ends_the_session(person: Person, meddler: Meddler, vault: Vault) -> None:
    """When Cognito no longer honours the refresh token, the session is over and its cookie taken away."""
    await person.sign_up()
    await vault.change_session(person.cookies[SESSION], access_expires_at=0.0)
    meddler.meddle(Meddling("GetTokensFromRefreshToken", answer=(400, "NotAuthorizedException")))

    answer = await person.call("PATCH", "/v1/me", {"display_name": "Ada"})

    assert (answer.status, answer.code) == (401, "session_expired")
    assert SESSION not in person.cookies


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_refresh_that_gets_no_answer_ends_nothing(person: Person, meddler: Meddler, vault: Vault, fault: str) -> None:
    """When Cognito does not answer a refresh, or cannot just now, the request fails and the session goes on."""
    answer_with, code = FAULTS[fault]
    await person.sign_up()
    await vault.change_session(person.cookies[SESSION], access_expires_at=0.0)
    meddler.meddle(Meddling("GetTokensFromRefreshToken", answer=answer_with))

    answer = await person.call("PATCH", "/v1/me", {"display_name": "Ada"})
    meddler.meddle()

    assert (answer.status in {502, 503}, answer.code) == (True, code)
    assert (await person.call("PATCH", "/v1/me", {"display_name": "Ada"})).status == 200
