"""
What the sequencer demands of a stored entry before it signs, without I/O and without the writer's code.

1. An entry that is kept encrypted opens with its key.
2. The bytes, hashed here, give the stored leaf hash.
3. The event named in the bytes is the one under whose id they are kept.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from services.audit.sealing.opening import CannotOpen, Vault
from services.audit.tree.hashing import leaf_hash

STOPPED: Final = "service.stopped"


class Stored(NamedTuple):
    """
    One row of the log as the sequencer found it; `xid` is the transaction that stored it.

    `entry` is encrypted under the data key `key_id`, or as it was written when there is none.
    """

    event_id: str
    entry: bytes
    leaf_hash: bytes
    xid: int
    recorded_at: datetime
    key_id: str | None = None


class Rechecked(NamedTuple):
    """An entry that may be sealed."""

    event_id: str
    leaf_hash: bytes
    xid: int
    recorded_at: datetime
    service: str
    instance: str
    seq: int
    is_stop: bool


class Damage(NamedTuple):
    """An entry that must not be sealed; `reason` is a word for machines, `detail` a sentence for people."""

    event_id: str
    reason: str
    detail: str


class _Producer(msgspec.Struct):
    service: str
    instance: str
    seq: int


class _Identity(msgspec.Struct):
    """The members of an event that the sequencer needs; the others are none of its business."""

    event_id: str
    event_type: str
    producer: _Producer


_DECODE = msgspec.json.Decoder(_Identity).decode


def recheck(rows: Iterable[Stored], vault: Vault) -> tuple[list[Rechecked], Damage | None]:
    """Return the entries up to the first damaged one, and the damage when there is one; `vault` knows all of their keys."""
    good: list[Rechecked] = []
    for row in rows:
        try:
            entry = row.entry if row.key_id is None else vault.open(row.event_id, row.key_id, row.entry)
        except CannotOpen as error:
            return good, Damage(row.event_id, error.reason, str(error))
        if leaf_hash(entry) != row.leaf_hash:
            detail = "the stored bytes are not the ones that were hashed when the entry was written"
            return good, Damage(row.event_id, "hash_mismatch", detail)
        try:
            identity = _DECODE(entry)
        except msgspec.MsgspecError:
            return good, Damage(row.event_id, "unreadable", "the stored bytes are no event")
        if identity.event_id != row.event_id:
            detail = "the stored bytes are those of another event"
            return good, Damage(row.event_id, "identity_mismatch", detail)
        producer = identity.producer
        good.append(
            Rechecked(
                row.event_id,
                row.leaf_hash,
                row.xid,
                row.recorded_at,
                producer.service,
                producer.instance,
                producer.seq,
                identity.event_type == STOPPED,
            )
        )
    return good, None


class Seen(NamedTuple):
    """What a batch holds of one producer: `runs` are ranges of numbers, first inclusive, last exclusive, ascending."""

    instance: str
    service: str
    runs: list[tuple[int, int]]
    entry_count: int
    first_recorded_at: datetime
    last_recorded_at: datetime
    stopped_seq: int | None
    # The first number of each run that does not begin at 0, with the entry that bears it.
    edges: list[tuple[int, str]]


def seen_producers(entries: Sequence[Rechecked]) -> list[Seen]:
    """Return what a batch holds of each producer."""
    by_instance: dict[str, list[Rechecked]] = {}
    for entry in entries:
        by_instance.setdefault(entry.instance, []).append(entry)
    return [_seen(instance, group) for instance, group in by_instance.items()]


def _seen(instance: str, group: list[Rechecked]) -> Seen:
    ordered = sorted(group, key=lambda entry: entry.seq)
    runs: list[tuple[int, int]] = []
    edges: list[tuple[int, str]] = []
    for entry in ordered:
        if runs and entry.seq <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(runs[-1][1], entry.seq + 1))
            continue
        runs.append((entry.seq, entry.seq + 1))
        if entry.seq:
            edges.append((entry.seq, entry.event_id))
    return Seen(
        instance,
        ordered[0].service,
        runs,
        len(ordered),
        min(entry.recorded_at for entry in ordered),
        max(entry.recorded_at for entry in ordered),
        max((entry.seq for entry in ordered if entry.is_stop), default=None),
        edges,
    )


def multirange(runs: Iterable[tuple[int, int]]) -> str:
    """Return runs of numbers as PostgreSQL writes an int8multirange."""
    return "{" + ",".join(f"[{first},{last})" for first, last in runs) + "}"
