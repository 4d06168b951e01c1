"""The Authsignal simulator."""

import sys
from collections.abc import Sequence

from deploy.local.keys import Keys
from deploy.local.layout import Layout
from deploy.local.ports import HOST, Ports
from deploy.local.probes import answers
from deploy.local.process import Command

SECRET = "authsignal_secret"
TENANT = "authsignal_tenant_id"
# What the gateway is told: every log, every change of a factor, and, before a payment is proven, that it may be.
WEBHOOKS = ("logs", "authenticators", "action_verify:authorizePayment")


def command(layout: Layout, keys: Keys, ports: Ports, origins: Sequence[str], *, has_gateway: bool) -> Command:
    """
    Describe the simulator.

    Args:
        layout: Where its state goes.
        keys: Its tenant id and secret, made once, so that tokens outlive a restart.
        ports: Its own port and the SMTP port that it sends codes to.
        origins: The web origins that may call it.
        has_gateway: Whether somebody is there to take webhooks.
    """
    keys.ensure(SECRET)
    options = {
        "--host": HOST,
        "--port": str(ports.authsignal),
        "--tenant-id": keys.ensure_uuid(TENANT),
        "--secret-key-file": str(keys.path(SECRET)),
        "--smtp": f"{HOST}:{ports.smtp}",
        "--state-file": str(layout.data("authsignal.sqlite")),
        "--ui-url": f"http://localhost:{ports.authsignal}",
    }
    argv = [part for pair in options.items() for part in pair]
    allowed = [part for origin in origins for part in ("--allow-origin", origin)]
    webhook_url = f"http://{HOST}:{ports.gateway}/v1/webhooks/authsignal"
    told = [part for kind in WEBHOOKS if has_gateway for part in ("--webhook", f"{kind}={webhook_url}")]
    return Command(name="authsignal", argv=[sys.executable, "-m", "deploy.local.authsignal", *argv, *allowed, *told])


def is_ready(port: int) -> bool:
    """Tell whether it answers HTTP."""
    return answers(port, b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.")
