"""The local AWS: ministack under its own interpreter, with credentials and with its policies enforced."""

import shutil

from deploy.local.errors import StackError
from deploy.local.keys import Keys
from deploy.local.layout import REPOSITORY, Layout
from deploy.local.ports import HOST
from deploy.local.probes import http_ok
from deploy.local.process import Command

REGION = "us-east-1"
ROOT_ACCESS_KEY_ID = "local-root"
PYTHON = REPOSITORY / ".venv-emulator" / "bin" / "python"


def endpoint(port: int) -> str:
    """Return the URL of every AWS API."""
    return f"http://{HOST}:{port}"


def root_secret(keys: Keys) -> str:
    """Return the secret access key of the account's root, made at the first start."""
    return keys.ensure("aws_root_secret_access_key")


def command(layout: Layout, keys: Keys, port: int) -> Command:
    """
    Describe the emulator.

    Raises:
        StackError: Its virtual environment is missing.
    """
    if not PYTHON.exists():
        raise StackError("The AWS emulator is not installed. Run: make install")
    folder = layout.data("aws")
    # Functions are unpacked anew in every run, and the emulator leaves the old copies behind.
    unpacked = folder / "tmp"
    shutil.rmtree(unpacked, ignore_errors=True)
    unpacked.mkdir(parents=True)
    return Command(
        name="aws",
        argv=[str(PYTHON), "-m", "deploy.local.emulator"],
        environment={
            "GATEWAY_PORT": str(port),
            "BIND_HOST": HOST,
            "MINISTACK_HOST": HOST,  # queue URLs carry it, and they must be the ones that we call
            "MINISTACK_REGION": REGION,
            "AUTH": "true",
            "AWS_ACCESS_KEY_ID": ROOT_ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": root_secret(keys),
            "PERSIST_STATE": "1",
            "STATE_DIR": str(folder),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(folder / "s3"),
            "TMPDIR": str(unpacked),
            "IOT_MTLS_ENABLED": "0",  # would listen on every interface
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
        },
        stop_seconds=20.0,
    )


def is_ready(port: int) -> bool:
    """Tell whether the emulator has loaded its state and serves."""
    return http_ok(port, "/_ministack/health")
