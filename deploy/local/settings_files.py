"""The settings file of each service, written anew at every start."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local import toml
from deploy.local.aws_account import AwsResources
from deploy.local.keys import Keys
from deploy.local.layout import Layout
from deploy.local.parts.authsignal import SECRET, TENANT
from deploy.local.parts.aws import REGION
from deploy.local.parts.postgres import Postgres
from deploy.local.ports import HOST, Ports

LOG_KEY = "log_key"
# Where the simulator's texts may go.
TEXT_COUNTRIES = ("AU", "CA", "DE", "FR", "GB", "IE", "NZ", "SE", "US")
_OUR_KEYS = (
    "session_key",
    "email_hash_key",
    "challenge_token",
    "direct_token",
    "audit_token",
    "activity_token",
    "business_token",
    "operator_token",
    "assertion_key",
    "grant_key",
    LOG_KEY,
    "entry_key",
)
# Everything that the simulator knows, the default first.
METHODS = (
    "EMAIL_OTP",
    "EMAIL_MAGIC_LINK",
    "SMS",
    "WHATSAPP",
    "AUTHENTICATOR_APP",
    "PASSKEY",
    "SECURITY_KEY",
    "PUSH",
    "QR_CODE",
)


def log_origin(keys: Keys) -> str:
    """Return the name of this stack's audit log: every stack has its own, so that one's proofs are not taken for another's."""
    return f"localhost/countersign/{keys.ensure_uuid('log_name')}"


@dataclass(frozen=True)
class SettingsWriter:
    """Knows the whole stack and tells each service its part of it."""

    layout: Layout
    keys: Keys
    ports: Ports
    postgres: Postgres
    aws: AwsResources
    origins: Sequence[str]

    def write_all(self) -> None:
        """Write the three files, and the secrets that they point at."""
        for name in _OUR_KEYS:
            self.keys.ensure(name)
        for role in ("owner", "writer", "reader", "sequencer", "clerk"):
            self.keys.write(f"database_url_{role}", self.postgres.url(f"countersign_{role}"))
        token_hash = hashlib.sha256(self.keys.ensure("audit_token").encode()).hexdigest()
        activity_hash = hashlib.sha256(self.keys.ensure("activity_token").encode()).hexdigest()
        self.keys.write("audit_token_hashes", f"local:{token_hash}:manage\ngateway-activity:{activity_hash}")
        business_hash = hashlib.sha256(self.keys.ensure("business_token").encode()).hexdigest()
        self.keys.write("business_token_hashes", f"demo-shop:{business_hash}")
        for name, settings in {"gateway": self._gateway(), "challenge": self._challenge(), "audit": self._audit()}.items():
            self.path(name).write_text(toml.dumps(settings), encoding="utf-8")

    def path(self, service: str) -> Path:
        """Return the settings file of one service."""
        return self.layout.config / f"{service}.toml"

    def _gateway(self) -> dict[str, object]:
        return {
            "host": HOST,
            "port": self.ports.gateway,
            "public_url": f"http://localhost:{self.ports.gateway}",
            "allowed_origins": list(self.origins),
            "trusted_proxies": [],
            "challenge_url": f"http://{HOST}:{self.ports.challenge}",
            "challenge_token_file": self.keys.path("challenge_token"),
            "audit_url": f"http://{HOST}:{self.ports.audit}",
            **self._queue(),
            "user_pool_id": self.aws.user_pool_id,
            "client_id": self.aws.gateway_client_id,
            "direct_client_id": self.aws.direct_client_id,
            "client_secret_file": self.keys.path("cognito_client_secret"),
            "cognito_endpoint_url": self.aws.endpoint_url,
            "cognito_issuer": self.aws.issuer,
            "jwks_url": self.aws.jwks_url,
            "state_url": self._state_url(0),
            "session_key_file": self.keys.path("session_key"),
            "email_hash_key_file": self.keys.path("email_hash_key"),
            "grant_key_file": self.keys.path("grant_key"),
            "audit_token_file": self.keys.path("activity_token"),
            "business_token_hashes_file": self.keys.path("business_token_hashes"),
            "veto_file": self._veto_file(),
            "methods": list(METHODS),
            "native_clients": [{"id": "demo-app", "name": "Demo app"}],
            "smtp_url": f"smtp://{HOST}:{self.ports.smtp}",
            "authsignal_tenant_id": self.keys.ensure_uuid(TENANT),
            "authsignal_client_url": f"http://localhost:{self.ports.authsignal}/v1",
            "sdk_sign_in_enabled": True,
            "metrics_port": 0,
            "dev_inbox_url": f"http://localhost:{self.ports.mail}",
            "demo_checkout_enabled": True,
            "brand": {"name": "Countersign"},
        }

    def _challenge(self) -> dict[str, object]:
        return {
            "host": HOST,
            "port": self.ports.challenge,
            "authsignal_url": f"http://{HOST}:{self.ports.authsignal}/v1",
            "authsignal_secret_file": self.keys.path(SECRET),
            "authsignal_tenant_id": self.keys.ensure_uuid(TENANT),
            "texts": {"countries": TEXT_COUNTRIES},
            "service_token_file": self.keys.path("challenge_token"),
            "direct_token_file": self.keys.path("direct_token"),
            "webhook_key_file": self.keys.path(SECRET),
            "operator_token_file": self.keys.path("operator_token"),
            "assertion_key_file": self.keys.path("assertion_key"),
            "user_pool_id": self.aws.user_pool_id,
            **self._queue(),
            "email_hash_key_file": self.keys.path("email_hash_key"),
            "state_url": self._state_url(1),
            "metrics_port": 0,
        }

    def _audit(self) -> dict[str, object]:
        return {
            "host": HOST,
            "port": self.ports.audit,
            "database_url_file": self.keys.path("database_url_reader"),
            "consumer_database_url_file": self.keys.path("database_url_writer"),
            "owner_database_url_file": self.keys.path("database_url_owner"),
            "clerk_database_url_file": self.keys.path("database_url_clerk"),
            "sequencer_database_url_file": self.keys.path("database_url_sequencer"),
            "log_key_file": self.keys.path(LOG_KEY),
            "log_origin": log_origin(self.keys),
            "entry_key_file": self.keys.path("entry_key"),
            **self._queue(),
            "audit_dlq_url": self.aws.audit_dlq_url,
            "email_hash_key_file": self.keys.path("email_hash_key"),
            "cognito_issuer": self.aws.issuer,
            "jwks_url": self.aws.jwks_url,
            "client_ids": [self.aws.gateway_client_id],
            "service_token_hashes_file": self.keys.path("audit_token_hashes"),
            "trusted_proxies": [HOST],  # the gateway forwards the console's requests
            "archive_bucket": self.aws.archive_bucket,
            "archive_lock_mode": "GOVERNANCE",  # a laptop may be cleaned up
            "archive_lock_days": 1,
            "receivers": 2,
            "receive_wait_seconds": 2,  # Ctrl-C waits for the long polls under way
            "metrics_port": 0,
        }

    def _veto_file(self) -> Path:
        file = self.layout.config / "veto-list.txt"
        file.touch()
        return file

    def _queue(self) -> dict[str, object]:
        return {
            "audit_queue_url": self.aws.audit_queue_url,
            "aws_region": REGION,
            "aws_endpoint_url": self.aws.endpoint_url,
        }

    def _state_url(self, database: int) -> str:
        return f"valkey://{HOST}:{self.ports.valkey}/{database}"
