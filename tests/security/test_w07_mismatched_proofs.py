"""W07: a proof of another action, or of another person."""

import json

import pytest

from tests.integration.gateway.fixtures import People
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import SESSION, Person
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault


async def test_w07_another_persons_token_is_refused(people: People, authsignal: Authsignal, ledger: Ledger) -> None:
    """A token that somebody else earned for their own attempt opens nothing here, and the mismatch is recorded."""
    victim, thief = people(), people()
    await victim.sign_up()
    await thief.sign_up()
    target, own = await victim.begin("sign-ins"), await thief.begin("sign-ins")
    del victim.cookies[SESSION]

    answer = await victim.complete(target["id"], await authsignal.earn(own["sdk"]["token"], thief.email))

    assert (answer.status, answer.code) == (401, "attempt_failed")
    assert SESSION not in victim.cookies
    assert "action.mismatched" in await ledger.types_of_attempt(target["id"], expect="action.mismatched")


async def test_w07_a_token_of_another_action_is_refused(person: Person, authsignal: Authsignal) -> None:
    """A token earned for another action of the same person signs nobody in."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    attempt = await person.begin("sign-ins")
    tracked = await authsignal.track(sub, "withdraw")

    answer = await person.complete(attempt["id"], await authsignal.earn(tracked["token"], person.email))

    assert (answer.status, answer.code) == (401, "attempt_failed")


@pytest.mark.parametrize("echo", [{"action": "withdraw"}, {"userId": "00000000-0000-4000-8000-000000000000"}])
async def test_w07_what_authsignal_echoes_is_compared_here(
    person: Person, authsignal: Authsignal, vault: Vault, echo: dict[str, str]
) -> None:
    """Where Authsignal lets a proof pass that was earned for another action or person, our own comparison stops it."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    browser = person.stranger()
    attempt = await browser.begin("sign-ins")
    key = (await vault.attempt(attempt["id"])).idempotency_key
    said = {"isValid": True, "state": "CHALLENGE_SUCCEEDED", "userId": sub, "action": "signIn", "idempotencyKey": key, **echo}
    token = await authsignal.earn(attempt["sdk"]["token"], person.email)
    await authsignal.fault(kind="respond", path_prefix="/v1/validate", status=200, body=json.dumps(said), times=5)

    answer = await browser.complete(attempt["id"], token)

    assert (answer.status, answer.code) == (401, "attempt_failed")
    assert SESSION not in browser.cookies
