"""The record of a session, as the state store keeps it (sealed)."""

from msgspec import Struct


class Session(Struct, frozen=True, kw_only=True):
    """
    One signed-in browser. Times are Unix seconds.

    `ref` is the session's public name, in lists and in the audit log; `key` is the hash of its cookie, where it is stored.
    `proven_at` is when its person last proved a factor: what changes an account wants that to be fresh. `ip`, `country` and
    `user_agent` are those of the sign-in.
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
