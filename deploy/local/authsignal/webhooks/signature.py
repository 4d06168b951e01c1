"""
The signature of a delivery. Pure.

`X-Signature-V2: t=<Unix seconds>,v2=<signature>[,v2=<signature>]`, one signature for each active key: base64 without
padding of HMAC-SHA256 over the seconds, a full stop, and the raw body. No space follows a comma: SDKs refuse one.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence

HEADER = "X-Signature-V2"


def signature_header(body: bytes, *, keys: Sequence[str], at: int) -> str:
    """
    Sign a body.

    Args:
        body: Exactly the bytes that are sent.
        keys: The active secret keys.
        at: Unix seconds of the sending.
    """
    signed = f"{at}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(key.encode(), signed, hashlib.sha256)).decode() for key in keys)
    return f"t={at}," + ",".join(f"v2={signature.rstrip('=')}" for signature in signatures)
