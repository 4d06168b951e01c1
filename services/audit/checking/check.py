"""
The check of a database from within: what people search, count and act on is compared with the entries.

`countersign audit verify` shows, from outside and trusting nobody, that the entries are those that were sealed. It cannot show
that a search finds them, that the counts are theirs, or that the holds are those that were placed. This does, where the entries
can be read, and it takes the tiles for what was sealed. So both are needed, and neither replaces the other.

Nothing is held longer than a page of entries, but the counts, which are as many as the database keeps, and the names of holds,
erasures, alerts, repaired lines, days and months.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, Final
from uuid import UUID

from services.audit.checking.counts import WORDS, CountCheck
from services.audit.checking.entry import Checked, check_entry
from services.audit.checking.records import RecordCheck
from services.audit.checking.store import CheckStore
from services.audit.storage.keys import KeyRing, KeyUnusable
from services.audit.verifying.log import FINDINGS_MAX, Finding

# Sealing takes a second at most; what is not sealed after this was passed by, or sealing stands still.
SEALED_SECONDS_MAX: Final = 10.0
POLL_SECONDS: Final = 0.2


class CheckFailed(Exception):
    """Something is not as the entries say; `findings` are the first `FINDINGS_MAX`."""

    def __init__(self, findings: list[Finding]) -> None:
        more = ["and more"] if len(findings) == FINDINGS_MAX else []
        super().__init__("\n".join(["not as the log says:", *(f"  {one.place}: {one.detail}" for one in findings), *more]))
        self.findings = findings


class Check:
    """
    One look at the whole database.

    Args:
        store: The database, as those who search see it.
        ring: The deployment's keys.
        progress: Told how many entries are checked, and how many there were at the beginning.
        sealed_seconds_max: How long to wait for the place of an entry that has none yet.
    """

    def __init__(
        self,
        store: CheckStore,
        ring: KeyRing,
        progress: Callable[[int, int], None] = lambda done, total: None,
        sealed_seconds_max: float = SEALED_SECONDS_MAX,
    ) -> None:
        self._store = store
        self._ring = ring
        self._progress = progress
        self._sealed_seconds_max = sealed_seconds_max
        self._findings: list[Finding] = []
        self._unsealed: list[UUID] = []

    async def run(self) -> int:
        """
        Check everything and return how many entries there are.

        Raises:
            CheckFailed: Something is not as the entries say.
            DatabaseUnavailable, QueryTooSlow: Nothing is known: try again.
        """
        # Before the entries: what is counted, placed and kept by now is among those that are read.
        tree_size = await self._store.tree_size()
        counts, records = CountCheck(*await self._store.counts()), RecordCheck(await self._store.kept())
        owner_key: bytes | None = None
        entry_count = sealed_count = 0
        async for page in self._store.pages():
            opener = self._ring.opener()
            if owner_key is None:  # Behind the page: it was there before the first entry about somebody.
                owner_key = await self._owner_key()
            for found in page:
                has_entry = found["leaf_hash"] is not None
                checked = check_entry(found, opener.open(found), owner_key)
                self._note(Finding(f"entry {found['event_id']}", flaw) for flaw in checked.flaws)
                entry_count += has_entry
                if has_entry and found["leaf_index"] is None and len(self._unsealed) < FINDINGS_MAX:
                    self._unsealed.append(found["event_id"])
                sealed_count += has_entry and found["leaf_index"] is not None and found["leaf_index"] < tree_size
                _tell(found, checked, counts, records)
            self._progress(min(entry_count, tree_size), tree_size)
        # Behind them: whatever they say was done by now.
        dropped = await self._store.dropped()
        if sealed_count + dropped.entry_count < tree_size:
            gone = tree_size - sealed_count - dropped.entry_count
            self._note([Finding("log", f"{gone:,} sealed entries are not there: `countersign audit verify` names them")])
        self._note(counts.findings(dropped.months))
        self._note(records.findings(await self._store.kept(), dropped.months))
        keys = await self._store.unexplained_keys(FINDINGS_MAX)
        self._note(Finding(f"key {key_id}", "is destroyed, and by no erasure") for key_id in keys)
        await self._check_sealed()
        if self._findings:
            raise CheckFailed(self._findings)
        return entry_count

    async def _owner_key(self) -> bytes | None:
        """Return the key by which owners are hashed, one that fits nobody when it does not open; None while there is none."""
        kept = await self._store.owner_key()
        try:
            return None if kept is None else self._ring.unwrap(*kept)
        except KeyUnusable as error:
            self._note([Finding("subject_keys", f"owners of keys cannot be told: {error}")])
            return b""

    async def _check_sealed(self) -> None:
        """Give what arrived a moment ago the time to be sealed, and name what never is."""
        deadline = time.monotonic() + self._sealed_seconds_max
        while self._unsealed:
            self._unsealed = await self._store.unsealed(self._unsealed)
            if time.monotonic() > deadline:
                self._note(Finding(f"entry {event_id}", "is shown by searches and not sealed") for event_id in self._unsealed)
                return
            await asyncio.sleep(POLL_SECONDS)

    def _note(self, findings: Iterable[Finding]) -> None:
        for one in findings:
            if len(self._findings) == FINDINGS_MAX:
                return
            self._findings.append(one)


def _tell(found: Any, checked: Checked, counts: CountCheck, records: RecordCheck) -> None:
    """Hand an entry on to those who add up; of one that cannot be read, what its row says."""
    row = checked.row
    if row is not None:
        records.read(row)
    if found["leaf_hash"] is None or found["leaf_index"] is None or (row is None and found["occurred_at"] is None):
        return
    words = {name: found[name] if row is None else getattr(row, name) for name in WORDS}
    occurred_at = found["occurred_at"] if row is None else row.occurred_at
    counts.add(found["leaf_index"], occurred_at, words, is_erased=found["destroyed_at"] is not None)
