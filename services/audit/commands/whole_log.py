"""A whole log, of the service or in a folder, verified as ``verify`` and ``completeness --recompute`` do."""

from pathlib import Path
from typing import Any, Final

from services.audit.commands.client import AuditClient
from services.audit.commands.context import audit_address, public_address
from services.audit.commands.dropped import dropped_runs, kept_statements, statements
from services.audit.commands.progress import terminal_progress
from services.audit.commands.source import HttpSource
from services.audit.commands.verdicts import Verdict, failed
from services.audit.tree.checkpoints import Checkpoint, CheckpointInvalid, open_checkpoint
from services.audit.tree.notes import VerifierKey
from services.audit.verifying.folder import FolderSource
from services.audit.verifying.log import Finding, LogSource, LogVerifier, Missing, VerificationFailed
from services.audit.verifying.numbers import Numbers, count_of

FAULTS: Final = (CheckpointInvalid, Missing, VerificationFailed)


class WholeLog:
    """
    Verifies the log that a command line names, as far as it goes; again, and on from there.

    Args:
        options: Where the log is.
        keys: The log's public keys.
        with_entries: Read the entries too, not their hashes alone.
    """

    def __init__(self, options: Any, keys: list[VerifierKey], *, with_entries: bool) -> None:
        self._source = source_of(options)
        self._keys = keys
        self._with_entries = with_entries
        self._begins_at = 0
        self._verifier = LogVerifier(
            self._source,
            with_entries=with_entries,
            dropped=_dropped(options, keys) if with_entries else (),
            progress=terminal_progress("verified", is_quiet=options.json),
        )
        # The newest checkpoint up to which the log is verified.
        self.note = ""

    @property
    def numbers(self) -> Numbers:
        """Return the numbers that the entries bear."""
        return self._verifier.numbers

    @property
    def unread_count(self) -> int:
        """Return how many of the entries could not be read: erased ones and dropped ones."""
        return self._verifier.tree_size - self._begins_at - self.numbers.entry_count

    def resume(self, seen: Checkpoint) -> None:
        """
        Begin behind a checkpoint that was verified before.

        Raises:
            Missing, VerificationFailed: The log is not the one of that checkpoint.
        """
        self._verifier.resume(seen)
        self._begins_at = seen.tree_size

    def verify(self) -> Verdict:
        """
        Verify up to the newest checkpoint.

        Raises:
            CommandFailed: The log cannot be asked.
        """
        try:
            checkpoint = self._advance()
            if self._verifier.has_unexplained:
                # An erasure came while the log was read: the event that names it was sealed before, behind this checkpoint.
                checkpoint = self._advance()
            self._verifier.check_erased()
        except FAULTS as error:
            return fault(error)
        verdict = Verdict(f"log {checkpoint.origin}", True, self._said(), erased=self._verifier.erased_count)
        if self._is_read_whole:
            verdict.numbers_missing = max(0, count_of(self.numbers.missing()) - self.unread_count)
        return verdict

    @property
    def _is_read_whole(self) -> bool:
        return self._with_entries and not self._begins_at

    def _advance(self) -> Checkpoint:
        note = self._source.checkpoint()
        checkpoint = open_checkpoint(note, self._keys)
        self._verifier.advance(checkpoint)
        self.note = note
        return checkpoint

    def _said(self) -> str:
        size = self._verifier.tree_size
        counts = {"erased": self._verifier.erased_count, "dropped": self._verifier.dropped_count}
        gone = "".join(f", {count:,} of them {word}" for word, count in counts.items() if count)
        before = f"; the first {self._begins_at:,} were verified before and not read again" if self._begins_at else ""
        return f"is as it was sealed: {size:,} entr{'y' if size == 1 else 'ies'}{gone}{before}{self._said_of_numbers()}"

    def _said_of_numbers(self) -> str:
        if not self._is_read_whole:
            return ""
        missing = count_of(self.numbers.missing())
        if missing > self.unread_count:
            least = missing - self.unread_count
            return (
                f"; {least:,} number{'s are' if least != 1 else ' is'} missing: see countersign audit completeness --recompute"
            )
        return "; no number is missing" if not missing else "; no number is missing for certain"


def source_of(options: Any) -> LogSource:
    """Return where the log is read from: a copy in a folder, or the service."""
    return FolderSource(Path(options.log)) if options.log else HttpSource(*public_address(options))


def fault(error: Exception) -> Verdict:
    """Return the verdict on a log that has one of the `FAULTS`."""
    if isinstance(error, VerificationFailed):
        return failed("log", *error.findings)
    if isinstance(error, Missing):
        return failed("log", Finding(error.place, "is missing"))
    return failed("log", Finding("checkpoint", str(error)))


def _dropped(options: Any, keys: list[VerifierKey]) -> list[tuple[int, int]]:
    """Return the leaves that the log's own signed statements say were dropped."""
    if options.log:
        return dropped_runs(kept_statements(Path(options.log)), keys)
    return dropped_runs(statements(AuditClient(*audit_address(options))), keys)
