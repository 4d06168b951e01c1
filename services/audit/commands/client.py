"""
The audit API from the command line, over the standard library's HTTP: quick to start, and no proxy variable sends the token
elsewhere.
"""

import http.client
import ssl
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import msgspec

from services.audit.commands.errors import FAILED, USAGE, CommandFailed

ANSWER_SECONDS_MAX: Final = 30.0
# The server speaks at least every 15 s.
SILENCE_SECONDS_MAX: Final = 45.0
# A Parquet file is made whole before its first byte leaves.
DOWNLOAD_SECONDS_MAX: Final = 3_600.0
DOWNLOAD_BYTES: Final = 256 * 1024
# What the API gives at once, at most.
PAGE_MAX: Final = 1_000

Params = Sequence[tuple[str, str]]


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
        page: Page = decoded(self.read("/v1/events", params), Page)
        return page

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
        made: ExportMade = decoded(self.send("POST", "/v1/exports", {"format": export_format, "params": params}), ExportMade)
        return made

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

    def read(self, path: str, params: Params = ()) -> bytes:
        """
        Ask for a document and return it as it came; `decoded` opens JSON.

        Raises:
            NotThere: The log does not hold it, or will in a moment.
            CommandFailed: The service cannot be reached or refuses, or its answer broke off.
        """
        return self._body(path, params, ANSWER_SECONDS_MAX)

    def one(self, path: str, what: str, identifier: str) -> bytes:
        """
        Ask for one of a collection, as `read` does.

        Args:
            path: Of the collection.
            what: The word for what is in it, as people say it.
            identifier: As a person gave it.

        Raises:
            CommandFailed: There is none of this identifier; or as `read` does.
        """
        try:
            return self.read(f"{path}/{quote(identifier, safe='')}")
        except NotThere as error:
            words = f"the log at {self._url} knows no {what} {identifier}. Is it the whole id, as --json shows it?"
            raise CommandFailed(words) from error

    def send(self, method: str, path: str, content: Any = None, *, seconds_max: float = ANSWER_SECONDS_MAX) -> bytes:
        """
        Ask for a change and return the answer as it came.

        Args:
            method: Such as POST.
            path: Of what is to change.
            content: Lines as bytes go as they are, anything else as JSON, None not at all.
            seconds_max: How long the service may think about it.

        Raises:
            NotThere: What is to change is not there.
            CommandFailed: The service cannot be reached or refuses, or its answer broke off.
        """
        if content is None:
            return self._body(path, (), seconds_max, method=method)
        is_lines = isinstance(content, bytes)
        headers = {"Content-Type": "application/x-ndjson" if is_lines else "application/json"}
        body = content if is_lines else msgspec.json.encode(content)
        return self._body(path, (), seconds_max, headers, method=method, body=body)

    def pages(
        self, path: str, name: str, params: Params = (), *, limit: int | None = None
    ) -> tuple[list[dict[str, Any]], bool]:
        """
        Return a list page by page: the whole of it, or the first `limit` items, and whether there are more.

        Raises:
            CommandFailed: The service cannot be reached or refuses, or its answer broke off.
        """
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            size = [] if limit is None else [("limit", str(min(PAGE_MAX, limit - len(found))))]
            page = decoded(self.read(path, [*params, *size, *([("cursor", cursor)] if cursor else [])]), dict[str, Any])
            found += page[name]
            cursor = page["next_cursor"]
            if cursor is None or len(found) == limit:
                return found, cursor is not None

    def _body(
        self,
        path: str,
        params: Params,
        seconds_max: float,
        headers: dict[str, str] | None = None,
        *,
        method: str = "GET",
        body: bytes | None = None,
    ) -> bytes:
        with self._answer(path, params, seconds_max, headers, method=method, body=body) as answer:
            try:
                return answer.read()
            except (OSError, http.client.HTTPException) as error:
                raise CommandFailed(f"the answer of {self._url} broke off: ask again") from error

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
                raise _refusal(answer, f"{self._url}{path}")
            yield answer
        finally:
            connection.close()

    def proof(self, event_id: str) -> str:
        """
        Ask for the proof of one event.

        Raises:
            NotThere: The log does not hold the event, or has not sealed it yet.
            CommandFailed: The service cannot be reached or refuses.
        """
        return self.read(f"/v1/events/{quote(event_id)}/proof").decode(errors="replace")


def decoded(body: bytes | str, answer_type: Any = Any) -> Any:
    """
    Return what an answer says, checked to be of a type.

    Raises:
        CommandFailed: Something else answers there than the audit service.
    """
    try:
        return msgspec.json.decode(body, type=answer_type)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CommandFailed(f"the answer is not the audit service's: {error}") from error


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
        name, _, value = line.rstrip(b"\r\n").decode(errors="replace").partition(": ")
        if line.strip():
            fields[name] = value
            continue
        if fields.get("event") == "entry":
            yield fields.get("id", ""), decoded(fields.get("data", ""), Entry)
        elif fields.get("event") == "notice":
            sys.stderr.write(f"countersign: {decoded(fields.get('data', ''), ProblemAnswer).detail}\n")
        elif fields.get("event") == "problem":
            raise CommandFailed(decoded(fields.get("data", ""), ProblemAnswer).detail)
        fields = {}


def _refusal(answer: http.client.HTTPResponse, asked: str) -> CommandFailed:
    try:
        problem = msgspec.json.decode(answer.read(65_536), type=ProblemAnswer)
    except (msgspec.MsgspecError, http.client.HTTPException, OSError):
        problem = ProblemAnswer()
    if answer.status == 401:
        return CommandFailed("the audit service does not accept this token: it is not whole, not of this service, or too old")
    if problem.errors:
        return CommandFailed("; ".join(f"{error.field}: {error.message}" for error in problem.errors), USAGE)
    if answer.status == 404:
        # Another server than the audit service says the same: who reads the address sees which of the two it is.
        return NotThere(f"{asked}: {problem.detail or 'There is nothing here.'}", is_sealing=False)
    if answer.status == 409:
        return NotThere(problem.detail or "this is not in the log", is_sealing=True)
    detail = problem.detail or f"the audit service answered with status {answer.status}"
    return CommandFailed(detail, FAILED)
