"""
Cognito access tokens, checked offline.

Rules: algorithm exactly RS256; key by `kid` from the pool's JWKS; `iss` exact; `client_id` one of ours; `token_use` is access;
`exp` ahead. A token seen before is found by its SHA-256, its `exp` looked at again. Revocation is not visible here: that is
what the gateway's own session record is for.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from typing import Any, Final

import aiohttp
import jwt
import msgspec

LEEWAY_SECONDS: Final = 5
CACHE_TOKENS_MAX: Final = 10_000
REFETCH_SECONDS_MIN: Final = 10
FETCH_SECONDS_MAX: Final = 3


class TokenInvalid(Exception):
    """The token is not one of ours, not for us, or too old; the text says why and is for logs only."""


class KeysUnavailable(Exception):
    """The pool's keys could not be fetched: a fault of ours or of Cognito, not of the caller."""


class Claims(msgspec.Struct, frozen=True):
    """What a verified access token says. `expires_at` is in Unix seconds."""

    sub: str
    username: str
    client_id: str
    expires_at: int
    groups: tuple[str, ...] = ()
    origin_jti: str | None = None
    auth_time: int | None = None


class TokenVerifier:
    """
    Verifies access tokens of one user pool.

    Args:
        http: Session used to fetch the keys.
        issuer: The pool's issuer, compared exactly.
        client_ids: App clients whose tokens are taken.
        jwks_url: Where the pool's keys are.
    """

    def __init__(self, http: aiohttp.ClientSession, *, issuer: str, client_ids: frozenset[str], jwks_url: str) -> None:
        self._http = http
        self._issuer = issuer
        self._client_ids = client_ids
        self._jwks_url = jwks_url
        self._keys: dict[str, Any] = {}
        self._fetched_at = -float(REFETCH_SECONDS_MIN)
        self._fetching = asyncio.Lock()
        self._seen: OrderedDict[bytes, Claims] = OrderedDict()

    async def verify(self, token: str) -> Claims:
        """
        Check a token and return what it says.

        Raises:
            TokenInvalid: See the rules above.
            KeysUnavailable: The keys are not known and could not be fetched.
        """
        digest = hashlib.sha256(token.encode()).digest()
        claims = self._seen.get(digest)
        if claims is None:
            claims = self._check(token, await self._key(token))
            self._seen[digest] = claims
            if len(self._seen) > CACHE_TOKENS_MAX:
                self._seen.popitem(last=False)
        if claims.expires_at + LEEWAY_SECONDS < time.time():
            raise TokenInvalid("expired")
        return claims

    async def _key(self, token: str) -> Any:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise TokenInvalid("malformed") from error
        if header.get("alg") != "RS256":
            raise TokenInvalid("algorithm")
        kid = str(header.get("kid"))
        if kid not in self._keys:
            await self._fetch_keys()
        if kid not in self._keys:
            raise TokenInvalid("unknown key")
        return self._keys[kid]

    async def _fetch_keys(self) -> None:
        async with self._fetching:
            if time.monotonic() - self._fetched_at < REFETCH_SECONDS_MIN:
                return
            try:
                async with self._http.get(self._jwks_url, timeout=aiohttp.ClientTimeout(total=FETCH_SECONDS_MAX)) as answer:
                    answer.raise_for_status()
                    key_set = jwt.PyJWKSet.from_json((await answer.read()).decode())
            except (aiohttp.ClientError, TimeoutError, jwt.PyJWTError, ValueError) as error:
                if self._keys:
                    return
                raise KeysUnavailable(str(error)) from error
            self._keys = {key.key_id: key.key for key in key_set.keys if key.key_id}
            self._fetched_at = time.monotonic()

    def _check(self, token: str, key: Any) -> Claims:
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "sub"], "verify_aud": False},
            )
        except jwt.InvalidTokenError as error:
            raise TokenInvalid(type(error).__name__) from error
        if claims.get("token_use") != "access":
            raise TokenInvalid("not an access token")
        if claims.get("client_id") not in self._client_ids:
            raise TokenInvalid("another client's token")
        return Claims(
            sub=claims["sub"],
            username=str(claims.get("username", claims["sub"])),
            client_id=claims["client_id"],
            expires_at=int(claims["exp"]),
            groups=tuple(claims.get("cognito:groups", ())),
            origin_jti=claims.get("origin_jti"),
            auth_time=claims.get("auth_time"),
        )
