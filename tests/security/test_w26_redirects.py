"""W26: a redirect that the client chooses, and tokens in URLs."""

import pytest

from tests.integration.gateway.person import Person
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.written import found

EVIL = "https://evil.example/"


@pytest.mark.parametrize("field", ["redirect_url", "redirectUrl", "redirect_uri", "return_to", "next"])
@pytest.mark.parametrize("kind", ["sign-ups", "sign-ins"])
async def test_w26_no_request_names_a_redirect(person: Person, kind: str, field: str) -> None:
    """There is no field for a place to come back to."""
    name = "email" if kind == "sign-ups" else "identifier"

    answer = await person.call("POST", f"/v1/{kind}", {name: person.email, field: EVIL})

    assert (answer.status, answer.code) == (400, "invalid_request")


@pytest.mark.parametrize("path", [f"/?next={EVIL}", f"/sign-in?redirect_url={EVIL}", "//evil.example", "/%2f/evil.example"])
async def test_w26_no_answer_redirects_elsewhere(person: Person, path: str) -> None:
    """Whatever is asked for, no answer sends the browser to another origin."""
    _, headers, _ = await person.page(path)

    assert "evil" not in headers.get("Location", "")
    assert "evil" not in headers.get("Refresh", "")


async def test_w26_authsignal_is_given_none_either(person: Person, authsignal: Authsignal) -> None:
    """No action is tracked with a redirect: nothing of Authsignal's ever comes back in a URL."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    await person.begin("sign-ins")

    actions = (await authsignal.control("GET", f"/users/{sub}"))["actions"]

    assert len(actions) >= 2
    assert {one["redirect_url"] for one in actions} == {None}


async def test_w26_no_url_carries_a_secret(person: Person, authsignal: Authsignal) -> None:
    """Codes and tokens travel in bodies: no URL that Authsignal was called at holds one."""
    await person.sign_up()
    attempt = await person.begin("sign-ins")
    token = await authsignal.earn(attempt["sdk"]["token"], person.email)
    await person.complete(attempt["id"], token)
    secrets = {token, attempt["sdk"]["token"], *await person.codes()}

    paths = [str(call["path"]) for call in await authsignal.calls("/v1")]

    assert len(paths) > 4
    assert found(secrets, "\n".join(paths)) == []
