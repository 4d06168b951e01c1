"""
Client tokens: JWTs signed with the Server API secret key.

1. HS256 only; another algorithm in the header is a forgery, not a choice.
2. Either active key verifies, the first one signs: a token survives one rotation.
3. Time comes from the caller, so that a test's clock governs expiry.
4. The track token and the token after a proof are the same kind of thing; they differ in scope and age.
"""

import hashlib
from typing import Any

import jwt
import msgspec

from deploy.local.authsignal.errors import ExpiredToken, InvalidToken
from deploy.local.authsignal.scopes import parse_scope

_ALGORITHM = "HS256"
# Expiry is checked here against the simulator's clock, and the service's own audience and issuer are not known.
_DECODE_OPTIONS: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}


class TokenClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says: the action instance it belongs to, and what its bearer may do."""

    user_id: str
    action_code: str
    idempotency_key: str
    scopes: tuple[str, ...]


class TokenMint:
    """Signs and reads the tokens of one tenant."""

    def __init__(self, *, keys: tuple[str, ...], tenant_id: str, issuer: str) -> None:
        self._keys = keys
        self._tenant_id = tenant_id
        self._issuer = issuer
        self._publishable_key = hashlib.sha256(tenant_id.encode()).hexdigest()[:32]

    def mint(self, claims: TokenClaims, *, now: float, duration_seconds: int) -> str:
        """Sign a token that lives from `now` for `duration_seconds`."""
        issued_at = int(now)
        payload = {
            "iat": issued_at,
            "exp": issued_at + duration_seconds,
            "sub": claims.user_id,
            "iss": self._issuer,
            "aud": self._issuer,
            "scope": " ".join(claims.scopes),
            "other": {
                "tenantId": self._tenant_id,
                "publishableKey": self._publishable_key,
                "userId": claims.user_id,
                "actionCode": claims.action_code,
                "idempotencyKey": claims.idempotency_key,
            },
        }
        return jwt.encode(payload, self._keys[0], algorithm=_ALGORITHM)

    def read(self, token: str, *, now: float) -> TokenClaims:
        """
        Verify a token and say what it claims.

        Raises:
            InvalidToken: Not a token, not signed by this tenant, or for another tenant.
            ExpiredToken: Ours, and too old at `now`.
        """
        payload = self._verified_payload(token)
        try:
            other = payload["other"]
            claims = TokenClaims(
                user_id=str(other["userId"]),
                action_code=str(other["actionCode"]),
                idempotency_key=str(other["idempotencyKey"]),
                scopes=parse_scope(str(payload["scope"])),
            )
            tenant_id, expires_at = other["tenantId"], float(payload["exp"])
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidToken("The token lacks a claim.") from error
        if tenant_id != self._tenant_id:
            raise InvalidToken("The token belongs to another tenant.")
        if now >= expires_at:
            raise ExpiredToken
        return claims

    def _verified_payload(self, token: str) -> dict[str, Any]:
        for key in self._keys:
            try:
                return jwt.decode(token, key, algorithms=[_ALGORITHM], options=_DECODE_OPTIONS)
            except jwt.InvalidSignatureError:
                continue
            except jwt.InvalidTokenError as error:
                raise InvalidToken("The token is malformed.") from error
        raise InvalidToken("The token's signature is invalid.")
