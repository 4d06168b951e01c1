"""W08: tokens where a script of the page can read them."""

import json
import re

from tests.integration.gateway.native_app import CLIENT_ID, signed_in
from tests.integration.gateway.person import ATTEMPT, SESSION, Person


async def test_w08_cookies_are_for_this_host_alone(person: Person) -> None:
    """Both cookies are opaque and come with every attribute that keeps them to this host, this site and out of scripts."""
    begun = await person.call("POST", "/v1/sign-ups", {"email": person.email})
    verified = await person.verify(begun.body["id"], await person.code())

    for answer, name in ((begun, ATTEMPT), (verified, SESSION)):
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith(f"{name}=")
        assert {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"} < {part.strip() for part in cookie.split(";")}
        assert "Domain" not in cookie


JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.")


async def test_w08_a_signed_in_page_holds_no_token(person: Person) -> None:
    """Of all answers that a page gets from the code on, none holds a token, in its body or its headers."""
    attempt = await person.begin("sign-ups")
    answers = [await person.verify(attempt["id"], await person.code())]
    paths = ("/v1/session", "/v1/sessions", "/v1/me", "/v1/me/authenticators", "/v1/me/activity", "/v1/config")
    answers += [await person.call("GET", path) for path in paths]
    answers.append(await person.call("PATCH", "/v1/me", {"display_name": "Ada"}))

    for answer in answers:
        assert answer.status == 200
        assert JWT.search(json.dumps(answer.body)) is None
        assert not [value for value in answer.headers.values() if JWT.search(value)]
    assert len(person.cookies[SESSION]) == 43


async def test_w08_a_page_cannot_pass_for_an_app(person: Person) -> None:
    """What carries any mark of a browser begins nothing as a native app, and an app's credential opens nothing for it."""
    app = await signed_in(person)
    begin = {"identifier": person.email, "client_id": CLIENT_ID}
    marks = [{"Origin": person.url}, {"Sec-Fetch-Site": "same-origin"}, {"Cookie": f"{ATTEMPT}={'a' * 43}"}]

    for headers in marks:
        refused = await person.stranger().call("POST", "/v1/sign-ins", begin, headers=headers)
        assert (refused.status, refused.body["errors"][0]["field"]) == (400, "client_id")
        assert (await app.call("GET", "/v1/session", **headers)).status == 401
    assert (await app.call("GET", "/v1/session")).status == 200
