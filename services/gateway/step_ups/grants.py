"""
Grants: what a step-up gives, and a business service checks.

A JWT, EdDSA (Ed25519): ``iss`` this gateway, ``sub`` the person, ``action``, ``ctx`` the hash of the details, ``amr`` the
method, ``jti`` the step-up, ``iat``, ``exp``. Its key is published at ``/.well-known/jwks.json``, so that a service can check
it alone; only the consume endpoint also makes it count once. Source: RFC 7519, RFC 8037.
"""

import base64
import hashlib
import json
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.gateway.attempts.model import Attempt

LIFE_SECONDS: Final = 120


class GrantSigner:
    """
    Signs grants with the first key; publishes both.

    Args:
        keys: One or two Ed25519 seeds, 64 hex digits each.
        issuer: The gateway's public origin.
    """

    def __init__(self, keys: list[str], *, issuer: str) -> None:
        self._keys = [Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key)) for key in keys]
        self._issuer = issuer

    def sign(self, attempt: Attempt) -> str:
        """Return the grant of a step-up that was allowed or proven; it ends with the step-up's own grant."""
        claims = {
            "iss": self._issuer,
            "sub": attempt.sub,
            "action": attempt.action,
            "ctx": attempt.details_hash,
            "amr": [attempt.proof_method] if attempt.proof_method is not None else [],
            "jti": attempt.id,
            "iat": int(attempt.grant_expires_at) - LIFE_SECONDS,
            "exp": int(attempt.grant_expires_at),
        }
        key = self._keys[0]
        return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": _thumbprint(key)})

    def jwks(self) -> dict[str, Any]:
        """Return the public keys. Source: RFC 7517 section 5, RFC 8037 section 2."""
        return {"keys": [{**_public(key), "kid": _thumbprint(key), "use": "sig", "alg": "EdDSA"} for key in self._keys]}


def _public(key: Ed25519PrivateKey) -> dict[str, str]:
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"crv": "Ed25519", "kty": "OKP", "x": _base64url(raw)}


def _thumbprint(key: Ed25519PrivateKey) -> str:
    """Return the key's name: its thumbprint. Source: RFC 7638."""
    text = json.dumps(_public(key), sort_keys=True, separators=(",", ":"))
    return _base64url(hashlib.sha256(text.encode()).digest())


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
