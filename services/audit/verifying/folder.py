"""
A log in a folder: the layout that C2SP tlog-tiles gives to a log's addresses, so that other people's tools read it too.

``checkpoint``, ``tile/<level>/...`` and ``tile/entries/...``; `copy_log` makes such a folder and brings it up to date.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from services.audit.tree.bundles import BundleInvalid, decode_bundle, encode_bundle
from services.audit.tree.checkpoints import Checkpoint
from services.audit.tree.tiles import TILE_WIDTH, Tile, levels_of, tiles_of
from services.audit.verifying.log import LogSource, Missing, Progress

CHECKPOINT: Final = "checkpoint"
TILES: Final = "tile"


class FolderSource:
    """Reads a log from a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def expect(self, tiles: Iterable[Tile], *, with_bundles: bool) -> None:
        """See `LogSource`. Files are quick."""

    def checkpoint(self) -> str:
        """See `LogSource`."""
        return self._read(CHECKPOINT).decode(errors="replace")

    def tile(self, tile: Tile) -> bytes:
        """See `LogSource`. The full tile stands in for a partial one, which may have been removed since."""
        try:
            return self._read(f"{TILES}/{tile.path}")
        except Missing:
            return self._read(f"{TILES}/{Tile(tile.level, tile.index).path}")

    def bundle(self, tile: Tile) -> list[bytes]:
        """See `LogSource`."""
        try:
            data = self._read(f"{TILES}/{tile.bundle_path}")
        except Missing:
            data = self._read(f"{TILES}/{Tile(0, tile.index).bundle_path}")
        try:
            return decode_bundle(data)
        except BundleInvalid:
            return []

    def _read(self, path: str) -> bytes:
        try:
            return (self._folder / path).read_bytes()
        except OSError as error:
            raise Missing(path) from error


def copy_log(source: LogSource, note: str, checkpoint: Checkpoint, folder: Path, progress: Progress) -> None:
    """
    Bring a folder up to a checkpoint. What is full there already is left as it is; the checkpoint is written last.

    Raises:
        Missing: The source lacks a part of its own log.
    """
    size = checkpoint.tree_size
    for level in range(1, levels_of(size)):
        for tile in tiles_of(size, level):
            if not _is_kept(folder / TILES / tile.path, tile):
                _write(folder / TILES / tile.path, source.tile(tile))
    fresh = (tile for tile in tiles_of(size, 0) if not _is_kept(folder / TILES / tile.bundle_path, tile))
    source.expect(fresh, with_bundles=True)
    for tile in tiles_of(size, 0):
        if not _is_kept(folder / TILES / tile.path, tile):
            _write(folder / TILES / tile.path, source.tile(tile))
        if not _is_kept(folder / TILES / tile.bundle_path, tile):
            _write(folder / TILES / tile.bundle_path, encode_bundle(source.bundle(tile)))
        progress(min(size, (tile.index + 1) * TILE_WIDTH), size)
    _write(folder / CHECKPOINT, note.encode())


def _is_kept(path: Path, tile: Tile) -> bool:
    return tile.is_full and path.exists()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_bytes(data)
    unfinished.replace(path)
