"""GET /v1/events/{event_id}/proof: that an entry is in the log, as a file that needs nobody's word (C2SP tlog-proof)."""

from typing import Any
from uuid import UUID

import structlog
from litestar import Request, get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from services.audit.api.access import PROOF_ROUTE
from services.audit.api.problems import DroppedByRetention, LogDamaged, NotSealedYet
from services.audit.api.query import shape
from services.audit.api.reads import ReadRecorder
from services.audit.storage.log import Leaf, LogReader, SignedSize
from services.audit.tree.checkpoints import parse_checkpoint
from services.audit.tree.notes import split_note
from services.audit.tree.proof_file import SUFFIX, ProofFile
from services.audit.tree.proofs import ProofInvalid, check_inclusion, inclusion_path
from services.audit.tree.reader import TileTooShort, TileTree, tiles_for
from shared.http.problems import context_of
from shared.ids import is_uuid
from shared.problems import NotFound, retry_after

AnyRequest = Request[Any, Any, Any]
log = structlog.get_logger(__name__)


@get("/v1/events/{event_id:str}/proof")
async def get_proof(request: AnyRequest, event_id: FromPath[str]) -> ASGIResponse:
    """Answer the proof that an entry is in the log as it stands now."""
    if not is_uuid(event_id):
        raise NotFound()
    reader: LogReader = request.app.state.log
    leaf = await reader.leaf(UUID(event_id))
    newest = await reader.checkpoint() if leaf is not None else None
    recorder: ReadRecorder = request.app.state.reads
    data = shape("proof", (), rows=0 if leaf is None else 1)
    await recorder.record(context_of(request), request.scope["state"]["caller"], PROOF_ROUTE, data)
    if leaf is None:
        raise DroppedByRetention() if await reader.is_dropped(UUID(event_id)) else NotFound()
    if leaf.leaf_index is None or newest is None:
        raise NotSealedYet(headers=retry_after(1))
    proof = await _make(reader, event_id, leaf, leaf.leaf_index, newest)
    headers = {"content-disposition": f'attachment; filename="{event_id}{SUFFIX}"'}
    return ASGIResponse(body=proof.encode().encode(), media_type="text/plain", headers=headers)


async def _make(reader: LogReader, event_id: str, leaf: Leaf, index: int, newest: SignedSize) -> ProofFile:
    text, _ = split_note(newest.note)
    checkpoint = parse_checkpoint(text)
    size = checkpoint.tree_size
    stored = await reader.tiles(tiles_for([index], size))
    tree = TileTree(size, lambda tile: stored.get((tile.level, tile.index), b""))
    try:
        path = inclusion_path(index, size, tree.subtree_root)
        check_inclusion(leaf.leaf_hash, index, size, path, checkpoint.root)
    except (TileTooShort, ProofInvalid, IndexError) as error:
        log.error("audit.proof_impossible", event_id=event_id, leaf_index=index, tree_size=size, error=str(error))
        raise LogDamaged(f"leaf {index} of {size}: {error}") from error
    return ProofFile(index, tuple(path), newest.note, f"{event_id}:{leaf.leaf_hash.hex()}".encode())
