"""Sign-up and sign-in, from the first request to the signed-out browser, and what the log says about them."""

import msgspec
import pytest
from botocore.exceptions import ClientError

from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import SESSION, Person
from tests.integration.gateway.vault import Vault
from tests.stack import RunningStack

SIGN_UP = [
    "sign_up.requested",
    "challenge.sent",
    "sign_up.challenged",
    "challenge.answered",
    "challenge.verified",
    "challenge.claimed",
    "sign_up.verified",
    "account.user.created",
]
SIGN_IN = [
    "sign_in.started",
    "challenge.sent",
    "sign_in.challenged",
    "challenge.answered",
    "challenge.verified",
    "sign_in.succeeded",
]


async def test_sign_up_opens_a_session(person: Person) -> None:
    """A proven address gets an account with the name given, and the browser a session over it."""
    answer = await person.sign_up(display_name="Ada")

    assert answer.body["subject"] == {"sub": answer.body["subject"]["sub"], "email": person.email, "display_name": "Ada"}
    assert answer.body["methods"] == ["EMAIL_OTP"]
    session = await person.call("GET", "/v1/session")
    assert (session.status, session.body["id"]) == (200, answer.body["id"])
    profile = await person.call("GET", "/v1/me")
    assert (profile.body["email_verified"], profile.body["sub"]) == (True, answer.body["subject"]["sub"])


async def test_sign_out_then_sign_in(person: Person) -> None:
    """After signing out the session is gone, and a code brings the same account back."""
    sub = (await person.sign_up()).body["subject"]["sub"]

    signed_out = await person.call("DELETE", "/v1/session")

    assert signed_out.status == 204
    assert SESSION not in person.cookies
    assert (await person.call("GET", "/v1/session")).code == "session_required"
    assert (await person.sign_in()).body["subject"]["sub"] == sub


async def test_signing_out_revokes_the_tokens(person: Person, vault: Vault, stack: RunningStack) -> None:
    """The refresh token of an ended session is worth nothing at Cognito."""
    await person.sign_up()
    session = await vault.session(person.cookies[SESSION])
    assert session is not None

    await person.call("DELETE", "/v1/session")

    cognito = stack.aws("cognito-idp")
    client_secret = (stack.state_dir / "secrets" / "cognito_client_secret").read_text().strip()
    with pytest.raises(ClientError, match=r"NotAuthorizedException|RefreshTokenReuseException"):
        cognito.get_tokens_from_refresh_token(
            RefreshToken=session.refresh_token, ClientId=stack["aws"]["gateway_client_id"], ClientSecret=client_secret
        )


async def test_an_old_cookie_is_taken_away(person: Person) -> None:
    """A session cookie that stands for nothing any more is refused and cleared."""
    await person.sign_up()
    stale = person.cookies[SESSION]
    await person.call("DELETE", "/v1/session")
    person.cookies[SESSION] = stale

    answer = await person.call("GET", "/v1/session")

    assert (answer.status, answer.code) == (401, "session_expired")
    assert SESSION not in person.cookies


async def test_signing_up_twice_signs_in(person: Person, stack: RunningStack) -> None:
    """A sign-up for an address that has an account opens a session of that account and makes no other."""
    first = await person.sign_up()
    again = person.stranger()

    second = await again.sign_up(display_name="Somebody else")

    assert second.body["subject"]["sub"] == first.body["subject"]["sub"]
    found = stack.aws("cognito-idp").list_users(UserPoolId=stack["aws"]["user_pool_id"], Filter=f'email = "{person.email}"')
    assert len(found["Users"]) == 1


async def test_every_spelling_is_one_address(person: Person) -> None:
    """Blanks around an address and its case do not make another account."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    again = person.stranger()

    attempt = (await again.call("POST", "/v1/sign-ins", {"identifier": f"  {person.email.upper()} "})).body
    answer = await again.verify(attempt["id"], await again.code())

    assert answer.body["subject"]["sub"] == sub


async def test_the_log_tells_the_sign_up(person: Person, ledger: Ledger) -> None:
    """Each step of a sign-up is an event of its attempt, in the order in which it happened."""
    attempt = await person.begin("sign-ups")
    await person.verify(attempt["id"], await person.code())

    assert await ledger.types_of_attempt(attempt["id"], expect="account.user.created") == SIGN_UP


async def test_the_log_tells_the_sign_in(person: Person, ledger: Ledger) -> None:
    """Each step of a sign-in is an event of its attempt, in order, and all name the same hash of the address."""
    await person.sign_up()
    attempt = await person.begin("sign-ins")
    await person.verify(attempt["id"], await person.code())

    events = await ledger.of_attempt(attempt["id"], expect="sign_in.succeeded")

    assert [event.event_type.value for event in events] == SIGN_IN
    assert len({event.subject.email_hash for event in events if event.subject}) == 1
    assert all(event.authsignal and event.authsignal.action == "signIn" for event in events)


async def test_receipts_are_kept(person: Person, ledger: Ledger) -> None:
    """The receipt on every answer of a story names a stored entry and its very leaf hash."""
    before = await ledger.count_quarantined()
    begun = await person.call("POST", "/v1/sign-ups", {"email": person.email})
    verified = await person.verify(begun.body["id"], await person.code())
    renamed = await person.call("PATCH", "/v1/me", {"display_name": "Grace"})
    ended = await person.call("DELETE", "/v1/session")

    kinds = [(await ledger.promised(answer.receipt)).event_type.value for answer in (begun, verified, renamed, ended)]

    assert kinds == ["sign_up.challenged", "session.created", "account.profile.changed", "session.ended"]
    assert await ledger.count_quarantined() == before


async def test_renaming_shows_everywhere(person: Person) -> None:
    """A changed name shows in the profile, in this session, and after the next sign-in."""
    await person.sign_up(display_name="Ada")

    renamed = await person.call("PATCH", "/v1/me", {"display_name": "Grace"})

    assert (renamed.status, renamed.body["display_name"]) == (200, "Grace")
    assert (await person.call("GET", "/v1/session")).body["subject"]["display_name"] == "Grace"
    await person.call("DELETE", "/v1/session")
    assert (await person.sign_in()).body["subject"]["display_name"] == "Grace"


async def test_tokens_are_refreshed_out_of_sight(person: Person, vault: Vault) -> None:
    """When the access token is about to end, a call that needs it gets a new one, and the refresh token rotates."""
    await person.sign_up()
    before = await vault.session(person.cookies[SESSION])
    assert before is not None
    await vault.change_session(person.cookies[SESSION], access_expires_at=0.0)

    renamed = await person.call("PATCH", "/v1/me", {"display_name": "Grace"})

    after = await vault.session(person.cookies[SESSION])
    assert renamed.status == 200
    assert after is not None
    assert after.access_token != before.access_token
    assert after.refresh_token != before.refresh_token


async def test_the_state_store_reads_nothing(person: Person, vault: Vault) -> None:
    """What the gateway keeps in the state store is sealed: no address, token or id in the clear."""
    attempt = await person.begin("sign-ups")

    sealed = await vault.state.get(f"attempt:{attempt['id']}")

    assert sealed is not None
    assert person.email.encode() not in sealed
    assert attempt["id"].encode() not in sealed
    assert msgspec.json.encode("sign_up") not in sealed
