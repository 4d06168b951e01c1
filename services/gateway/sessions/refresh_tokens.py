"""
The gateway's own refresh tokens: opaque, each good once.

A token has two halves. The first names its family, which is one session, and never changes; the second is new at each refresh.
So a token that was used, or of which only the first half is right, still says whose family is in somebody else's hands, and
nothing about used tokens needs to be kept. Source: RFC 9700 section 4.14.2.
"""

import hmac
from typing import NamedTuple

from services.gateway import cookies


class RefreshToken(NamedTuple):
    """One token; each half is 256 random bits, base64url."""

    family: str
    secret: str

    @property
    def text(self) -> str:
        """What the app holds."""
        return f"{self.family}.{self.secret}"

    @property
    def key(self) -> str:
        """Under which its session is stored: a hash, so that reading the store refreshes nothing."""
        return cookies.digest(self.family)

    @property
    def digest(self) -> str:
        """What the session keeps of the half that changes."""
        return cookies.digest(self.secret)

    def is_current(self, digest: str) -> bool:
        """Say, in constant time, whether this is the token that a session waits for."""
        return hmac.compare_digest(self.digest, digest)

    def successor(self) -> "RefreshToken":
        """Return the family's next token."""
        return RefreshToken(self.family, cookies.new_secret())


def new() -> RefreshToken:
    """Return the first token of a new family."""
    return RefreshToken(cookies.new_secret(), cookies.new_secret())


def parse(text: str) -> RefreshToken | None:
    """Return the token that a text is, or None when it cannot be one of ours."""
    family, _, secret = text.partition(".")
    if cookies.SECRET.fullmatch(family) is None or cookies.SECRET.fullmatch(secret) is None:
        return None
    return RefreshToken(family, secret)
