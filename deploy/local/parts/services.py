"""The three services of the product, each with its own settings file and its own AWS credentials."""

import subprocess
import sys
from pathlib import Path

from deploy.local.aws_account import AccessKey
from deploy.local.errors import StackError
from deploy.local.layout import Layout
from deploy.local.parts.aws import REGION
from deploy.local.probes import http_ok
from deploy.local.process import Command, run

_MIGRATE_SECONDS = 120.0


def command(name: str, settings: Path, access_key: AccessKey) -> Command:
    """Describe one service."""
    return Command(
        name=name,
        argv=[sys.executable, "-m", f"services.{name}", "--settings", str(settings)],
        environment={
            "AWS_ACCESS_KEY_ID": access_key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": access_key.secret_access_key,
            "AWS_DEFAULT_REGION": REGION,
            # Without it the SDK asks the metadata address of a cloud machine before it settles on these keys.
            "AWS_EC2_METADATA_DISABLED": "true",
        },
        stop_seconds=20.0,  # it drains: requests in flight, and audit events not yet acknowledged
    )


def is_ready(port: int) -> bool:
    """Tell whether the service and everything that it depends on answer."""
    return http_ok(port, "/readyz")


def migrate(layout: Layout, settings: Path) -> None:
    """
    Bring the audit database to the schema that this version wants.

    Raises:
        StackError: A migration failed; the end of its log is in the text.
    """
    log = layout.logs / "audit-migrate.log"
    log.unlink(missing_ok=True)
    argv = [sys.executable, "-m", "services.audit", "migrate", "--settings", str(settings)]
    try:
        code = run(Command(name="audit-migrate", argv=argv), log, _MIGRATE_SECONDS)
    except subprocess.TimeoutExpired as exc:
        raise StackError(f"The audit database was not migrated within {_MIGRATE_SECONDS:.0f} s. See {log}.") from exc
    if code != 0:
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        raise StackError(f"The audit database could not be migrated. The end of {log}:\n{tail}")
