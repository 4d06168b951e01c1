"""Settings of the challenge service."""

from typing import Annotated

from msgspec import Meta

from shared.settings import AwsSettings
from shared.texts import TextRules

Seconds = Annotated[float, Meta(gt=0, le=30)]


class ChallengeSettings(AwsSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One challenge process."""

    authsignal_url: str
    authsignal_secret_file: str  # A path: settings are logged at start, secrets must not be.
    service_token_file: str
    assertion_key_file: str
    email_hash_key_file: str
    user_pool_id: str
    audit_queue_url: str
    authsignal_tenant_id: str | None = None  # Needed for QR codes, whose poll Authsignal answers to the tenant.
    # What Authsignal signs webhooks with: its Server API key, so it is this service that checks them. Off without a file.
    webhook_key_file: str | None = None
    operator_token_file: str | None = None  # Opens `/v1/reviews`, and nothing else; without one nobody decides reviews here.
    host: str = "127.0.0.1"
    port: int = 8001
    metrics_port: int = 0
    state_url: str = "memory://"
    # One request to Authsignal, and one call with its retries. Cognito gives a trigger 5 s in all, and the direct client's
    # triggers wait for this service, so the budget must end well before.
    authsignal_seconds_max: Seconds = 2.0
    authsignal_budget_seconds: Seconds = 3.5
    # Apps that talk to Cognito themselves: off without a file of tokens for Cognito's triggers. What Authsignal is asked for
    # one trigger ends before the trigger's own 4 s, with time left to record and to veil.
    direct_token_file: str | None = None
    direct_seconds_max: Annotated[float, Meta(gt=0, le=3.2)] = 3.0
    direct_veil_seconds: Annotated[float, Meta(ge=0, le=0.5)] = 0.25
    direct_starts_max: Annotated[int, Meta(ge=1)] = 30
    direct_window_seconds: Annotated[int, Meta(ge=10, le=3600)] = 600
    # Where texts may go, and how many: nowhere, until countries are listed.
    texts: TextRules = TextRules()
    breaker_failures_max: Annotated[int, Meta(ge=1, le=1000)] = 10
    breaker_open_seconds: Seconds = 5.0
    trace_sample_ratio: Annotated[float, Meta(ge=0, le=1)] = 0.01
    otlp_url: str | None = None
    log_level: str = "info"
