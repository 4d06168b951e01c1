"""Alerts as the database keeps them: found by one follower of the log at a time, closed by people, delivered by channel."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from services.audit.detections.model import Alert, without
from services.audit.storage.database import UNAVAILABLE, DatabaseUnavailable, Pool, fetch, run
from shared.events import Actor
from shared.ids import uuid7

# Locks of transactions, one for each follower and one for whoever delivers; any numbers that no other tool uses.
LOCKS: Final = {"rules": 0x436F_756E_4465_0001, "bypass": 0x436F_756E_4465_0002}
DELIVERY_LOCK: Final = 0x436F_756E_4465_00FF

_ADD: Final = """
WITH made AS (
    INSERT INTO audit.alerts (alert_id, rule, rule_version, severity, title, first_leaf, last_leaf, first_seen, last_seen,
        event_ids, event_count, data, is_replayed)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text[]::uuid[], $11, $12::text::jsonb, $13)
    ON CONFLICT (alert_id) DO NOTHING RETURNING alert_id
)
INSERT INTO audit.alert_people (alert_id, key, subject, ips) SELECT alert_id, $14, $15, $16::text[] FROM made
"""

# Keeps erasures out until the end of the transaction.
_ERASED: Final = "SELECT audit.erased_among($1::text[]::uuid[])"

_SHOWN: Final = """
SELECT a.alert_no, a.alert_id::text AS id, a.rule, a.rule_version, a.severity, a.title, p.key, p.subject,
    coalesce(p.ips, '{}') AS ips, a.first_leaf, a.last_leaf, a.first_seen, a.last_seen,
    ARRAY(SELECT event_id::text FROM unnest(a.event_ids) AS event_id) AS event_ids, a.event_count, a.data::text AS data,
    a.is_replayed, a.created_at, s.state, s.note, s.by_kind, s.by_id, s.created_at AS state_at
FROM audit.alerts AS a LEFT JOIN audit.alert_people AS p USING (alert_id)
LEFT JOIN LATERAL (
    SELECT * FROM audit.alert_states AS one WHERE one.alert_id = a.alert_id ORDER BY one.state_no DESC LIMIT 1
) AS s ON true
"""

_LIST: Final = f"""{_SHOWN}
WHERE ($1::text IS NULL OR coalesce(s.state, 'open') = $1) AND ($2::text IS NULL OR a.rule = $2)
    AND ($3::timestamptz IS NULL OR a.last_seen >= $3) AND ($4::timestamptz IS NULL OR a.last_seen < $4)
    AND ($5::bigint IS NULL OR a.alert_no < $5)
ORDER BY a.alert_no DESC LIMIT $6
"""

_UNDELIVERED: Final = f"""{_SHOWN}
WHERE NOT EXISTS (SELECT 1 FROM audit.alert_deliveries AS d WHERE d.alert_id = a.alert_id AND d.channel = $1)
    AND (NOT a.is_replayed OR $2) AND a.created_at > now() - $3::interval
ORDER BY a.alert_no LIMIT 1
"""  # noqa: S608 - fixed fragments and placeholders only

_ADD_RUN: Final = """
INSERT INTO audit.detection_runs
    (run_id, kind, from_leaf, to_leaf, entries, alerts, new_alerts, rules, started_at, by_kind, by_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""


class Stored(NamedTuple):
    """An alert as it stands: what was found, whom it names (nothing, once they were erased), and what became of it."""

    alert_no: int
    id: str
    rule: str
    rule_version: int
    severity: str
    title: str
    key: str | None
    subject: str | None
    ips: list[str]
    first_leaf: int
    last_leaf: int
    first_seen: datetime
    last_seen: datetime
    event_ids: list[str]
    event_count: int
    data: str
    is_replayed: bool
    created_at: datetime
    state: str | None
    note: str | None
    by_kind: str | None
    by_id: str | None
    state_at: datetime | None


class Run(NamedTuple):
    """A stretch of the log that was looked at: from a leaf to another, the last exclusive."""

    run_id: UUID
    kind: str
    from_leaf: int
    to_leaf: int
    entries: int
    alerts: int
    new_alerts: int
    rules: list[str]
    started_at: datetime
    by: Actor


class Wanted(NamedTuple):
    """Which alerts are meant: newest first, those behind `before`."""

    state: str | None
    rule: str | None
    since: datetime | None
    until: datetime | None
    before: int | None
    limit: int


class Place(NamedTuple):
    """Where a follower stands, and what its present run held so far."""

    next_index: int
    run_from: int
    run_entries: int
    run_alerts: int
    run_started_at: datetime


class Turn:
    """One step of the follower whose turn it is, inside its transaction."""

    def __init__(self, connection: Any, name: str) -> None:
        self._connection = connection
        self._name = name

    async def place(self) -> Place:
        """Return where this follower stands."""
        sql = """
        SELECT next_index, run_from, run_entries, run_alerts, run_started_at FROM audit.detection_cursors WHERE name = $1
        """
        return Place(*await self._connection.fetchrow(sql, self._name))

    async def add(self, alerts: Sequence[Alert]) -> list[Alert]:
        """Keep alerts and return those that nobody had found before."""
        return await add_alerts(self._connection, alerts, is_replayed=False)

    async def move(self, place: Place) -> None:
        """Remember where this follower stands now; with the alerts of the same step, or not at all."""
        sql = """
        UPDATE audit.detection_cursors
        SET next_index = $2, run_from = $3, run_entries = $4, run_alerts = $5, run_started_at = $6 WHERE name = $1
        """
        await self._connection.execute(sql, self._name, *place)

    async def add_run(self, run: Run) -> None:
        """Keep the record of a run."""
        await add_run(self._connection, run)


class AlertStore:
    """
    Keeps alerts and what became of them.

    Args:
        pool: Connections of the role ``countersign_clerk``.

    Every method raises:
        DatabaseUnavailable: Try again later.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[Turn | None]:
        """Run one step of a follower in a transaction when nobody else has its turn; else give None."""
        async with self._locked(LOCKS[name]) as connection:
            yield None if connection is None else Turn(connection, name)

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[Any]:
        """Give a connection to whoever delivers, one at a time over all processes; None while somebody else does."""
        async with self._locked(DELIVERY_LOCK) as connection:
            yield connection

    async def keep_replay(self, alerts: Sequence[Alert], run: Run) -> int:
        """Keep what a replay found, with the record of it; return how many alerts nobody had found before."""
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                new = len(await add_alerts(connection, alerts, is_replayed=True))
                await add_run(connection, run._replace(new_alerts=new))
        except UNAVAILABLE as error:
            raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error
        return new

    async def set_state(self, alert_id: UUID, state: str, note: str, by: Actor) -> None:
        """Say what became of an alert."""
        sql = "INSERT INTO audit.alert_states (alert_id, state, note, by_kind, by_id) VALUES ($1, $2, $3, $4, $5)"
        await run(self._pool, sql, alert_id, state, note, by.kind, by.id)

    @asynccontextmanager
    async def _locked(self, key: int) -> AsyncIterator[Any]:
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                has_turn = await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", key)
                yield connection if has_turn else None
        except UNAVAILABLE as error:
            raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error


class AlertReader:
    """
    Reads alerts and runs.

    Args:
        pool: Connections of the role ``countersign_reader``.

    Every method raises:
        DatabaseUnavailable: Try again later.
        QueryTooSlow: Ask for less.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, wanted: Wanted) -> list[Stored]:
        """Return alerts, the newest first."""
        return [Stored(*row) for row in await fetch(self._pool, _LIST, *wanted)]

    async def find(self, alert_id: UUID) -> Stored | None:
        """Return one alert."""
        rows = await fetch(self._pool, _SHOWN + "WHERE a.alert_id = $1", alert_id)
        return Stored(*rows[0]) if rows else None

    async def runs(self, limit: int) -> list[Any]:
        """Return the newest runs, each with all columns."""
        return await fetch(self._pool, "SELECT * FROM audit.detection_runs ORDER BY finished_at DESC LIMIT $1", limit)

    async def recorded_at(self, leaf_index: int) -> datetime | None:
        """Return when the log recorded a leaf; None when it does not hold it any more."""
        sql = """
        SELECT e.recorded_at FROM audit.leaves AS l JOIN audit.entries AS e USING (event_id) WHERE l.leaf_index = $1
        """
        rows = await fetch(self._pool, sql, leaf_index)
        return rows[0]["recorded_at"] if rows else None


async def next_undelivered(connection: Any, channel: str, *, with_replayed: bool, age_max: timedelta) -> Stored | None:
    """Return the oldest alert that has not reached a channel and is not older than `age_max`."""
    row = await connection.fetchrow(_UNDELIVERED, channel, with_replayed, age_max)
    return None if row is None else Stored(*row)


async def note_delivered(connection: Any, alert_id: str, channel: str) -> None:
    """Remember that an alert reached a channel."""
    sql = "INSERT INTO audit.alert_deliveries (alert_id, channel) VALUES ($1::text::uuid, $2) ON CONFLICT DO NOTHING"
    await connection.execute(sql, alert_id, channel)


async def add_alerts(connection: Any, alerts: Sequence[Alert], *, is_replayed: bool) -> list[Alert]:
    """
    Keep alerts and return those that nobody had found before.

    Who found them remembers entries for hours: what was erased meanwhile is left out.
    """
    named = {record.event.event_id for alert in alerts for record in alert.behind}
    erased = {str(row[0]) for row in await connection.fetch(_ERASED, sorted(named))} if named else set()
    new = []
    for alert in filter(None, (without(alert, erased) for alert in alerts)):
        status = await connection.execute(
            _ADD,
            alert.id,
            alert.rule,
            alert.rule_version,
            alert.severity.value,
            alert.title,
            alert.first_leaf,
            alert.last_leaf,
            alert.first_seen,
            alert.last_seen,
            list(alert.event_ids),
            alert.event_count,
            msgspec.json.encode(alert.data).decode(),
            is_replayed,
            alert.key,
            alert.subject,
            list(alert.ips),
        )
        if status == "INSERT 0 1":
            new.append(alert)
    return new


async def add_run(connection: Any, run: Run) -> None:
    """Keep the record of a run."""
    *columns, by = run
    await connection.execute(_ADD_RUN, *columns, by.kind, by.id)


def new_run_id() -> UUID:
    """Return an id for a run."""
    return uuid7()
