"""
Who signed a webhook. Pure.

``X-Signature-V2: t=<Unix seconds>,v2=<signature>[,v2=<signature>]``; a signature is HMAC-SHA256 over ``<t>.<raw body>`` under a
Server API key, in base64 without padding, one for each key that is live at Authsignal.

Rules:

1. Only the bytes that came in are checked, never ones that were decoded and encoded again.
2. The time must be within five minutes of ours, in both directions: one from the future would stay good for long.
3. Every signature is compared with that of every live key, in constant time, whichever matched first.
4. One match is enough. Members that we do not know are ignored, a second time is not.

Source: Authsignal's documentation of webhooks; OWASP ASVS 5.0.0, 11.2.4.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final

from shared.challenge_api import WebhookVerdict

TOLERANCE_SECONDS: Final = 300
SIGNATURES_MAX: Final = 4
HEADER_CHARACTERS_MAX: Final = 1024
SECONDS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


def check(header: str, body: bytes, *, keys: Sequence[str], now: float) -> WebhookVerdict:
    """
    Say whether a webhook is genuine.

    Args:
        header: The value of ``X-Signature-V2``, empty where there was none.
        body: The raw body.
        keys: The live keys, one or two; without any nothing is taken in.
        now: Unix seconds.
    """
    if not keys:
        return WebhookVerdict.CLOSED
    parsed = _parse(header)
    if parsed is None:
        return WebhookVerdict.MALFORMED
    seconds, signatures = parsed
    if abs(now - int(seconds)) > TOLERANCE_SECONDS:
        return WebhookVerdict.STALE
    expected = [_sign(f"{seconds}.".encode() + body, key) for key in keys]
    matches = [hmac.compare_digest(signature, one) for signature in signatures for one in expected]
    return WebhookVerdict.GENUINE if any(matches) else WebhookVerdict.MISMATCHED


def _sign(signed: bytes, key: str) -> bytes:
    return base64.b64encode(hmac.digest(key.encode(), signed, hashlib.sha256)).rstrip(b"=")


def _parse(header: str) -> tuple[str, list[bytes]] | None:
    if len(header) > HEADER_CHARACTERS_MAX:
        return None
    members = [member.partition("=") for member in header.split(",")]
    times = [value for name, _, value in members if name == "t"]
    signatures = [value.rstrip("=").encode() for name, _, value in members if name == "v2"]
    if len(times) != 1 or SECONDS.fullmatch(times[0]) is None or not 1 <= len(signatures) <= SIGNATURES_MAX:
        return None
    return times[0], signatures
