"""W21: tokens of another kind, client or maker, where an access token is asked for."""

import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.integration.gateway.direct_app import DirectApp
from tests.integration.gateway.person import SESSION, Person
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault
from tests.stack import RunningStack


@pytest.fixture
async def app(person: Person, authsignal: Authsignal, stack: RunningStack) -> DirectApp:
    """Somebody signed in through the direct client, and through the gateway."""
    await person.sign_up()
    app = DirectApp(stack, authsignal, person)
    await app.sign_in()
    return app


def unsigned(token: str, **changes: Any) -> str:
    """Return the token's claims, some changed, without a signature."""
    claims = {**jwt.decode(token, options={"verify_signature": False}), **changes}
    return jwt.encode(claims, "", algorithm="none")


def resigned(token: str, key: Any, algorithm: str, **headers: Any) -> str:
    """Return the token's claims under a signature of one's own."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": jwt.get_unverified_header(token)["kid"], **headers})


def altered(token: str) -> str:
    """Return a token whose claims were changed under the old signature."""
    header, claims, signature = token.split(".")
    changed = {**json.loads(base64.urlsafe_b64decode(claims + "==")), "sub": "00000000-0000-4000-8000-000000000000"}
    return f"{header}.{base64.urlsafe_b64encode(json.dumps(changed).encode()).rstrip(b'=').decode()}.{signature}"


async def test_w21_a_token_of_ones_own_is_taken(app: DirectApp) -> None:
    """The access token that all the others differ from is good."""
    assert (await app.call("GET", "authenticators")).status == 200


@pytest.mark.parametrize(
    "kind", ["ID token", "of the gateway's client", "unsigned", "HS256", "another key", "altered", "a key of its own", "none"]
)
async def test_w21_no_other_token_is(app: DirectApp, person: Person, vault: Vault, kind: str) -> None:
    """An ID token, a token for another client, and every kind of forgery are 401, for reading and for writing."""
    session = await vault.session(person.cookies[SESSION])
    assert session is not None
    own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    app.access_token = {
        "ID token": app.id_token,
        "of the gateway's client": session.access_token,
        "unsigned": unsigned(app.access_token),
        "HS256": resigned(app.access_token, "k" * 32, "HS256"),
        "another key": resigned(app.access_token, own, "RS256"),
        "altered": altered(app.access_token),
        "a key of its own": resigned(app.access_token, own, "RS256", jku="http://127.0.0.1:9/jwks.json", kid="mine"),
        "none": "",
    }[kind]

    for method, path in (("GET", "authenticators"), ("POST", "authenticators")):
        answer = await app.call(method, path, {} if method == "POST" else None)
        assert (answer.status, answer.code) == (401, "unauthorized")
        assert "Bearer" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("kind", ["a person's", "ID token", "direct client's", "unsigned auditor"])
async def test_w21_the_log_is_read_by_auditors_alone(
    app: DirectApp, person: Person, vault: Vault, stack: RunningStack, kind: str
) -> None:
    """The audit service takes no token but an auditor's access token for the gateway's client."""
    session = await vault.session(person.cookies[SESSION])
    assert session is not None
    auditor = {"cognito:groups": ["security-auditors"]}
    token = {
        "a person's": session.access_token,
        "ID token": app.id_token,
        "direct client's": app.access_token,
        "unsigned auditor": unsigned(session.access_token, **auditor),
    }[kind]
    reader = person.stranger()
    reader.url = stack["audit_url"]

    answer = await reader.call("GET", "/v1/events?limit=1", headers={"Authorization": f"Bearer {token}"})

    assert answer.status == (403 if kind == "a person's" else 401)
