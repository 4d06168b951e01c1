"""
Check the one-minute assertion that only the challenge service can mint.

An assertion is a JWT (RFC 7519) signed with HMAC-SHA256. It says: this person proved control of a factor just now,
for this pool, this purpose and this subject. The rules, all of which must hold:

* the algorithm is exactly ``HS256`` and no critical extension is asked for (RFC 8725 section 3.1);
* the signature is by one of at most two live keys, compared in constant time;
* ``iss`` is the challenge service, ``aud`` is this user pool, ``purpose`` and ``sub`` are the ones expected here;
* ``jti`` and ``attempt_id`` are present, so that the log can be joined to the audit trail;
* it lives at most 60 seconds, has begun and has not ended, give or take 5 seconds of clock skew.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

ISSUER: Final = "countersign-challenge"
LIFE_SECONDS_MAX: Final = 60
CLOCK_SKEW_SECONDS: Final = 5
SIZE_BYTES_MAX: Final = 4096  # ours are about 500; a longer one is not ours, and is not worth hashing
KEYS_MAX: Final = 2  # the signing key and, while keys are rotated, the one before it
KEY_LENGTH_MIN: Final = 64  # hex of 32 random bytes: RFC 7518 section 3.2 wants a key no shorter than the hash

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")


class AssertionRefused(Exception):
    """
    The assertion proves nothing; refuse whoever carried it.

    ``reason`` is one stable word for the log. It never holds any part of the assertion.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Assertion:
    """What a valid assertion says, as far as the log wants to know."""

    subject: str
    attempt_id: str
    jti: str


def keys_from(environment: Mapping[str, str]) -> tuple[bytes, ...]:
    """
    Read the live keys from ``ASSERTION_KEYS``, newest first, separated by commas.

    Raises:
        AssertionRefused: No key, more than two, or one too short to be ours. The function was deployed wrongly, and
            refuses everybody until that is put right.
    """
    keys = tuple(key.strip().encode() for key in environment.get("ASSERTION_KEYS", "").split(",") if key.strip())
    if not 1 <= len(keys) <= KEYS_MAX or any(len(key) < KEY_LENGTH_MIN for key in keys):
        raise AssertionRefused("keys_misconfigured")
    return keys


def verify_assertion(
    token: object, *, keys: Sequence[bytes], pool_id: str, purpose: str, subject: str, now: float
) -> Assertion:
    """
    Accept one assertion, or say in one word why not.

    Args:
        token: What the caller sent; anything at all.
        keys: Live keys, any of which may have signed.
        pool_id: The user pool that asks, compared with ``aud``.
        purpose: ``sign_up`` or ``sign_in``.
        subject: The only subject acceptable here; an empty one is never acceptable.
        now: Seconds since the epoch.

    Raises:
        AssertionRefused: Any rule of this module is broken.
    """
    claims = _signed_claims(token, keys)
    _check_audience(claims, pool_id=pool_id, purpose=purpose, subject=subject)
    _check_life(claims, now)
    attempt_id, jti = claims.get("attempt_id"), claims.get("jti")
    if not (isinstance(attempt_id, str) and attempt_id and isinstance(jti, str) and jti):
        raise AssertionRefused("ids_missing")
    return Assertion(subject=subject, attempt_id=attempt_id, jti=jti)


def _signed_claims(token: object, keys: Sequence[bytes]) -> dict[str, Any]:
    if not isinstance(token, str) or not token:
        raise AssertionRefused("missing")
    if len(token) > SIZE_BYTES_MAX or not token.isascii():
        raise AssertionRefused("malformed")
    segments = token.split(".")
    if len(segments) != 3:
        raise AssertionRefused("malformed")
    header = _json_object(segments[0])
    if header.get("alg") != "HS256" or "crit" in header:
        raise AssertionRefused("algorithm")
    signing_input, signature = f"{segments[0]}.{segments[1]}".encode(), _decode(segments[2])
    expected = [hmac.new(key, signing_input, hashlib.sha256).digest() for key in keys]
    # Every key is tried, so that the time taken does not tell which one matched.
    if not sum(hmac.compare_digest(candidate, signature) for candidate in expected):
        raise AssertionRefused("signature")
    return _json_object(segments[1])


def _check_audience(claims: Mapping[str, Any], *, pool_id: str, purpose: str, subject: str) -> None:
    if claims.get("iss") != ISSUER:
        raise AssertionRefused("issuer")
    if not pool_id or claims.get("aud") != pool_id:
        raise AssertionRefused("pool")
    if claims.get("purpose") != purpose:
        raise AssertionRefused("purpose")
    if not subject or claims.get("sub") != subject:
        raise AssertionRefused("subject")


def _check_life(claims: Mapping[str, Any], now: float) -> None:
    issued, expires = claims.get("iat"), claims.get("exp")
    # type() and not isinstance(): JSON true is an int to Python, and no time.
    if type(issued) is not int or type(expires) is not int:
        raise AssertionRefused("times_missing")
    if not 0 < expires - issued <= LIFE_SECONDS_MAX:
        raise AssertionRefused("life_too_long")
    if issued > now + CLOCK_SKEW_SECONDS:
        raise AssertionRefused("not_yet_valid")
    if now >= expires + CLOCK_SKEW_SECONDS:
        raise AssertionRefused("expired")


def _decode(segment: str) -> bytes:
    if not _SEGMENT.fullmatch(segment):
        raise AssertionRefused("malformed")
    try:
        return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except (binascii.Error, ValueError) as exc:
        raise AssertionRefused("malformed") from exc


def _json_object(segment: str) -> dict[str, Any]:
    try:
        value = json.loads(_decode(segment))
    except (ValueError, RecursionError) as exc:
        raise AssertionRefused("malformed") from exc
    if not isinstance(value, dict):
        raise AssertionRefused("malformed")
    return value
