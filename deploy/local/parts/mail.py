"""The mail catcher."""

import sys

from deploy.local.ports import HOST
from deploy.local.probes import http_ok
from deploy.local.process import Command


def command(http_port: int, smtp_port: int) -> Command:
    """Describe the catcher."""
    ports = ["--http-port", str(http_port), "--smtp-port", str(smtp_port)]
    return Command(name="mail", argv=[sys.executable, "-m", "deploy.local.mail", "--host", HOST, *ports])


def is_ready(http_port: int) -> bool:
    """Tell whether it takes mail: the page opens after the SMTP port."""
    return http_ok(http_port, "/healthz")
