"""W15: an error, or a state that nobody expected, taken for a yes."""

import json
from typing import Any

import pytest

from tests.integration.gateway.person import SESSION, Person
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault

GOOD = {"isValid": True, "state": "CHALLENGE_SUCCEEDED"}
# What validate says, in place of what it should: the rest of the answer is right.
ANSWERS: dict[str, dict[str, Any]] = {
    "a state that does not exist yet": {"state": "CHALLENGE_SUCCEEDED_PROBABLY"},
    "allowed without a challenge": {"state": "ALLOW"},
    "failed": {"state": "CHALLENGE_FAILED", "isValid": False},
    "succeeded and not valid": {"isValid": False},
    "blocked and valid": {"state": "BLOCK"},
    "in lower case": {"state": "challenge_succeeded"},
    "no state": {"state": None},
    "nobody": {"userId": None},
    "somebody else": {"userId": "00000000-0000-4000-8000-000000000000"},
    "no action": {"action": None, "actionCode": None},
    "another action": {"action": "signUp", "actionCode": "signUp"},
    "no key": {"idempotencyKey": None},
    "an error beside a yes": {"error": "User is invalid."},
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_w15_only_a_plain_yes_opens_a_session(person: Person, authsignal: Authsignal, vault: Vault, name: str) -> None:
    """Whatever Authsignal says of a proof but that it succeeded, for this person, action and attempt: no session."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    browser = person.stranger()
    attempt = await browser.begin("sign-ins")
    key = (await vault.attempt(attempt["id"])).idempotency_key
    said = {**GOOD, "userId": sub, "action": "signIn", "actionCode": "signIn", "idempotencyKey": key, **ANSWERS[name]}
    body = json.dumps({field: value for field, value in said.items() if value is not None})
    token = await authsignal.earn(attempt["sdk"]["token"], person.email)
    await authsignal.fault(kind="respond", path_prefix="/v1/validate", status=200, body=body, times=5)

    answer = await browser.complete(attempt["id"], token)

    assert answer.status in {401, 403}
    assert SESSION not in browser.cookies


async def test_w15_the_very_same_answer_as_a_yes(person: Person, authsignal: Authsignal, vault: Vault) -> None:
    """The answers above fail by their one flaw: without it the same call opens a session."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    browser = person.stranger()
    attempt = await browser.begin("sign-ins")
    key = (await vault.attempt(attempt["id"])).idempotency_key
    said = {**GOOD, "userId": sub, "action": "signIn", "idempotencyKey": key, "verificationMethod": "EMAIL_OTP"}
    token = await authsignal.earn(attempt["sdk"]["token"], person.email)
    await authsignal.fault(kind="respond", path_prefix="/v1/validate", status=200, body=json.dumps(said))

    assert (await browser.complete(attempt["id"], token)).status == 200


@pytest.mark.parametrize("state", ["ALLOWED", "", "allow", "UNKNOWN", "CHALLENGE_SUCCEEDED"])
async def test_w15_an_unknown_outcome_of_the_rules_blocks(person: Person, authsignal: Authsignal, state: str) -> None:
    """A state that track never had before stops the sign-in, however well the address is proven."""
    await person.sign_up()
    browser = person.stranger()
    tracked = {"state": state, "idempotencyKey": "k" * 36, "token": "t" * 40, "url": "", "isEnrolled": True}
    await authsignal.fault(kind="respond", path_prefix="/v1/users", method="POST", status=200, body=json.dumps(tracked))
    attempt = await browser.begin("sign-ins")

    answer = await browser.verify(attempt["id"], await person.code())

    assert (answer.status, SESSION in browser.cookies) == (403, False)


@pytest.mark.parametrize("path", ["/v1/verify", "/v1/claim", "/v1/validate"])
@pytest.mark.parametrize("status", [200, 204, 400, 500])
async def test_w15_a_provider_that_fails_lets_nobody_in(person: Person, authsignal: Authsignal, path: str, status: int) -> None:
    """A step of the proof that is answered with nothing, or with an error, opens no session even for the right code."""
    await person.sign_up()
    browser = person.stranger()
    attempt = await browser.begin("sign-ins")
    body = "" if status == 204 else "{}"
    await authsignal.fault(kind="respond", path_prefix=path, status=status, body=body, times=5)

    answer = await browser.verify(attempt["id"], await person.code())

    assert answer.status in {401, 502, 503}
    assert SESSION not in browser.cookies
