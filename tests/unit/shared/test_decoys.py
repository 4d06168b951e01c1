"""Tokens that are none."""

import base64
import json
import uuid
from typing import Any

import jwt
import pytest

from shared.decoys import DecoyTokens
from shared.ids import is_uuid

NOW = 1_800_000_000
REAL_CLAIMS = {
    "iat": 1_700_000_000,
    "exp": 1_700_000_900,
    "sub": str(uuid.uuid4()),
    "iss": "https://issuer",
    "jti": str(uuid.uuid4()),
    "scope": "read:authenticators",
    "other": {
        "tenantId": "tenant",
        "userId": "somebody",
        "actionCode": "signIn",
        "idempotencyKey": str(uuid.uuid4()),
        "deeper": {"userId": "somebody", "kept": 7},
    },
}
KEY = "0" * 64


def decoded(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Take a token apart."""
    parts = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")]
    return json.loads(parts[0]), json.loads(parts[1]), parts[2]


def shape(value: Any) -> Any:
    """Return names and types."""
    return {name: shape(item) for name, item in value.items()} if isinstance(value, dict) else type(value)


def made(tokens: DecoyTokens) -> str:
    """Make a decoy."""
    return tokens.make(action="signIn", idempotency_key="k" * 36)


@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
def test_a_decoy_is_made_like_the_last_real_token(algorithm: str) -> None:
    """Header, names and types of claims, life and length of the signature are those of the token seen last."""
    real = jwt.encode(REAL_CLAIMS, KEY, algorithm=algorithm, headers={"kid": "key-1"})
    tokens = DecoyTokens(clock=lambda: NOW)
    tokens.learn(real)

    (header, claims, signature), (real_header, real_claims, real_signature) = decoded(made(tokens)), decoded(real)

    assert header == real_header
    assert shape(claims) == shape(real_claims)
    assert list(claims) == list(real_claims)
    assert len(signature) == len(real_signature)
    assert (claims["iat"], claims["exp"]) == (NOW, NOW + 900)


def test_a_decoy_names_nobody_real() -> None:
    """Nothing that stood for a person, an action or a moment in the real token is left in the decoy."""
    tokens = DecoyTokens(clock=lambda: NOW)
    tokens.learn(jwt.encode(REAL_CLAIMS, KEY))

    _, claims, _ = decoded(made(tokens))

    assert claims["other"]["idempotencyKey"] == "k" * 36
    assert claims["sub"] == claims["other"]["userId"] == claims["other"]["deeper"]["userId"]
    assert is_uuid(claims["sub"])
    for name in ("sub", "jti", "iat", "exp"):
        assert claims[name] != REAL_CLAIMS[name]


def test_two_decoys_differ() -> None:
    """Every decoy is about another nobody."""
    tokens = DecoyTokens()

    assert made(tokens) != made(tokens)


def test_a_decoy_is_not_signed() -> None:
    """Not even with the real key does a decoy verify."""
    tokens = DecoyTokens()
    tokens.learn(jwt.encode(REAL_CLAIMS, KEY))

    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(made(tokens), KEY, algorithms=["HS256"], options={"verify_exp": False})


@pytest.mark.parametrize(
    "token", ["", "a", "a.b", "a.b.c", "....", "e30.e30", "e30.!!!.x", "\u00e4.\u00e4.\u00e4", "W10.W10.eA"]
)
def test_rubbish_teaches_nothing(token: str) -> None:
    """A token that is no JWT leaves the make as it was."""
    tokens = DecoyTokens(clock=lambda: NOW)
    before = shape(decoded(made(tokens))[1])

    tokens.learn(token)

    assert shape(decoded(made(tokens))[1]) == before
