"""
The gateway's two cookies, both opaque, both ``__Host-``: bound to this very host, over TLS only, invisible to scripts, never
sent along from another site. Source: RFC 6265bis section 4.1.3.2.
"""

import hashlib
import re
import secrets
from typing import Final

SESSION: Final = "__Host-sid"
ATTEMPT: Final = "__Host-attempt"
SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")
ATTRIBUTES: Final = "Path=/; Secure; HttpOnly; SameSite=Strict"


def new_secret() -> str:
    """Return 256 random bits, base64url."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return what the store knows of a cookie: its SHA-256, so that reading the store opens no session."""
    return hashlib.sha256(secret.encode()).hexdigest()


def set_header(name: str, secret: str, *, seconds: int) -> str:
    """Return the Set-Cookie value that gives a cookie."""
    return f"{name}={secret}; Max-Age={seconds}; {ATTRIBUTES}"


def clear_header(name: str) -> str:
    """Return the Set-Cookie value that takes a cookie away."""
    return f"{name}=; Max-Age=0; {ATTRIBUTES}"


def read(header: str | None, name: str) -> str | None:
    """Return the secret in a Cookie header, or None when it is not there or not one of ours."""
    if not header or name not in header:
        return None
    for pair in header.split(";"):
        key, _, value = pair.strip().partition("=")
        if key == name and SECRET.fullmatch(value):
            return value
    return None
