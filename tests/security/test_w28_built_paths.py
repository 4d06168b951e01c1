"""W28: an id with a path in it, put into a URL that is called with the secret key."""

import re

import pytest

from tests.integration.gateway.person import Person
from tests.integration.gateway.simulator import Authsignal

CRAFTED = ["..%2f..%2fusers", "a%2Fb", "%2e%2e", "x%3Fy=1", "x%23y", "%00", "x%0d%0ay", "x" * 65, "..;%2f"]
PLAIN = re.compile(r"/v1(?:/[A-Za-z0-9_-]+)+")


@pytest.mark.parametrize("crafted", CRAFTED)
async def test_w28_no_id_reaches_another_path(person: Person, authsignal: Authsignal, crafted: str) -> None:
    """However an id is written, Authsignal is called at the paths that we mean or not at all."""
    await authsignal.reset()  # What others called before is theirs.
    sub = (await person.sign_up()).body["subject"]["sub"]

    answers = [
        await person.call("DELETE", f"/v1/me/authenticators/{crafted}"),
        await person.call("PATCH", f"/v1/me/authenticators/{crafted}", {"name": "x"}),
        await person.call("POST", f"/v1/me/enrolments/{crafted}/completions", {}),
        await person.call("POST", f"/v1/attempts/{crafted}/verifications", {"code": "123456"}),
        await person.call("POST", f"/v1/step-ups/{crafted}/verifications", {"code": "123456"}),
        await person.call("DELETE", f"/v1/sessions/{crafted}"),
    ]

    assert {answer.status for answer in answers} <= {400, 404, 405}
    called = {str(call["path"]).partition("?")[0] for call in await authsignal.calls("/v1/users")}
    assert {path for path in called if not PLAIN.fullmatch(path)} == set()
    assert await authsignal.methods(sub) == ["EMAIL_OTP"]


@pytest.mark.parametrize("action", ["../users", "a/b", "..", "x?y", "x#y", "", "x" * 65, "ä", "x\n"])
async def test_w28_no_action_does(person: Person, authsignal: Authsignal, action: str) -> None:
    """An action is a short word, or it is refused before anything is tracked."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    before = len(await authsignal.calls("/v1/users"))

    answer = await person.call("POST", "/v1/step-ups", {"action": action})

    assert (answer.status, answer.code) == (400, "invalid_request")
    assert len(await authsignal.calls("/v1/users")) == before
    assert await authsignal.methods(sub) == ["EMAIL_OTP"]


@pytest.mark.parametrize("name", ["../../x", "{id}", "<script>alert(1)</script>", "a" * 60])
async def test_w28_a_name_is_only_a_name(person: Person, authsignal: Authsignal, name: str) -> None:
    """The name of an authenticator is kept as data, whatever is in it."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    (own,) = (await person.call("GET", "/v1/me/authenticators")).body["authenticators"]

    answer = await person.call("PATCH", f"/v1/me/authenticators/{own['id']}", {"name": name})

    assert (answer.status, answer.body["authenticators"][0]["name"]) == (200, name)
    assert await authsignal.methods(sub) == ["EMAIL_OTP"]
