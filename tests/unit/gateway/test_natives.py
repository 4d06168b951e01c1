"""Who is a native app, and who only says so."""

from pathlib import Path
from typing import Any

import pytest
from litestar import Request
from msgspec import NODEFAULT
from msgspec.structs import fields

from deploy.local import toml
from services.gateway import cookies
from services.gateway.natives import Caller, NativeClient, NativeClients, credential_of, is_browser
from services.gateway.settings import GatewaySettings
from shared.problems import InvalidRequest
from shared.settings import SettingsError, load

SECRET = "A" * 43
CLIENTS = NativeClients([NativeClient(id="demo-app", name="Demo app", methods=("PASSKEY", "EMAIL_OTP"))])
NEEDED = {field.name: "x" for field in fields(GatewaySettings) if field.default is NODEFAULT}
MARKS = {
    "Origin": "https://example.test",
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Dest": "empty",
    "Cookie": f"{cookies.SESSION}={SECRET}",
}


def request(**headers: str) -> Request[Any, Any, Any]:
    """Return a request with these headers."""
    named = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    scope: Any = {"type": "http", "headers": named}
    return Request(scope)


@pytest.mark.parametrize("name", MARKS)
def test_a_browser_is_never_an_app(name: str) -> None:
    """Each mark of a browser alone makes its Bearer credential worth nothing, and its client id a refusal."""
    came = request(**{name: MARKS[name], "Authorization": "Bearer credential"})

    assert is_browser(came)
    assert credential_of(came) is None
    with pytest.raises(InvalidRequest):
        CLIENTS.caller(came, "demo-app")


@pytest.mark.parametrize("given", ["Bearer credential", "bearer  credential "])
def test_an_apps_credential_is_read(given: str) -> None:
    """The scheme's case does not matter. Source: RFC 9110 section 11.1."""
    assert credential_of(request(Authorization=given)) == "credential"


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer ", "Basic credential", "credential", "Bearer " + "x" * 8193])
def test_other_credentials_are_none(given: str) -> None:
    """Without a Bearer credential of a sensible length nobody is let in by it."""
    assert credential_of(request(Authorization=given)) is None


def test_callers_are_told_apart() -> None:
    """A browser keeps the secret of its cookie, an app gets one of its own each time, and a stranger is refused."""
    browser = CLIENTS.caller(request(Cookie=f"{cookies.ATTEMPT}={SECRET}"), None)
    app = CLIENTS.caller(request(), "demo-app")

    assert browser == Caller(SECRET)
    assert (app.client_id, browser.client_id) == ("demo-app", None)
    assert app.secret != CLIENTS.caller(request(), "demo-app").secret
    with pytest.raises(InvalidRequest):
        CLIENTS.caller(request(), "another-app")


def test_an_app_is_offered_what_it_may() -> None:
    """Of the deployment's methods those that the registration names, in the deployment's order; all when it names none."""
    offered = ("EMAIL_OTP", "SMS", "PASSKEY")

    assert CLIENTS.caller(request(), "demo-app").offered(offered) == ("EMAIL_OTP", "PASSKEY")
    assert Caller(SECRET, NativeClient(id="any", name="Any")).offered(offered) == offered
    assert Caller(SECRET).offered(offered) == offered


def test_an_id_is_registered_once(tmp_path: Path) -> None:
    """Settings that name an app twice, or by an id that no request could carry, end the process before the port opens."""
    twice = [{"id": "demo-app", "name": "One"}, {"id": "demo-app", "name": "Two"}]
    file = tmp_path / "gateway.toml"
    for clients, words in ((twice, "each id may stand there once"), ([{"id": "a b", "name": "One"}], "native_clients")):
        file.write_text(toml.dumps({**NEEDED, "native_clients": clients}), encoding="utf-8")
        with pytest.raises(SettingsError, match=words):
            load(GatewaySettings, file)
