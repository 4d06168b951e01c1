"""
Access tokens of sessions: RS256, verifiable by anyone through the JWKS. Pure.

Whoever verifies by the JWKS alone does not notice a revocation: the Server API's validate does.
"""

import base64
import uuid
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from deploy.local.authsignal.model import SigningKey

_ALGORITHM = "RS256"
_KEY_BITS = 2_048
# Expiry is judged by the simulator's clock, by whoever calls.
_DECODE_OPTIONS: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}


class AccessClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What an access token says about its session."""

    session_id: str
    access_id: str
    user_id: str
    client_id: str
    expires_at: float


def new_signing_key() -> SigningKey:
    """A fresh RSA key; making one takes a moment."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=_KEY_BITS)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return SigningKey(key_id=str(uuid.uuid4()), private_key=pem.decode())


def mint(key: SigningKey, claims: AccessClaims, *, issuer: str, now: float, email: str | None) -> str:
    """Sign an access token."""
    payload: dict[str, Any] = {
        "iss": issuer,
        "sub": claims.user_id,
        "aud": claims.client_id,
        "iat": int(now),
        "exp": int(claims.expires_at),
        "jti": claims.access_id,
        "sid": claims.session_id,
        **({"email": email} if email else {}),
    }
    return jwt.encode(payload, key.private_key, algorithm=_ALGORITHM, headers={"kid": key.key_id})


def read(key: SigningKey, token: str, *, issuer: str) -> AccessClaims | None:
    """What a token of ours says, expired or not; None if it is not ours."""
    try:
        payload = jwt.decode(token, _load(key).public_key(), [_ALGORITHM], issuer=issuer, options=_DECODE_OPTIONS)
        return AccessClaims(
            session_id=payload["sid"],
            access_id=payload["jti"],
            user_id=payload["sub"],
            client_id=payload["aud"],
            expires_at=payload["exp"],
        )
    except (jwt.InvalidTokenError, KeyError):
        return None


def jwks(key: SigningKey) -> dict[str, list[dict[str, str]]]:
    """The public key as a JSON Web Key Set."""
    numbers = _load(key).public_key().public_numbers()
    shown = {"kty": "RSA", "use": "sig", "alg": _ALGORITHM, "kid": key.key_id}
    return {"keys": [{**shown, "n": _base64url(numbers.n), "e": _base64url(numbers.e)}]}


def _base64url(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _load(key: SigningKey) -> rsa.RSAPrivateKey:
    loaded = serialization.load_pem_private_key(key.private_key.encode(), password=None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    return loaded
