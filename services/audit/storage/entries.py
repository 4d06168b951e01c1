"""The append: one statement for a batch of entries, in one transaction with the quarantine."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
import structlog

from services.audit.reading import Flaw, FlawedLine, Origin, Row, clean_detail
from services.audit.storage.database import UNAVAILABLE, DatabaseUnavailable, Pool
from services.audit.storage.keys import KeyRing, KeyUnusable, owner_of, seal_entry
from services.audit.storage.subject_keys import LiveKeys, SubjectKeys

log = structlog.get_logger(__name__)

Placed = tuple[Origin, Row]

# `kept` gives back only what was new; a duplicate gets no second row in entry_search.
APPEND: Final = """
WITH arrived AS (
    SELECT * FROM unnest(
        $1::uuid[], $2::bytea[], $3::bytea[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::uuid[], $9::bigint[],
        $10::text[], $11::text[], $12::text[], $13::text[], $14::bytea[], $15::text[], $16::text[], $17::text[], $18::text[],
        $19::text[], $20::text[], $21::text[], $22::text[], $23::text[], $24::text[], $25::text[], $26::text[], $27::integer[],
        $28::text[], $29::text[], $30::text[], $31::text[], $32::uuid[],
        $33::uuid[])
    AS line (event_id, entry, leaf_hash, occurred_at, event_type, outcome, service, instance, seq,
        request_id, attempt_id, session_ref, subject_sub, email_hash, ip, method, state, words,
        reason, country, device_id, user_agent, action, operation, error, route, status, actor_kind, actor_id,
        data, subject_refs, words_id, key_id)
), kept AS (
    INSERT INTO audit.entries (event_id, entry, leaf_hash, key_id)
    SELECT event_id, entry, leaf_hash, key_id FROM arrived
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_id
), indexed AS (
    INSERT INTO audit.entry_search (event_id, occurred_at, event_type, outcome, service, instance, seq,
        request_id, attempt_id, session_ref, subject_sub, email_hash, ip, method, state,
        reason, country, device_id, user_agent, action, operation, error, route, status, actor_kind, actor_id,
        data, subject_refs, words_id)
    SELECT event_id, occurred_at, event_type, outcome, service, instance, seq,
        request_id, attempt_id, session_ref, subject_sub, email_hash, ip::inet, method, state,
        reason, country, device_id, user_agent, action, operation, error, route, status, actor_kind, actor_id,
        data::jsonb, subject_refs::bytea[], words_id
    FROM arrived JOIN kept USING (event_id)
), listed AS (
    INSERT INTO audit.known_words (words_id, words, user_agent)
    SELECT DISTINCT ON (words_id) words_id, words, nullif(user_agent, '')
    FROM arrived JOIN kept USING (event_id) ORDER BY words_id
    ON CONFLICT (words_id) DO NOTHING
)
SELECT count(*) FROM kept
"""

FIND_CONFLICTS: Final = """
SELECT line.place FROM unnest($1::uuid[], $2::bytea[]) WITH ORDINALITY AS line (event_id, leaf_hash, place)
JOIN audit.entries AS stored USING (event_id)
WHERE stored.leaf_hash <> line.leaf_hash
"""

QUARANTINE: Final = """
INSERT INTO audit.quarantine (message_id, line_no, bytes, sha256, reason, detail, instance, seq)
SELECT * FROM unnest($1::text[], $2::integer[], $3::bytea[], $4::bytea[], $5::text[], $6::text[], $7::uuid[], $8::bigint[])
ON CONFLICT (message_id, line_no, sha256) DO NOTHING
"""


class Appended(NamedTuple):
    """What a committed batch held: entries that were new, entries that the log had already, and lines in quarantine."""

    new_count: int
    duplicate_count: int
    flawed: list[FlawedLine]


class EntryStore:
    """
    Appends to the log through the writer's connections.

    Args:
        pool: Connections of the role ``countersign_writer``.
        ring: The deployment's keys; entries about a person are kept encrypted under a key of theirs.
    """

    def __init__(self, pool: Pool, ring: KeyRing) -> None:
        self._pool = pool
        self._keys = SubjectKeys(ring)

    async def append(self, placed: Sequence[Placed], flawed: Sequence[FlawedLine]) -> Appended:
        """
        Commit a batch; when this returns, all of it is durable, and appending it again changes nothing.

        An entry whose `event_id` the log holds with the same bytes is a duplicate and dropped; with other bytes it is evidence
        and goes to quarantine. So does an entry that the database refuses for what it holds, alone.

        Raises:
            DatabaseUnavailable: Nothing is known to be stored (a commit may have landed all the same): append it again.
        """
        try:
            try:
                return await self._commit(placed, flawed)
            except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError) as error:
                log.error("audit.batch_refused", entries=len(placed), error=type(error).__name__)
                return await self._commit_one_by_one(placed, flawed)
        except UNAVAILABLE as error:
            raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error
        except KeyUnusable as error:
            # A wrong key file is mended from outside, and what waits for that must not count as delivered again and again.
            raise DatabaseUnavailable(str(error)) from error

    async def ensure_partitions(self, months_ahead: int) -> int:
        """
        Make the partitions of the months ahead and return how many are new.

        Raises:
            DatabaseUnavailable: Try again later; until then the default partition takes what belongs to no month.
        """
        try:
            made: int = await self._pool.fetchval("SELECT audit.ensure_partitions($1)", months_ahead)
        except UNAVAILABLE as error:
            raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error
        return made

    async def _commit(self, placed: Sequence[Placed], flawed: Sequence[FlawedLine]) -> Appended:
        firsts, others = _split_by_id(placed)
        async with self._appending(firsts) as (connection, keys):
            new_count: int = await connection.fetchval(APPEND, *_columns([row for _, row in firsts], keys)) if firsts else 0
            conflicting: list[FlawedLine] = []
            if new_count < len(placed):
                # A statement of its own: it sees what another consumer committed while the first one ran.
                conflicting = await _conflicts(connection, [*firsts, *others])
            everything = [*flawed, *conflicting]
            await _quarantine(connection, everything)
        return Appended(new_count, len(placed) - new_count - len(conflicting), everything)

    async def _commit_one_by_one(self, placed: Sequence[Placed], flawed: Sequence[FlawedLine]) -> Appended:
        """Find the entry that the database refuses: rare, slow, and still one transaction."""
        new_count = 0
        bad: list[FlawedLine] = []
        async with self._appending(placed) as (connection, keys):
            good: list[Placed] = []
            for origin, row in _sorted_by_id(placed):
                try:
                    async with connection.transaction():
                        new_count += await connection.fetchval(APPEND, *_columns([row], keys))
                except asyncpg.PostgresError as error:
                    if isinstance(error, UNAVAILABLE):
                        raise
                    bad.append(FlawedLine(origin, row.entry, Flaw.REFUSED_BY_STORE, clean_detail(str(error))))
                else:
                    good.append((origin, row))
            conflicting = await _conflicts(connection, good)
            everything = [*flawed, *bad, *conflicting]
            await _quarantine(connection, everything)
        return Appended(new_count, len(good) - new_count - len(conflicting), everything)

    @asynccontextmanager
    async def _appending(self, placed: Sequence[Placed]) -> AsyncIterator[tuple[Any, LiveKeys]]:
        """Give a transaction, and the keys for its entries, of which none is destroyed before it ends."""
        owners = {owner for _, row in placed if (owner := owner_of(row.subject_sub, row.email_hash)) is not None}
        async with self._pool.acquire() as connection:
            while True:
                keys = await self._keys.of(connection, owners)
                async with connection.transaction():
                    if not owners or await self._keys.hold(connection, keys):
                        yield connection, keys
                        return


def _sorted_by_id(placed: Sequence[Placed]) -> list[Placed]:
    # Two consumers that insert the same ids in one order wait for each other; in two orders they deadlock.
    return sorted(placed, key=lambda one: one[1].event_id)


def _split_by_id(placed: Sequence[Placed]) -> tuple[list[Placed], list[Placed]]:
    """Return the first entry of each `event_id`, sorted, and the others: a statement must not offer one id twice."""
    firsts: dict[str, Placed] = {}
    others = [one for one in placed if firsts.setdefault(one[1].event_id, one) is not one]
    return _sorted_by_id(list(firsts.values())), others


def _columns(rows: Sequence[Row], keys: LiveKeys) -> list[Sequence[Any]]:
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    stored: list[bytes] = []
    key_ids: list[UUID | None] = []
    for row in rows:
        owner = owner_of(row.subject_sub, row.email_hash)
        key = None if owner is None else keys[owner]
        stored.append(row.entry if key is None else seal_entry(key.cipher, row.event_id, row.entry))
        key_ids.append(None if key is None else key.key_id)
    columns[Row._fields.index("entry")] = stored
    return [*columns, key_ids]


async def _conflicts(connection: Any, placed: Sequence[Placed]) -> list[FlawedLine]:
    if not placed:
        return []
    rows = [row for _, row in placed]
    records = await connection.fetch(FIND_CONFLICTS, [row.event_id for row in rows], [row.leaf_hash for row in rows])
    detail = "the log holds another entry with this event_id"
    conflicting = (placed[record["place"] - 1] for record in records)
    return [FlawedLine(origin, row.entry, Flaw.CONFLICTING_ENTRY, detail) for origin, row in conflicting]


async def _quarantine(connection: Any, flawed: Sequence[FlawedLine]) -> None:
    if not flawed:
        return
    ordered = sorted(flawed, key=lambda line: line.origin)
    rows = [
        (*line.origin, line.line, line.sha256, line.flaw.value, line.detail, *(line.producer or (None, None)))
        for line in ordered
    ]
    await connection.execute(QUARANTINE, *zip(*rows, strict=True))
