"""
The audit API from the command line, over the standard library's HTTP: quick to start, and no proxy variable sends the token
elsewhere.
"""

import http.client
import ssl
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import msgspec

from services.audit.commands.errors import FAILED, USAGE, CommandFailed

ANSWER_SECONDS_MAX: Final = 30.0
# The server speaks at least every 15 s.
SILENCE_SECONDS_MAX: Final = 45.0
# A Parquet file is made whole before its first byte leaves.
DOWNLOAD_SECONDS_MAX: Final = 3_600.0
DOWNLOAD_BYTES: Final = 256 * 1024

Params = Sequence[tuple[str, str]]
T = TypeVar("T")


class Entry(msgspec.Struct, frozen=True):
    """
    One entry as the API shows it: `event` holds the stored bytes.

    Where they are null, `event_id` says which it was, and `erased` whether it was erased or is damaged.
    """

    event: msgspec.Raw
    leaf_hash: str
    recorded_at: str
    leaf_index: int | None = None
    event_id: str | None = None
    erased: bool | None = None


class Page(msgspec.Struct, frozen=True):
    """One page of a search."""

    events: list[Entry]
    next_cursor: str | None = None


class ExportMade(msgspec.Struct, frozen=True):
    """An export: `url` is the path of its file."""

    id: str
    url: str


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field."""

    field: str = ""
    message: str = ""


class ProblemAnswer(msgspec.Struct, frozen=True):
    """A problem document."""

    detail: str = ""
    errors: list[FieldError] = []


class TailEnded(Exception):
    """The connection of a tail ended; it may be opened again at `last_id`."""


class NotThere(CommandFailed):
    """The log does not hold what was asked for; `is_sealing` when it will in a moment."""

    def __init__(self, message: str, *, is_sealing: bool) -> None:
        super().__init__(message)
        self.is_sealing = is_sealing


class AuditClient:
    """
    Calls one audit service.

    Args:
        url: Base URL, without a slash at the end.
        token: A service token or a Cognito access token.
    """

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CommandFailed(f"{url} is no http or https URL", USAGE)
        self._parts = parts
        self._url = url
        self._token = token

    def search(self, params: Params) -> Page:
        """
        Ask for one page.

        Raises:
            CommandFailed: The service cannot be reached or refuses.
        """
        with self._answer("/v1/events", params, ANSWER_SECONDS_MAX) as answer:
            try:
                return msgspec.json.decode(answer.read(), type=Page)
            except (msgspec.MsgspecError, http.client.HTTPException) as error:
                raise CommandFailed(f"{self._url} answered something else than events") from error

    def tail(self, params: Params, last_id: str | None) -> Iterator[tuple[str, Entry]]:
        """
        Yield entries as they arrive, each with its id.

        Raises:
            TailEnded: The connection ended or went silent.
            CommandFailed: The service cannot be reached or refuses.
        """
        headers = {"Last-Event-ID": last_id} if last_id else {}
        with self._answer("/v1/events/tail", params, SILENCE_SECONDS_MAX, headers) as answer:
            try:
                yield from _entries(answer)
            except (OSError, http.client.HTTPException) as error:
                raise TailEnded from error
            raise TailEnded

    def create_export(self, export_format: str, params: dict[str, str | list[str]]) -> ExportMade:
        """
        Ask for an export and return where its file is.

        Raises:
            CommandFailed: The service cannot be reached or refuses.
        """
        answer = self.send("POST", "/v1/exports", {"format": export_format, "params": params})
        return msgspec.json.decode(answer, type=ExportMade)

    def download(self, path: str, write: Callable[[bytes], None]) -> None:
        """
        Fetch a file piece by piece; memory holds one piece.

        Raises:
            CommandFailed: The service cannot be reached or refuses, or the file broke off.
        """
        with self._answer(path, (), DOWNLOAD_SECONDS_MAX) as answer:
            while True:
                try:
                    piece = answer.read1(DOWNLOAD_BYTES)
                except (OSError, http.client.HTTPException) as error:
                    raise CommandFailed("the file broke off: what came is not all of it, ask again") from error
                if not piece:
                    return
                write(piece)

    def get(self, path: str, answer_type: type[T]) -> T:
        """
        Ask for something and return it decoded.

        Raises:
            CommandFailed: The service cannot be reached or refuses.
        """
        with self._answer(path, (), ANSWER_SECONDS_MAX) as answer:
            return msgspec.json.decode(answer.read(), type=answer_type)

    @contextmanager
    def _answer(
        self,
        path: str,
        params: Params,
        seconds_max: float,
        headers: dict[str, str] | None = None,
        *,
        method: str = "GET",
        body: bytes | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        connection = connect(self._parts, seconds_max)
        try:
            try:
                target = f"{self._parts.path}{path}?{urlencode(params, quote_via=quote)}"
                own = {"Authorization": f"Bearer {self._token}"}
                connection.request(method, target, body, {**own, **(headers or {})})
                answer = connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
                raise CommandFailed(f"the audit service at {self._url} does not answer: {reason}") from error
            if not 200 <= answer.status < 300:
                raise _refusal(answer)
            yield answer
        finally:
            connection.close()

    def tell(self, path: str, body: bytes, *, content_type: str = "application/json", seconds_max: float = 300.0) -> bytes:
        """
        Have something done and return the JSON of the answer.

        Raises:
            CommandFailed: The service cannot be reached or refuses.
        """
        with self._answer(path, (), seconds_max, {"Content-Type": content_type}, method="POST", body=body) as answer:
            return answer.read()

    def proof(self, event_id: str) -> str:
        """
        Ask for the proof of one event.

        Raises:
            NotThere: The log does not hold the event, or has not sealed it yet.
            CommandFailed: The service cannot be reached or refuses.
        """
        with self._answer(f"/v1/events/{quote(event_id)}/proof", (), ANSWER_SECONDS_MAX) as answer:
            return answer.read().decode(errors="replace")

    def change(self, method: str, path: str, body: dict[str, str] | None, *, seconds_max: float = ANSWER_SECONDS_MAX) -> Any:
        """
        Ask for a change and return the decoded answer.

        Raises:
            CommandFailed: The service cannot be reached or refuses.
        """
        sent = None if body is None else msgspec.json.encode(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        with self._answer(path, (), seconds_max, headers, method=method, body=sent) as answer:
            return msgspec.json.decode(answer.read())

    def pages(self, path: str, name: str) -> list[dict[str, Any]]:
        """
        Return the whole of a list, page by page.

        Raises:
            CommandFailed: The service cannot be reached or refuses.
        """
        found: list[dict[str, Any]] = []
        cursor: Params = ()
        while True:
            with self._answer(path, cursor, ANSWER_SECONDS_MAX) as answer:
                page = msgspec.json.decode(answer.read())
            found += page[name]
            if page["next_cursor"] is None:
                return found
            cursor = (("cursor", page["next_cursor"]),)

    def completeness(self, params: Params) -> bytes:
        """
        Ask for the completeness report.

        Raises:
            CommandFailed: The service cannot be reached or refuses.
        """
        return self.read("/v1/completeness", params)

    def read(self, path: str, params: Params = (), *, seconds_max: float = ANSWER_SECONDS_MAX) -> bytes:
        """
        Ask for a JSON document.

        Raises:
            CommandFailed: The service cannot be reached or refuses.
        """
        with self._answer(path, params, seconds_max) as answer:
            return answer.read()

    def send(self, method: str, path: str, content: Any) -> bytes:
        """
        Ask for a change; `content` becomes the JSON body, None sends none.

        Raises:
            CommandFailed: The service cannot be reached or refuses.
        """
        body = None if content is None else msgspec.json.encode(content)
        headers = {} if content is None else {"Content-Type": "application/json"}
        with self._answer(path, (), ANSWER_SECONDS_MAX, headers, method=method, body=body) as answer:
            return answer.read()


def connect(parts: SplitResult, seconds_max: float) -> http.client.HTTPConnection:
    """Return a connection to a server, not opened yet."""
    host = parts.hostname or ""
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, parts.port, timeout=seconds_max, context=context)
    return http.client.HTTPConnection(host, parts.port, timeout=seconds_max)


def _entries(answer: http.client.HTTPResponse) -> Iterator[tuple[str, Entry]]:
    fields: dict[str, Any] = {}
    while line := answer.readline():
        name, _, value = line.rstrip(b"\r\n").decode().partition(": ")
        if line.strip():
            fields[name] = value
            continue
        if fields.get("event") == "entry":
            yield fields["id"], msgspec.json.decode(fields["data"], type=Entry)
        elif fields.get("event") == "notice":
            sys.stderr.write(f"countersign: {msgspec.json.decode(fields['data'], type=ProblemAnswer).detail}\n")
        elif fields.get("event") == "problem":
            raise CommandFailed(msgspec.json.decode(fields["data"], type=ProblemAnswer).detail)
        fields = {}


def _refusal(answer: http.client.HTTPResponse) -> CommandFailed:
    try:
        problem = msgspec.json.decode(answer.read(65_536), type=ProblemAnswer)
    except (msgspec.MsgspecError, http.client.HTTPException, OSError):
        problem = ProblemAnswer()
    if answer.status == 401:
        return CommandFailed("the audit service does not accept this token")
    if problem.errors:
        return CommandFailed("; ".join(f"{error.field}: {error.message}" for error in problem.errors), USAGE)
    if answer.status in (404, 409):
        return NotThere(problem.detail or "this is not in the log", is_sealing=answer.status == 409)
    detail = problem.detail or f"the audit service answered with status {answer.status}"
    return CommandFailed(detail, FAILED)
