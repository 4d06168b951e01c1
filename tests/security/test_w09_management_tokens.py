"""W09: the token that a proof earns, which may manage factors, reaches the page."""

import json

import pytest

from tests.integration.gateway.account import PATH
from tests.integration.gateway.person import Person
from tests.integration.gateway.simulator import Authsignal, Refused
from tests.integration.gateway.vault import Vault
from tests.security.test_w08_tokens_in_the_page import JWT


async def test_w09_a_proven_code_gives_the_page_a_session_alone(person: Person, vault: Vault) -> None:
    """With the code checked on the server's side the token that it earns is in no answer, and not kept either."""
    await person.sign_up()
    browser = person.stranger()
    attempt = await browser.begin("sign-ins")

    answers = [
        await browser.verify(attempt["id"], await person.code()),
        await browser.call("GET", f"/v1/attempts/{attempt['id']}"),
    ]

    for answer in answers:
        assert JWT.search(json.dumps(answer.body)) is None
        assert not [value for value in answer.headers.values() if JWT.search(value)]
    kept = await vault.attempt(attempt["id"])
    assert (kept.track_token, kept.proof_token) == (None, None)


async def test_w09_a_step_up_gives_the_page_none_either(person: Person) -> None:
    """A proven step-up carries its grant, which Authsignal does not know, and no token of Authsignal's."""
    await person.sign_up()
    step_up = (await person.call("POST", "/v1/step-ups", {"action": "manageAuthenticators"})).body

    proven = await person.call("POST", f"/v1/step-ups/{step_up['id']}/verifications", {"code": await person.code()})

    assert proven.body["sdk"] is None
    assert JWT.search(json.dumps({**proven.body, "grant": None})) is None


async def test_w09_an_enrolments_token_removes_nothing(person: Person, authsignal: Authsignal) -> None:
    """The token that adds a factor cannot remove, rename or re-point the ones that are there."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    token = (await person.call("POST", PATH, {"type": "PASSKEY"})).body["sdk"]["token"]
    (own,) = await authsignal.server("GET", f"users/{sub}/authenticators")

    for path in (f"user-authenticators/{own['userAuthenticatorId']}", "user-authenticators"):
        with pytest.raises(Refused):
            await authsignal.client(path, token, {})

    assert await authsignal.server("GET", f"users/{sub}/authenticators") == [own]
