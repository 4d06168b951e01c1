"""Checkpoints: the size and the root of a log, as a signed note. Source: C2SP tlog-checkpoint."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from services.audit.tree.hashing import HASH_BYTES
from services.audit.tree.notes import NoteInvalid, Signer, VerifierKey, open_note, sign_note, split_note
from services.audit.tree.text import decode64, encode64

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


class CheckpointInvalid(ValueError):
    """This is no checkpoint of the log in question, or nobody who is trusted signed it."""


class Checkpoint(NamedTuple):
    """What a log says of itself: its name, its number of leaves, and its root."""

    origin: str
    tree_size: int
    root: bytes

    @property
    def text(self) -> str:
        """Return what is signed."""
        return f"{self.origin}\n{self.tree_size}\n{encode64(self.root)}\n"

    def sign(self, signers: Sequence[Signer]) -> str:
        """Return the checkpoint as a note, signed by every signer."""
        return sign_note(self.text, signers)


def open_checkpoint(note: str, keys: Sequence[VerifierKey]) -> Checkpoint:
    """
    Return a checkpoint after checking its signature, and that it is about the log whose key it was.

    Raises:
        CheckpointInvalid: One of that is not so; the text says which.
    """
    try:
        text, _ = split_note(note)
        checkpoint = parse_checkpoint(text)
        own_keys = [key for key in keys if key.name == checkpoint.origin]
        if not own_keys:
            raise CheckpointInvalid(f"this is a checkpoint of another log: {checkpoint.origin}")
        open_note(note, own_keys)
    except NoteInvalid as error:
        raise CheckpointInvalid(str(error)) from error
    return checkpoint


def parse_checkpoint(text: str) -> Checkpoint:
    """
    Read the text of a checkpoint. Lines after the third are extensions and passed over.

    Raises:
        CheckpointInvalid: It is none.
    """
    origin, _, rest = text.partition("\n")
    size, _, rest = rest.partition("\n")
    encoded, _, extensions = rest.partition("\n")
    if not origin or not _SIZE.fullmatch(size):
        raise CheckpointInvalid("there is no size in the second line")
    try:
        root = decode64(encoded)
    except ValueError as error:
        raise CheckpointInvalid("there is no root in the third line") from error
    if len(root) != HASH_BYTES:
        raise CheckpointInvalid("there is no root in the third line")
    if extensions and (not extensions.endswith("\n") or "" in extensions[:-1].split("\n")):
        raise CheckpointInvalid("the lines behind the root are not written as extensions")
    return Checkpoint(origin, int(size), root)
