"""What the sealed log holds of each producer, as the API reads it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.audit.completeness import Edge, Known, Quarantined, Standing, assess
from services.audit.storage.database import Pool, fetch

SHOWN_MAX: Final = 10_000

_PRODUCERS = """
SELECT p.instance::text AS instance, p.service, p.entry_count, p.first_recorded_at, p.last_recorded_at, p.stopped_seq,
    ARRAY(SELECT lower(run) FROM unnest(p.seqs) AS run ORDER BY 1) AS firsts,
    ARRAY(SELECT upper(run) FROM unnest(p.seqs) AS run ORDER BY 1) AS lasts
FROM audit.producers AS p
WHERE ($1::text IS NULL OR p.service = $1) AND ($2::uuid IS NULL OR p.instance = $2)
    AND ($3::timestamptz IS NULL OR p.last_recorded_at >= $3)
    AND (NOT $4 OR p.seqs <> int8multirange(int8range(0, upper(p.seqs))) OR p.entry_count > upper(p.seqs))
ORDER BY p.last_recorded_at DESC, p.instance
LIMIT $5
"""

_EDGES = """
SELECT instance::text AS instance, seq, event_id::text AS event_id, noticed_at FROM audit.gap_edges
WHERE instance = ANY ($1::text[]::uuid[])
"""

_QUARANTINED = """
SELECT DISTINCT ON (instance, seq) instance::text AS instance, seq, quarantine_id, reason FROM audit.quarantine
WHERE instance = ANY ($1::text[]::uuid[]) ORDER BY instance, seq, quarantine_id
"""

# What comes next in the order of arrival, behind a checkpoint.
_OLDEST_UNSEALED = """(
    SELECT e.recorded_at FROM audit.entries AS e
    WHERE (e.recorded_xid, e.event_id) > (s.through_xid, s.through_id)
    ORDER BY e.recorded_xid, e.event_id LIMIT 1
)"""
_SEALED = f"""
SELECT tree_size, sealed_at, {_OLDEST_UNSEALED} AS oldest_unsealed_at
FROM audit.seals AS s ORDER BY tree_size DESC LIMIT 1
"""  # noqa: S608 - a fixed fragment

# By the database's own clock, like what it measures.
_UNSEALED = f"""
SELECT extract(epoch FROM clock_timestamp() - s.sealed_at)::float8 AS since_seal,
    extract(epoch FROM clock_timestamp() - {_OLDEST_UNSEALED})::float8 AS oldest
FROM audit.seals AS s ORDER BY tree_size DESC LIMIT 1
"""  # noqa: S608 - a fixed fragment


class Wanted(NamedTuple):
    """Which producers are meant."""

    service: str | None = None
    instance: UUID | None = None
    since: datetime | None = None
    only_incomplete: bool = False
    # None: all of them.
    limit: int | None = SHOWN_MAX


class Sealed(NamedTuple):
    """How far the log is sealed; a report about completeness reaches as far."""

    tree_size: int
    sealed_at: datetime
    oldest_unsealed_at: datetime | None


class Unsealed(NamedTuple):
    """How long the oldest entry without a seal has waited (None when all have theirs), and how old the newest seal is."""

    oldest_seconds: float | None
    since_seal_seconds: float


class ProducerReader:
    """
    Reads producers through the reader's connections.

    Args:
        pool: Connections of the role ``countersign_reader``.

    Every method raises:
        DatabaseUnavailable: Try again later.
        QueryTooSlow: The database is too busy.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def sealed(self) -> Sealed | None:
        """Return how far the log is sealed; None when it never was."""
        rows = await fetch(self._pool, _SEALED)
        return Sealed(rows[0]["tree_size"], rows[0]["sealed_at"], rows[0]["oldest_unsealed_at"]) if rows else None

    async def unsealed(self) -> Unsealed | None:
        """Return what waits for its seal; None for a log that was never sealed."""
        rows = await fetch(self._pool, _UNSEALED)
        return Unsealed(rows[0]["oldest"], rows[0]["since_seal"]) if rows else None

    async def standings(self, wanted: Wanted, *, now: datetime) -> list[Standing]:
        """Return how complete each producer is, the one that was heard of last first."""
        rows = await fetch(
            self._pool, _PRODUCERS, wanted.service, wanted.instance, wanted.since, wanted.only_incomplete, wanted.limit
        )
        instances = [row["instance"] for row in rows]
        edges = _by_instance(await fetch(self._pool, _EDGES, instances)) if instances else {}
        lines = _by_instance(await fetch(self._pool, _QUARANTINED, instances)) if instances else {}
        return [_standing(row, edges, lines, now) for row in rows]


def _standing(row: Any, edges: Mapping[str, Sequence[Any]], lines: Mapping[str, Sequence[Any]], now: datetime) -> Standing:
    instance = row["instance"]
    known = Known(
        instance,
        row["service"],
        list(zip(row["firsts"], row["lasts"], strict=True)),
        row["entry_count"],
        row["first_recorded_at"],
        row["last_recorded_at"],
        row["stopped_seq"],
    )
    its_edges = {edge["seq"]: Edge(edge["event_id"], edge["noticed_at"]) for edge in edges.get(instance, ())}
    its_lines = [Quarantined(line["seq"], line["quarantine_id"], line["reason"]) for line in lines.get(instance, ())]
    return assess(known, its_edges, its_lines, now=now)


def _by_instance(rows: Sequence[Any]) -> dict[str, list[Any]]:
    grouped: dict[str, list[Any]] = {}
    for row in rows:
        grouped.setdefault(row["instance"], []).append(row)
    return grouped
