"""Settings of the gateway."""

from typing import Annotated

from msgspec import Meta, Struct

from services.gateway.cognito.quota import CognitoRates
from services.gateway.natives import NativeClient
from services.gateway.sessions.model import Lives
from shared.challenge_api import METHOD_EMAIL_OTP
from shared.settings import AwsSettings
from shared.texts import TextRules

Seconds = Annotated[float, Meta(gt=0, le=60)]


class Brand(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the pages call themselves; set at run time, without a build. `accent` is a CSS colour."""

    name: str = "Countersign"
    logo_url: str | None = None
    accent: str | None = None


class GatewaySettings(AwsSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One gateway process."""

    public_url: str  # The origin of our own pages, as browsers see it.
    challenge_url: str
    challenge_token_file: str  # A path: settings are logged at start, secrets must not be.
    audit_url: str
    audit_queue_url: str
    user_pool_id: str
    client_id: str
    client_secret_file: str
    session_key_file: str
    email_hash_key_file: str
    grant_key_file: str  # Ed25519 seeds; a path, as above.
    authsignal_tenant_id: str
    authsignal_client_url: str
    host: str = "127.0.0.1"
    port: int = 8000
    metrics_port: int = 0
    # With it, people see their own recent activity; it may read the whole log, so it is the gateway's own.
    audit_token_file: str | None = None
    business_token_hashes_file: str | None = None
    # On where the tenant's e-mail and SMS providers are set to Webhook: codes and links are then ours to deliver.
    delivers_messages: bool = False
    # Where the texts among them may go, and how many: nowhere, until countries are listed.
    texts: TextRules = TextRules()
    veto_file: str | None = None  # Accounts whose proofs do not count, one sub a line; read anew for every question.
    smtp_url: str | None = None
    mail_sender: str = "no-reply@example.test"
    allowed_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    # The header in which these proxies say where a client is, such as CloudFront-Viewer-Country; without it nobody knows.
    country_header: str | None = None
    cognito_endpoint_url: str | None = None
    cognito_issuer: str | None = None
    jwks_url: str | None = None
    state_url: str = "memory://"
    sdk_sign_in_enabled: bool = False
    # What everybody is offered at the door, whoever they are, the first one by default.
    methods: tuple[str, ...] = (METHOD_EMAIL_OTP,)
    dev_inbox_url: str | None = None
    # A shop without goods, to try step-ups with: it has no place in production.
    demo_checkout_enabled: bool = False
    brand: Brand = Brand()

    # An attempt outlives slow mail, but not NIST SP 800-63B-4's ten minutes for an out-of-band secret.
    attempt_seconds: Annotated[int, Meta(ge=60, le=600)] = 600
    codes_max: Annotated[int, Meta(ge=1, le=10)] = 5
    sends_max: Annotated[int, Meta(ge=1, le=10)] = 3
    resend_seconds: Annotated[int, Meta(ge=0, le=300)] = 30
    # Messages to an address in any such span, texts among them, and codes typed for it. Below Authsignal's own 12 mails and 6
    # texts in 10 minutes and 10 answers in 5, and the same for an address that nobody has: whoever counts refusals must not
    # learn who is known.
    starts_per_identifier_max: Annotated[int, Meta(ge=1)] = 10
    texts_per_identifier_max: Annotated[int, Meta(ge=1)] = 5
    answers_per_identifier_max: Annotated[int, Meta(ge=1)] = 10
    starts_per_ip_max: Annotated[int, Meta(ge=1)] = 300
    starts_per_device_max: Annotated[int, Meta(ge=1)] = 60
    answers_per_ip_max: Annotated[int, Meta(ge=1)] = 600
    answers_per_device_max: Annotated[int, Meta(ge=1)] = 120
    enrolments_per_person_max: Annotated[int, Meta(ge=1)] = 20
    # Apps refresh every ten minutes, and many may stand behind one address.
    refreshes_per_ip_max: Annotated[int, Meta(ge=1)] = 600
    # Deliveries from one address that were refused. What is genuine does not count, so Authsignal may send as much as it likes.
    webhook_refusals_per_ip_max: Annotated[int, Meta(ge=1)] = 300
    cognito_rates: CognitoRates = CognitoRates()
    # How long an operator may take over a review; its page may be left and come back to.
    review_seconds: Annotated[int, Meta(ge=60, le=43_200)] = 14_400
    limit_window_seconds: Annotated[int, Meta(ge=10, le=3600)] = 600
    # Idle at most 1 h and in all at most 24 h: NIST SP 800-63B-4 section 2.2.3 (AAL2).
    session_idle_seconds: Annotated[int, Meta(ge=60, le=3600)] = 3600
    session_absolute_seconds: Annotated[int, Meta(ge=300, le=86_400)] = 43_200
    # Apps that get tokens in the body where a browser gets a cookie. Their sessions live no longer than the refresh tokens of
    # the pool's app client, and longer unused than a browser's: their tokens lie in a device's key store, and each works once.
    native_clients: tuple[NativeClient, ...] = ()
    native_session_idle_seconds: Annotated[int, Meta(ge=60, le=86_400)] = 43_200
    native_session_absolute_seconds: Annotated[int, Meta(ge=300, le=86_400)] = 86_400
    # Answers that could tell a known address from an unknown one leave at multiples of this after the request came.
    veil_seconds: Annotated[float, Meta(ge=0, le=2)] = 0.25
    # Apps that talk to Cognito themselves: the app client whose access tokens `/v1/direct` takes; off without one.
    direct_client_id: str | None = None
    # Adding or removing a factor needs a sign-in no older than this. Refreshed tokens keep the time of the sign-in.
    direct_fresh_seconds: Annotated[int, Meta(ge=1, le=300)] = 300
    direct_writes_max: Annotated[int, Meta(ge=1)] = 60
    challenge_seconds_max: Seconds = 12.0
    cognito_seconds_max: Seconds = 6.0
    trace_sample_ratio: Annotated[float, Meta(ge=0, le=1)] = 0.01
    otlp_url: str | None = None
    log_level: str = "info"

    def __post_init__(self) -> None:
        """Refuse two apps of one id: which of them a client_id means, nobody could tell."""
        if len({client.id for client in self.native_clients}) != len(self.native_clients):
            raise ValueError("native_clients: each id may stand there once")

    @property
    def idle(self) -> Lives:
        """How long a session of each kind lives unused."""
        return Lives(self.session_idle_seconds, self.native_session_idle_seconds)

    @property
    def absolute(self) -> Lives:
        """How long a session of each kind lives at most."""
        return Lives(self.session_absolute_seconds, self.native_session_absolute_seconds)

    @property
    def issuer(self) -> str:
        """The pool's issuer."""
        return self.cognito_issuer or f"https://cognito-idp.{self.aws_region}.amazonaws.com/{self.user_pool_id}"

    @property
    def cognito_url(self) -> str:
        """Where Cognito's API is."""
        return self.cognito_endpoint_url or self.aws_endpoint_url or f"https://cognito-idp.{self.aws_region}.amazonaws.com"
