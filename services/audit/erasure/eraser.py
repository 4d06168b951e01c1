"""
The course of an erasure. At every moment the log can be verified, and says what was done.

1. Close the person's keys: no entry comes under them any more, so that what is to be erased is fixed. Events that still arrive
   are kept under new keys. Ask what there is. A person on legal hold, or about whom there is nothing, is refused.
2. Record `audit.erasure.started`, which names the leaves that are about to lose their entries, and wait until it is sealed.
   From here on a verifier accepts these leaves without their entries; until here nothing was changed.
3. Let the database erase: in one transaction, by its own rules, and only what was announced. When the person turns out to be
   more than that, as after another request of this kind at the same time, step 2 is gone through again.
4. Record `audit.subject.erased`.

Whoever dies before step 3 leaves closed keys and perhaps an announcement behind: asking again completes it. Whoever dies
between steps 3 and 4 leaves a row in audit.erasures, for which `services.audit.erasure.closer` records the event.
"""

import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.audit.api.changes import Asked, record_done
from services.audit.api.problems import NothingChanged, NotSealedYet
from services.audit.erasure.problems import LegalHold, NothingFound, SeveralAccounts
from services.audit.erasure.subject import Run, Subject, in_parts, written
from services.audit.pulse import Pulse
from services.audit.storage.erasing import Erasing, ErasureStore, Person, Plan
from shared.audit_trail import AuditTrail, AuditUnavailable
from shared.events import EventType, Outcome
from shared.ids import uuid7
from shared.problems import Problem, retry_after

SEALED_SECONDS_MAX: Final = 10.0
POLL_SECONDS: Final = 0.2
ROUNDS_MAX: Final = 5


class Erased(NamedTuple):
    """An erasure that was carried out."""

    erasure_id: UUID
    subject_ref: bytes
    done: Erasing


class Eraser:
    """
    Erases persons.

    Args:
        store: What is erased.
        trail: Where it is recorded.
        sealed: Beats when this process has sealed.
        email_hash_keys: The live keys as hex, by which typed addresses are known.
    """

    def __init__(self, store: ErasureStore, trail: AuditTrail, sealed: Pulse, email_hash_keys: Sequence[str]) -> None:
        self._store = store
        self._trail = trail
        self._sealed = sealed
        self._email_hash_keys = email_hash_keys

    async def erase(self, subject: Subject, *, reason: str, asked: Asked) -> Erased:
        """
        Erase a person. The event of step 4 is the receipt of the answer.

        Raises:
            LegalHold, NothingFound, SeveralAccounts: Nothing was changed, and that is recorded.
            NotSealedYet: Sealing stands still, or somebody else erases the same person: nothing was erased.
            DoneNotRecorded: It was erased, but the queue took no closing event yet.
            NothingChanged: The queue refused.
        """
        erasure_id = uuid7()
        data: dict[str, Any] = {"erasure_id": str(erasure_id)}
        try:
            person = await self._store.person(await self._with_account(subject))
            if person is None:
                raise NothingFound("nobody has a key")
            data["subject_ref"] = person.reference.hex()
            done = await self._carry_out(erasure_id, person, reason, asked, data)
        except (LegalHold, NothingFound, SeveralAccounts) as refusal:
            await self._refused(refusal, data, asked)
            raise
        # Committed. Who dies here, or whom the queue refuses, leaves the event below to `ErasureCloser`.
        closing = closing_data(erasure_id, person.reference, done.key_ids, done.entry_count)
        await record_done(self._trail, asked, EventType.AUDIT_SUBJECT_ERASED, closing)
        return Erased(erasure_id, person.reference, done)

    async def _with_account(self, subject: Subject) -> Subject:
        """Return the account that an address stands for, together with the address."""
        accounts = await self._store.accounts(subject.addresses) if subject.sub is None else []
        if len(accounts) > 1:
            raise SeveralAccounts("the address was seen with several accounts")
        return Subject(accounts[0], subject.addresses) if accounts else subject

    async def _carry_out(self, erasure_id: UUID, person: Person, reason: str, asked: Asked, data: dict[str, Any]) -> Erasing:
        await self._store.close_keys(person)
        announced: list[Run] | None = None
        for _ in range(ROUNDS_MAX):
            plan = await self._settled(person)
            if plan.leaves != announced:
                announced = plan.leaves
                await self._announce(announced, data, asked)
            typed = await self._store.typed_addresses(person, self._email_hash_keys)
            done = await self._store.erase(erasure_id, person, announced, typed=typed, reason=reason, by=asked.by)
            if done.verdict == "erased":
                return done
            if done.verdict == "legal_hold":
                raise LegalHold("placed meanwhile")
            if done.verdict == "nothing_found":
                raise NothingFound("erased meanwhile")
        raise NotSealedYet("what is to be erased keeps changing", headers=retry_after(1))

    async def _settled(self, person: Person) -> Plan:
        """Return what there is to erase, once all of it is sealed."""
        deadline = time.monotonic() + SEALED_SECONDS_MAX
        while True:
            plan = await self._store.plan(person)
            if plan.is_held:
                raise LegalHold("on hold")
            if not plan.entry_count and not plan.key_count:
                raise NothingFound("no entry and no key")
            if plan.sealed_count == plan.entry_count:
                return plan
            await self._wait(deadline)

    async def _announce(self, leaves: list[Run], data: dict[str, Any], asked: Asked) -> None:
        # Without a leaf, where retention has dropped them all, the event still comes before the keys go.
        drafts = [
            asked.draft(EventType.AUDIT_ERASURE_STARTED, Outcome.PENDING, {**data, "leaves": written(part)})
            for part in in_parts(leaves) or [()]
        ]
        try:
            event_ids = [receipt.event_id for receipt in await self._trail.record_all(drafts)]
        except AuditUnavailable as error:
            raise NothingChanged(str(error), headers=retry_after(2)) from error
        deadline = time.monotonic() + SEALED_SECONDS_MAX
        while not await self._store.are_sealed(event_ids):
            await self._wait(deadline)

    async def _wait(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            raise NotSealedYet("sealing takes too long", headers=retry_after(5))
        await self._sealed.wait(POLL_SECONDS)

    async def _refused(self, refusal: Problem, data: dict[str, Any], asked: Asked) -> None:
        draft = asked.answered(refusal.status).draft(EventType.AUDIT_ERASURE_REFUSED, Outcome.DENIED, data, refusal.code)
        try:
            asked.context.receipt = await self._trail.record(draft)
        except AuditUnavailable as error:
            raise NothingChanged(str(error), headers=retry_after(2)) from error


def closing_data(erasure_id: UUID, subject_ref: bytes, key_ids: Sequence[UUID], entry_count: int) -> dict[str, Any]:
    """Return what `audit.subject.erased` says."""
    return {
        "erasure_id": str(erasure_id),
        "subject_ref": subject_ref.hex(),
        "key_ids": [str(key_id) for key_id in key_ids],
        "entries": entry_count,
    }
