"""
What one entry has to have beside it, without I/O.

1. Its bytes open, are an event, and are those of the event under whose id they are kept.
2. It has a place in the tree, and the tile at that place holds its hash. The checkpoint that gave it the place is of a time
   from which on searches in the order of the log look for it.
3. It has a row in `entry_search`, which holds what is read out of the bytes (`services.audit.reading`), and the text that the
   row names stands in `known_words`.
4. It is kept under a key of the person whom it is about, and as it is when it is about nobody: an erasure goes by that.
5. Of an erased entry the hash is compared alone; its row has nothing but what an erasure leaves.
"""

import ipaddress
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.audit.reading import SUBJECT_REF, LineFlawed, Row, read_line
from services.audit.storage.keys import Opened, owner_of
from services.audit.storage.search import AHEAD_MAX
from services.audit.storage.subject_keys import hash_owner
from services.audit.tree.hashing import leaf_hash

# Of entry_search; each has the name that the reading of a line gives it.
COLUMNS: Final = tuple(name for name in Row._fields if name not in ("event_id", "entry", "leaf_hash", "words"))
# Those that an erasure leaves, as in audit.kept_columns().
KEPT_COLUMNS: Final = ("occurred_at", "event_type", "outcome", "service", "instance", "seq", "method", "state")
_EMPTIED: Final = tuple(name for name in COLUMNS if name not in KEPT_COLUMNS)


class Checked(NamedTuple):
    """
    How an entry was found.

    `row` is what was read out of it: None where nothing can be read, since it was erased or is damaged, or where there is no
    entry. `flaws` are sentences about what does not fit; empty when all does.
    """

    row: Row | None
    flaws: list[str]


def check_entry(found: Mapping[str, Any], opened: Opened, owner_key: bytes | None) -> Checked:
    """
    Check one entry.

    Args:
        found: A row of `services.audit.checking.store`: the entry and what stands beside it, each part of which may be missing.
        opened: Its bytes, when it has any.
        owner_key: By which owners of keys are hashed; None for a log that has no such key.
    """
    if found["leaf_hash"] is None:
        return Checked(None, _without_entry(found))
    flaws: list[str] = []
    row: Row | None = None
    if opened.entry is not None:
        row, flaw = _read(str(found["event_id"]), opened.entry)
        flaws += [flaw] if flaw else []
    elif not opened.is_erased:
        flaws.append("its bytes do not open with its key")
    hashed = found["leaf_hash"] if opened.entry is None else leaf_hash(opened.entry)
    if hashed != found["leaf_hash"]:
        flaws.append("its bytes are not those of its leaf hash")
    if found["leaf_index"] is not None and hashed != found["sealed_hash"]:
        flaws.append(f"leaf {found['leaf_index']} was not sealed with its hash")
    if row is not None and found["sealed_at"] is not None and row.occurred_at - found["sealed_at"] >= AHEAD_MAX:
        flaws.append("searches in the order of the log pass it by: its checkpoint is older than itself")
    if row is not None and found["owner"] != _owner(row, owner_key):
        flaws.append("it is not kept under a key of whom it is about: an erasure may pass it by")
    if found["occurred_at"] is None:
        flaws.append("no search finds it: its row in entry_search is missing")
    elif opened.is_erased:
        flaws += _unlike("what was erased can still be searched", _EMPTIED, found, {})
    elif row is not None:
        flaws += _unlike("searches are told something else", COLUMNS, found, _stored(row))
        if (found["known_words"], found["known_agent"] or "") != (row.words, row.user_agent or ""):
            flaws.append("free text does not find it: its text in known_words is missing or another")
    return Checked(row, flaws)


def _owner(row: Row, owner_key: bytes | None) -> bytes | None:
    owner = owner_of(row.subject_sub, row.email_hash)
    return None if owner is None else hash_owner(owner_key or b"", owner)


def _without_entry(found: Mapping[str, Any]) -> list[str]:
    flaws = [] if found["occurred_at"] is None else ["searches and counts know it, and there is no entry"]
    return flaws if found["leaf_index"] is None else [*flaws, f"leaf {found['leaf_index']} names it, and there is no entry"]


def _read(event_id: str, entry: bytes) -> tuple[Row | None, str | None]:
    try:
        row = read_line(entry)
    except LineFlawed as error:
        return None, f"its bytes cannot be read as an event by this release: {error.detail}"
    return (row, None) if row.event_id == event_id else (None, "its bytes are those of another event")


def _unlike(what: str, columns: tuple[str, ...], found: Mapping[str, Any], stored: Mapping[str, Any]) -> list[str]:
    # Not the values: findings are printed, and they are about people.
    unlike = [name for name in columns if _comparable(name, found[name]) != stored.get(name)]
    return [f"{what}: {', '.join(unlike)}"] if unlike else []


def _comparable(name: str, value: Any) -> Any:
    return _numbers_kept(value) if name == "data" and value is not None else value


def _stored(row: Row) -> dict[str, Any]:
    """Return what was read as the database gives it back."""
    return {
        **row._asdict(),
        "instance": UUID(row.instance),
        "ip": None if row.ip is None else ipaddress.ip_address(row.ip),
        "data": None if row.data is None else _numbers_kept(row.data),
        "subject_refs": None
        if row.subject_refs is None
        else [bytes.fromhex(ref) for ref in SUBJECT_REF.findall(row.subject_refs)],
        "words_id": UUID(row.words_id),
    }


def _numbers_kept(text: str) -> Any:
    """Return JSON with its numbers as they are written: PostgreSQL keeps every digit, and writes 1e2 as 100."""
    return json.loads(text, parse_int=Decimal, parse_float=Decimal)
