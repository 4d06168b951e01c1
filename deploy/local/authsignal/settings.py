"""Settings: what is fixed at start (`SimulatorSettings`), and what tests may change while it runs (`Tunables`)."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from deploy.local.authsignal.model import ActionState, Outcome, VerificationMethod

Count = Annotated[int, Meta(ge=1, le=100_000)]
Seconds = Annotated[int, Meta(ge=1, le=86_400)]
LongSeconds = Annotated[int, Meta(ge=1, le=31_536_000)]

WebUrl = Annotated[str, Meta(pattern="^https?://[^/]", max_length=2_000)]


class Tunables(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    Everything the service leaves open or lets a tenant choose.

    The limits are the published ones; where the service's behaviour is not known the default is our choice, and a
    test can choose otherwise through `PATCH /control/settings`.
    """

    token_duration_seconds: Seconds = 600  # life of a token, and of a challenge
    email_sends_max: Count = 12
    email_sends_window_seconds: Seconds = 600  # magic links have a budget of the same size
    sms_sends_max: Count = 6
    sms_sends_window_seconds: Seconds = 600  # WhatsApp has a budget of the same size
    verifications_max: Count = 10
    verifications_window_seconds: Seconds = 300
    default_outcome: Outcome = Outcome.CHALLENGE
    methods: tuple[VerificationMethod, ...] = tuple(VerificationMethod)
    anonymous_action: str = "signIn"  # action of a passkey sign-in that names none
    session_access_seconds: LongSeconds = 3_600
    session_refresh_seconds: LongSeconds = 2_592_000
    webhook_timeout_seconds: Annotated[float, Meta(ge=0.1, le=60)] = 5.0
    webhook_retries_max: Annotated[int, Meta(ge=0, le=20)] = 3
    webhook_retry_seconds: Seconds = 30  # of the simulator's clock, between two tries of one delivery
    valid_states: tuple[ActionState, ...] = (ActionState.CHALLENGE_SUCCEEDED,)  # states that validate calls valid
    invalid_token_status: Literal[200, 400] = 200  # what validate answers for a token it cannot read


class WebhookUrls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    Where events go; a kind without an address is not sent.

    The first three replace the simulator's own delivery: with `email` set, no mail leaves by SMTP.
    """

    email: WebUrl | None = None  # email.created
    sms: WebUrl | None = None  # sms.created, WhatsApp included
    push: WebUrl | None = None  # push.created
    authenticators: WebUrl | None = None  # authenticator.created, .updated and .deleted
    logs: WebUrl | None = None  # action.log_created and challenge.log_created
    action_verify: dict[str, WebUrl] = {}  # action.verify, by action code; "*" is any other action


class SimulatorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Fixed for the life of the process."""

    tenant_id: str
    secret_keys: tuple[str, ...]  # one, or two during a rotation; the first one signs tokens
    smtp_host: str
    smtp_port: int
    state_file: Path
    ui_url: str  # as a browser sees this server, no trailing slash
    allow_origins: frozenset[str]
    rp_id: str = "localhost"  # relying party of passkeys and security keys
    webhooks: WebhookUrls = WebhookUrls()
    tunables: Tunables = Tunables()

    @property
    def api_url(self) -> str:
        """Base URL of the Server API; the Client API is the same plus `/client`."""
        return f"{self.ui_url}/v1"

    @property
    def webauthn_origins(self) -> list[str]:
        """Origins whose pages may use passkeys and security keys: those allowed to call, and the pre-built UI's own."""
        return [self.ui_url, *sorted(self.allow_origins)]

    @property
    def issuer(self) -> str:
        """Issuer of session tokens; keys and configuration are found below it."""
        return f"{self.api_url}/client/public/{self.tenant_id}"


def read_secret_keys(path: Path) -> tuple[str, ...]:
    """
    Read one or two Server API secret keys, one a line.

    Raises:
        ValueError: The file holds no key, more than two, or one too short to sign a token with.
        OSError: The file cannot be read.
    """
    keys = tuple(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    if not 1 <= len(keys) <= 2:
        raise ValueError(f"{path} must hold one or two secret keys, one a line; it holds {len(keys)}")
    if any(len(key) < 32 for key in keys):
        raise ValueError(f"{path}: a secret key must have at least 32 characters, since tokens are signed with it")
    return keys
