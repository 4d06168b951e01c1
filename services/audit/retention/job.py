"""
Planning and dropping months.

The order of a drop: look at everything; read every archived object again; sign the statement and put it under lock; record that
it begins; drop and keep the statement in one transaction; forget the words of free-text search that nothing has any more;
record that it is done. After a crash in between the month is there or it is not, and a second run does what is left; a
statement in the archive about a month that is still there was not carried out.
"""

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple

from services.audit.archiving.bucket import ArchiveBucket, ArchiveNotLocked
from services.audit.archiving.manifest import ObjectRef, read_manifest, statement_key
from services.audit.archiving.store import ArchivedDay
from services.audit.retention.plan import MonthFacts, blocks
from services.audit.retention.statement import Dropped, month_name, write_statement
from services.audit.retention.store import RetentionStore, Statement
from services.audit.settings import AuditSettings
from services.audit.tree.notes import Signer
from shared.audit_trail import AuditTrail
from shared.events import Actor, Draft, EventType, Outcome

# The statement has them all; an event must stay small.
RUNS_RECORDED_MAX: Final = 20


class RetentionRefused(Exception):
    """The month may not be dropped; the text says why."""


class MonthPlan(NamedTuple):
    """A month, and what stands against dropping it."""

    facts: MonthFacts
    blocks: list[str]


class MonthDropped(NamedTuple):
    """How a drop went: `seconds` is for how long readers may have waited, `total_seconds` until the files were gone as well."""

    month: date
    entry_count: int
    seconds: float
    total_seconds: float
    note: str


class Retention:
    """
    Plans and drops.

    Args:
        settings: The service's.
        store: The database, as the owner.
        bucket: The archive.
        trail: The way into the log.
        signers: The log's keys.
        operator: Whose command it is, for the log.
    """

    def __init__(
        self,
        settings: AuditSettings,
        store: RetentionStore,
        bucket: ArchiveBucket,
        trail: AuditTrail,
        signers: Sequence[Signer],
        operator: str,
    ) -> None:
        self._settings = settings
        self._store = store
        self._bucket = bucket
        self._trail = trail
        self._signers = signers
        self._operator = operator

    async def plan(self, month: date, today: date) -> MonthPlan:
        """Return what stands against dropping a month."""
        facts = await self._store.facts(month)
        end, states = await self._store.archived_end(), await self._store.streams()
        found = blocks(facts, today=today, archived_end=end, streams=self._settings.streams, states=states)
        return MonthPlan(facts, found)

    async def drop(self, month: date, now: datetime) -> MonthDropped:
        """
        Drop a month.

        Raises:
            RetentionRefused: Something stands against it.
            ArchiveNotLocked, ArchiveDamaged: The archive is not what it must be: nothing was dropped.
            ArchiveUnavailable, AuditUnavailable: Nothing was dropped: try again.
            MonthChanged: It changed meanwhile: nothing was dropped.
        """
        plan = await self.plan(month, now.date())
        if plan.blocks:
            raise RetentionRefused(f"{month_name(month)} stays: {'; '.join(plan.blocks)}")
        objects = [one for day in await self._store.days_of(plan.facts) for one in await self._checked(day, now)]
        statement = await self._sign(plan.facts, objects, now)
        await self._record(plan.facts, Outcome.PENDING, {})
        began = time.perf_counter()
        seconds = await self._store.drop(plan.facts, statement)
        total_seconds = time.perf_counter() - began
        await self._store.forget_words()
        await self._record(plan.facts, Outcome.SUCCESS, {"seconds": round(seconds, 3), "statement": statement.archive_key})
        return MonthDropped(month, plan.facts.entry_count, seconds, total_seconds, statement.note)

    async def _checked(self, day: ArchivedDay, now: datetime) -> list[ObjectRef]:
        """Return a day's objects after looking at the lock of each and reading all of it."""
        if day.lock_until <= now:
            raise ArchiveNotLocked(f"the lock on {day.day} ended at {day.lock_until}: archive it for longer first")
        data = await self._bucket.read(day.manifest_key, day.manifest_version)
        sha256 = day.manifest_sha256.hex()
        manifest = ObjectRef(key=day.manifest_key, version=day.manifest_version, sha256=sha256, bytes=len(data))
        await self._bucket.check_content(manifest)
        objects = [*read_manifest(data).objects, manifest]
        for one in objects:
            await self._bucket.check_object(one, mode=day.lock_mode, until=day.lock_until)
            await self._bucket.check_content(one)
        return objects

    async def _sign(self, facts: MonthFacts, objects: Sequence[ObjectRef], now: datetime) -> Statement:
        checkpoint = await self._store.checkpoint()
        dropped = Dropped(checkpoint.origin, month_name(facts.month), facts.entry_count, facts.runs)
        note = write_statement(dropped, checkpoint, now.astimezone(UTC), objects, self._signers)
        key = statement_key(self._settings.archive_prefix, dropped.month)
        # As long as the days that it speaks of are kept at least.
        until = now + self._settings.archive_lock
        await self._bucket.put(key, note.encode(), self._settings.archive_lock_mode, until)
        return Statement(note, key)

    async def _record(self, facts: MonthFacts, outcome: Outcome, more: dict[str, Any]) -> None:
        data = {
            "month": month_name(facts.month),
            "entries": facts.entry_count,
            "leaves": [list(run) for run in facts.runs[:RUNS_RECORDED_MAX]],
        }
        await self._trail.record(
            Draft(
                event_type=EventType.AUDIT_RETENTION_DROPPED,
                outcome=outcome,
                actor=Actor(kind="operator", id=self._operator),
                data={**data, **more},
            )
        )
