"""
The closing events of erasures whose process died, or had to stop, before it could record them: every audit process looks.

Two that look at one moment record it twice, under one `erasure_id`, which says nothing new.
"""

import asyncio
import contextlib
from datetime import timedelta
from typing import Final
from uuid import UUID

from services.audit.erasure.eraser import closing_data
from services.audit.storage.database import DatabaseUnavailable
from services.audit.storage.erasing import ErasureStore
from shared.audit_trail import AuditTrail, AuditUnavailable
from shared.events import Actor, Draft, EventType, Outcome

LOOK_SECONDS: Final = 60.0
# For the event of a living process to come through the queue.
CLOSING_TAKES: Final = timedelta(minutes=1)


class ErasureCloser:
    """
    Records closing events that are missing until it is told to stop.

    Args:
        store: What was erased.
        trail: Where it is recorded.
        closing_takes: An erasure that is younger is left to whoever carried it out.
    """

    def __init__(self, store: ErasureStore, trail: AuditTrail, closing_takes: timedelta = CLOSING_TAKES) -> None:
        self._store = store
        self._trail = trail
        self._closing_takes = closing_takes
        self._recorded: set[UUID] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set."""
        while not stop.is_set():
            # Database or queue are away: what is missing is still missing at the next look.
            with contextlib.suppress(DatabaseUnavailable, AuditUnavailable):
                await self.look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await stop.wait()

    async def look(self) -> None:
        """
        Look once.

        Raises:
            DatabaseUnavailable, AuditUnavailable: Look again later.
        """
        for one in await self._store.unclosed(self._closing_takes):
            # Recorded before, and still on its way through the queue.
            if one.erasure_id in self._recorded:
                continue
            kind, _, name = one.created_by.partition(":")
            data = closing_data(one.erasure_id, one.subject_ref, one.key_ids, one.entry_count)
            draft = Draft(
                event_type=EventType.AUDIT_SUBJECT_ERASED,
                outcome=Outcome.SUCCESS,
                actor=Actor(kind=kind, id=name),
                data=data,
            )
            await self._trail.record(draft)
            self._recorded.add(one.erasure_id)
