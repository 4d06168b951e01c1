"""The codes of an authenticator app. Source: RFC 6238."""

import base64
import hmac

STEP_SECONDS = 30


def totp(secret: str, at: float) -> str:
    """Return the six digits for a base32 secret at a Unix time."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, int(at // STEP_SECONDS).to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 1_000_000:06d}"
