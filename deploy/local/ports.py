"""Which part of the stack listens where."""

import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from deploy.local.errors import StackError

HOST = "127.0.0.1"
PORT_BASE_MIN = 1024
PORT_BASE_MAX = 65_500  # the highest port in use is 15 above


@dataclass(frozen=True)
class Ports:
    """Every port of the stack; the defaults are those of the documentation."""

    gateway: int = 8000
    challenge: int = 8001
    audit: int = 8002
    authsignal: int = 8100
    mail: int = 8025
    smtp: int = 1025
    aws: int = 4566
    postgres: int = 55432
    valkey: int = 56379

    @classmethod
    def from_base(cls, base: int | None) -> "Ports":
        """
        Move every port: the services from ``base``, the rest from ``base + 10``.

        Raises:
            StackError: There is no room for the ports above this base.
        """
        if base is None:
            return cls()
        if not PORT_BASE_MIN <= base <= PORT_BASE_MAX:
            raise StackError(f"PORT_BASE is {base}; it must be from {PORT_BASE_MIN} to {PORT_BASE_MAX}.")
        rest = ("authsignal", "mail", "smtp", "aws", "postgres", "valkey")
        return cls(
            gateway=base,
            challenge=base + 1,
            audit=base + 2,
            **{name: base + 10 + offset for offset, name in enumerate(rest)},
        )

    def by_name(self) -> Mapping[str, int]:
        """Return the ports by the name of what listens there."""
        return asdict(self)


def require_free(ports: Mapping[str, int]) -> None:
    """
    Fail unless this stack can listen on all of these ports.

    Raises:
        StackError: Another program listens on one of them.
    """
    for name, port in ports.items():
        if not is_free(port):
            raise StackError(
                f"Port {port} ({name}) is already in use. Stop the program that holds it, or move every port: "
                "make run PORT_BASE=20000"
            )


def is_free(port: int) -> bool:
    """Tell whether a program could listen on this loopback port now."""
    with socket.socket() as listener:
        # As servers do it: a port whose last connections are still closing is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
    return True
