"""W25: an address that Cognito never calls verified, and a name that is taken for an address."""

from tests.integration.aws.people import People as CognitoPeople
from tests.integration.gateway.fixtures import People
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import Person
from tests.integration.gateway.simulator import Authsignal
from tests.stack import RunningStack


def attributes(stack: RunningStack, username: str) -> tuple[str, dict[str, str]]:
    """Return a user's name and attributes, as an administrator sees them."""
    user = stack.aws("cognito-idp").admin_get_user(UserPoolId=stack["aws"]["user_pool_id"], Username=username)
    return user["Username"], {item["Name"]: item["Value"] for item in user["UserAttributes"]}


async def test_w25_a_proven_address_is_verified(person: Person, stack: RunningStack) -> None:
    """After a sign-up Cognito calls the address verified, and the user's name is the sub, not the address."""
    sub = (await person.sign_up()).body["subject"]["sub"]

    name, found = attributes(stack, sub)

    assert (name, found["sub"], found["email"], found["email_verified"]) == (sub, sub, person.email, "true")


async def test_w25_an_unproven_one_is_nobodys(people: People, stack: RunningStack) -> None:
    """An account whose address was never proven is not signed in to by that address: it is as unknown as any."""
    squatted, nobody = people(), people()
    CognitoPeople.direct(stack).sign_up(squatted.email, None)

    looks = []
    for one in (squatted, nobody):
        attempt = await one.begin("sign-ins")
        answer = await one.verify(attempt["id"], "000000")
        looks.append((attempt["methods"], attempt["method"], answer.status, answer.body["attempts_left"]))

    assert looks[0] == looks[1]
    assert await squatted.codes() == []


async def test_w25_a_changed_address_is_not_believed(person: Person, stack: RunningStack) -> None:
    """When an account's address is no longer verified at Cognito, nobody signs in by it."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    changed = [{"Name": "email", "Value": f"new-{person.email}"}, {"Name": "email_verified", "Value": "false"}]
    stack.aws("cognito-idp").admin_update_user_attributes(
        UserPoolId=stack["aws"]["user_pool_id"], Username=sub, UserAttributes=changed
    )
    newcomer = person.stranger()
    newcomer.email = f"new-{person.email}"

    await newcomer.begin("sign-ins")

    assert await newcomer.codes() == []


async def test_w25_a_squatter_keeps_nobody_out(person: Person, stack: RunningStack, ledger: Ledger) -> None:
    """
    Somebody made an account with another's address and never proved it: its owner signs up all the same, into an account of
    their own; the squatter's stays, with an address that is nobody's. The log tells both.
    """
    squatter = CognitoPeople.direct(stack).sign_up(person.email, None)["UserSub"]

    attempt = await person.begin("sign-ups")
    signed_up = await person.verify(attempt["id"], await person.code())

    sub = signed_up.body["subject"]["sub"]
    assert (signed_up.status, sub != squatter) == (200, True)
    taken, owned = attributes(stack, squatter)[1], attributes(stack, sub)[1]
    assert (taken["email"], taken["email_verified"]) == (f"{squatter}@unproven.invalid", "false")
    assert (owned["email"], owned["email_verified"]) == (person.email, "true")
    events = await ledger.of_attempt(attempt["id"], expect="account.user.created")
    released = [event for event in events if event.event_type.value == "account.address.released"]
    told = [(event.subject.sub if event.subject else None, event.outcome.value) for event in released]
    assert told == [(squatter, "pending"), (squatter, "success")]


async def test_w25_an_owner_who_came_directly_keeps_the_account(
    person: Person, stack: RunningStack, authsignal: Authsignal, ledger: Ledger
) -> None:
    """Where Authsignal has proven the address for the account that is in the way, it is the same person's: they get it."""
    sub = CognitoPeople.direct(stack).sign_up(person.email, None)["UserSub"]
    await authsignal.enrol(sub, "EMAIL_OTP", email=person.email)

    attempt = await person.begin("sign-ups")
    signed_up = await person.verify(attempt["id"], await person.code())

    assert (signed_up.status, signed_up.body["subject"]["sub"]) == (200, sub)
    assert attributes(stack, sub)[1]["email_verified"] == "true"
    assert "account.address.verified" in await ledger.types_of_attempt(attempt["id"], expect="sign_up.verified")
