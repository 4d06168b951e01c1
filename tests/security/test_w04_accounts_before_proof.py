"""W04: an account that exists before its address is proven, and an enrolment address that the browser chooses."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.aws.people import People
from tests.integration.gateway.direct_app import DirectApp
from tests.integration.gateway.fixtures import People as Clients
from tests.integration.gateway.person import SESSION, Person, new_address
from tests.integration.gateway.simulator import Authsignal
from tests.stack import RunningStack


def accounts(stack: RunningStack, email: str) -> list[Any]:
    """Return the accounts of an address."""
    found = stack.aws("cognito-idp").list_users(UserPoolId=stack["aws"]["user_pool_id"], Filter=f'email = "{email}"')
    return list(found["Users"])


async def test_w04_no_account_before_the_proof(person: Person, stack: RunningStack) -> None:
    """A sign-up that was begun, or answered wrongly, has made no account; the right code makes a verified one."""
    attempt = await person.begin("sign-ups")
    begun = accounts(stack, person.email)
    await person.verify(attempt["id"], await person.wrong_code())
    guessed = accounts(stack, person.email)
    await person.verify(attempt["id"], await person.code())

    (account,) = accounts(stack, person.email)
    attributes = {item["Name"]: item["Value"] for item in account["Attributes"]}
    assert (begun, guessed) == ([], [])
    assert attributes["email_verified"] == "true"


@pytest.mark.parametrize("field", ["enrol_email", "email_address", "verification_email", "sub", "user_id", "authenticator"])
async def test_w04_the_browser_names_one_address(person: Person, field: str) -> None:
    """There is no second field in which a code could be asked for at another address, or for another account."""
    body = {"email": person.email, field: new_address()}

    assert (await person.call("POST", "/v1/sign-ups", body)).code == "invalid_request"
    assert await person.codes() == []


async def test_w04_a_proof_of_ones_own_address_makes_nobody_elses_account(people: Clients, stack: RunningStack) -> None:
    """The code that came to one's own mailbox proves nothing in the sign-up of somebody else."""
    victim, thief = people(), people()
    await thief.begin("sign-ups")
    code = await thief.code()
    attacker = thief.stranger()
    attacker.email = victim.email
    attempt = await attacker.begin("sign-ups")

    answer = await attacker.verify(attempt["id"], code)

    assert answer.code == "invalid_code"
    assert accounts(stack, victim.email) == []
    assert SESSION not in attacker.cookies


async def test_w04_a_hijacked_sign_up_gets_no_tokens(people: Clients, stack: RunningStack, authsignal: Authsignal) -> None:
    """
    Through the direct client an account bears the victim's address unproven; whoever made it can add a mailbox of their own,
    and still gets no token in the victim's name.
    """
    victim, thief = people(), people()
    People.direct(stack).sign_up(victim.email, None)
    app = DirectApp(stack, authsignal, victim)
    begun = app.begin()
    token = begun["ChallengeParameters"]["token"]
    await authsignal.client("user-authenticators/email-otp", token, {"email": thief.email})
    code = {"verificationCode": await authsignal.code(thief.email)}
    earned = await authsignal.client("verify/email-otp", token, code)
    assert earned["isVerified"]

    for _ in range(2):
        begun = app.respond(begun, earned["accessToken"])
        assert "AuthenticationResult" not in begun
    with pytest.raises(ClientError, match="NotAuthorizedException"):
        app.respond(begun, earned["accessToken"])
