"""The database's side of erasures and holds: what is there to erase, the one function that erases, and who is on hold."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from services.audit.erasure.subject import Run, Subject, parse_subject
from services.audit.storage.database import UNAVAILABLE, DatabaseUnavailable, Pool, fetch, run
from services.audit.storage.keys import KeyRing, owner_of
from services.audit.storage.subject_keys import OWNER_OF_OWNERS, hash_owner

_ACCOUNTS: Final = """
SELECT DISTINCT subject_sub FROM audit.entry_search WHERE email_hash = ANY($1::bytea[]) AND subject_sub IS NOT NULL LIMIT 2
"""
_OWNER_KEY: Final = "SELECT key_id, wrapped_key FROM audit.subject_keys WHERE owner = $1 AND destroyed_at IS NULL"
_ADDRESSES: Final = "SELECT audit.addresses_of_person($1, $2::bytea[]) AS email_hash"
_PLAN: Final = """
SELECT audit.is_held($1, $2::bytea[]) AS is_held, count(*) AS entries, count(l.leaf_index) AS sealed,
    (SELECT count(*) FROM audit.closed_keys_of_person($1, $2::bytea[], $3::bytea[])) AS keys,
    range_agg(int8range(l.leaf_index, l.leaf_index + 1)) AS leaves
FROM audit.closed_entries_of_person($1, $2::bytea[]) AS found (event_id) LEFT JOIN audit.leaves AS l USING (event_id)
"""
_CLOSE: Final = "SELECT audit.close_keys_of_person($1, $2::bytea[], $3::bytea[])"
# As it stands alone, or in a filter.
TYPED_ADDRESS: Final = re.compile(r"""[^\s"'()]+@[^\s"'()]+""")
# Every text in what people keep of their searches that may be an address.
_TYPED: Final = """
SELECT DISTINCT value #>> '{}' AS typed FROM (
    SELECT params FROM audit.saved_searches UNION ALL SELECT params FROM audit.exports WHERE params IS NOT NULL
) AS kept, jsonb_path_query(kept.params, 'strict $.** ? (@.type() == "string")') AS value WHERE value #>> '{}' LIKE '%@%'
"""
_SEALED: Final = "SELECT count(*) AS count FROM audit.leaves WHERE event_id = ANY($1::text[]::uuid[])"
_ERASE: Final = """
SELECT verdict, erased_entries, erased_keys, erased_at
FROM audit.erase_person($1, $2, $3::bytea[], $5::bytea[], $4, $6::int8multirange, $7::text[], $8, $9)
"""
_ERASURES: Final = """
SELECT erasure_id, erasure_no, subject_ref, entry_count, cardinality(key_ids) AS key_count, created_at, created_by, reason,
    compacted_at
FROM audit.erasures WHERE $1::bigint IS NULL OR erasure_no < $1 ORDER BY erasure_no DESC LIMIT $2
"""
# No month is dropped within a week. An event that is too long to be searched counts as the one that is looked for.
_UNCLOSED: Final = """
SELECT r.erasure_id, r.subject_ref, r.entry_count, r.key_ids, r.created_by FROM audit.erasures AS r
WHERE r.created_at BETWEEN now() - interval '7 days' AND now() - $1::interval AND NOT EXISTS (
    SELECT FROM audit.entry_search AS s WHERE s.event_type = 'audit.subject.erased' AND s.event_id > r.erasure_id
        AND coalesce(s.data ->> 'erasure_id' = r.erasure_id::text, true))
ORDER BY r.erasure_no
"""
_HOLD_COLUMNS: Final = "hold_id, hold_no, subject_sub, email_hashes, reason, created_at, created_by, released_at"
_HOLDS: Final = f"""
SELECT {_HOLD_COLUMNS} FROM audit.holds WHERE $1::bigint IS NULL OR hold_no < $1 ORDER BY hold_no DESC LIMIT $2
"""  # noqa: S608 - fixed fragments and placeholders only
# With those who append: what an erasure has begun to look at does not change under it.
_JOIN: Final = "SELECT pg_advisory_xact_lock_shared(hashtextextended('countersign.audit.erasure', 0))"
_PLACE: Final = f"""
INSERT INTO audit.holds (hold_id, subject_sub, email_hashes, reason, created_by) VALUES ($1, $2, $3, $4, $5)
RETURNING {_HOLD_COLUMNS}
"""  # noqa: S608 - fixed fragments and placeholders only
_STANDS: Final = "SELECT FROM audit.holds WHERE hold_id = $1 AND released_at IS NULL"
_RELEASE: Final = f"""
UPDATE audit.holds SET released_at = now(), released_by = $2 WHERE hold_id = $1 AND released_at IS NULL
RETURNING {_HOLD_COLUMNS}
"""  # noqa: S608 - fixed fragments and placeholders only
# Somebody who signs in every hour has tens of thousands of entries. The queue holds meanwhile what cannot be appended.
ERASE_SECONDS_MAX: Final = 300.0


class Person(NamedTuple):
    """
    Whom an erasure is about, with all that the log knows of them.

    `reference` is the keyed one under which the erasure is remembered. `owners` are whose data keys theirs are, hashed: for
    each of the addresses, in their order, then for the account; None where there is none.
    """

    sub: str | None
    addresses: list[bytes]
    reference: bytes
    owners: list[bytes | None]


class Plan(NamedTuple):
    """
    What an erasure would destroy: `leaves` are runs, first inclusive, last exclusive, ascending.

    `key_count` keys are found by their owner; without an entry they are those of months that retention has dropped.
    """

    is_held: bool
    entry_count: int
    sealed_count: int
    key_count: int
    leaves: list[Run]


class Erasing(NamedTuple):
    """How `audit.erase_person` ended; see there for the verdicts."""

    verdict: str
    entry_count: int
    key_ids: list[UUID]
    at: datetime


class Erasure(NamedTuple):
    """One erasure that was carried out."""

    erasure_id: UUID
    number: int
    subject_ref: bytes
    entry_count: int
    key_count: int
    created_at: datetime
    created_by: str
    reason: str
    compacted_at: datetime | None


class Unclosed(NamedTuple):
    """One erasure that was carried out, and of which the log does not say so."""

    erasure_id: UUID
    subject_ref: bytes
    entry_count: int
    key_ids: list[UUID]
    created_by: str


class Hold(NamedTuple):
    """One legal hold; `subject` is None when the person was erased after its release."""

    hold_id: UUID
    number: int
    subject: str | None
    reason: str
    created_at: datetime
    created_by: str
    released_at: datetime | None


class ErasureStore:
    """
    Args:
        reading: Connections of the role ``countersign_reader``.
        clerk: Connections of the role ``countersign_clerk``.
        ring: The deployment's keys.

    Every method raises:
        DatabaseUnavailable: Try again later; a change may have landed all the same.
        QueryTooSlow: The database is too busy for a list.
    """

    def __init__(self, reading: Pool, clerk: Pool, ring: KeyRing) -> None:
        self._reading = reading
        self._clerk = clerk
        self._ring = ring

    async def accounts(self, addresses: Sequence[bytes]) -> list[str]:
        """Return the accounts that were seen with an address, two at most."""
        rows = await run(self._reading, _ACCOUNTS, addresses)
        return [row["subject_sub"] for row in rows]

    async def person(self, subject: Subject) -> Person | None:
        """Return a person with the addresses that are theirs alone; None while the log holds nothing about anybody."""
        rows = await run(self._reading, _OWNER_KEY, OWNER_OF_OWNERS)
        if not rows:
            return None
        owner_key = self._ring.unwrap(UUID(int=rows[0]["key_id"].int), rows[0]["wrapped_key"])
        own = [row["email_hash"] for row in await run(self._reading, _ADDRESSES, subject.sub, list(subject.addresses))]
        addresses = list(dict.fromkeys([*subject.addresses, *own]))
        named = [*(owner_of(None, address) for address in addresses), owner_of(subject.sub, None)]
        owners = [None if owner is None else hash_owner(owner_key, owner) for owner in named]
        return Person(subject.sub, addresses, hash_owner(owner_key, subject.owner), owners)

    async def plan(self, person: Person) -> Plan:
        """Return what an erasure would destroy now."""
        values = person.sub, person.addresses, person.owners
        row = (await run(self._reading, _PLAN, *values, seconds_max=ERASE_SECONDS_MAX))[0]
        leaves = [(run.lower, run.upper) for run in row["leaves"] or ()]
        return Plan(row["is_held"], row["entries"], row["sealed"], row["keys"], leaves)

    async def close_keys(self, person: Person) -> None:
        """Let no more entries come under the keys of a person, unless they are on hold: what comes is under new ones."""
        values = person.sub, person.addresses, person.owners
        await run(self._clerk, _CLOSE, *values, seconds_max=ERASE_SECONDS_MAX)

    async def typed_addresses(self, person: Person, email_hash_keys: Sequence[str]) -> list[str]:
        """Return a person's addresses as they stand in searches that people keep."""
        own = set(person.addresses)
        typed = {text for row in await run(self._clerk, _TYPED) for text in TYPED_ADDRESS.findall(row["typed"])}
        return [text for text in sorted(typed) if not own.isdisjoint(parse_subject(text, email_hash_keys).addresses)]

    async def are_sealed(self, event_ids: Sequence[str]) -> bool:
        """Say whether all of these events have their place in the tree."""
        rows = await run(self._reading, _SEALED, event_ids)
        return bool(rows[0]["count"] == len(event_ids))

    async def erase(
        self,
        erasure_id: UUID,
        person: Person,
        announced: Sequence[Run],
        *,
        typed: Sequence[str],
        reason: str,
        by: str,
    ) -> Erasing:
        """Erase, as far as the database's own rules allow it; `typed` are the person's `typed_addresses`."""
        leaves = [asyncpg.Range(first, end) for first, end in announced]
        values = erasure_id, *person, leaves, typed, reason, by
        row = (await run(self._clerk, _ERASE, *values, seconds_max=ERASE_SECONDS_MAX))[0]
        key_ids = [UUID(int=key_id.int) for key_id in row["erased_keys"]]
        return Erasing(row["verdict"], row["erased_entries"], key_ids, row["erased_at"])

    async def erasures(self, *, before: int | None, limit: int) -> list[Erasure]:
        """Return erasures, newest first, from before a number."""
        return [Erasure(*row) for row in await fetch(self._reading, _ERASURES, before, limit)]

    async def unclosed(self, older_than: timedelta) -> list[Unclosed]:
        """Return the erasures of the last week, older than that, whose closing event the log does not hold."""
        rows = await run(self._reading, _UNCLOSED, older_than)
        return [
            Unclosed(
                UUID(int=row["erasure_id"].int),
                row["subject_ref"],
                row["entry_count"],
                [UUID(int=key_id.int) for key_id in row["key_ids"]],
                row["created_by"],
            )
            for row in rows
        ]

    async def holds(self, *, before: int | None, limit: int) -> list[Hold]:
        """Return holds, newest first, from before a number; released ones as well."""
        return [_hold(row) for row in await fetch(self._reading, _HOLDS, before, limit)]

    async def place(self, hold_id: UUID, subject: Subject, *, reason: str, by: str) -> Hold:
        """Place a hold."""
        try:
            async with self._clerk.acquire() as connection, connection.transaction():
                await connection.execute(_JOIN)
                row = await connection.fetchrow(_PLACE, hold_id, subject.sub, list(subject.addresses), reason, by)
        except UNAVAILABLE as error:
            raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error
        return _hold(row)

    async def stands(self, hold_id: UUID) -> bool:
        """Say whether there is such a hold, and it is not released."""
        return bool(await run(self._reading, _STANDS, hold_id))

    async def release(self, hold_id: UUID, *, by: str) -> Hold | None:
        """Release a hold; None when there is none, or it is released."""
        rows = await run(self._clerk, _RELEASE, hold_id, by)
        return _hold(rows[0]) if rows else None


def _hold(row: Any) -> Hold:
    subject = row["subject_sub"] or (row["email_hashes"][0].hex() if row["email_hashes"] else None)
    times = row["created_at"], row["created_by"], row["released_at"]
    return Hold(UUID(int=row["hold_id"].int), row["hold_no"], subject, row["reason"], *times)
