"""
The sequencer: gives every committed entry its place in the tree, and signs.

A round, in one transaction, by whoever has the turn:

1. Read the newest checkpoint and check our own signature on it.
2. Read the edge of the tree and check it against that checkpoint's root: what is signed once is never signed over. Check that
   this tree contains the one of the round before: nothing is signed on top of a log that was put back.
3. Take what arrived since, in the order of arrival, up to the oldest transaction that is still open.
4. Decrypt the stored bytes, hash them anew and compare. At the first entry that does not fit, sealing stops in front of it.
5. Append to the tree, store leaves and tiles, sign the new checkpoint, store it, commit.

Nothing is kept in memory from one round to the next but where to go on reading and the last checkpoint that was seen, so every
process can take any turn, and the first round after a crash takes the log as it is. Until the commit a new checkpoint is known
to nobody; after it, every process serves it. A checkpoint that was signed and not committed was never shown.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, NamedTuple, Protocol

import asyncpg
import structlog

from services.audit.pulse import Pulse
from services.audit.sealing.metrics import SealMetrics
from services.audit.sealing.opening import Vault
from services.audit.sealing.recheck import Damage, Rechecked, Stored, recheck, seen_producers
from services.audit.sealing.store import BEGINNING, Position, Seal, Taken, Turn
from services.audit.storage.database import DatabaseUnavailable
from services.audit.tree.checkpoints import Checkpoint, CheckpointInvalid, open_checkpoint
from services.audit.tree.frontier import EdgeInvalid, Frontier
from services.audit.tree.hashing import EMPTY_ROOT
from services.audit.tree.notes import Signer
from services.audit.tree.proofs import ProofInvalid, check_consistency, consistency_path
from services.audit.tree.reader import TileTooShort, TileTree, tiles_for
from services.audit.tree.tiles import edge_of
from shared.audit_trail import AuditTrail
from shared.events import Draft, EventType, Outcome

log = structlog.get_logger(__name__)

# A round at full size takes about 100 ms: long enough to be cheap for each entry, short enough for the goal of one second.
ROUND_ENTRIES_MAX: Final = 8_192
POLL_SECONDS: Final = 0.2
PAUSE_SECONDS: Final = 1.0
STOPPED_SECONDS: Final = 5.0
# Keys of persons that are kept from one round to the next.
DATA_KEYS_MAX: Final = 50_000


class SealStopped(Exception):
    """
    Something is not as it was written: nothing is signed until a person has looked.

    `reason` is a word for machines, `place` names the entry, tile or checkpoint.
    """

    def __init__(self, reason: str, place: str, detail: str) -> None:
        super().__init__(f"{place}: {detail}")
        self.reason = reason
        self.place = place
        self.detail = detail


class Round(NamedTuple):
    """How a round ended: whether it was our turn, how much was sealed, whether more is waiting, and the newest checkpoint."""

    has_turn: bool
    sealed_count: int = 0
    is_full: bool = False
    newest: Seal | None = None


class Turns(Protocol):
    """Gives turns; see `SealStore`."""

    def turn(self) -> AbstractAsyncContextManager[Turn | None]:
        """Return the turn, or None when somebody else has it."""


class Sequencer:
    """
    Seals until it is told to stop.

    Args:
        store: Gives turns.
        signers: The keys of the log; all of them sign.
        metrics: What is counted.
        trail: Where a stop is reported.
        entry_keys: The keys of the deployment, under which the data keys of persons are kept.
        committed: Beats when this process has committed entries.
        sealed: Beaten after each new checkpoint.
        interval_seconds: Rounds begin at least this far apart unless more is waiting than one round takes.
        stopped_seconds: How long to wait before looking again at what stopped the sealing.
        round_entries_max: How much one round takes.
    """

    def __init__(
        self,
        store: Turns,
        signers: Sequence[Signer],
        metrics: SealMetrics,
        trail: AuditTrail,
        *,
        entry_keys: Sequence[str],
        committed: Pulse,
        sealed: Pulse,
        interval_seconds: float,
        stopped_seconds: float = STOPPED_SECONDS,
        round_entries_max: int = ROUND_ENTRIES_MAX,
    ) -> None:
        self._store = store
        self._signers = signers
        self._keys = [signer.verifier for signer in signers]
        self._origin = self._keys[0].name
        self._metrics = metrics
        self._trail = trail
        self._vault = Vault(entry_keys)
        self._committed = committed
        self._sealed = sealed
        self._interval_seconds = interval_seconds
        self._stopped_seconds = stopped_seconds
        self._round_entries_max = round_entries_max
        self._resumed_at: Position | None = None
        self._may_hold_restored = True
        self._seen: Seal | None = None
        self._stop_reason: tuple[str, str] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. Faults of the database are waited out; a fault of ours ends this, to be seen."""
        while True:
            # Looked at before the round: what was committed before the stop is sealed in the last one.
            is_last = stop.is_set()
            started = time.monotonic()
            try:
                done = await self.seal_once()
            except DatabaseUnavailable as error:
                self._metrics.database_failures.inc()
                self._may_hold_restored = True  # It may come back as another server.
                log.warning("audit.seal_postponed", error=str(error))
                await _sleep(stop, PAUSE_SECONDS)
            except SealStopped as stopped:
                await self._report(stopped)
                await _sleep(stop, self._stopped_seconds)
            else:
                if done.has_turn and self._stop_reason is not None:
                    await self._report_resumed()
                if done.is_full:
                    continue
                if not is_last:
                    await self._committed.wait(POLL_SECONDS)
                    await _sleep(stop, started + self._interval_seconds - time.monotonic())
            if is_last:
                return

    async def seal_once(self) -> Round:
        """
        Work one round.

        Raises:
            SealStopped: Something must be looked at first; nothing was sealed.
            DatabaseUnavailable: Try again; a commit may have landed all the same.
        """
        started = time.perf_counter()
        try:
            async with self._store.turn() as turn:
                done = Round(False) if turn is None else await self._seal(turn)
        except asyncpg.IntegrityConstraintViolationError as error:
            # A rule of the schema that only an altered table or a second tree can break.
            detail = f"the database refused to extend the tree: {error}"
            raise SealStopped("tree_conflict", error.table_name or "database", detail) from error
        self._seen = done.newest or self._seen
        if done.sealed_count:
            self._metrics.round_seconds.observe(time.perf_counter() - started)
            self._sealed.beat()
        return done

    async def _seal(self, turn: Turn) -> Round:
        last = await turn.last_seal()
        if last is None:
            if self._seen is not None:
                raise SealStopped(
                    "log_put_back", "checkpoint", f"that of {self._seen.tree_size} leaves was there, and now none is"
                )
            first = self._signed(0, EMPTY_ROOT, BEGINNING)
            await turn.add_seal(first, None)
            return Round(True, is_full=True, newest=first)
        self._check_signature(last)
        frontier = await self._trusted_frontier(turn, last)
        await self._check_growth(turn, last)
        taken = await self._take(turn, last)
        self._metrics.waiting_since(min((row.recorded_at for row in taken.rows), default=None))
        good, damage = recheck(taken.rows, await self._opened_vault(turn, taken.rows))
        if not good:
            if damage is not None:
                raise _stopped_by(damage, last.tree_size)
            return Round(True, is_full=taken.is_full, newest=last)
        # In front of a damaged entry the others are sealed, so that what stops the log is the very next leaf.
        position = taken.position if damage is None else (good[-1].xid, good[-1].event_id)
        if self._may_hold_restored:
            position = last.position
        newest = await self._append(turn, last, frontier, good, position)
        oldest = min(entry.recorded_at for entry in good)
        self._metrics.sealed(entries=len(good), tree_size=frontier.size, lag_seconds=time.time() - oldest.timestamp())
        if damage is None:
            self._metrics.waiting_since(None)
        return Round(True, len(good), is_full=taken.is_full or damage is not None, newest=newest)

    async def _append(
        self, turn: Turn, last: Seal, frontier: Frontier, entries: Sequence[Rechecked], position: Position
    ) -> Seal:
        grown = frontier.extend(entry.leaf_hash for entry in entries)
        await turn.add(last.tree_size, entries, grown)
        await turn.note_producers(seen_producers(entries))
        newest = self._signed(frontier.size, frontier.root(), position)
        await turn.add_seal(newest, last.tree_size)
        return newest

    async def _take(self, turn: Turn, last: Seal) -> Taken:
        horizon = await turn.horizon()
        if self._may_hold_restored:
            taken = await turn.take_restored(last.position, self._round_entries_max)
            if taken.rows:
                return taken
            self._may_hold_restored = False
        after = last.position
        if after[0] >= horizon.xmax:
            # This server has not come that far: the log was restored from a dump. Read all of it again; what has its place
            # keeps it.
            after = self._resumed_at or BEGINNING
        taken = await turn.take(after, horizon, self._round_entries_max)
        self._resumed_at = taken.position
        return taken

    async def _opened_vault(self, turn: Turn, rows: Sequence[Stored]) -> Vault:
        """Return a vault with the keys of these rows."""
        if len(self._vault) >= DATA_KEYS_MAX:
            self._vault.forget()
        missing = self._vault.lacks(row.key_id for row in rows)
        if missing:
            self._vault.add(missing, await turn.keys(missing))
        return self._vault

    async def _trusted_frontier(self, turn: Turn, last: Seal) -> Frontier:
        tiles = edge_of(last.tree_size)
        try:
            frontier = Frontier.of(last.tree_size, await turn.edge(tiles))
        except EdgeInvalid as error:
            raise SealStopped("tile_mismatch", f"tile/{error.tile.path}", str(error)) from error
        if frontier.root() != last.root:
            places = ", ".join(f"tile/{tile.path}" for tile in tiles)
            raise SealStopped("tile_mismatch", places, "the edge of the tree is not what the last checkpoint was signed over")
        return frontier

    async def _check_growth(self, turn: Turn, last: Seal) -> None:
        """Insist that the tree contains the one that this process saw last, whoever has sealed since."""
        seen = self._seen
        if seen is None:
            return
        path: list[bytes] = []
        try:
            if 0 < seen.tree_size < last.tree_size:
                stored = await turn.edge(tiles_for([seen.tree_size - 1], last.tree_size))
                tree = TileTree(last.tree_size, lambda tile: stored.get((tile.level, tile.index), b""))
                path = consistency_path(seen.tree_size, last.tree_size, tree.subtree_root)
            check_consistency(seen.tree_size, seen.root, last.tree_size, last.root, path)
        except (ProofInvalid, TileTooShort) as error:
            detail = f"it does not contain the log of {seen.tree_size} leaves that this process has seen: {error}"
            raise SealStopped("log_put_back", f"checkpoint {last.tree_size}", detail) from error

    def _check_signature(self, last: Seal) -> None:
        place = f"checkpoint {last.tree_size}"
        try:
            checkpoint = open_checkpoint(last.note, self._keys)
        except CheckpointInvalid as error:
            raise SealStopped("checkpoint_mismatch", place, f"none of our keys stands behind it: {error}") from error
        if (checkpoint.tree_size, checkpoint.root) != (last.tree_size, last.root):
            raise SealStopped("checkpoint_mismatch", place, "the signed text says something else than the row it is kept in")

    def _signed(self, tree_size: int, root: bytes, position: Position) -> Seal:
        return Seal(tree_size, root, Checkpoint(self._origin, tree_size, root).sign(self._signers), position)

    async def _report(self, stopped: SealStopped) -> None:
        self._metrics.stopped.set(1)
        log.error("audit.seal_stopped", reason=stopped.reason, place=stopped.place, detail=stopped.detail)
        if self._stop_reason == (stopped.reason, stopped.place):
            return
        self._stop_reason = (stopped.reason, stopped.place)
        data = {"place": stopped.place, "detail": stopped.detail}
        await self._trail.announce(
            Draft(event_type=EventType.AUDIT_SEAL_STOPPED, outcome=Outcome.ERROR, reason=stopped.reason, data=data)
        )

    async def _report_resumed(self) -> None:
        self._metrics.stopped.set(0)
        self._stop_reason = None
        log.info("audit.seal_resumed")
        await self._trail.announce(Draft(event_type=EventType.AUDIT_SEAL_RESUMED, outcome=Outcome.SUCCESS))


def _stopped_by(damage: Damage, leaf_index: int) -> SealStopped:
    detail = f"{damage.detail}; it would be leaf {leaf_index}"
    return SealStopped(damage.reason, f"entry {damage.event_id}", detail)


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    if seconds > 0:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop.wait()
