"""W18: a session that nothing ends."""

import aiohttp
import pytest
from botocore.exceptions import ClientError

from services.gateway.cookies import digest
from services.gateway.sessions.model import Session
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.native_app import signed_in
from tests.integration.gateway.person import SESSION, Person
from tests.integration.gateway.process import ServiceProcess
from tests.integration.gateway.vault import Vault
from tests.stack import RunningStack


def refuses(stack: RunningStack, session: Session) -> None:
    """Require that Cognito no longer honours the refresh token of a session."""
    secret = (stack.state_dir / "secrets" / "cognito_client_secret").read_text().strip()
    with pytest.raises(ClientError, match=r"NotAuthorizedException|RefreshTokenReuseException"):
        stack.aws("cognito-idp").get_tokens_from_refresh_token(
            RefreshToken=session.refresh_token, ClientId=stack["aws"]["gateway_client_id"], ClientSecret=secret
        )


async def test_w18_a_revoked_sessions_tokens_are_worth_nothing(person: Person, vault: Vault, stack: RunningStack) -> None:
    """Cognito no longer honours the refresh token of a session that was revoked from another browser."""
    await person.sign_up()
    other = await person.elsewhere()
    held = await vault.session(other.cookies[SESSION])
    assert held is not None

    await person.call("DELETE", f"/v1/sessions/{held.ref}")

    refuses(stack, held)


@pytest.mark.parametrize("path", ["/v1/sessions/{id}", "/v1/sessions"])
async def test_w18_a_revoke_holds_on_every_copy(
    person: Person, gateway: ServiceProcess, stack: RunningStack, http: aiohttp.ClientSession, path: str
) -> None:
    """A session that one copy of the gateway revokes is over on another copy with the next request."""
    await person.sign_up()
    copy = Person(http, stack["gateway_url"], stack["mail"]["inbox_url"])
    copy.cookies = {SESSION: (await person.elsewhere()).cookies[SESSION]}
    assert copy.url != gateway.url == person.url
    there = await copy.call("GET", "/v1/session")
    assert there.status == 200

    await person.call("DELETE", path.format(id=there.body["id"]))
    answer = await copy.call("GET", "/v1/session")

    assert (answer.status, answer.code) == (401, "session_expired")


async def test_w18_a_session_ends_at_its_absolute_limit(person: Person, vault: Vault) -> None:
    """However much it is used, a session past its end is none."""
    await person.sign_up()
    await vault.change_session(person.cookies[SESSION], expires_at=1.0)

    assert (await person.call("GET", "/v1/session")).code == "session_expired"


async def test_w18_an_idle_session_dies_in_the_store(person: Person, vault: Vault) -> None:
    """The store itself ends a session that nobody uses for an hour: no process has to remember to."""
    await person.sign_up()

    assert 0 < await vault.life_seconds(f"session:{digest(person.cookies[SESSION])}") <= 3600


async def test_w18_access_tokens_are_short(person: Person, vault: Vault) -> None:
    """What Cognito issues lives ten minutes, and the session as a whole half a day."""
    await person.sign_up()
    session = await vault.session(person.cookies[SESSION])

    assert session is not None
    assert session.access_expires_at - session.authenticated_at <= 600
    assert session.expires_at - session.authenticated_at <= 12 * 3600


async def test_w18_a_replayed_refresh_token_kills_its_family(
    person: Person, vault: Vault, ledger: Ledger, stack: RunningStack
) -> None:
    """
    The same request again, its answer lost, gets the same answer and harms nothing. The used token under any other key, at
    another copy, ends the session on both with the next request, at Cognito as well, and the log tells it as what it is.
    """
    app = await signed_in(person)
    sub = (await app.call("GET", "/v1/session")).body["subject"]["sub"]
    used = app.refresh_token
    lost = await app.refresh(key="the-one-that-was-lost")
    found = await app.refresh(key="the-one-that-was-lost")
    assert (found.status, found.body, found.headers["idempotent-replayed"]) == (200, lost.body, "true")
    app.keep(found.body)
    assert (await app.call("GET", "/v1/session")).status == 200
    (session,) = await vault.sessions_of(sub)

    replayed = await app.at(stack["gateway_url"]).refresh(token=used)
    assert (replayed.status, replayed.code) == (401, "session_expired")
    assert (await app.call("GET", "/v1/session")).code == "session_expired"
    assert (await app.refresh()).code == "session_expired"

    (reused,) = await ledger.told_of(sub, "session.refresh.reused")
    assert (reused.outcome.value, reused.reason, reused.session_ref) == ("denied", "refresh_token_reused", session.ref)
    (revoked,) = await ledger.told_of(sub, "session.revoked")
    assert (revoked.reason, revoked.cognito and revoked.cognito.error) == ("refresh_token_reused", None)
    refuses(stack, session)
