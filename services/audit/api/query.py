"""From a query string to a question: pure, strict, and it names every field that is wrong at once."""

import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

from services.audit.filtering.attributes import AddressRange
from services.audit.filtering.syntax import EXPRESSION_CHARACTERS_MAX, Expression, FilterInvalid, parse_filter
from services.audit.reading import SEARCH_CHARACTERS_MAX
from services.audit.storage.alerts import Wanted as WantedAlerts
from services.audit.storage.cursor import CursorInvalid, LogCursor, SearchCursor, log_cursor, search_cursor
from services.audit.storage.producers import Wanted
from services.audit.storage.quarantine import Wanted as WantedLines
from services.audit.storage.search import Filters, Order
from shared.events import EventType, Outcome, email_hash
from shared.problems import InvalidRequest, NotFound

LIMIT_DEFAULT: Final = 100
LIMIT_MAX: Final = 1_000
TYPES: Final = tuple(event_type.value for event_type in EventType)
OUTCOMES: Final = tuple(outcome.value for outcome in Outcome)
REPEATABLE: Final = frozenset({"type", "outcome"})
FILTER_FIELDS: Final = frozenset(
    {"from", "to", "type", "outcome", "subject", "email", "ip", "session", "attempt", "request", "q", "filter"}
)
SEARCH_FIELDS: Final = FILTER_FIELDS | {"limit", "order", "cursor"}
TAIL_FIELDS: Final = (FILTER_FIELDS - {"to"}) | {"cursor"}
ALERT_FIELDS: Final = frozenset({"state", "rule", "from", "to", "limit", "cursor"})
RANGE_FIELDS: Final = frozenset({"from", "to"})
QUARANTINE_FIELDS: Final = frozenset({"reason", "from", "to", "limit", "cursor"})
PAGE_FIELDS: Final = frozenset({"limit", "cursor"})
COMPLETENESS_FIELDS: Final = frozenset({"service", "instance", "from", "incomplete"})
# What somebody writes in a body: something besides blanks, and no NUL, which PostgreSQL cannot keep (and which is no blank).
TEXT: Final = r"^[^\x00]*[^\x00\s][^\x00]*$"
LONGER: Final = {"filter": EXPRESSION_CHARACTERS_MAX}
WHEN: Final = "Give a time as in RFC 3339, with its zone, such as 2026-01-31T12:00:00Z."
# Where a calendar or a database has an end, reckoning would run over it.
YEARS: Final = range(1970, 9001)
# "+01:00" arrives as " 01:00" from those who forget to escape the plus.
LOST_PLUS: Final = re.compile(r" (\d\d:\d\d)$")

T = TypeVar("T")
Pairs = Sequence[tuple[str, str]]


class SearchQuery(NamedTuple):
    """A question for one page. For `order` desc the cursor is a search's, for asc a follower's."""

    filters: Filters
    order: Order
    limit: int
    search_after: SearchCursor | None
    log_after: LogCursor | None
    fields: tuple[str, ...]


class PageQuery(NamedTuple):
    """A question for one page of a list."""

    after: SearchCursor | None
    limit: int
    fields: tuple[str, ...]


class TailQuery(NamedTuple):
    """A question that stays open. Without `after` it starts now, or at `from` when that is given."""

    filters: Filters
    after: LogCursor | None
    fields: tuple[str, ...]


class QueryReader:
    """Takes the fields of one query apart and remembers what is wrong."""

    def __init__(self, pairs: Pairs, allowed: frozenset[str]) -> None:
        self.errors: list[dict[str, Any]] = []
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            if name not in allowed:
                self.wrong(name[:SEARCH_CHARACTERS_MAX], "There is no such parameter here.")
            elif not value or len(value) > LONGER.get(name, SEARCH_CHARACTERS_MAX) or "\0" in value:
                self.wrong(name, f"Give 1 to {LONGER.get(name, SEARCH_CHARACTERS_MAX):,} characters.")
            elif name in self._values and name not in REPEATABLE:
                self.wrong(name, "Give this only once.")
            else:
                self._values.setdefault(name, []).append(value)

    @property
    def fields(self) -> tuple[str, ...]:
        """The names that were given, sorted."""
        return tuple(sorted(self._values))

    def wrong(self, field: str, message: str, **more: Any) -> None:
        """Remember that a field is wrong, and what it wants."""
        self.errors.append({"field": field, "message": message, **more})

    def many(self, field: str) -> list[str]:
        """Return the values of a field that may be repeated."""
        return self._values.get(field, [])

    def one(self, field: str, read: Callable[[str], T], message: str) -> T | None:
        """Return the value of a field as `read` has it; None when it was not given, or is wrong and `message` says why."""
        values = self._values.get(field)
        if values is None:
            return None
        try:
            return read(values[0])
        except ValueError:
            self.wrong(field, message)
            return None

    def check(self) -> None:
        """
        Check that everything could be read.

        Raises:
            InvalidRequest: Its `errors` name each field and what it wants.
        """
        if self.errors:
            raise InvalidRequest(extensions={"errors": self.errors})


def parse_search(pairs: Pairs, email_hash_keys: Sequence[str]) -> SearchQuery:
    """
    Read the query of a search.

    Args:
        pairs: Names and values as they came, decoded.
        email_hash_keys: The live keys as hex, as in the key file.

    Raises:
        InvalidRequest: Its `errors` name each field and what it wants.
    """
    reader = QueryReader(pairs, SEARCH_FIELDS)
    filters = read_filters(reader, email_hash_keys)
    limit = reader.one("limit", whole_number(LIMIT_MAX), f"Give a whole number from 1 to {LIMIT_MAX}.")
    order = reader.one("order", _order, "Give asc or desc.") or "desc"
    wrong_cursor = "Give the next_cursor of an earlier answer with the same order."
    search_after = log_after = None
    if order == "desc":
        search_after = reader.one("cursor", search_cursor, wrong_cursor)
    else:
        log_after = reader.one("cursor", log_cursor, wrong_cursor)
    reader.check()
    return SearchQuery(filters, order, limit or LIMIT_DEFAULT, search_after, log_after, reader.fields)


def parse_tail(pairs: Pairs, email_hash_keys: Sequence[str], last_event_id: str | None) -> TailQuery:
    """
    Read the query of a tail; `last_event_id` is what a browser sends when it reconnects, and wins over `cursor`.

    Raises:
        InvalidRequest: As `parse_search`.
    """
    reader = QueryReader(pairs, TAIL_FIELDS)
    filters = read_filters(reader, email_hash_keys)
    after = reader.one("cursor", log_cursor, "Give the id of an event of an earlier tail.")
    if last_event_id:
        try:
            after = log_cursor(last_event_id)
        except CursorInvalid:
            reader.wrong("Last-Event-ID", "Give the id of an event of an earlier tail.")
    reader.check()
    return TailQuery(filters, after, reader.fields)


def parse_completeness(pairs: Pairs) -> tuple[Wanted, tuple[str, ...]]:
    """
    Read the query of a completeness report; the second value are the fields that were given.

    Raises:
        InvalidRequest: As `parse_search`.
    """
    reader = QueryReader(pairs, COMPLETENESS_FIELDS)
    wanted = Wanted(
        service=reader.one("service", str, ""),
        instance=reader.one("instance", UUID, "Give the id of a process, a UUID."),
        since=reader.one("from", moment, WHEN),
        only_incomplete=reader.one("incomplete", _flag, "Give true or false.") or False,
    )
    reader.check()
    return wanted, reader.fields


def parse_page(pairs: Pairs) -> PageQuery:
    """
    Read the query of a list that takes no filters.

    Raises:
        InvalidRequest: As `parse_search`.
    """
    reader = QueryReader(pairs, PAGE_FIELDS)
    limit = reader.one("limit", whole_number(LIMIT_MAX), f"Give a whole number from 1 to {LIMIT_MAX}.")
    after = reader.one("cursor", search_cursor, "Give the next_cursor of an earlier answer.")
    reader.check()
    return PageQuery(after, limit or LIMIT_DEFAULT, reader.fields)


def parse_alerts(pairs: Pairs) -> tuple[WantedAlerts, tuple[str, ...]]:
    """
    Read the query of a list of alerts; the second value are the fields that were given.

    Raises:
        InvalidRequest: As `parse_search`.
    """
    reader = QueryReader(pairs, ALERT_FIELDS)
    since, until = _range(reader)
    wanted = WantedAlerts(
        state=reader.one("state", one_of(("open", "closed")), "Give open or closed."),
        rule=reader.one("rule", str, ""),
        since=since,
        until=until,
        before=reader.one("cursor", _number, "Give the next_cursor of an earlier answer."),
        limit=reader.one("limit", whole_number(LIMIT_MAX), f"Give a whole number from 1 to {LIMIT_MAX}.") or LIMIT_DEFAULT,
    )
    reader.check()
    return wanted, reader.fields


def parse_quarantine(pairs: Pairs) -> tuple[WantedLines, tuple[str, ...]]:
    """
    Read the query of a list of quarantined lines; the second value are the fields that were given.

    Raises:
        InvalidRequest: As `parse_search`.
    """
    reader = QueryReader(pairs, QUARANTINE_FIELDS)
    since, until = _range(reader)
    wanted = WantedLines(
        reason=reader.one("reason", str, ""),
        since=since,
        until=until,
        before=reader.one("cursor", _number, "Give the next_cursor of an earlier answer."),
        limit=reader.one("limit", whole_number(LIMIT_MAX), f"Give a whole number from 1 to {LIMIT_MAX}.") or LIMIT_DEFAULT,
    )
    reader.check()
    return wanted, reader.fields


def parse_range(pairs: Pairs) -> tuple[datetime | None, datetime | None, tuple[str, ...]]:
    """
    Read a stretch of time, and the fields that were given.

    Raises:
        InvalidRequest: As `parse_search`.
    """
    reader = QueryReader(pairs, RANGE_FIELDS)
    since, until = _range(reader)
    reader.check()
    return since, until, reader.fields


def parse_nothing(pairs: Pairs) -> None:
    """
    Check that a query is empty.

    Raises:
        InvalidRequest: As `parse_search`.
    """
    QueryReader(pairs, frozenset()).check()


def shape(view: str, fields: tuple[str, ...], **counts: Any) -> dict[str, Any]:
    """Return what the log keeps of a read: which filters were used and how much was shown, never what was looked for."""
    return {"view": view, "filters": list(fields), **counts}


def read_filters(reader: QueryReader, email_hash_keys: Sequence[str]) -> Filters:
    """Return the filters among the fields of a query."""
    since, until = _range(reader)
    address = reader.one("email", _email, "Give an e-mail address.")
    return Filters(
        since=since,
        until=until,
        types=_types(reader),
        outcomes=_outcomes(reader),
        subject=reader.one("subject", str, ""),
        email_hashes=tuple(bytes.fromhex(email_hash(address, key.encode())) for key in email_hash_keys) if address else (),
        ip=reader.one("ip", _addresses, "Give an IP address or a network such as 192.0.2.0/24."),
        session=reader.one("session", str, ""),
        attempt=reader.one("attempt", str, ""),
        request=reader.one("request", str, ""),
        text=reader.one("q", _text, "Give a word or an identifier."),
        expression=_expression(reader),
    )


def _range(reader: QueryReader) -> tuple[datetime | None, datetime | None]:
    since, until = reader.one("from", moment, WHEN), reader.one("to", moment, WHEN)
    if since is not None and until is not None and since >= until:
        reader.wrong("to", "Give a time after from.")
    return since, until


def _expression(reader: QueryReader) -> Expression | None:
    text = next(iter(reader.many("filter")), None)
    if text is None:
        return None
    try:
        return parse_filter(text)
    except FilterInvalid as error:
        reader.wrong("filter", f"At character {error.position}: {error.message}", position=error.position)
        return None


def _types(reader: QueryReader) -> tuple[str, ...]:
    wanted: list[str] = []
    for value in reader.many("type"):
        matching = [name for name in TYPES if name == value or (value.endswith(".") and name.startswith(value))]
        if not matching:
            reader.wrong("type", "Give an event type such as sign_in.succeeded, or a family such as sign_in. with the dot.")
        wanted.extend(matching)
    return tuple(dict.fromkeys(wanted))


def _outcomes(reader: QueryReader) -> tuple[str, ...]:
    wanted = reader.many("outcome")
    if any(value not in OUTCOMES for value in wanted):
        reader.wrong("outcome", f"Give one of {', '.join(OUTCOMES)}.")
    return tuple(dict.fromkeys(wanted))


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError(value)
    return value.strip()


def _email(value: str) -> str:
    if "@" not in value.strip()[1:-1]:
        raise ValueError(value)
    return value


def _addresses(value: str) -> AddressRange:
    network = ip_network(value.strip(), strict=False)
    return AddressRange(network[0], network[-1])


def moment(value: str) -> datetime:
    """
    Read a time, in UTC, with room on both sides for whatever is reckoned from it.

    Raises:
        ValueError: It is none, has no zone, or its year is none of `YEARS`.
    """
    read = datetime.fromisoformat(LOST_PLUS.sub(r"+\1", value))
    if read.tzinfo is None or read.year not in YEARS:
        raise ValueError(value)
    return read.astimezone(UTC)


def path_text(text: str) -> str:
    """
    Return a made-up part of a path, such as an account's `sub`.

    Raises:
        NotFound: Nothing in the log is called so: it holds a NUL, or is longer than any name.
    """
    if "\0" in text or len(text) > SEARCH_CHARACTERS_MAX:
        raise NotFound
    return text


def whole_number(most: int) -> Callable[[str], int]:
    """Return what reads a whole number from 1 to `most`."""

    def read(value: str) -> int:
        if not value.isascii() or not value.isdigit() or len(value) > len(str(most)) or not 1 <= int(value) <= most:
            raise ValueError(value)
        return int(value)

    return read


def one_of(words: Collection[str]) -> Callable[[str], str]:
    """Return what reads one of some words."""

    def read(value: str) -> str:
        if value not in words:
            raise ValueError(value)
        return value

    return read


def _number(value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) >= 2**63:
        raise ValueError(value)
    return int(value)


def _flag(value: str) -> bool:
    if value not in ("true", "false"):
        raise ValueError(value)
    return value == "true"


def _order(value: str) -> Order:
    if value == "asc":
        return "asc"
    if value == "desc":
        return "desc"
    raise ValueError(value)
