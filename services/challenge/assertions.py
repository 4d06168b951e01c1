"""
Assertions: what the challenge service tells Cognito's triggers about a proof, by way of the gateway.

A JWT, HS256, that lives one minute: ``iss`` this service, ``aud`` the user pool, ``sub`` the account (at sign-up, where none
exists yet, the address), ``purpose``, ``attempt_id``, ``jti``, ``iat``, ``exp``. The first key of the key file signs; the
triggers take two, so that keys can be rotated without a gap.
"""

import time
from collections.abc import Callable
from enum import Enum
from typing import Final
from uuid import uuid4

import jwt

ISSUER: Final = "countersign-challenge"
LIFE_SECONDS: Final = 60


class Purpose(Enum):
    """What an assertion may be spent on."""

    SIGN_UP = "sign_up"
    SIGN_IN = "sign_in"


class AssertionMint:
    """Signs assertions for one user pool."""

    def __init__(self, *, key: str, user_pool_id: str, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._user_pool_id = user_pool_id
        self._clock = clock

    def mint(self, *, subject: str, purpose: Purpose, attempt_id: str) -> str:
        """Return a signed assertion about `subject` for one attempt."""
        now = int(self._clock())
        claims = {
            "iss": ISSUER,
            "aud": self._user_pool_id,
            "sub": subject,
            "purpose": purpose.value,
            "attempt_id": attempt_id,
            "jti": str(uuid4()),
            "iat": now,
            "exp": now + LIFE_SECONDS,
        }
        return jwt.encode(claims, self._key, algorithm="HS256")
