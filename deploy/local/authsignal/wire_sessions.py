"""The wire of sessions and devices."""

from typing import Any

from deploy.local.authsignal.model import VerificationMethod
from deploy.local.authsignal.wire import Incoming, Outgoing


class CreateSessionRequest(Incoming):
    """Body of create session."""

    client_id: str
    token: str
    action: str | None = None


class ValidateSessionRequest(Incoming):
    """Body of validate session; without client ids, any client's will do."""

    access_token: str
    client_ids: list[str] | None = None


class RefreshSessionRequest(Incoming):
    """Body of refresh session."""

    refresh_token: str


class RevokeSessionRequest(Incoming):
    """Body of revoke session."""

    access_token: str


class RevokeUserSessionsRequest(Incoming):
    """Body of revoke user sessions."""

    user_id: str


class RememberRequest(Incoming):
    """Body of update device: ISO 8601, or null to forget."""

    remembered_until: str | None


class ImportItem(Incoming):
    """One passkey to import. Binary members are base64url."""

    user_id: str
    verification_method: str
    credential_id: str
    credential_public_key: str
    name: str | None = None
    transports: tuple[str, ...] = ()
    aaguid: str | None = None


class ImportRequest(Incoming):
    """Body of the passkey import."""

    authenticators: list[ImportItem]


class SessionTokensView(Outgoing):
    """Answer to create and refresh session."""

    access_token: str
    refresh_token: str


class SessionUserView(Outgoing):
    """The user of a session."""

    user_id: str
    email_verified: bool
    phone_number_verified: bool
    email: str | None = None
    phone_number: str | None = None
    username: str | None = None
    display_name: str | None = None
    custom: dict[str, Any] | None = None


class SessionView(Outgoing):
    """Answer to validate session; `expires_at` is in Unix seconds."""

    user: SessionUserView
    expires_at: int
    verification_method: VerificationMethod


class DeviceView(Outgoing):
    """A device."""

    user_id: str
    device_id: str
    created_at: str
    authenticated_at: str | None = None
    invalidated_at: str | None = None
    remembered_until: str | None = None
    last_verification_method: VerificationMethod | None = None


class ConfiguredView(Outgoing):
    """A method that the tenant has."""

    authenticator_id: str
    verification_method: VerificationMethod
    is_active: bool
    is_editable_by_user: bool
    is_hidden_to_user: bool


class ImportFailure(Outgoing):
    """A passkey that was not imported, and why."""

    user_id: str
    credential_id: str
    error_code: str
    error_description: str


class ImportView(Outgoing):
    """Answer to the passkey import."""

    total: int
    succeeded: int
    failed: int
    failures: list[ImportFailure]
