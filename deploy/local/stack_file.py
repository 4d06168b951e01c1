"""``stack.json``: everything that a tool or a test has to know to use the running stack."""

import json
from pathlib import Path

from deploy.local.aws_account import AUDITOR_EMAIL, AwsResources
from deploy.local.keys import Keys
from deploy.local.layout import Layout
from deploy.local.parts.authsignal import SECRET, TENANT
from deploy.local.parts.aws import REGION, ROOT_ACCESS_KEY_ID, root_secret
from deploy.local.ports import Ports
from deploy.local.settings_files import LOG_KEY, log_origin
from services.audit.tree.notes import Signer


def describe(layout: Layout, ports: Ports, keys: Keys, aws: AwsResources | None, database_url: str | None) -> dict[str, object]:
    """Describe the stack; parts that do not run are null."""
    return {
        "gateway_url": f"http://localhost:{ports.gateway}",
        "challenge_url": f"http://localhost:{ports.challenge}",
        "audit_url": f"http://localhost:{ports.audit}",
        "authsignal": {
            "api_url": f"http://localhost:{ports.authsignal}/v1",
            "tenant_id": keys.ensure_uuid(TENANT),
            "secret_key": keys.ensure(SECRET),
            "control_url": f"http://localhost:{ports.authsignal}/control",
        },
        "mail": {"inbox_url": f"http://localhost:{ports.mail}", "smtp_port": ports.smtp},
        "aws": _describe_aws(keys, aws) if aws else None,
        "database_url": database_url,
        "audit_token": keys.ensure("audit_token"),
        "auditor_email": AUDITOR_EMAIL,
        "log_public_key": _log_public_key(keys),
    }


def write(path: Path, stack: dict[str, object]) -> None:
    """Put the file in place at once: whoever sees it can read all of it. It holds secrets, so only its owner may."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(stack, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(path)


def _log_public_key(keys: Keys) -> str:
    return str(Signer(log_origin(keys), bytes.fromhex(keys.ensure(LOG_KEY))).verifier)


def _describe_aws(keys: Keys, aws: AwsResources) -> dict[str, object]:
    return {
        "endpoint_url": aws.endpoint_url,
        "region": REGION,
        "access_key_id": ROOT_ACCESS_KEY_ID,
        "secret_access_key": root_secret(keys),
        "user_pool_id": aws.user_pool_id,
        "gateway_client_id": aws.gateway_client_id,
        "direct_client_id": aws.direct_client_id,
        "audit_queue_url": aws.audit_queue_url,
        "audit_dlq_url": aws.audit_dlq_url,
        "archive_bucket": aws.archive_bucket,
    }
