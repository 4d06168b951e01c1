"""
What can be asked of the log, and the statements that answer it.

Statements are built from fixed fragments; every value travels as a parameter.
"""

from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from services.audit.storage.cursor import LogCursor, SearchCursor
from services.audit.storage.database import Pool, fetch
from shared.ids import is_uuid

# Accounts that one address may stand for; more would be a search for half the log.
ACCOUNTS_MAX: Final = 50
# The identifiers that a person may paste into the search box.
ID_COLUMNS: Final = ("subject_sub", "attempt_id", "session_ref", "request_id")

Order = Literal["asc", "desc"]


class AddressRange(NamedTuple):
    """The first and the last address of a network; both the same for one address."""

    first: IPv4Address | IPv6Address
    last: IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """
    Which entries are meant; everything that is given must fit.

    `since` is inclusive, `until` exclusive. `email_hashes` holds one hash per live key; it also finds the entries of the
    accounts that were seen with the address, since later entries of an account may name only its sub.
    """

    since: datetime | None = None
    until: datetime | None = None
    types: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    subject: str | None = None
    email_hashes: tuple[bytes, ...] = ()
    ip: AddressRange | None = None
    session: str | None = None
    attempt: str | None = None
    request: str | None = None
    text: str | None = None


class Found(NamedTuple):
    """One entry as the log keeps it; `leaf_index` is its place in the tree, None until it is sealed."""

    event_id: UUID
    entry: bytes
    leaf_hash: bytes
    recorded_at: datetime
    occurred_at: datetime
    leaf_index: int | None

    def search_cursor(self) -> SearchCursor:
        """Return the place of this entry in a search."""
        return SearchCursor(self.occurred_at, self.event_id)

    def log_cursor(self) -> LogCursor:
        """Return the place behind this entry, which is sealed."""
        if self.leaf_index is None:
            raise AssertionError("only sealed entries have a place in the log")
        return LogCursor(self.leaf_index + 1)


class Statement:
    """A WHERE clause under construction: conditions, and the values they refer to."""

    def __init__(self) -> None:
        self.conditions: list[str] = []
        self.values: list[Any] = []

    def value(self, value: Any) -> str:
        """Add a value and return its placeholder."""
        self.values.append(value)
        return f"${len(self.values)}"

    def where(self) -> str:
        """Return the conditions, all of which must hold."""
        return " AND ".join(self.conditions) or "true"


def conditions(filters: Filters, accounts: list[str]) -> Statement:
    """Return the conditions on ``audit.entry_search AS s``; `accounts` are the subs that the address stands for."""
    made = Statement()
    if filters.since is not None:
        made.conditions.append(f"s.occurred_at >= {made.value(filters.since)}")
    if filters.until is not None:
        made.conditions.append(f"s.occurred_at < {made.value(filters.until)}")
    if filters.types:
        made.conditions.append(f"s.event_type = ANY({made.value(list(filters.types))}::text[])")
    if filters.outcomes:
        made.conditions.append(f"s.outcome = ANY({made.value(list(filters.outcomes))}::text[])")
    if filters.email_hashes:
        made.conditions.append(_of_person(made, filters.email_hashes, accounts))
    if filters.ip is not None:
        # Stored addresses are single hosts, so a network is a range, and the B-tree serves it.
        first, last = made.value(filters.ip.first), made.value(filters.ip.last)
        made.conditions.append(f"s.ip BETWEEN {first}::inet AND {last}::inet")
    for column, wanted in (
        ("subject_sub", filters.subject),
        ("session_ref", filters.session),
        ("attempt_id", filters.attempt),
        ("request_id", filters.request),
    ):
        if wanted is not None:
            made.conditions.append(f"s.{column} = {made.value(wanted)}")
    if filters.text is not None:
        made.conditions.append(_of_text(made, filters.text))
    return made


def search_statement(filters: Filters, accounts: list[str], after: SearchCursor | None, limit: int) -> tuple[str, list[Any]]:
    """Return the statement for the newest entries behind `after`."""
    made = conditions(filters, accounts)
    if after is not None:
        made.conditions.append(f"(s.occurred_at, s.event_id) < ({made.value(after.occurred_at)}, {made.value(after.event_id)})")
    # Find in the narrow table first, then fetch the bytes of what is shown.
    sql = f"""
    SELECT e.event_id, e.entry, e.leaf_hash, e.recorded_at, found.occurred_at, l.leaf_index
    FROM (
        SELECT s.event_id, s.occurred_at FROM audit.entry_search AS s WHERE {made.where()}
        ORDER BY s.occurred_at DESC, s.event_id DESC LIMIT {made.value(limit)}
    ) AS found JOIN audit.entries AS e USING (event_id) LEFT JOIN audit.leaves AS l USING (event_id)
    ORDER BY found.occurred_at DESC, found.event_id DESC
    """  # noqa: S608 - fixed fragments and placeholders only
    return sql, made.values


def log_statement(
    filters: Filters, accounts: list[str], after: LogCursor, limit: int, end_leaf: int | None = None
) -> tuple[str, list[Any]]:
    """Return the statement for what is sealed from `after` on and before `end_leaf`, in the order of the log."""
    made = conditions(filters, accounts)
    made.conditions.append(f"l.leaf_index >= {made.value(after.next_index)}")
    if end_leaf is not None:
        made.conditions.append(f"l.leaf_index < {made.value(end_leaf)}")
    sql = f"""
    SELECT e.event_id, e.entry, e.leaf_hash, e.recorded_at, s.occurred_at, l.leaf_index
    FROM audit.leaves AS l JOIN audit.entries AS e USING (event_id) JOIN audit.entry_search AS s USING (event_id)
    WHERE {made.where()}
    ORDER BY l.leaf_index LIMIT {made.value(limit)}
    """  # noqa: S608 - fixed fragments and placeholders only
    return sql, made.values


def _of_person(made: Statement, email_hashes: tuple[bytes, ...], accounts: list[str]) -> str:
    by_address = f"s.email_hash = ANY({made.value(list(email_hashes))}::bytea[])"
    if not accounts:
        return by_address
    return f"({by_address} OR s.subject_sub = ANY({made.value(accounts)}::text[]))"


def _of_text(made: Statement, text: str) -> str:
    if is_uuid(text):
        place = made.value(text)
        same = " OR ".join(f"s.{column} = {place}" for column in ID_COLUMNS)
        return f"({same} OR s.event_id = {made.value(UUID(text))})"
    pattern = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    place = made.value(text)
    same = " OR ".join(f"s.{column} = {place}" for column in ID_COLUMNS)
    return f"(s.words LIKE {made.value(f'%{pattern}%')} OR {same})"


class EntryReader:
    """
    Answers questions through the reader's connections.

    Args:
        pool: Connections of the role ``countersign_reader``.

    Every method raises:
        DatabaseUnavailable: Try again later.
        QueryTooSlow: Ask for less.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def search(self, filters: Filters, *, after: SearchCursor | None, limit: int) -> list[Found]:
        """Return up to `limit` entries, newest first, that lie behind `after`."""
        accounts = await self._accounts(filters)
        return await self._found(*search_statement(filters, accounts, after, limit))

    async def follow(self, filters: Filters, *, after: LogCursor, limit: int, end_leaf: int | None = None) -> list[Found]:
        """Return up to `limit` sealed entries from `after` on (and before `end_leaf`), in the order of the log."""
        accounts = await self._accounts(filters)
        return await self._found(*log_statement(filters, accounts, after, limit, end_leaf))

    async def find(self, event_id: UUID) -> Found | None:
        """Return one entry."""
        sql = """
        SELECT e.event_id, e.entry, e.leaf_hash, e.recorded_at, s.occurred_at, l.leaf_index
        FROM audit.entries AS e JOIN audit.entry_search AS s USING (event_id) LEFT JOIN audit.leaves AS l USING (event_id)
        WHERE e.event_id = $1
        """
        found = await self._found(sql, [event_id])
        return found[0] if found else None

    async def now(self) -> LogCursor:
        """Return the place behind everything that is sealed by now."""
        rows = await self._fetch("SELECT coalesce(max(tree_size), 0) AS tree_size FROM audit.seals", [])
        return LogCursor(rows[0]["tree_size"])

    async def schema_version(self) -> int:
        """Return the version of the newest migration that was applied; 0 when there is none."""
        rows = await self._fetch("SELECT coalesce(max(version), 0) AS version FROM audit.migrations", [])
        return int(rows[0]["version"])

    async def _accounts(self, filters: Filters) -> list[str]:
        if not filters.email_hashes:
            return []
        sql = """
        SELECT DISTINCT subject_sub FROM audit.entry_search
        WHERE email_hash = ANY($1::bytea[]) AND subject_sub IS NOT NULL LIMIT $2
        """
        rows = await self._fetch(sql, [list(filters.email_hashes), ACCOUNTS_MAX])
        return [row["subject_sub"] for row in rows]

    async def _found(self, sql: str, values: list[Any]) -> list[Found]:
        return [
            Found(
                UUID(int=row["event_id"].int),
                row["entry"],
                row["leaf_hash"],
                row["recorded_at"],
                row["occurred_at"],
                row["leaf_index"],
            )
            for row in await self._fetch(sql, values)
        ]

    async def _fetch(self, sql: str, values: list[Any]) -> list[Any]:
        return await fetch(self._pool, sql, *values)
