"""
The archive in a folder here, as much of it as was asked for, read through DuckDB.

What is in the folder was compared with its manifest when it came, and is not fetched again: the archive never changes.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from services.audit.archiving.bucket import ArchiveBucket, ArchiveDamaged
from services.audit.archiving.keys import ArchiveKeys, Reading
from services.audit.archiving.lack import Lack
from services.audit.archiving.manifest import Manifest, ObjectRef, read_manifest
from services.audit.parquet import open_duckdb, quoted

FETCH_ROWS: Final = 1_000
FOLDER_MODE: Final = 0o700


class ArchivedEntry(NamedTuple):
    """
    One archived entry; `entry` is None where its bytes cannot be read, and `lack` says why.

    `key_id` names the key that it is kept under, and `erased_at` says when that was destroyed.
    """

    event_id: str
    leaf_index: int
    leaf_hash: bytes
    occurred_at: datetime
    recorded_at: datetime
    key_id: str | None
    entry: bytes | None
    lack: Lack | None = None
    erased_at: datetime | None = None


class Wanted(NamedTuple):
    """Which entries to look for; times are inclusive and exclusive."""

    since: datetime | None = None
    until: datetime | None = None
    types: Sequence[str] = ()
    outcomes: Sequence[str] = ()
    event_id: str | None = None


class ArchiveCopy:
    """
    Keeps parts of an archive in a folder.

    Args:
        bucket: Where they come from.
        prefix: Of the archive within the bucket.
        folder: Only its owner can look into it: entries are for those who may read the log.
        keys: What opens entries about people; without it they are found, and not read.
    """

    def __init__(self, bucket: ArchiveBucket, prefix: str, folder: Path, keys: ArchiveKeys | None = None) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._folder = folder
        self._keys = keys
        folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)

    async def days(self) -> list[Manifest]:
        """
        Return all days of the archive, oldest first.

        Raises:
            ArchiveUnavailable: Try again later.
            ArchiveDamaged: A manifest was lost.
            ManifestInvalid: A manifest cannot be read.
        """
        found = await self._bucket.manifests(self._prefix)
        return [read_manifest(await self._bucket.read(key, version)) for key, version in found.items()]

    async def fetch(self, one: ObjectRef) -> Path:
        """
        Return an object as a file here.

        Raises:
            ArchiveUnavailable: Try again later.
            ArchiveDamaged: It is lost, or not what its manifest says.
        """
        # Named by what it holds: two archives, or two versions, never meet.
        path = self._folder / f"{one.sha256}{Path(one.key).suffix}"
        if path.exists() and path.stat().st_size == one.bytes:
            return path
        unfinished, digest = path.with_name(f"{path.name}.unfinished"), hashlib.sha256()
        with unfinished.open("wb") as file:
            async for piece in self._bucket.pieces(one.key, one.version):
                digest.update(piece)
                file.write(piece)
        if digest.hexdigest() != one.sha256:
            unfinished.unlink()
            raise ArchiveDamaged(f"{one.key} does not hold what was archived")
        unfinished.replace(path)
        return path

    async def entries(self, files: Sequence[Path], wanted: Wanted) -> Iterator[ArchivedEntry]:
        """
        Return entries of some Parquet files, newest first. To go through them blocks.

        Raises:
            DatabaseUnavailable, QueryTooSlow: The keys of entries about people could not be read.
        """
        if not files:
            return iter(())
        where, values = _where(wanted)
        found = f"FROM read_parquet([{', '.join(quoted(str(file)) for file in files)}]) WHERE {where}"
        return self._read(found, values, await self._reading(found, values))

    async def _reading(self, found: str, values: list[Any]) -> Reading:
        if self._keys is None:
            return Reading(None, {})
        with open_duckdb(self._folder) as database:
            sql = f"SELECT DISTINCT key_id {found} AND key_id IS NOT NULL"
            key_ids = [row[0] for row in database.execute(sql, values).fetchall()]
        return await self._keys.reading(key_ids)

    def _read(self, found: str, values: list[Any], reading: Reading) -> Iterator[ArchivedEntry]:
        sql = f"""
        SELECT event_id, leaf_index, leaf_hash, occurred_at, recorded_at, key_id, entry {found}
        ORDER BY occurred_us DESC, leaf_index DESC
        """
        with open_duckdb(self._folder) as database:
            cursor = database.execute(sql, values)
            while rows := cursor.fetchmany(FETCH_ROWS):
                yield from (_entry(row, reading) for row in rows)


def _where(wanted: Wanted) -> tuple[str, list[Any]]:
    conditions: list[str] = ["true"]
    values: list[Any] = []
    for condition, value in (
        ("occurred_at >= ?", _naive(wanted.since)),
        ("occurred_at < ?", _naive(wanted.until)),
        ("event_type IN (SELECT unnest(?::VARCHAR[]))", list(wanted.types) or None),
        ("outcome IN (SELECT unnest(?::VARCHAR[]))", list(wanted.outcomes) or None),
        ("event_id = ?", wanted.event_id),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    return " AND ".join(conditions), values


def _entry(row: Any, reading: Reading) -> ArchivedEntry:
    event_id, leaf_index, leaf_hash, occurred_at, recorded_at, key_id, entry = row
    times = occurred_at.replace(tzinfo=UTC), recorded_at.replace(tzinfo=UTC)
    read = reading.read(event_id, key_id, entry)
    return ArchivedEntry(event_id, leaf_index, leaf_hash, *times, key_id, read.entry, read.lack, read.erased_at)


def _naive(moment: datetime | None) -> datetime | None:
    # The columns are UTC without a zone: with one, DuckDB would ask for a time zone library.
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)
