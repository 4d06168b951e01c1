"""Tokens of realistic size and shape; their signatures are filler, since nobody here checks one."""

import base64
from typing import Any, Final

import msgspec

_HEADER: Final = "eyJraWQiOiJiZW5jaG1hcmsta2V5LTAwMDAwMDAwMDAwMCIsImFsZyI6IlJTMjU2In0"
_RSA_SIGNATURE: Final = "s" * 342
_HMAC_HEADER: Final = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
_HMAC_SIGNATURE: Final = "s" * 43


def rsa_token(claims: dict[str, Any]) -> str:
    """Return a JWT as Cognito's look."""
    return f"{_HEADER}.{_encoded(claims)}.{_RSA_SIGNATURE}"


def hmac_token(claims: dict[str, Any]) -> str:
    """Return a JWT as Authsignal's look."""
    return f"{_HMAC_HEADER}.{_encoded(claims)}.{_HMAC_SIGNATURE}"


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a token."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def _encoded(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(claims)).rstrip(b"=").decode()
