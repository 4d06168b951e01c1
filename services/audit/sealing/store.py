"""
The sequencer's side of the database: one transaction a round, and only for whoever holds the lock.

Everything that a round writes is in that transaction: leaves, tiles, producers and the checkpoint that stands over them. A
crash at any point of it leaves the log as it was before the round; there is nothing to repair.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

from services.audit.sealing.recheck import Rechecked, Seen, Stored, multirange
from services.audit.storage.database import UNAVAILABLE, DatabaseUnavailable, Pool
from services.audit.tree.frontier import GrownTile
from services.audit.tree.tiles import Tile

# The lock belongs to the transaction: it ends with it, however the holder ends.
LOCK_KEY: Final = 0x436F_756E_7453_6561  # "CountSea" in ASCII; any number that no other tool uses.

# The last place of the arrival order at which nothing was.
BEGINNING: Final = (0, "00000000-0000-0000-0000-000000000000")

_LAST: Final = """
SELECT tree_size, root_hash, note, through_xid::text AS through_xid, through_id::text AS through_id
FROM audit.seals ORDER BY tree_size DESC LIMIT 1
"""

# xmin: no transaction below it is open, so below it no row can appear any more, and none is skipped. xmax: no transaction of
# this server has a number from there on, so a row that bears one came with a restored dump.
_HORIZON: Final = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin, pg_snapshot_xmax(pg_current_snapshot())::text AS xmax
"""

# Rows that have their place already are only met after the order of arrival began anew.
_TAKE: Final = """
SELECT e.event_id::text AS event_id, e.recorded_xid::text AS xid, e.recorded_at, e.leaf_hash, e.key_id::text AS key_id,
    CASE WHEN l.event_id IS NULL THEN e.entry END AS entry
FROM (
    SELECT event_id, recorded_xid, recorded_at, leaf_hash, key_id, entry FROM audit.entries
    WHERE (recorded_xid, event_id) > ($1::text::xid8, $2::text::uuid) AND recorded_xid < $3::text::xid8
    ORDER BY recorded_xid, event_id LIMIT $4
) AS e LEFT JOIN audit.leaves AS l USING (event_id)
ORDER BY e.recorded_xid, e.event_id
"""

# Asked of this statement's own snapshot: by an older one, what committed in between would look as if it had been restored.
_TAKE_RESTORED: Final = """
SELECT e.event_id::text AS event_id, e.recorded_xid::text AS xid, e.recorded_at, e.leaf_hash, e.key_id::text AS key_id, e.entry
FROM audit.entries AS e LEFT JOIN audit.leaves AS l USING (event_id)
WHERE e.recorded_xid >= pg_snapshot_xmax(pg_current_snapshot()) AND l.event_id IS NULL
ORDER BY e.recorded_xid, e.event_id LIMIT $1
"""

_KEYS: Final = """
SELECT key_id::text AS key_id, wrapped_key FROM audit.subject_keys WHERE key_id = ANY ($1::text[]::uuid[])
"""

_EDGE: Final = """
SELECT t.level, t.tile_index, t.hashes FROM audit.tiles AS t
JOIN unnest($1::smallint[], $2::bigint[]) AS wanted (level, tile_index) USING (level, tile_index)
"""

_ADD_LEAVES: Final = """
INSERT INTO audit.leaves (leaf_index, event_id)
SELECT $1 + place - 1, event_id::uuid FROM unnest($2::text[]) WITH ORDINALITY AS leaf (event_id, place)
"""

_ADD_TILES: Final = """
INSERT INTO audit.tiles (level, tile_index, hashes) SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])
ON CONFLICT (level, tile_index) DO UPDATE SET hashes = EXCLUDED.hashes
"""

_ADD_PRODUCERS: Final = """
INSERT INTO audit.producers AS known
    (instance, service, seqs, entry_count, first_recorded_at, last_recorded_at, stopped_seq)
SELECT instance::uuid, service, seqs::int8multirange, entry_count, first_recorded_at, last_recorded_at, stopped_seq
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::bigint[])
    AS seen (instance, service, seqs, entry_count, first_recorded_at, last_recorded_at, stopped_seq)
ON CONFLICT (instance) DO UPDATE SET
    seqs = known.seqs + EXCLUDED.seqs,
    entry_count = known.entry_count + EXCLUDED.entry_count,
    first_recorded_at = least(known.first_recorded_at, EXCLUDED.first_recorded_at),
    last_recorded_at = greatest(known.last_recorded_at, EXCLUDED.last_recorded_at),
    stopped_seq = greatest(known.stopped_seq, EXCLUDED.stopped_seq)
"""

_DROP_EDGES: Final = """
DELETE FROM audit.gap_edges AS edge USING audit.producers AS p
WHERE edge.instance = ANY ($1::text[]::uuid[]) AND p.instance = edge.instance AND p.seqs @> edge.seq - 1
"""

# An entry that arrives inside a known hole splits it: the lower part has been missing as long as the upper one.
_ADD_EDGES: Final = """
INSERT INTO audit.gap_edges (instance, seq, event_id, noticed_at)
SELECT p.instance, new.seq, new.event_id::uuid, coalesce((
    SELECT above.noticed_at FROM audit.gap_edges AS above
    WHERE above.instance = p.instance AND above.seq > new.seq ORDER BY above.seq LIMIT 1), now())
FROM unnest($1::text[], $2::bigint[], $3::text[]) AS new (instance, seq, event_id)
JOIN audit.producers AS p ON p.instance = new.instance::uuid
WHERE NOT p.seqs @> new.seq - 1
ON CONFLICT (instance, seq) DO NOTHING
"""

_ADD_SEAL: Final = """
INSERT INTO audit.seals (tree_size, previous_size, root_hash, note, through_xid, through_id)
VALUES ($1, $2, $3, $4, $5::text::xid8, $6::text::uuid)
"""

Position = tuple[int, str]


class Seal(NamedTuple):
    """One checkpoint as stored; `position` is where the sequencer stood in the order of arrival."""

    tree_size: int
    root: bytes
    note: str
    position: Position


class Horizon(NamedTuple):
    """Which transactions are surely over (below `xmin`), and which are not of this server (from `xmax`)."""

    xmin: int
    xmax: int


class Taken(NamedTuple):
    """Rows to be sealed, where that leaves the sequencer, and whether more may be waiting."""

    rows: list[Stored]
    position: Position
    is_full: bool


class Turn:
    """One round of the one sequencer whose turn it is, inside its transaction."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def last_seal(self) -> Seal | None:
        """Return the newest checkpoint; None for a log that has none yet."""
        row = await self._connection.fetchrow(_LAST)
        if row is None:
            return None
        return Seal(row["tree_size"], row["root_hash"], row["note"], (int(row["through_xid"]), row["through_id"]))

    async def horizon(self) -> Horizon:
        """Return how far the order of arrival is settled."""
        row = await self._connection.fetchrow(_HORIZON)
        return Horizon(int(row["xmin"]), int(row["xmax"]))

    async def take(self, after: Position, horizon: Horizon, limit: int) -> Taken:
        """Return what arrived after a place, in the order of arrival, as far as that is settled."""
        rows = await self._connection.fetch(_TAKE, str(after[0]), after[1], str(horizon.xmin), limit)
        position = (int(rows[-1]["xid"]), rows[-1]["event_id"]) if rows else after
        return Taken([_stored(row) for row in rows if row["entry"] is not None], position, len(rows) == limit)

    async def take_restored(self, after: Position, limit: int) -> Taken:
        """Return unsealed entries that were written on another server and came here with a dump."""
        rows = await self._connection.fetch(_TAKE_RESTORED, limit)
        return Taken([_stored(row) for row in rows], after, len(rows) == limit)

    async def keys(self, key_ids: Sequence[str]) -> dict[str, bytes | None]:
        """Return data keys by id as they are stored; None for one that was destroyed."""
        return {row["key_id"]: row["wrapped_key"] for row in await self._connection.fetch(_KEYS, key_ids)}

    async def edge(self, tiles: Sequence[Tile]) -> dict[tuple[int, int], bytes]:
        """Return the bytes of tiles by level and index."""
        rows = await self._connection.fetch(_EDGE, [tile.level for tile in tiles], [tile.index for tile in tiles])
        return {(row["level"], row["tile_index"]): row["hashes"] for row in rows}

    async def add(self, first_index: int, entries: Sequence[Rechecked], tiles: Sequence[GrownTile]) -> None:
        """Give entries their places, and store the tiles that changed."""
        await self._connection.execute(_ADD_LEAVES, first_index, [entry.event_id for entry in entries])
        await self._connection.execute(
            _ADD_TILES,
            [grown.tile.level for grown in tiles],
            [grown.tile.index for grown in tiles],
            [grown.data for grown in tiles],
        )

    async def note_producers(self, seen: Sequence[Seen]) -> None:
        """Add to what is known of the producers, and keep the list of holes."""
        instances = [one.instance for one in seen]
        await self._connection.execute(
            _ADD_PRODUCERS,
            instances,
            [one.service for one in seen],
            [multirange(one.runs) for one in seen],
            [one.entry_count for one in seen],
            [one.first_recorded_at for one in seen],
            [one.last_recorded_at for one in seen],
            [one.stopped_seq for one in seen],
        )
        edges = [(one.instance, seq, event_id) for one in seen for seq, event_id in one.edges]
        if edges:
            await self._connection.execute(_ADD_EDGES, *zip(*edges, strict=True))
        await self._connection.execute(_DROP_EDGES, instances)

    async def add_seal(self, seal: Seal, previous_size: int | None) -> None:
        """Store a checkpoint; it is public when the transaction commits."""
        xid, event_id = seal.position
        await self._connection.execute(_ADD_SEAL, seal.tree_size, previous_size, seal.root, seal.note, str(xid), event_id)


class SealStore:
    """
    Gives turns to sequencers, one at a time over all processes.

    Args:
        pool: Connections of the role ``countersign_sequencer``.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn | None]:
        """
        Run a block in one transaction when nobody else has the turn; else give None.

        Raises:
            DatabaseUnavailable: Nothing is known to be stored (a commit may have landed all the same): look again.
        """
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                # The lock first, in a statement of its own: what comes after it sees all that the holder before committed.
                has_turn = await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK_KEY)
                yield Turn(connection) if has_turn else None
        except UNAVAILABLE as error:
            raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error


def _stored(row: Any) -> Stored:
    return Stored(row["event_id"], row["entry"], row["leaf_hash"], int(row["xid"]), row["recorded_at"], row["key_id"])
