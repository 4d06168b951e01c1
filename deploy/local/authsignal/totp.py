"""Time-based codes: SHA-1, six digits, thirty seconds, as every authenticator app understands them. Pure. RFC 6238."""

import base64
import hashlib
import hmac
import secrets
import struct
from urllib.parse import parse_qs, quote, urlencode, urlsplit

STEP_SECONDS = 30
_SECRET_BYTES = 20  # RFC 4226 section 4: as long as the hash is recommended
_SKEW_STEPS = 1


def new_secret() -> str:
    """A fresh secret in base32, without padding."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode().rstrip("=")


def uri(secret: str, *, account: str, issuer: str) -> str:
    """The otpauth URI that a QR code carries."""
    query = urlencode({"secret": secret, "issuer": issuer, "algorithm": "SHA1", "digits": 6, "period": STEP_SECONDS})
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{query}"


def secret_of(otp_uri: str) -> str:
    """
    The secret inside an otpauth URI.

    Raises:
        ValueError: It is not one, or holds no secret in base32.
    """
    parts = urlsplit(otp_uri)
    values = parse_qs(parts.query).get("secret", [])
    if parts.scheme != "otpauth" or parts.netloc != "totp" or len(values) != 1:
        raise ValueError("not an otpauth://totp/ URI with a secret")
    _key(values[0])
    return values[0]


def code_at(secret: str, step: int) -> str:
    """The code of one step."""
    digest = hmac.digest(_key(secret), struct.pack(">Q", step), hashlib.sha1)
    offset = digest[-1] & 0x0F
    (number,) = struct.unpack(">I", digest[offset : offset + 4])
    return f"{(number & 0x7FFF_FFFF) % 1_000_000:06d}"


def matching_step(secret: str, code: str, *, now: float, after: int | None = None) -> int | None:
    """
    The step that a code belongs to: the present one, or one to either side.

    Args:
        secret: In base32.
        code: As typed.
        now: Unix seconds.
        after: Steps up to this one are used up: each code works once.
    """
    present = int(now // STEP_SECONDS)
    found = None
    for step in range(max(0, present - _SKEW_STEPS), present + _SKEW_STEPS + 1):
        is_equal = hmac.compare_digest(code.strip().encode(), code_at(secret, step).encode())
        if is_equal and (after is None or step > after):
            found = step
    return found


def _key(secret: str) -> bytes:
    padded = secret.upper() + "=" * (-len(secret) % 8)
    return base64.b32decode(padded)
