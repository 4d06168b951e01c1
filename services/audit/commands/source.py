"""A log behind the audit service's addresses, over one connection that stays open."""

import http.client
import json
from typing import Final
from urllib.parse import urlsplit

from services.audit.commands.client import ANSWER_SECONDS_MAX, connect
from services.audit.commands.errors import USAGE, CommandFailed
from services.audit.tree.bundles import BundleInvalid, decode_bundle
from services.audit.tree.tiles import Tile
from services.audit.verifying.log import Missing

TRIES: Final = 3


class HttpSource:
    """
    Reads a log from the service.

    Args:
        url: Base URL of the audit service.
        token: Needed for entries only; hashes are public.

    Every method raises:
        Missing: The log does not have it.
        CommandFailed: The service cannot be reached, or refuses.
    """

    def __init__(self, url: str, token: str | None) -> None:
        self._url = url
        self._parts = urlsplit(url)
        if self._parts.scheme not in ("http", "https") or not self._parts.hostname:
            raise CommandFailed(f"{url} is no http or https URL", USAGE)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._connection: http.client.HTTPConnection | None = None

    def checkpoint(self) -> str:
        """See `LogSource`."""
        return self._get("checkpoint", "log/checkpoint").decode(errors="replace")

    def tile(self, tile: Tile) -> bytes:
        """See `LogSource`."""
        return self._get(f"tile/{tile.path}", f"log/tile/{tile.path}")

    def bundle(self, tile: Tile) -> list[bytes]:
        """See `LogSource`."""
        data = self._get(f"tile/{tile.bundle_path}", f"log/tile/{tile.bundle_path}")
        try:
            return decode_bundle(data)
        except BundleInvalid:
            return []

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _get(self, place: str, path: str) -> bytes:
        status, body = self._ask(f"{self._parts.path.rstrip('/')}/{path}")
        if status == 200:
            return body
        if status == 404:
            raise Missing(place, _leaf_indexes(body))
        if status == 401:
            raise CommandFailed("the audit service does not accept this token; --hashes-only needs none")
        raise CommandFailed(f"the audit service answered {place} with status {status}")

    def _ask(self, target: str) -> tuple[int, bytes]:
        error: Exception | None = None
        for _ in range(TRIES):
            if self._connection is None:
                self._connection = connect(self._parts, ANSWER_SECONDS_MAX)
            try:
                self._connection.request("GET", target, headers=self._headers)
                answer = self._connection.getresponse()
                return answer.status, answer.read()
            except (OSError, http.client.HTTPException) as caught:
                # A connection that idled too long is closed by the server: open another one.
                error = caught
                self.close()
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise CommandFailed(f"the audit service at {self._url} does not answer: {reason}") from error


def _leaf_indexes(body: bytes) -> list[int]:
    try:
        found = json.loads(body)["leaf_indexes"]
    except (ValueError, KeyError, TypeError):
        return []
    return [index for index in found if isinstance(index, int)]
