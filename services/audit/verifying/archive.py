"""
Verify an archived day: that its entries are the ones that were sealed.

1. Both checkpoints are signed by the log.
2. The edge of the tree before the day has the root of the earlier one; with the day's hashes appended, that of the later one.
3. Every leaf of the day has exactly one row, the row has the leaf's hash, and bytes that can be read give that hash.
4. An entry that was erased, or is about a person and cannot be opened here, is checked by its hash alone, and counted. One
   whose key is there and does not open it was changed.
5. An entry counts as erased only when the log itself says so: the key table is not believed. Over all days `ErasedRows` tells
   which entries are lost instead.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from services.audit.archiving.lack import Lack
from services.audit.archiving.manifest import Manifest
from services.audit.tree.checkpoints import Checkpoint, CheckpointInvalid, open_checkpoint
from services.audit.tree.frontier import EdgeInvalid, Frontier
from services.audit.tree.hashing import HASH_BYTES, leaf_hash
from services.audit.tree.notes import VerifierKey
from services.audit.verifying.erasures import ErasedRows
from services.audit.verifying.log import FINDINGS_MAX, Finding, Progress

STEP_HASHES: Final = 65_536


class Row(NamedTuple):
    """
    A row of the archive; `entry` is None where its bytes cannot be read any more, or not here, as `lack` says.

    Of an erased one `key_id` names the key that was destroyed, and `erased_at` says when, by the database.
    """

    event_id: str
    leaf_index: int
    leaf_hash: bytes
    recorded_at: datetime
    entry: bytes | None
    lack: Lack | None = None
    key_id: str | None = None
    erased_at: datetime | None = None


class DayVerifier:
    """
    Verifies one day.

    Args:
        manifest: What the archive says of it.
        keys: The log's public keys.
        erased: Told of the day's erased entries and of its events about erasures.
        progress: Told how many of the day's entries are checked, and how many there are.
    """

    def __init__(
        self,
        manifest: Manifest,
        keys: Sequence[VerifierKey],
        *,
        erased: ErasedRows,
        progress: Progress = lambda done, total: None,
    ) -> None:
        self._manifest = manifest
        self._keys = keys
        self._erased = erased
        self._progress = progress
        self._findings: list[Finding] = []
        # How many entries were checked by their hash alone, by why.
        self.lacking: Counter[Lack] = Counter()

    def check_tree(self, hashes: bytes) -> list[Finding]:
        """
        Check that the day's hashes are the ones that were signed.

        Args:
            hashes: 32 bytes a leaf, in the order of the log.
        """
        day = self._manifest
        before, after = self._checkpoint(day.previous_checkpoint), self._checkpoint(day.checkpoint)
        if before is None or after is None:
            return self._findings
        if (before.tree_size, after.tree_size) != (day.first_leaf, day.end_leaf):
            self._found("its checkpoints are not those before its first and behind its last leaf")
            return self._findings
        if len(hashes) != (day.end_leaf - day.first_leaf) * HASH_BYTES:
            self._found("there are not as many hashes as leaves")
            return self._findings
        try:
            frontier = Frontier.of(day.first_leaf, day.edge_tiles())
        except (EdgeInvalid, ValueError) as error:
            self._found(f"the edge of the tree before it is damaged: {error}")
            return self._findings
        if frontier.root() != before.root:
            self._found("the edge of the tree before it is not what was signed")
        for start in range(0, len(hashes), STEP_HASHES * HASH_BYTES):
            step = hashes[start : start + STEP_HASHES * HASH_BYTES]
            frontier.extend(step[place : place + HASH_BYTES] for place in range(0, len(step), HASH_BYTES))
        if frontier.root() != after.root:
            self._found("its hashes do not lead to the root that was signed")
        return self._findings

    def check_rows(self, hashes: bytes, rows: Iterable[Row]) -> list[Finding]:
        """Check that the rows are the entries with these hashes, each once."""
        day = self._manifest
        count = day.end_leaf - day.first_leaf
        seen = bytearray(count)
        done = 0
        for row in rows:
            place = row.leaf_index - day.first_leaf
            if not 0 <= place < count or seen[place]:
                self._found("is not of this day, or there twice", row)
                continue
            seen[place] = 1
            sealed = hashes[place * HASH_BYTES : (place + 1) * HASH_BYTES]
            if row.lack is not None:
                self.lacking[row.lack] += 1
            if row.leaf_hash != sealed:
                self._found("does not have the hash that was sealed", row)
            elif row.lack is Lack.DAMAGED:
                self._found("was changed: it does not open with its key", row)
            elif row.entry is not None and leaf_hash(row.entry) != sealed:
                self._found("was changed: its bytes do not give the hash that was sealed", row)
            else:
                self._note(row)
            done += 1
            if done % 1_000 == 0 or done == count:
                self._progress(done, count)
        if missing := count - sum(seen):
            self._found(f"{missing} of its {count} entries are missing, the first at leaf {day.first_leaf + seen.index(0)}")
        return self._findings

    def _note(self, row: Row) -> None:
        self._erased.reaches(row.recorded_at)
        if row.entry is not None:
            self._erased.read(row.leaf_index, row.entry)
        elif row.key_id is not None and row.erased_at is not None:
            self._erased.found_erased(row.leaf_index, row.key_id, row.erased_at)

    def _checkpoint(self, note: str) -> Checkpoint | None:
        try:
            return open_checkpoint(note, self._keys)
        except CheckpointInvalid as error:
            self._found(f"a checkpoint is not to be trusted: {error}")
            return None

    def _found(self, detail: str, row: Row | None = None) -> None:
        place = f"day {self._manifest.day}" if row is None else f"entry {row.event_id} (leaf {row.leaf_index})"
        if len(self._findings) < FINDINGS_MAX:
            self._findings.append(Finding(place, detail))
