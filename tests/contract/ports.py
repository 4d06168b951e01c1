"""Free ports."""

import socket


def free_port() -> int:
    """A port of this machine that nobody listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
