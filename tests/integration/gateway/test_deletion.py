"""An account that its owner deletes."""

import uuid

import aiohttp

from tests.integration.gateway.account import age, delete_account, notice
from tests.integration.gateway.fixtures import People
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.native_app import NativeApp, signed_in
from tests.integration.gateway.person import SESSION, Person
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault
from tests.stack import RunningStack


def known_to_cognito(stack: RunningStack, address: str) -> list[str]:
    """Return the subs of the accounts that have an address."""
    users = stack.aws("cognito-idp").list_users(UserPoolId=stack["aws"]["user_pool_id"], Filter=f'email = "{address}"')
    return [user["Username"] for user in users["Users"]]


async def test_a_deleted_account_is_gone_everywhere(
    person: Person,
    authsignal: Authsignal,
    ledger: Ledger,
    vault: Vault,
    stack: RunningStack,
    http: aiohttp.ClientSession,
) -> None:
    """
    Every session ends, a browser's and an app's; Authsignal and Cognito keep nothing; the owner gets a mail; the log has an
    opening and a closing event. Its address can be signed up again, as somebody new.
    """
    sub = (await person.sign_up()).body["subject"]["sub"]
    await authsignal.enrol(sub, "SMS", phoneNumber="+46701234567")
    other, app = await person.elsewhere(), NativeApp(person)
    await app.sign_in()

    answer = await delete_account(person)

    assert (answer.status, SESSION in person.cookies) == (204, False)
    assert {(await one.call("GET", "/v1/session")).code for one in (other, app)} == {"session_expired"}
    assert (await app.refresh()).code == "session_expired"
    assert await vault.sessions_of(sub) == []
    assert await authsignal.methods(sub) == []
    assert known_to_cognito(stack, person.email) == []
    assert "signed out everywhere" in await notice(http, stack, person, "account was deleted")
    closing = await ledger.promised(answer.receipt)
    assert (closing.event_type.value, closing.outcome.value) == ("account.user.deleted", "success")
    told = [(event.event_type.value, event.outcome.value, event.reason) for event in await ledger.of_subject(sub)]
    assert ("account.user.deleted", "pending", None) in told
    assert told.count(("session.all.revoked", "success", "account_deleted")) == 3
    assert (await person.sign_up()).body["subject"]["sub"] != sub


async def test_a_fresh_proof_lets_an_old_session_delete(
    person: Person, vault: Vault, authsignal: Authsignal, stack: RunningStack
) -> None:
    """Five minutes after the last proof it is refused, with the next step named; after that step it is done."""
    await person.sign_up()
    await age(person, vault)
    refused = await delete_account(person)
    assert (refused.code, refused.body["next"]) == ("step_up_required", "/step-ups")

    step_up = (await person.call("POST", "/v1/step-ups", {"action": "deleteAccount"})).body
    token = await authsignal.earn(step_up["sdk"]["token"], person.email)
    await person.call("POST", f"/v1/step-ups/{step_up['id']}/completions", {"token": token})

    assert (await delete_account(person)).status == 204
    assert known_to_cognito(stack, person.email) == []


async def test_an_app_deletes_the_account_that_it_is_signed_in_to(
    person: Person, ledger: Ledger, vault: Vault, stack: RunningStack
) -> None:
    """
    An access token deletes as a cookie does, its own account alone, on a fresh proof; the token and the refresh token are over
    at once, and no cookie is set or cleared.
    """
    app = await signed_in(person)
    sub = (await app.call("GET", "/v1/me")).body["sub"]
    assert (await app.call("DELETE", f"/v1/me?sub={uuid.uuid4()}")).code == "invalid_request"
    assert (await app.call("DELETE", f"/v1/me?sub={sub}", token="a" * 43)).status == 401

    answer = await app.call("DELETE", f"/v1/me?sub={sub}")

    assert (answer.status, "Set-Cookie" in answer.headers) == (204, False)
    assert await ledger.told(answer.receipt) == ("account.user.deleted", "success", None)
    assert {(await app.call("GET", "/v1/me")).code, (await app.refresh()).code} == {"session_expired"}
    assert (await vault.sessions_of(sub), known_to_cognito(stack, person.email)) == ([], [])


async def test_an_account_is_deleted_by_name(people: People) -> None:
    """Without the id of the account, or with another's, nothing is deleted: a path that lost its end must not do it."""
    person, other = people(), people()
    await person.sign_up()
    another = (await other.sign_up()).body["subject"]["sub"]

    for path in ("/v1/me", "/v1/me/", f"/v1/me?sub={another}", "/v1/me?sub=", "/v1/me/authenticators/%2e%2e"):
        answer = await person.call("DELETE", path)
        assert (answer.status, answer.code) == (400, "invalid_request")

    assert {(await one.call("GET", "/v1/me")).status for one in (person, other)} == {200}
