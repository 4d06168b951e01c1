"""What the log knows of one person, in numbers; and who looked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.audit.storage.cursor import SearchCursor
from services.audit.storage.database import Pool, fetch

# Sessions and addresses of one person that are shown, the ones seen last first.
SHOWN_MAX: Final = 100

_SUMMARY: Final = """
SELECT count(*) AS event_count, min(occurred_at) AS first_seen, max(occurred_at) AS last_seen,
    array_agg(DISTINCT encode(email_hash, 'hex')) FILTER (WHERE email_hash IS NOT NULL) AS email_hashes
FROM audit.entry_search WHERE subject_sub = $1
"""

_SESSIONS: Final = """
SELECT session_ref, min(occurred_at) AS first_seen, max(occurred_at) AS last_seen,
    (array_agg(host(ip) ORDER BY occurred_at DESC) FILTER (WHERE ip IS NOT NULL))[1] AS ip,
    (array_agg(country ORDER BY occurred_at DESC) FILTER (WHERE country IS NOT NULL))[1] AS country,
    (array_agg(user_agent ORDER BY occurred_at DESC) FILTER (WHERE user_agent IS NOT NULL))[1] AS user_agent
FROM audit.entry_search WHERE subject_sub = $1 AND session_ref IS NOT NULL
GROUP BY session_ref ORDER BY max(occurred_at) DESC, session_ref LIMIT $2
"""

_ADDRESSES: Final = """
SELECT host(ip) AS ip, (array_agg(country ORDER BY occurred_at DESC) FILTER (WHERE country IS NOT NULL))[1] AS country,
    count(*) AS entry_count, max(occurred_at) AS last_seen
FROM audit.entry_search WHERE subject_sub = $1 AND ip IS NOT NULL
GROUP BY ip ORDER BY max(occurred_at) DESC, ip LIMIT $2
"""

_METHODS: Final = """
SELECT method AS word, count(*) AS entry_count FROM audit.entry_search WHERE subject_sub = $1 AND method IS NOT NULL
GROUP BY method ORDER BY count(*) DESC, method
"""

_OUTCOMES: Final = """
SELECT outcome AS word, count(*) AS entry_count FROM audit.entry_search WHERE subject_sub = $1
GROUP BY outcome ORDER BY count(*) DESC, outcome
"""

_READS: Final = """
SELECT occurred_at, event_id, actor_kind, actor_id, route,
    CASE WHEN jsonb_typeof(data -> 'rows') = 'number' THEN (data ->> 'rows')::bigint END AS rows
FROM audit.entry_search
WHERE subject_refs && $1::bytea[] AND ($2::timestamptz IS NULL OR (occurred_at, event_id) < ($2, $3::uuid))
ORDER BY occurred_at DESC, event_id DESC LIMIT $4
"""


class SessionSeen(NamedTuple):
    """One session of a person; address, country and agent are the last ones seen in it."""

    session_ref: str
    first_seen: datetime
    last_seen: datetime
    ip: str | None
    country: str | None
    user_agent: str | None


class AddressSeen(NamedTuple):
    """One address that a person came from."""

    ip: str
    country: str | None
    entry_count: int
    last_seen: datetime


class Person(NamedTuple):
    """What is known of one account; lists hold the ones seen last, at most `SHOWN_MAX`."""

    event_count: int
    first_seen: datetime
    last_seen: datetime
    email_hashes: list[str]
    sessions: list[SessionSeen]
    addresses: list[AddressSeen]
    methods: list[tuple[str, int]]
    outcomes: list[tuple[str, int]]


class Read(NamedTuple):
    """One look at somebody's records: who, by which route, and how many rows were shown in all."""

    occurred_at: datetime
    event_id: UUID
    actor_kind: str | None
    actor_id: str | None
    route: str | None
    row_count: int | None

    def cursor(self) -> SearchCursor:
        """Return the place of this read among the others."""
        return SearchCursor(self.occurred_at, self.event_id)


class PeopleReader:
    """
    Reads about people through the reader's connections.

    Args:
        pool: Connections of the role ``countersign_reader``.

    Every method raises:
        DatabaseUnavailable: Try again later.
        QueryTooSlow: The database is too busy.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find(self, sub: str) -> Person | None:
        """Return what is known of an account; None when no entry names it."""
        [summary] = await fetch(self._pool, _SUMMARY, sub)
        if not summary["event_count"]:
            return None
        sessions = await fetch(self._pool, _SESSIONS, sub, SHOWN_MAX)
        addresses = await fetch(self._pool, _ADDRESSES, sub, SHOWN_MAX)
        return Person(
            summary["event_count"],
            summary["first_seen"],
            summary["last_seen"],
            sorted(summary["email_hashes"] or ()),
            [SessionSeen(*row) for row in sessions],
            [AddressSeen(*row) for row in addresses],
            await self._words(_METHODS, sub),
            await self._words(_OUTCOMES, sub),
        )

    async def reads(self, refs: Sequence[bytes], *, after: SearchCursor | None, limit: int) -> list[Read]:
        """Return up to `limit` reads that name one of these references, newest first, that lie behind `after`."""
        place: tuple[Any, Any] = (None, None) if after is None else after
        rows = await fetch(self._pool, _READS, list(refs), *place, limit)
        return [
            Read(
                row["occurred_at"], UUID(int=row["event_id"].int), row["actor_kind"], row["actor_id"], row["route"], row["rows"]
            )
            for row in rows
        ]

    async def _words(self, sql: str, sub: str) -> list[tuple[str, int]]:
        return [(row["word"], row["entry_count"]) for row in await fetch(self._pool, sql, sub)]
