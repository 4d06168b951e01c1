"""
GET /log/checkpoint and /log/tile/...: the log as other people's tools read it (C2SP tlog-tiles).

Checkpoint and tiles are open to everybody: they hold hashes only. Entry bundles hold the entries and are
for auditors; no cache keeps them, since an entry can be erased. An erased one is empty.
"""

import asyncio
import time
from typing import Any, Final

from litestar import Request, get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from services.audit.api.access import BUNDLE_ROUTE, CHECKPOINT_PATH, KEYS_PATH
from services.audit.api.problems import EntriesMissing
from services.audit.api.query import shape
from services.audit.api.reads import ReadRecorder
from services.audit.storage.log import LogReader
from services.audit.tree.bundles import encode_bundle
from services.audit.tree.hashing import HASH_BYTES
from services.audit.tree.tiles import TILE_WIDTH, PathInvalid, Tile, parse_path
from shared.events import Actor
from shared.http.problems import context_of
from shared.problems import NotFound

AnyRequest = Request[Any, Any, Any]

BYTES: Final = "application/octet-stream"
FOR_EVER: Final = {"cache-control": "public, max-age=31536000, immutable"}
# Whoever reads the whole log reads a bundle for every 256 entries. One event a minute says that it is being read; an event for
# each bundle would make the log grow by being looked at.
WINDOW_SECONDS: Final = 60.0


class BundleReads:
    """Records that a caller reads entry bundles: before the first, and again once a minute while the reading goes on."""

    def __init__(self, reads: ReadRecorder) -> None:
        self._reads = reads
        self._window_ends: dict[tuple[str, str], float] = {}
        # Whoever reads ahead asks for several at once: the first of them is recorded, and the others wait for that.
        self._turn = asyncio.Lock()

    async def record(self, request: AnyRequest, tile: Tile) -> None:
        """
        Record the read, unless an event of the last minute speaks of it.

        Raises:
            ReadNotRecorded: The queue refused: show nothing.
        """
        caller: Actor = request.scope["state"]["caller"]
        who = caller.kind, caller.id
        async with self._turn:
            now = time.monotonic()
            if self._window_ends.get(who, now) > now:
                return
            data = shape("bundles", (), first_leaf=tile.index * TILE_WIDTH, window_seconds=int(WINDOW_SECONDS))
            await self._reads.record(context_of(request), caller, BUNDLE_ROUTE, data)
            self._window_ends = {one: end for one, end in self._window_ends.items() if end > now}
            self._window_ends[who] = now + WINDOW_SECONDS


@get(CHECKPOINT_PATH)
async def get_checkpoint(request: AnyRequest) -> ASGIResponse:
    """Answer the newest checkpoint."""
    log: LogReader = request.app.state.log
    newest = await log.checkpoint()
    if newest is None:
        raise NotFound()
    return ASGIResponse(body=newest.note.encode(), media_type="text/plain", headers={"cache-control": "no-cache"})


@get(KEYS_PATH)
async def get_keys(request: AnyRequest) -> ASGIResponse:
    """
    Answer the log's public keys, a verifier key a line; none where this process does not seal.

    It is what the service says of itself. Whoever checks proofs keeps a key that they were given elsewhere, or notes this one
    once and holds the service to it.
    """
    keys: list[str] = request.app.state.log_keys
    return ASGIResponse(body="".join(f"{key}\n" for key in keys).encode(), media_type="text/plain")


@get("/log/tile/{path:path}")
async def get_tile(request: AnyRequest, path: FromPath[str]) -> ASGIResponse:
    """Answer one tile, or one entry bundle."""
    try:
        tile, is_bundle = parse_path(str(path).removeprefix("/"))
    except PathInvalid as error:
        raise NotFound() from error
    return await (_bundle if is_bundle else _tile)(request, tile)


async def _tile(request: AnyRequest, tile: Tile) -> ASGIResponse:
    log: LogReader = request.app.state.log
    data = (await log.tiles([tile])).get((tile.level, tile.index), b"")
    # A narrower tile is the beginning of a wider one.
    if len(data) < tile.width * HASH_BYTES:
        raise NotFound()
    return ASGIResponse(body=data[: tile.width * HASH_BYTES], media_type=BYTES, headers=FOR_EVER)


async def _bundle(request: AnyRequest, tile: Tile) -> ASGIResponse:
    log: LogReader = request.app.state.log
    newest = await log.checkpoint()
    start = tile.index * TILE_WIDTH
    if newest is None or start + tile.width > newest.tree_size:
        raise NotFound()
    bundle_reads: BundleReads = request.app.state.bundle_reads
    await bundle_reads.record(request, tile)
    entries = await log.bundle(tile)
    missing = [index for index in range(start, start + tile.width) if index not in entries]
    if missing:
        raise EntriesMissing(f"leaves {missing[:10]}", extensions={"leaf_indexes": missing})
    return ASGIResponse(body=encode_bundle(entries.values()), media_type=BYTES)
