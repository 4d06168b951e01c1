"""
What can be asked of the log, and the statements that answer it.

Statements are built from fixed fragments; every value travels as a parameter.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from services.audit.filtering.attributes import AddressRange
from services.audit.filtering.sql import condition, pattern
from services.audit.filtering.syntax import Expression
from services.audit.storage.cursor import LogCursor, SearchCursor
from services.audit.storage.database import Pool, fetch
from services.audit.storage.keys import JOIN_KEYS, SEALED_COLUMNS, KeyRing, Opened
from shared.events import EventType
from shared.ids import is_uuid

# Accounts that one address may stand for; more would be a search for half the log.
ACCOUNTS_MAX: Final = 50
# The identifiers that a person may paste into the search box.
ID_COLUMNS: Final = ("subject_sub", "attempt_id", "session_ref", "request_id", "device_id", "actor_id")
# Texts that one word may be part of and still be rare; entries with a frequent one are found soonest by walking back in time.
TEXTS_MAX: Final = 200
# How far the clock of a producer may be ahead, or a program make up a time, and the event still be found from that time on.
AHEAD_MAX: Final = timedelta(days=1)

_IDENTIFIED: Final = """
SELECT EXISTS (SELECT FROM audit.entry_search WHERE subject_sub = $1) AS subject_sub,
    EXISTS (SELECT FROM audit.entry_search WHERE attempt_id = $1) AS attempt_id,
    EXISTS (SELECT FROM audit.entry_search WHERE session_ref = $1) AS session_ref,
    EXISTS (SELECT FROM audit.entry_search WHERE request_id = $1) AS request_id,
    EXISTS (SELECT FROM audit.entry_search WHERE device_id = $1) AS device_id,
    EXISTS (SELECT FROM audit.entry_search WHERE actor_id = $1) AS actor_id
"""

# IS TRUE keeps the planner from making a join of it: too many texts means that the walk back in time ends soon.
_TEXTS: Final = "(s.words_id IN (SELECT k.words_id FROM audit.known_words AS k WHERE k.words LIKE {})) IS TRUE"

# The entries with these names, which come in two lists: of two the planner makes a bitmap, and so asks the disk for many pages
# at once; along one list it would wait for each. OFFSET 0 keeps it from reading all keys for the few that are needed.
_STORED: Final = f"""
SELECT {SEALED_COLUMNS}, e.leaf_hash, e.recorded_at FROM audit.entries AS e LEFT JOIN LATERAL (
    SELECT k.wrapped_key, k.destroyed_at FROM audit.subject_keys AS k WHERE k.key_id = e.key_id OFFSET 0
) AS k ON true
WHERE e.event_id = ANY($1::uuid[]) OR e.event_id = ANY($2::uuid[])
"""  # noqa: S608 - a fixed fragment
_PLACES: Final = "SELECT l.event_id, l.leaf_index FROM audit.leaves AS l WHERE l.event_id = ANY($1::uuid[])"

Order = Literal["asc", "desc"]


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
    expression: Expression | None = None


class Meant(NamedTuple):
    """
    What filters turn out to mean in this log.

    `accounts` are the subs that an address stands for. `texts` name the texts that hold what was searched for; `id_columns` are
    the columns in which it stands as a whole. Where `texts` is None the statement itself looks through the texts: because there
    are too many to name, or so that a follower passes no entry by of which the text came a moment ago.
    """

    accounts: list[str]
    texts: list[UUID] | None
    id_columns: tuple[str, ...] = ()


class Found(NamedTuple):
    """
    One entry of the log; `leaf_index` is its place in the tree, None until it is sealed, and `subject_sub` the account that it
    is about.

    `entry` is None when it was erased, or when it is damaged and cannot be read.
    """

    event_id: UUID
    entry: bytes | None
    leaf_hash: bytes
    recorded_at: datetime
    occurred_at: datetime
    leaf_index: int | None
    subject_sub: str | None
    is_erased: bool = False

    def search_cursor(self) -> SearchCursor:
        """Return the place of this entry in a search."""
        return SearchCursor(self.occurred_at, self.event_id)

    def log_cursor(self) -> LogCursor:
        """Return the place behind this entry, which is sealed."""
        if self.leaf_index is None:
            raise AssertionError("only sealed entries have a place in the log")
        return LogCursor(self.leaf_index + 1)


# What somebody still asks of an attempt that is over, such as a second use of its grant: it says nothing of how that ended.
AFTER_THE_END: Final = (EventType.ATTEMPT_REFUSED.value, EventType.STEP_UP_CONSUMED.value)


class Boundary(NamedTuple):
    """
    What some entries have in common, when they are one session or attempt.

    Who and where are the last ones that were named; `outcome` is the last that is not pending and not `AFTER_THE_END`.
    """

    event_count: int
    first_seen: datetime
    last_seen: datetime
    outcome: str
    subject_sub: str | None
    email_hash: bytes | None
    ip: str | None
    country: str | None
    user_agent: str | None
    device_id: str | None


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


def conditions(filters: Filters, meant: Meant) -> Statement:
    """Return the conditions on ``audit.entry_search AS s``."""
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
        made.conditions.append(_of_person(made, filters.email_hashes, meant.accounts))
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
        made.conditions.append(_of_text(made, filters.text, meant))
    if filters.expression is not None:
        made.conditions.append(condition(filters.expression, made.value))
    return made


def search_statement(
    filters: Filters, meant: Meant, after: SearchCursor | None, limit: int, *, is_oldest_first: bool = False
) -> tuple[str, list[Any]]:
    """Return the statement that names the newest entries behind `after`, or the oldest; it reads the narrow table alone."""
    beyond, order = (">", "ASC") if is_oldest_first else ("<", "DESC")
    is_by_text = meant.texts is not None and _is_text_alone(filters, meant)
    made = conditions(replace(filters, text=None) if is_by_text else filters, meant)
    by_text = made.value(meant.texts) if is_by_text else None
    if after is not None:
        place = f"({made.value(after.occurred_at)}, {made.value(after.event_id)})"
        made.conditions.append(f"(s.occurred_at, s.event_id) {beyond} {place}")
    columns = "s.event_id, s.occurred_at, s.subject_sub"
    ranked = f"ORDER BY s.occurred_at {order}, s.event_id {order} LIMIT {made.value(limit)}"
    found = f"SELECT {columns} FROM audit.entry_search AS s WHERE {made.where()} {ranked}"  # noqa: S608 - fixed fragments
    if by_text is not None:
        # Text by text, each from its own end of the index. Left to itself the planner, which cannot know how rare a text is,
        # would walk back through the whole log for it.
        found = f"""
        SELECT s.* FROM unnest({by_text}::uuid[]) AS text (words_id) CROSS JOIN LATERAL (
            SELECT {columns} FROM audit.entry_search AS s WHERE s.words_id = text.words_id AND {made.where()} {ranked}
        ) AS s {ranked}
        """  # noqa: S608 - fixed fragments and placeholders only
    return found, made.values


def boundary_statement(filters: Filters, meant: Meant) -> tuple[str, list[Any]]:
    """Return the statement for what entries have in common."""
    made = conditions(filters, meant)
    last = ", ".join(
        f"(array_agg({value} ORDER BY s.occurred_at DESC, s.event_id DESC) FILTER (WHERE {value} IS NOT NULL))[1] AS {name}"
        for name, value in (
            ("subject_sub", "s.subject_sub"),
            ("email_hash", "s.email_hash"),
            ("ip", "host(s.ip)"),
            ("country", "s.country"),
            ("user_agent", "s.user_agent"),
            ("device_id", "s.device_id"),
        )
    )
    sql = f"""
    SELECT count(*) AS event_count, min(s.occurred_at) AS first_seen, max(s.occurred_at) AS last_seen,
        coalesce((array_agg(s.outcome ORDER BY s.occurred_at DESC, s.event_id DESC)
            FILTER (WHERE s.outcome <> 'pending' AND s.event_type <> ALL ({made.value(list(AFTER_THE_END))}::text[])))[1],
            'pending') AS outcome, {last}
    FROM audit.entry_search AS s WHERE {made.where()}
    """  # noqa: S608 - fixed fragments and placeholders only
    return sql, made.values


def log_statement(
    filters: Filters, meant: Meant, after: LogCursor, limit: int, end_leaf: int | None = None
) -> tuple[str, list[Any]]:
    """Return the statement for what is sealed from `after` on and before `end_leaf`, in the order of the log."""
    made = conditions(filters, meant)
    made.conditions.append(f"l.leaf_index >= {made.value(after.next_index)}")
    if end_leaf is not None:
        made.conditions.append(f"l.leaf_index < {made.value(end_leaf)}")
    sql = f"""
    SELECT {SEALED_COLUMNS}, e.leaf_hash, e.recorded_at, s.occurred_at, s.subject_sub, l.leaf_index
    FROM audit.leaves AS l JOIN audit.entries AS e USING (event_id) JOIN audit.entry_search AS s USING (event_id) {JOIN_KEYS}
    WHERE {made.where()}
    ORDER BY l.leaf_index LIMIT {made.value(limit)}
    """  # noqa: S608 - fixed fragments and placeholders only
    return sql, made.values


def _of_person(made: Statement, email_hashes: tuple[bytes, ...], accounts: list[str]) -> str:
    by_address = f"s.email_hash = ANY({made.value(list(email_hashes))}::bytea[])"
    if not accounts:
        return by_address
    return f"({by_address} OR s.subject_sub = ANY({made.value(accounts)}::text[]))"


def _of_text(made: Statement, text: str, meant: Meant) -> str:
    choices = [f"s.{column} = {made.value(text)}" for column in meant.id_columns]
    if is_uuid(text):
        choices.append(f"s.event_id = {made.value(UUID(text))}")
    elif meant.texts is None:
        choices.append(_TEXTS.format(made.value(pattern(text.lower()))))
    else:
        choices.append(f"s.words_id = ANY({made.value(meant.texts)}::uuid[])")
    return f"({' OR '.join(choices)})"


def _is_text_alone(filters: Filters, meant: Meant) -> bool:
    """Say whether a text is all that could lead to the entries by an index."""
    wide = replace(filters, since=None, until=None, types=(), outcomes=(), text=None)
    return filters.text is not None and not is_uuid(filters.text) and wide == Filters() and not meant.id_columns


class EntryReader:
    """
    Answers questions through the reader's connections.

    Args:
        pool: Connections of the role ``countersign_reader``.
        ring: The deployment's keys, to open what is kept encrypted.

    Every method raises:
        DatabaseUnavailable: Try again later.
        QueryTooSlow: Ask for less.
    """

    def __init__(self, pool: Pool, ring: KeyRing) -> None:
        self._pool = pool
        self._ring = ring

    async def search(self, filters: Filters, *, after: SearchCursor | None, limit: int) -> list[Found]:
        """Return up to `limit` entries, newest first, that lie behind `after`."""
        meant = await self.meant(filters)
        return await self._shown(await self._fetch(*search_statement(filters, meant, after, limit)))

    async def follow(self, filters: Filters, *, after: LogCursor, limit: int, end_leaf: int | None = None) -> list[Found]:
        """Return up to `limit` sealed entries from `after` on (and before `end_leaf`), in the order of the log."""
        meant = Meant(await self._accounts(filters), None, ID_COLUMNS)
        return await self._found(*log_statement(filters, meant, after, limit, end_leaf))

    async def story(self, filters: Filters, *, after: SearchCursor | None, limit: int) -> list[Found]:
        """Return up to `limit` entries, oldest first, that lie behind `after`."""
        meant = await self.meant(filters)
        return await self._shown(await self._fetch(*search_statement(filters, meant, after, limit, is_oldest_first=True)))

    async def boundary(self, filters: Filters) -> Boundary | None:
        """Return what the entries that fit have in common; None when there is none."""
        [row] = await self._fetch(*boundary_statement(filters, await self.meant(filters)))
        return Boundary(*row) if row["event_count"] else None

    async def find(self, event_id: UUID) -> Found | None:
        """Return one entry."""
        sql = f"""
        SELECT {SEALED_COLUMNS}, e.leaf_hash, e.recorded_at, s.occurred_at, s.subject_sub, l.leaf_index
        FROM audit.entries AS e JOIN audit.entry_search AS s USING (event_id) LEFT JOIN audit.leaves AS l USING (event_id)
        {JOIN_KEYS}
        WHERE e.event_id = $1
        """  # noqa: S608 - fixed fragments and placeholders only
        found = await self._found(sql, [event_id])
        return found[0] if found else None

    async def now(self) -> LogCursor:
        """Return the place behind everything that is sealed by now."""
        rows = await self._fetch("SELECT coalesce(max(tree_size), 0) AS tree_size FROM audit.seals", [])
        return LogCursor(rows[0]["tree_size"])

    async def tree_size_at(self, moment: datetime) -> int:
        """Return how large the log was at a moment: all that it holds from there on was recorded or sealed later."""
        sql = "SELECT tree_size FROM audit.seals WHERE sealed_at <= $1 ORDER BY sealed_at DESC, tree_size DESC LIMIT 1"
        rows = await self._fetch(sql, [moment])
        return int(rows[0]["tree_size"]) if rows else 0

    async def place_before(self, moment: datetime) -> LogCursor:
        """
        Return a place before everything that happened from a moment on.

        What was recorded more than `AHEAD_MAX` before it says that it happened lies before it, too.
        """
        return LogCursor(await self.tree_size_at(moment - AHEAD_MAX))

    async def schema_version(self) -> int:
        """Return the version of the newest migration that was applied; 0 when there is none."""
        rows = await self._fetch("SELECT coalesce(max(version), 0) AS version FROM audit.migrations", [])
        return int(rows[0]["version"])

    async def meant(self, filters: Filters) -> Meant:
        """Return what filters mean in this log."""
        return Meant(await self._accounts(filters), await self._texts(filters), await self._id_columns(filters))

    async def _id_columns(self, filters: Filters) -> tuple[str, ...]:
        if filters.text is None:
            return ()
        [row] = await self._fetch(_IDENTIFIED, [filters.text])
        return tuple(column for column in ID_COLUMNS if row[column])

    async def _texts(self, filters: Filters) -> list[UUID] | None:
        if filters.text is None or is_uuid(filters.text):
            return None
        sql = "SELECT words_id FROM audit.known_words WHERE words LIKE $1 LIMIT $2"
        rows = await self._fetch(sql, [pattern(filters.text.lower()), TEXTS_MAX + 1])
        return [row["words_id"] for row in rows] if len(rows) <= TEXTS_MAX else None

    async def _accounts(self, filters: Filters) -> list[str]:
        if not filters.email_hashes:
            return []
        sql = """
        SELECT DISTINCT subject_sub FROM audit.entry_search
        WHERE email_hash = ANY($1::bytea[]) AND subject_sub IS NOT NULL LIMIT $2
        """
        rows = await self._fetch(sql, [list(filters.email_hashes), ACCOUNTS_MAX])
        return [row["subject_sub"] for row in rows]

    async def _shown(self, rows: list[Any]) -> list[Found]:
        """Return the entries that were found, in their order; one that retention dropped since is not among them."""
        if not rows:
            return []
        ids = [row["event_id"] for row in rows]
        # Both at once: when nothing of them is in memory, each waits for the disk some fifty times.
        stored, places = await asyncio.gather(self._fetch(_STORED, [ids[::2], ids[1::2]]), self._fetch(_PLACES, [ids]))
        stored_of = {row["event_id"]: row for row in stored}
        place_of = {row["event_id"]: row["leaf_index"] for row in places}
        opener = self._ring.opener()
        return [
            _found(row, kept, place_of.get(row["event_id"]), opener.open(kept))
            for row in rows
            if (kept := stored_of.get(row["event_id"])) is not None
        ]

    async def _found(self, sql: str, values: list[Any]) -> list[Found]:
        opener = self._ring.opener()
        return [_found(row, row, row["leaf_index"], opener.open(row)) for row in await self._fetch(sql, values)]

    async def _fetch(self, sql: str, values: list[Any]) -> list[Any]:
        return await fetch(self._pool, sql, *values)


def _found(row: Any, stored: Any, leaf_index: int | None, opened: Opened) -> Found:
    return Found(
        UUID(int=row["event_id"].int),
        opened.entry,
        stored["leaf_hash"],
        stored["recorded_at"],
        row["occurred_at"],
        leaf_index,
        row["subject_sub"],
        opened.is_erased,
    )
