"""One more copy of a service, with settings of its own, beside the one that the stack runs."""

import secrets
import time
import tomllib
from pathlib import Path
from typing import Any

from deploy.local import toml
from deploy.local.aws_account import AccessKey
from deploy.local.layout import Layout
from deploy.local.parts import services
from deploy.local.process import Child
from tests.contract.ports import free_port
from tests.stack import RunningStack

START_SECONDS_MAX = 60.0


class ServiceProcess:
    """
    A gateway or a challenge service in a process of its own.

    Args:
        name: Which service.
        settings: The whole of its settings, the port apart: that is a free one.
        folder: Where its settings file and its log go.
        access_key: Its AWS credentials.
    """

    def __init__(self, name: str, settings: dict[str, Any], folder: Path, access_key: AccessKey) -> None:
        self.port = free_port()
        self.settings = {**settings, "port": self.port}
        self.url = f"http://localhost:{self.port}"
        if name == "gateway":
            self.settings["public_url"] = self.url
        run = f"{name}-{secrets.token_hex(4)}"
        file = folder / f"{run}.toml"
        file.write_text(toml.dumps(self.settings), encoding="utf-8")
        self.log = folder / f"{run}.log"
        self._command = services.command(name, file, access_key)
        self._child: Child | None = None

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self._child = Child(self._command, self.log)
        deadline = time.monotonic() + START_SECONDS_MAX
        while not services.is_ready(self.port):
            if self._child.exit_code() is not None or time.monotonic() > deadline:
                tail = self._child.log_tail()
                self.stop()
                raise AssertionError(f"{self._command.name} did not start:\n{tail}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ask it to stop, and wait for that."""
        child, self._child = self._child, None
        if child is not None:
            child.ask_to_stop()
            assert child.wait_stopped(time.monotonic() + 20), f"{self._command.name} had to be killed"


def settings_of(stack: RunningStack, name: str) -> dict[str, Any]:
    """Return the settings that the stack gave its own copy of a service."""
    return tomllib.loads((Layout(stack.state_dir).config / f"{name}.toml").read_text(encoding="utf-8"))


def access_key_of(stack: RunningStack, name: str) -> AccessKey:
    """Return the AWS credentials of a service of the stack."""
    folder = Layout(stack.state_dir).secrets
    access_key_id = (folder / f"aws_{name}_access_key_id").read_text(encoding="utf-8").strip()
    return AccessKey(access_key_id, (folder / f"aws_{name}_secret_access_key").read_text(encoding="utf-8").strip())
