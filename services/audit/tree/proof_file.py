"""
Proof files: everything that shows, without a network, that an entry is in the log. Source: C2SP tlog-proof.

In the ``extra`` line we put the receipt, so that the file says by itself what it proves. Nobody signs that line: it is a claim
that the hashes below it bear out, or do not.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.audit.tree.checkpoints import Checkpoint, open_checkpoint
from services.audit.tree.hashing import HASH_BYTES
from services.audit.tree.notes import VerifierKey
from services.audit.tree.proofs import PROOF_HASHES_MAX, check_inclusion
from services.audit.tree.text import decode64, encode64

HEADER: Final = "c2sp.org/tlog-proof@v1"
SUFFIX: Final = ".tlog-proof"
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,18})")


class ProofFileInvalid(ValueError):
    """The text is no proof file."""


@dataclass(frozen=True, slots=True)
class ProofFile:
    """One proof: `extra` is untrusted, `checkpoint` is the signed note, not yet verified."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def encode(self) -> str:
        """Return the proof as the text of a file."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {encode64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += [encode64(value) for value in self.path]
        return "\n".join(lines) + f"\n\n{self.checkpoint}"

    def verify(self, leaf: bytes, keys: Sequence[VerifierKey]) -> Checkpoint:
        """
        Check that the entry with this leaf hash is in the log whose keys these are, and return the log's checkpoint.

        Raises:
            CheckpointInvalid: The checkpoint is not what a trusted key signed.
            ProofInvalid: The leaf is not where the proof says.
        """
        checkpoint = open_checkpoint(self.checkpoint, keys)
        check_inclusion(leaf, self.index, checkpoint.tree_size, self.path, checkpoint.root)
        return checkpoint


def parse_proof(text: str) -> ProofFile:
    """
    Read a proof file.

    Raises:
        ProofFileInvalid: It is none.
    """
    head, gap, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not gap or lines.pop(0) != HEADER:
        raise ProofFileInvalid("this is no proof file")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = _decode(lines.pop(0).removeprefix("extra "), "the extra line")
    match = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if match is None:
        raise ProofFileInvalid("there is no index")
    if len(lines) > PROOF_HASHES_MAX:
        raise ProofFileInvalid("there are more hashes than any tree is high")
    path = tuple(_decode(line, "a hash") for line in lines)
    if any(len(value) != HASH_BYTES for value in path):
        raise ProofFileInvalid("a hash is not 32 bytes long")
    return ProofFile(int(match[1]), path, checkpoint, extra)


def _decode(text: str, what: str) -> bytes:
    try:
        return decode64(text)
    except ValueError as error:
        raise ProofFileInvalid(f"{what} is no base64") from error
