"""Native apps: tokens in the body, one use for each refresh token, one life for the whole family."""

import asyncio
import time

from services.gateway.cookies import digest
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.native_app import CLIENT_ID, NativeApp, signed_in
from tests.integration.gateway.person import SESSION, Person
from tests.integration.gateway.vault import Vault
from tests.stack import RunningStack


def family(app: NativeApp) -> str:
    """Return where an app's session is stored."""
    return digest(app.refresh_token.partition(".")[0])


async def test_an_app_gets_tokens_and_uses_them(person: Person, vault: Vault, ledger: Ledger) -> None:
    """
    A registered app signs up with no cookie in either direction; its access token opens account, sessions and step-ups; its
    session is listed by the app's name; the store holds neither token in the clear.
    """
    app = NativeApp(person)
    answer = await app.sign_in("sign-ups")

    tokens = answer.body["tokens"]
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 600)
    assert "Set-Cookie" not in answer.headers
    created = await ledger.promised(answer.receipt)
    assert (created.event_type.value, created.data["client_id"]) == ("session.created", CLIENT_ID)
    me = await app.call("GET", "/v1/session")
    assert (me.status, me.body["id"], "tokens" in me.body) == (200, answer.body["id"], False)
    assert [one["device"] for one in (await app.call("GET", "/v1/sessions")).body["sessions"]] == ["Demo app"]
    assert (await app.call("PATCH", "/v1/me", {"display_name": "Ada"})).body["display_name"] == "Ada"
    step_up = await app.call("POST", "/v1/step-ups", {"action": "authorizePayment", "context": {"amount": "10.00"}})
    assert (await app.call("GET", f"/v1/step-ups/{step_up.body['id']}")).status == 200
    sealed = await vault.state.get(f"session:{family(app)}")
    assert sealed is not None
    assert not any(token.encode() in sealed for token in (app.access_token, app.refresh_token))

    assert (await app.call("DELETE", "/v1/session")).status == 204
    assert (await app.call("GET", "/v1/session")).code == "session_expired"
    assert (await app.refresh()).code == "session_expired"


async def test_only_registered_apps_get_tokens(person: Person) -> None:
    """An unknown client id is refused, and the answer says so; an app's attempt is its own; a browser is given no token."""
    begin = {"identifier": person.email, "client_id": "nobodys-app"}
    unknown = await person.call("POST", "/v1/sign-ins", begin)

    assert (unknown.status, unknown.code) == (400, "invalid_request")
    assert "not registered" in unknown.body["errors"][0]["message"]
    app = await signed_in(person)
    attempt = await app.begin()
    assert (await app.call("GET", f"/v1/attempts/{attempt['id']}", token="a" * 43)).status == 404
    assert (await app.call("GET", f"/v1/attempts/{attempt['id']}", token=attempt["attempt_token"])).status == 200
    assert "tokens" not in (await person.stranger().sign_in()).body


async def test_an_app_cannot_tell_who_has_an_account(person: Person) -> None:
    """An app's attempt for an address that nobody has looks like any other, token and all."""
    await person.sign_up()
    known = await NativeApp(person).begin()
    stranger = person.stranger()
    stranger.email = f"nobody-{person.email}"
    unknown = await NativeApp(stranger).begin()

    assert known.keys() == unknown.keys()
    assert {len(one["attempt_token"]) for one in (known, unknown)} == {43}


async def test_a_refresh_token_works_once(person: Person, ledger: Ledger, stack: RunningStack) -> None:
    """
    Each refresh gives another refresh token and a new access token, on any copy of the gateway; half of a refresh token is no
    cookie, and a cookie is no half of a refresh token.
    """
    app = await signed_in(person)
    first = app.refresh_token

    answer = await app.at(stack["gateway_url"]).refresh()
    assert answer.status == 200, answer.body
    assert (await ledger.promised(answer.receipt)).event_type.value == "session.rotated"
    app.keep(answer.body)
    assert app.refresh_token not in {first, ""}
    assert app.refresh_token.partition(".")[0] == first.partition(".")[0]
    assert (await app.call("GET", "/v1/session")).status == 200
    again = await app.refresh()
    assert again.status == 200
    assert again.headers["RateLimit-Policy"] == '"refreshes_per_ip";q=600;w=600'
    app.keep(again.body)

    thief = person.stranger()
    thief.cookies = {SESSION: app.refresh_token.partition(".")[0]}
    assert (await thief.call("GET", "/v1/session")).code == "session_expired"
    browser = await person.elsewhere()
    forged = f"{browser.cookies[SESSION]}.{'a' * 43}"
    assert (await app.refresh(token=forged)).code == "session_expired"
    assert (await browser.call("GET", "/v1/session")).status == 200
    assert (await app.call("GET", "/v1/session")).status == 200


async def test_of_many_refreshes_at_once_one_wins(person: Person, stack: RunningStack) -> None:
    """One token, sent to two copies at the same moment under four keys, is traded once."""
    app = await signed_in(person)
    there = app.at(stack["gateway_url"])

    answers = await asyncio.gather(app.refresh(), there.refresh(), app.refresh(), there.refresh())

    won = [answer for answer in answers if answer.status == 200]
    lost = {(answer.status, answer.code) for answer in answers if answer.status != 200}
    assert len(won) == 1
    # A twin that came while the token was still good is told to wait; one that came later looks like a thief.
    assert lost <= {(409, "conflict"), (401, "session_expired")}


async def test_a_twin_under_way_harms_nothing(person: Person, vault: Vault) -> None:
    """While one copy refreshes, another answers that it is under way; the token stays good, and the family lives."""
    app = await signed_in(person)
    lock = f"refresh:{family(app)}"
    await vault.state.put(lock, b"1", ttl_seconds=60)

    assert (await app.refresh()).code == "conflict"
    await vault.state.delete(lock)

    assert (await app.refresh()).status == 200


async def test_an_apps_session_ends_idle_or_old(person: Person, vault: Vault) -> None:
    """Unused it dies in the store after its idle limit, and however much it is used, at its absolute one."""
    app = await signed_in(person)
    (session,) = await vault.sessions_of((await app.call("GET", "/v1/session")).body["subject"]["sub"])
    assert 43_100 < await vault.life_seconds(f"session:{session.key}") <= 43_200
    assert 86_300 < session.expires_at - session.authenticated_at <= 86_400

    await vault.change(session, expires_at=time.time() - 1)

    assert (await app.call("GET", "/v1/session")).code == "session_expired"
    assert (await app.refresh()).code == "session_expired"
