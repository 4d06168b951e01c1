"""W19: requests that another site makes in the name of whoever is signed in."""

import pytest

from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import SESSION, Person

FOREIGN = {"Origin": "https://evil.example"}


@pytest.mark.parametrize(
    "headers",
    [
        FOREIGN,
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {**FOREIGN, "Sec-Fetch-Site": "same-origin"},
    ],
)
async def test_w19_foreign_pages_write_nothing(person: Person, headers: dict[str, str]) -> None:
    """A write that a browser says comes from another origin is refused, with and without a session."""
    anonymous = await person.call("POST", "/v1/sign-ins", {"identifier": person.email}, headers=headers)
    await person.sign_up()

    renamed = await person.call("PATCH", "/v1/me", {"display_name": "Mallory"}, headers=headers)
    ended = await person.call("DELETE", "/v1/session", headers=headers)

    for answer in (anonymous, renamed, ended):
        assert (answer.status, answer.code) == (403, "origin_rejected")
    assert (await person.call("GET", "/v1/me")).body["display_name"] is None


async def test_w19_our_own_page_writes(person: Person) -> None:
    """The gateway's own origin is let in."""
    headers = {"Origin": person.url, "Sec-Fetch-Site": "same-origin"}

    assert (await person.call("POST", "/v1/sign-ins", {"identifier": person.email}, headers=headers)).status == 202


async def test_w19_an_attack_on_a_session_is_recorded(person: Person, ledger: Ledger) -> None:
    """A refused write that came with somebody's session is an event that names the page."""
    await person.sign_up()

    answer = await person.call("DELETE", "/v1/session", headers=FOREIGN)

    event = await ledger.promised(answer.receipt)
    assert (event.event_type.value, event.data) == ("abuse.csrf.rejected", {"origin": "https://evil.example"})
    assert SESSION in person.cookies


async def test_w19_other_origins_read_nothing(person: Person) -> None:
    """No answer lets a page of another origin read it."""
    answer = await person.call("GET", "/v1/config", headers=FOREIGN)

    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
