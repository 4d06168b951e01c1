"""A log behind the audit service's addresses, over connections that stay open."""

import http.client
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from threading import Thread
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from services.audit.commands.client import ANSWER_SECONDS_MAX, connect
from services.audit.commands.errors import USAGE, CommandFailed
from services.audit.tree.bundles import BundleInvalid, decode_bundle
from services.audit.tree.tiles import Tile
from services.audit.verifying.log import Missing

TRIES: Final = 3
# So many answers are asked for before the one that is waited for is there: the service reads and decrypts the next ones while
# what came before is verified.
AHEAD: Final = 4


class _Ask(NamedTuple):
    place: str
    path: str


class HttpSource:
    """
    Reads a log from the service, and ahead of who asks where it was told what comes.

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
        self._idle: list[http.client.HTTPConnection] = []
        self._expected: Iterator[_Ask] = iter(())
        self._coming: dict[_Ask, Future[bytes]] = {}

    @property
    def url(self) -> str:
        """The base URL of the audit service."""
        return self._url

    def expect(self, tiles: Iterable[Tile], *, with_bundles: bool) -> None:
        """See `LogSource`."""
        self._expected = (ask for tile in tiles for ask in ([_tile(tile), _bundle(tile)] if with_bundles else [_tile(tile)]))
        self._coming.clear()
        self._look_ahead()

    def checkpoint(self) -> str:
        """See `LogSource`."""
        return self._get(_Ask("checkpoint", "log/checkpoint")).decode(errors="replace")

    def tile(self, tile: Tile) -> bytes:
        """See `LogSource`."""
        return self._get(_tile(tile))

    def bundle(self, tile: Tile) -> list[bytes]:
        """See `LogSource`."""
        try:
            return decode_bundle(self._get(_bundle(tile)))
        except BundleInvalid:
            return []

    def _get(self, ask: _Ask) -> bytes:
        coming = self._coming.pop(ask, None)
        if coming is None:
            return self._fetch(ask)
        self._look_ahead()
        return coming.result()

    def _look_ahead(self) -> None:
        while len(self._coming) < AHEAD and (ask := next(self._expected, None)) is not None:
            coming: Future[bytes] = Future()
            self._coming[ask] = coming
            # Not a pool of threads: Python would wait for those when Ctrl-C has ended the command.
            Thread(target=self._fetch_into, args=(coming, ask), daemon=True).start()

    def _fetch_into(self, coming: "Future[bytes]", ask: _Ask) -> None:
        try:
            coming.set_result(self._fetch(ask))
        except BaseException as error:
            coming.set_exception(error)

    def _fetch(self, ask: _Ask) -> bytes:
        status, body = self._answer(f"{self._parts.path.rstrip('/')}/{ask.path}")
        if status == 200:
            return body
        if status == 404:
            raise Missing(ask.place, _leaf_indexes(body))
        if status == 401:
            raise CommandFailed("the audit service does not accept this token; --hashes-only needs none")
        raise CommandFailed(f"the audit service answered {ask.place} with status {status}")

    def _answer(self, target: str) -> tuple[int, bytes]:
        error: Exception | None = None
        for _ in range(TRIES):
            connection = self._connection()
            try:
                connection.request("GET", target, headers=self._headers)
                answer = connection.getresponse()
                status, body = answer.status, answer.read()
            except (OSError, http.client.HTTPException) as caught:
                # A connection that idled too long is closed by the server: open another one.
                error = caught
                connection.close()
            else:
                self._idle.append(connection)
                return status, body
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise CommandFailed(f"the audit service at {self._url} does not answer: {reason}") from error

    def _connection(self) -> http.client.HTTPConnection:
        """Return one that idles, or another."""
        try:
            return self._idle.pop()
        except IndexError:
            return connect(self._parts, ANSWER_SECONDS_MAX)


def newest_checkpoint(source: HttpSource) -> str:
    """
    Return the newest checkpoint of a log that is known to have one.

    Raises:
        CommandFailed: There is none: nothing was sealed yet, or another server answers.
    """
    try:
        return source.checkpoint()
    except Missing as error:
        words = f"there is no checkpoint at {source.url}: no audit service answers there, or it has not sealed anything yet"
        raise CommandFailed(words) from error


def _tile(tile: Tile) -> _Ask:
    return _Ask(f"tile/{tile.path}", f"log/tile/{tile.path}")


def _bundle(tile: Tile) -> _Ask:
    return _Ask(f"tile/{tile.bundle_path}", f"log/tile/{tile.bundle_path}")


def _leaf_indexes(body: bytes) -> list[int]:
    try:
        found = json.loads(body)["leaf_indexes"]
    except (ValueError, KeyError, TypeError):
        return []
    return [index for index in found if isinstance(index, int)]
