"""
Tokens that look like Authsignal's and are none, for attempts whose person gets no real one.

Where the Web SDK may go on in the browser, an attempt carries a token; an attempt for an unknown address must carry one too, of
the same make. The make is copied from the last real token: header, claims and length of signature, with other ids and times.
What Authsignal itself says to such a token is out of our hands: the gateway's `sdk_sign_in_enabled` and the direct client are
off unless an operator wants them.
"""

import base64
import json
import os
import time
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

Json = dict[str, Any]

# Before the first real token was seen; the claims that Authsignal's published decoders read.
FIRST_HEADER: Final[Json] = {"alg": "HS256", "typ": "JWT"}
FIRST_CLAIMS: Final[Json] = {"iat": 0, "exp": 600, "sub": "", "scope": "read:authenticators", "other": {"userId": ""}}
FIRST_SIGNATURE_BYTES: Final = 32


class DecoyTokens:
    """Makes tokens that look like those seen last."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._header, self._claims, self._signature_bytes = FIRST_HEADER, FIRST_CLAIMS, FIRST_SIGNATURE_BYTES

    def learn(self, token: str) -> None:
        """Remember how a real token is made; one that is no JWT teaches nothing."""
        try:
            header, claims, signature = token.split(".")
            learned = _json_object(header), _json_object(claims), len(_decoded(signature))
        except ValueError:
            return
        self._header, self._claims, self._signature_bytes = learned

    def make(self, *, action: str, idempotency_key: str, user_id: str | None = None) -> str:
        """
        Return a token for an attempt that nobody stands behind.

        Args:
            action: The action that it seems to be for.
            idempotency_key: The key that it seems to have.
            user_id: Whom it seems to be about; somebody made up when it is left out.
        """
        now = int(self._clock())
        user_id = user_id or str(uuid4())
        replaced = {
            "iat": now,
            "exp": now + self._claims["exp"] - self._claims["iat"] if {"iat", "exp"} <= self._claims.keys() else now,
            "sub": user_id,
            "userId": user_id,
            "jti": str(uuid4()),
            "actionCode": action,
            "idempotencyKey": idempotency_key,
        }
        parts = (json.dumps(part, separators=(",", ":")).encode() for part in (self._header, _changed(self._claims, replaced)))
        return ".".join(_encoded(part) for part in (*parts, os.urandom(self._signature_bytes)))


def _changed(claims: Json, replaced: Json) -> Json:
    return {
        name: _changed(value, replaced) if isinstance(value, dict) else replaced.get(name, value)
        for name, value in claims.items()
    }


def _json_object(part: str) -> Json:
    value = json.loads(_decoded(part))
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
