"""The connection pool of a process."""

from typing import Final

import aiohttp

CONNECTIONS_MAX: Final = 128


def open_http(*, connections_max: int = CONNECTIONS_MAX) -> aiohttp.ClientSession:
    """Open the connection pool of a process: no cookies, no proxy variables, connections kept longer than calls are apart."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections_max, keepalive_timeout=60),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        raise_for_status=False,
    )
