"""Free ports."""

import socket
from typing import Final

_held: Final[list[socket.socket]] = []


def free_port() -> int:
    """
    A port of this machine that nobody listens on, and that nobody else is given while this process lives.

    It stays bound here, without listening, so that the system hands it to no other process before ours is up, nor while ours is
    down for a moment. Whoever is to have it sets SO_REUSEADDR, as servers do, and listens there all the same.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    _held.append(holder)
    port: int = holder.getsockname()[1]
    return port
