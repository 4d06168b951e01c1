"""How one sees that a part is ready."""

import http.client
import socket

from deploy.local.ports import HOST

_TIMEOUT_SECONDS = 2.0


def http_ok(port: int, path: str) -> bool:
    """Tell whether a GET of this path is answered 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def answers(port: int, question: bytes, answer: bytes) -> bool:
    """Tell whether the program on this port answers a question with this answer; an empty question only listens."""
    try:
        with socket.create_connection((HOST, port), timeout=_TIMEOUT_SECONDS) as connection:
            if question:
                connection.sendall(question)
            return connection.recv(64).startswith(answer)
    except OSError:
        return False
