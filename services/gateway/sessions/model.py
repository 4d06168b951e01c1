"""The record of a session, as the state store keeps it (sealed)."""

from typing import NamedTuple

from msgspec import Struct


class Session(Struct, frozen=True, kw_only=True):
    """
    One signed-in browser or app. Times are Unix seconds.

    `ref` is the session's public name, in lists and in the audit log; `key` is the hash of its cookie, or of the family of its
    refresh tokens, where it is stored. `proven_at` is when its person last proved a factor: what changes an account wants that
    to be fresh. `ip`, `country` and `user_agent` are those of the sign-in. `client_id` names the app that it belongs to, None
    for a browser; `refresh_digest` is the hash of the one refresh token that the app may use next. `refresh_token` is
    Cognito's.
    """

    ref: str
    key: str
    sub: str
    email: str
    email_hash: str
    email_verified: bool
    display_name: str | None
    groups: tuple[str, ...]
    methods: tuple[str, ...]
    authenticated_at: float
    last_seen_at: float
    expires_at: float
    access_token: str
    access_expires_at: float
    refresh_token: str
    proven_at: float = 0.0
    ip: str | None = None
    country: str | None = None
    user_agent: str | None = None
    client_id: str | None = None
    refresh_digest: str = ""


class Lives(NamedTuple):
    """A limit on the life of sessions, in seconds, for each kind."""

    browser_seconds: int
    native_seconds: int

    def of(self, session: Session) -> int:
        """Return the limit of one session."""
        return self.browser_seconds if session.client_id is None else self.native_seconds


class NativeTokens(NamedTuple):
    """What an app holds: Cognito's access token, its life in seconds, and our refresh token."""

    access_token: str
    expires_in: int
    refresh_token: str


class SignedIn(NamedTuple):
    """A session that was opened; `tokens` are an app's, a browser has a cookie."""

    session: Session
    tokens: NativeTokens | None = None
