"""
What the archive holds of one day, and where. Pure: bytes in, bytes out.

Layout below the prefix:

1. ``entries/day=YYYY-MM-DD/<first leaf>.parquet``: the entries, as many files as it takes, each sorted by the subject they are
   about. Nothing else lies there, so that the folder is a table for Athena and others.
2. ``days/YYYY-MM-DD/hashes``: the leaf hashes of the day, 32 bytes each, in the order of the log.
3. ``days/YYYY-MM-DD/manifest.json``: this. It is written last: a day without it is not archived.
4. ``retention/YYYY-MM.note``: what was dropped from the database, signed.

A day is known by its manifest's first version; database and event `audit.archive.written` name the one that was written.
Objects are read by the versions that it names, so that what somebody puts over them later is never read.

With a day alone it can be shown that it is what was sealed: the edge of the tree before it has the root of
`previous_checkpoint`, and the hashes of the day, appended to it, lead to the root of `checkpoint`.
"""

from typing import Final

import msgspec

from services.audit.tree.text import decode64, encode64
from services.audit.tree.tiles import Tile

FORMAT: Final = 1
SUFFIX: Final = "/manifest.json"


class ObjectRef(msgspec.Struct, frozen=True, kw_only=True):
    """One object: `version` is S3's, `sha256` is lower-case hex over its bytes."""

    key: str
    version: str
    sha256: str
    bytes: int


class Part(ObjectRef, frozen=True, kw_only=True):
    """A Parquet file with the leaves from `first_leaf` to before `end_leaf`; times are microseconds since 1970, UTC."""

    first_leaf: int
    end_leaf: int
    occurred_first_us: int
    occurred_last_us: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One archived day: the leaves from `first_leaf` to before `end_leaf`; both checkpoints are signed notes."""

    format: int
    day: str
    first_leaf: int
    end_leaf: int
    checkpoint: str
    previous_checkpoint: str
    # The partial tiles of the tree before this day: "level/index" to base64.
    edge: dict[str, str]
    hashes: ObjectRef
    parts: list[Part]
    lock_mode: str
    lock_until: str

    def encode(self) -> bytes:
        """Return the bytes of the manifest."""
        return msgspec.json.format(msgspec.json.encode(self)) + b"\n"

    @property
    def objects(self) -> list[ObjectRef]:
        """Return everything that it names."""
        return [*self.parts, self.hashes]

    @property
    def byte_count(self) -> int:
        """Return the size of everything that it names."""
        return sum(one.bytes for one in self.objects)

    def edge_tiles(self) -> dict[tuple[int, int], bytes]:
        """
        Return the partial tiles by level and index.

        Raises:
            ValueError: One of them is not written as one.
        """
        tiles = {}
        for name, text in self.edge.items():
            level, _, index = name.partition("/")
            tiles[int(level), int(index)] = decode64(text)
        return tiles


class ManifestInvalid(ValueError):
    """The bytes are no manifest that this release reads."""


def read_manifest(data: bytes) -> Manifest:
    """
    Read a manifest.

    Raises:
        ManifestInvalid: It is none.
    """
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except msgspec.MsgspecError as error:
        raise ManifestInvalid(f"this is no manifest: {error}") from error
    if manifest.format != FORMAT:
        raise ManifestInvalid(f"this manifest has format {manifest.format}, this release reads {FORMAT}")
    return manifest


def edge_of_tiles(tiles: dict[tuple[int, int], bytes], edge: list[Tile]) -> dict[str, str]:
    """Return the edge of a tree as a manifest holds it; tiles may be wider than the edge by now."""
    return {f"{tile.level}/{tile.index}": encode64(tiles[tile.level, tile.index][: tile.width * 32]) for tile in edge}


def part_key(prefix: str, day: str, first_leaf: int) -> str:
    """Return where a Parquet file lies."""
    return f"{prefix}entries/day={day}/{first_leaf:015}.parquet"


def hashes_key(prefix: str, day: str) -> str:
    """Return where the hashes of a day lie."""
    return f"{prefix}days/{day}/hashes"


def manifest_key(prefix: str, day: str) -> str:
    """Return where the manifest of a day lies."""
    return f"{prefix}days/{day}{SUFFIX}"


def statement_key(prefix: str, month: str) -> str:
    """Return where the statement about a dropped month lies."""
    return f"{prefix}retention/{month}.note"
