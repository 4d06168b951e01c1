"""
The archive job: writes each closed day into the bucket, once, under lock, and only what fits what was signed.

At each step where a crash would matter: objects may be there without their manifest, which is put last, and a manifest without
its row. The next run writes the day again, as new versions. What it finds is never taken over: anybody may have put it there.
"""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

import structlog

from services.audit.archiving.bucket import ArchiveBucket, LockMode
from services.audit.archiving.manifest import (
    FORMAT,
    Manifest,
    ObjectRef,
    Part,
    edge_of_tiles,
    hashes_key,
    manifest_key,
    part_key,
)
from services.audit.archiving.store import ArchivedDay, ArchiveStore, OpenDay, Stand
from services.audit.parquet import Column, ParquetWriter, microseconds
from services.audit.stored import readable
from services.audit.tree.checkpoints import parse_checkpoint
from services.audit.tree.frontier import Frontier
from services.audit.tree.hashing import leaf_hash
from services.audit.tree.notes import split_note
from services.audit.tree.tiles import edge_of

log = structlog.get_logger(__name__)

# Files of some 100 MB: large enough to scan well, small enough to make on a small disk.
PART_ENTRIES: Final = 500_000
SUBJECT: Final = Column("subject", "VARCHAR", is_kept=False)
COLUMNS: Final = (
    Column("event_id", "VARCHAR"),
    Column("leaf_index", "BIGINT"),
    Column("leaf_hash", "BLOB"),
    Column("occurred_at", "TIMESTAMP"),
    Column("occurred_us", "BIGINT"),
    Column("recorded_at", "TIMESTAMP"),
    Column("event_type", "VARCHAR"),
    Column("outcome", "VARCHAR"),
    Column("service", "VARCHAR"),
    Column("instance", "VARCHAR"),
    Column("seq", "BIGINT"),
    Column("key_id", "VARCHAR"),
    Column("entry", "BLOB"),
)

Progress = Callable[[int, int], None]


class DayDamaged(Exception):
    """What is stored of a day does not fit what was signed: it is not archived. Run countersign audit verify."""


class LockTerms(NamedTuple):
    """How objects are locked, and for how long."""

    mode: LockMode
    days: int


class ArchiveJob:
    """
    Archives days.

    Args:
        store: The database.
        bucket: Where to.
        prefix: Before every key.
        terms: How to lock.
        progress: Told how many of a day's entries are read, and how many there are.
    """

    def __init__(
        self,
        store: ArchiveStore,
        bucket: ArchiveBucket,
        *,
        prefix: str,
        terms: LockTerms,
        progress: Progress = lambda done, total: None,
        part_entries: int = PART_ENTRIES,
    ) -> None:
        self._store = store
        self._bucket = bucket
        self._prefix = prefix
        self._terms = terms
        self._progress = progress
        self._part_entries = part_entries

    async def run(self, now: datetime) -> list[ArchivedDay]:
        """
        Archive every closed day that is not archived yet, and return them; none when somebody else is at it.

        Raises:
            ArchiveNotLocked: The bucket does not lock: nothing was archived after that was seen.
            ArchiveUnavailable, DatabaseUnavailable, QueryTooSlow: Try again later; days that were finished stay.
            DayDamaged, EntriesLost: The log was changed: somebody has to look.
        """
        await self._bucket.check_lock()
        done: list[ArchivedDay] = []
        async with self._store.turn() as has_turn:
            while has_turn and (day := await self._store.next_day(now)) is not None:
                done.append(await self._archive(day, now))
        return done

    async def _archive(self, day: OpenDay, now: datetime) -> ArchivedDay:
        manifest, ref = await self._write(day, now)
        made = ArchivedDay(
            day.day,
            day.first_leaf,
            day.end_leaf,
            self._bucket.name,
            ref.key,
            ref.version,
            bytes.fromhex(ref.sha256),
            len(manifest.objects),
            manifest.byte_count,
            manifest.lock_mode,
            datetime.fromisoformat(manifest.lock_until),
        )
        await self._store.add(made)
        log.info("audit.day_archived", day=str(day.day), entries=day.end_leaf - day.first_leaf, bytes=manifest.byte_count)
        return made

    async def _write(self, day: OpenDay, now: datetime) -> tuple[Manifest, ObjectRef]:
        until = (now + timedelta(days=self._terms.days)).astimezone(UTC).replace(microsecond=0)
        stand = await self._store.stand(day)
        with tempfile.TemporaryDirectory(prefix="countersign-archive-") as name:
            folder = Path(name)
            parts = await self._gather(day, stand, folder, until)
            hashes = await self._put(hashes_key(self._prefix, day.day.isoformat()), folder / "hashes", until)
        manifest = Manifest(
            format=FORMAT,
            day=day.day.isoformat(),
            first_leaf=day.first_leaf,
            end_leaf=day.end_leaf,
            checkpoint=stand.checkpoint,
            previous_checkpoint=stand.previous_checkpoint,
            edge=edge_of_tiles(stand.edge, edge_of(day.first_leaf)),
            hashes=hashes,
            parts=parts,
            lock_mode=self._terms.mode,
            lock_until=until.isoformat(),
        )
        return manifest, await self._put(manifest_key(self._prefix, manifest.day), manifest.encode(), until)

    async def _gather(self, day: OpenDay, stand: Stand, folder: Path, until: datetime) -> list[Part]:
        """Put the day's entries, and stop when they do not lead to the signed root."""
        frontier = Frontier.of(day.first_leaf, _narrowed(stand.edge, day.first_leaf))
        parts: list[Part] = []
        with (folder / "hashes").open("wb") as hashes:
            for start in range(day.first_leaf, day.end_leaf, self._part_entries):
                end = min(start + self._part_entries, day.end_leaf)
                parts.append(await self._part(day, start, end, folder, frontier, hashes, until))
        checkpoint = parse_checkpoint(split_note(stand.checkpoint)[0])
        if frontier.root() != checkpoint.root:
            # The files that were put stay under their lock without a manifest: nobody takes them for the day.
            raise DayDamaged(f"the entries of {day.day} do not lead to the root that was signed")
        return parts

    async def _part(
        self, day: OpenDay, start: int, end: int, folder: Path, frontier: Frontier, hashes: Any, until: datetime
    ) -> Part:
        path = folder / "part.parquet"
        times: list[int] = []
        with ParquetWriter(folder, (*COLUMNS, SUBJECT), order_by=("subject", "occurred_us", "leaf_index")) as writer:
            async for rows in self._store.rows(start, end):
                values = [_row(row) for row in rows]
                page_times = [row[4] for row in values]
                times = [min([*times, *page_times]), max([*times, *page_times])]
                frontier.extend(row["leaf_hash"] for row in rows)
                hashes.write(b"".join(row["leaf_hash"] for row in rows))
                await asyncio.to_thread(writer.add, values)
                self._progress(rows[-1]["leaf_index"] + 1 - day.first_leaf, day.end_leaf - day.first_leaf)
            await asyncio.to_thread(writer.write, path)
        ref = await self._put(part_key(self._prefix, day.day.isoformat(), start), path, until)
        return Part(
            key=ref.key,
            version=ref.version,
            sha256=ref.sha256,
            bytes=ref.bytes,
            first_leaf=start,
            end_leaf=end,
            occurred_first_us=times[0],
            occurred_last_us=times[1],
        )

    async def _put(self, key: str, body: bytes | Path, until: datetime) -> ObjectRef:
        return await self._bucket.put(key, body, self._terms.mode, until)


def _narrowed(tiles: dict[tuple[int, int], bytes], tree_size: int) -> dict[tuple[int, int], bytes]:
    return {(tile.level, tile.index): tiles[tile.level, tile.index][: tile.width * 32] for tile in edge_of(tree_size)}


def _row(row: Any) -> Sequence[Any]:
    """
    Return a stored entry as a row of the archive, after hashing it anew where that is possible.

    Raises:
        DayDamaged: The bytes are not the ones that were sealed.
    """
    entry = readable(row["entry"], row["key_id"])
    if entry is not None and leaf_hash(entry) != row["leaf_hash"]:
        raise DayDamaged(f"entry {row['event_id']} (leaf {row['leaf_index']}) was changed after it was sealed")
    # Rows of entry_search can be rebuilt and may be missing; the id tells the time to the millisecond.
    occurred_us = (
        microseconds(row["occurred_at"]) if row["occurred_at"] else int(row["event_id"][:13].replace("-", ""), 16) * 1000
    )
    return (
        row["event_id"],
        row["leaf_index"],
        row["leaf_hash"],
        occurred_us,
        occurred_us,
        microseconds(row["recorded_at"]),
        row["event_type"],
        row["outcome"],
        row["service"],
        row["instance"],
        row["seq"],
        row["key_id"],
        row["entry"],
        row["subject"],
    )


def _from_id(event_id: str) -> int:
    # Rows of entry_search can be rebuilt and may be missing; a UUIDv7 begins with milliseconds.
    return (UUID(event_id).int >> 80) * 1000
