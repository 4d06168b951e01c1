"""The tree as the API reads it: checkpoints, tiles, entry bundles, and what a proof is made of."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple
from uuid import UUID

from services.audit.storage.database import Pool, fetch
from services.audit.storage.keys import JOIN_KEYS, SEALED_COLUMNS, KeyRing
from services.audit.tree.tiles import TILE_WIDTH, Tile

_CHECKPOINT = "SELECT tree_size, note FROM audit.seals ORDER BY tree_size DESC LIMIT 1"

_TILES = """
SELECT t.level, t.tile_index, t.hashes FROM audit.tiles AS t
JOIN unnest($1::smallint[], $2::bigint[]) AS wanted (level, tile_index) USING (level, tile_index)
"""

_BUNDLE = f"""
SELECT l.leaf_index, {SEALED_COLUMNS} FROM audit.leaves AS l JOIN audit.entries AS e USING (event_id) {JOIN_KEYS}
WHERE l.leaf_index >= $1 AND l.leaf_index < $2 ORDER BY l.leaf_index
"""  # noqa: S608 - fixed fragments and placeholders only

# In the place of an entry that was erased, or let go with its month.
EMPTY = b""

_DROPPED_LEAVES = """
SELECT leaf_index FROM generate_series($1::bigint, $2::bigint - 1) AS leaf_index
WHERE EXISTS (SELECT FROM audit.retention_statements AS s WHERE s.leaves @> leaf_index)
"""

_LEAF = """
SELECT e.leaf_hash, l.leaf_index FROM audit.entries AS e LEFT JOIN audit.leaves AS l USING (event_id) WHERE e.event_id = $1
"""


_DROPPED = "SELECT 1 FROM audit.retention_statements WHERE month = $1"

_STATEMENTS = """
SELECT month, entry_count, note, archive_key, dropped_at FROM audit.retention_statements ORDER BY month DESC
"""


class DroppedMonth(NamedTuple):
    """A month that is not in the database any more: `note` is the signed statement about it."""

    month: date
    entry_count: int
    note: str
    archive_key: str
    dropped_at: datetime


class SignedSize(NamedTuple):
    """The newest checkpoint: its number of leaves, and the note itself."""

    tree_size: int
    note: str


class Leaf(NamedTuple):
    """The place of an entry in the tree; `leaf_index` is None until it is sealed."""

    leaf_hash: bytes
    leaf_index: int | None


class LogReader:
    """
    Reads the tree through the reader's connections.

    Args:
        pool: Connections of the role ``countersign_reader``.
        ring: The deployment's keys, to open what is kept encrypted.

    Every method raises:
        DatabaseUnavailable: Try again later.
        QueryTooSlow: The database is too busy.
    """

    def __init__(self, pool: Pool, ring: KeyRing) -> None:
        self._pool = pool
        self._ring = ring

    async def checkpoint(self) -> SignedSize | None:
        """Return the newest checkpoint; None when nothing was ever sealed."""
        rows = await fetch(self._pool, _CHECKPOINT)
        return SignedSize(rows[0]["tree_size"], rows[0]["note"]) if rows else None

    async def tiles(self, tiles: Sequence[Tile]) -> dict[tuple[int, int], bytes]:
        """Return tiles by level and index, each as wide as it is by now; those that are not there are left out."""
        rows = await fetch(self._pool, _TILES, [tile.level for tile in tiles], [tile.index for tile in tiles])
        return {(row["level"], row["tile_index"]): row["hashes"] for row in rows}

    async def bundle(self, tile: Tile) -> dict[int, bytes]:
        """
        Return the entries of one bundle by leaf index, ascending; those that are not there are left out.

        One that was erased, or dropped by retention, is empty. One that is damaged so that it does not open is given as it is
        stored: its hash tells.
        """
        start, end = tile.index * TILE_WIDTH, tile.index * TILE_WIDTH + tile.width
        rows = await fetch(self._pool, _BUNDLE, start, end)
        opener, entries = self._ring.opener(), {}
        for row in rows:
            opened = opener.open(row)
            entries[row["leaf_index"]] = EMPTY if opened.is_erased else opened.entry or row["entry"]
        if len(entries) < tile.width:
            dropped = await fetch(self._pool, _DROPPED_LEAVES, start, end)
            entries = dict(sorted({**{row["leaf_index"]: EMPTY for row in dropped}, **entries}.items()))
        return entries

    async def is_dropped(self, event_id: UUID) -> bool:
        """Say whether the month of an event was dropped by retention."""
        try:
            made_at = datetime.fromtimestamp((event_id.int >> 80) / 1000, UTC)
        except (ValueError, OverflowError):  # No UUIDv7, then, but any UUID: its first bits are no time that a calendar has.
            return False
        return bool(await fetch(self._pool, _DROPPED, made_at.date().replace(day=1)))

    async def statements(self) -> list[DroppedMonth]:
        """Return the statements about dropped months, newest first."""
        return [DroppedMonth(*row.values()) for row in await fetch(self._pool, _STATEMENTS)]

    async def leaf(self, event_id: UUID) -> Leaf | None:
        """Return the place of an entry; None when the log does not hold it."""
        rows = await fetch(self._pool, _LEAF, event_id)
        return Leaf(rows[0]["leaf_hash"], rows[0]["leaf_index"]) if rows else None
