"""
The statement about a dropped month: a C2SP signed note by the log's own key. Pure.

Its first line is no name of a log, so that nobody takes it for a checkpoint. Then one fact a line, a word and its values; the
archive's objects by version and hash come last.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from services.audit.archiving.manifest import ObjectRef
from services.audit.tree.checkpoints import Checkpoint
from services.audit.tree.notes import NoteInvalid, Signer, VerifierKey, open_note, sign_note
from services.audit.tree.text import encode64

HEADER: Final = "countersign retention statement v1"

Runs = Sequence[tuple[int, int]]


class StatementInvalid(ValueError):
    """This is no statement of this log, or nobody who is trusted signed it."""


class Dropped(NamedTuple):
    """What a statement says went: `runs` are leaves, first inclusive, last exclusive, ascending."""

    origin: str
    month: str
    entry_count: int
    runs: Runs


def write_statement(
    dropped: Dropped, checkpoint: Checkpoint, dropped_at: datetime, objects: Sequence[ObjectRef], signers: Sequence[Signer]
) -> str:
    """
    Return the signed note.

    Args:
        dropped: What goes.
        checkpoint: The newest one: the tree whose leaves these stay.
        dropped_at: When.
        objects: Where the entries are kept.
        signers: The log's keys.
    """
    lines = [
        HEADER,
        f"log {dropped.origin}",
        f"month {dropped.month}",
        f"entries {dropped.entry_count}",
        f"dropped-at {dropped_at.isoformat()}",
        f"tree {checkpoint.tree_size} {encode64(checkpoint.root)}",
        *(f"leaves {first} {end}" for first, end in dropped.runs),
        *(f"archive {one.sha256} {one.version} {one.bytes} {one.key}" for one in objects),
    ]
    return sign_note("\n".join(lines) + "\n", signers)


def open_statement(note: str, keys: Sequence[VerifierKey]) -> Dropped:
    """
    Return what a statement says, after checking its signature.

    Raises:
        StatementInvalid: It is none, or not signed by the log that it is about.
    """
    try:
        lines = [line.split(" ") for line in open_note(note, keys).splitlines()]
        facts = {line[0]: line[1:] for line in lines[1:]}
        if " ".join(lines[0]) != HEADER or not any(key.name == facts["log"][0] for key in keys):
            raise StatementInvalid("this is no retention statement of this log")
        runs = [(int(line[1]), int(line[2])) for line in lines if line[0] == "leaves"]
        return Dropped(facts["log"][0], facts["month"][0], int(facts["entries"][0]), runs)
    except (NoteInvalid, IndexError, KeyError, ValueError) as error:
        raise StatementInvalid(str(error)) from error


def month_name(month: date) -> str:
    """Return a month as statements and commands write it."""
    return f"{month:%Y-%m}"
