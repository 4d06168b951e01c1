"""``countersign audit verify``: believe nobody but the log's public key."""

import re
import time
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.audit.archiving.lack import Lack
from services.audit.commands import archive
from services.audit.commands.client import AuditClient, NotThere
from services.audit.commands.context import audit_address, log_keys, public_address
from services.audit.commands.errors import USAGE, CommandFailed
from services.audit.commands.source import HttpSource, newest_checkpoint
from services.audit.commands.verdicts import Verdict, failed, report
from services.audit.commands.whole_log import FAULTS, WholeLog, fault, source_of
from services.audit.tree.checkpoints import Checkpoint, CheckpointInvalid, open_checkpoint
from services.audit.tree.hashing import leaf_hash
from services.audit.tree.notes import VerifierKey
from services.audit.tree.proof_file import HEADER, ProofFile, ProofFileInvalid, parse_proof
from services.audit.tree.proofs import (
    ProofInvalid,
    check_consistency,
    check_inclusion,
    consistency_path,
    inclusion_path,
)
from services.audit.tree.reader import TileTooShort, TileTree
from services.audit.tree.tiles import tiles_of
from services.audit.verifying.folder import FolderSource
from services.audit.verifying.log import Finding, Missing

RECEIPT: Final = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):([0-9a-f]{64})")
ASK_SECONDS: Final = 1.0
FOLLOW_SECONDS: Final = 5.0


class Receipt(NamedTuple):
    """What an answer of the gateway promised: that this event, with this leaf hash, is in the log."""

    event_id: str
    leaf: bytes

    @property
    def promised_at(self) -> float:
        """When it was promised, in Unix time: a UUIDv7 begins with milliseconds."""
        return (UUID(self.event_id).int >> 80) / 1000


def parse_receipt(text: str) -> Receipt | None:
    """Return a receipt; None when the text is none."""
    match = RECEIPT.fullmatch(text.strip().removeprefix("Audit-Receipt:").strip())
    return Receipt(match[1], bytes.fromhex(match[2])) if match else None


def verify(options: Any) -> None:
    """
    Verify what the command line names.

    Raises:
        CommandFailed: Something is not as it was sealed, or it could not be found out.
    """
    keys = log_keys(options)
    if options.state is not None and (options.what or options.archive):
        raise CommandFailed("--state goes with the whole log: name no receipt, proof, checkpoint or archive", USAGE)
    if (options.entry is not None or options.proof is not None) and len(options.what) != 1:
        raise CommandFailed("--entry and --proof go with one receipt or one proof file", USAGE)
    if not options.what:
        report(options, _verify_archive(options, keys) if options.archive else _verify_log(options, keys))
        return
    checkpoints = [text for text in map(_checkpoint_text, options.what) if text is not None]
    if checkpoints:
        if len(options.what) != 2 or len(checkpoints) != 2:
            raise CommandFailed("give two checkpoints: whether the second contains the first is what can be shown", USAGE)
        report(options, [_verify_consistency(options, keys, *checkpoints)])
        return
    report(options, [_verify_one(options, keys, what) for what in options.what])


def _verify_one(options: Any, keys: list[VerifierKey], what: str) -> Verdict:
    receipt = parse_receipt(what)
    if receipt is not None:
        return _verify_receipt(options, keys, receipt)
    proof = _proof(what)
    claimed = parse_receipt((proof.extra or b"").decode(errors="replace"))
    promised = claimed.leaf if claimed else None
    leaf = _entry_leaf(options.entry, promised) if options.entry else promised
    if leaf is None:
        raise CommandFailed(f"{what} does not say which entry it proves: give the entry with --entry", USAGE)
    name = f"event {claimed.event_id}" if claimed and claimed.leaf == leaf else f"entry {leaf.hex()}"
    return _judge_proof(name, proof, leaf, keys)


def _verify_receipt(options: Any, keys: list[VerifierKey], receipt: Receipt) -> Verdict:
    name = f"event {receipt.event_id}"
    if options.entry is not None and _entry_leaf(options.entry, receipt.leaf) != receipt.leaf:
        return failed(name, Finding(name, "the entry that you gave is not the one of this receipt"))
    if options.proof is not None:
        return _judge_proof(name, _proof(options.proof), receipt.leaf, keys)
    if options.archive:
        findings = archive.find_receipt(options, keys, receipt.event_id, receipt.leaf)
        said = "is in the archive with the hash that was promised; the archived entry was not opened"
        return failed(name, *findings) if findings else Verdict(name, True, said)
    if options.log is not None:
        return _verify_in_folder(name, FolderSource(Path(options.log)), receipt, keys)
    client = AuditClient(*audit_address(options))
    while True:
        try:
            text = client.proof(receipt.event_id)
        except NotThere as error:
            if time.time() < receipt.promised_at + options.deadline:
                time.sleep(ASK_SECONDS)
                continue
            # Nothing is called lost by a server that does not show this log's checkpoint.
            try:
                open_checkpoint(newest_checkpoint(HttpSource(*public_address(options))), keys)
            except CheckpointInvalid as invalid:
                return failed(name, Finding("checkpoint", str(invalid)))
            if error.is_sealing:
                detail = f"was recorded and is not sealed {options.deadline} s after it was promised: sealing stands still"
            else:
                detail = f"LOST: it was promised and is not in the log {options.deadline} s later"
            return failed(name, Finding(name, detail))
        try:
            found = parse_proof(text)
        except ProofFileInvalid as error:
            raise CommandFailed(f"the answer is not the audit service's: {error}") from error
        return _judge_proof(name, found, receipt.leaf, keys)


def _entry_leaf(path: str, promised: bytes | None) -> bytes:
    """Return the leaf hash of an entry in a file; `promised` is the one that it should have, where that is known."""
    entry = _read(path)
    bare = entry.rstrip(b"\r\n")
    if bare != entry and leaf_hash(bare) == promised:
        raise CommandFailed(f"{path} has a line end behind the entry, which does not belong to it: take that away", USAGE)
    return leaf_hash(entry)


def _verify_in_folder(name: str, source: FolderSource, receipt: Receipt, keys: list[VerifierKey]) -> Verdict:
    try:
        checkpoint = open_checkpoint(source.checkpoint(), keys)
        tree = TileTree(checkpoint.tree_size, source.tile)
        for tile in tiles_of(checkpoint.tree_size, 0):
            hashes = tree.hashes(0, tile.index)
            if receipt.leaf in hashes:
                place = tile.index * 256 + hashes.index(receipt.leaf)
                path = inclusion_path(place, checkpoint.tree_size, tree.subtree_root)
                check_inclusion(receipt.leaf, place, checkpoint.tree_size, path, checkpoint.root)
                return Verdict(name, True, f"is leaf {place} of {checkpoint.tree_size}")
    except (CheckpointInvalid, ProofInvalid, TileTooShort, Missing) as error:
        return failed(name, Finding(name, str(error)))
    return failed(name, Finding(name, f"LOST: it was promised and is not among the {checkpoint.tree_size} entries of this log"))


def _judge_proof(name: str, proof: ProofFile, leaf: bytes, keys: list[VerifierKey]) -> Verdict:
    try:
        checkpoint = proof.verify(leaf, keys)
    except (CheckpointInvalid, ProofInvalid) as error:
        return failed(name, Finding(name, f"is not proven: {error}"))
    return Verdict(name, True, f"is leaf {proof.index} of {checkpoint.tree_size} in {checkpoint.origin}")


def _verify_consistency(options: Any, keys: list[VerifierKey], one: str, other: str) -> Verdict:
    try:
        old, new = sorted((open_checkpoint(note, keys) for note in (one, other)), key=lambda found: found.tree_size)
    except CheckpointInvalid as error:
        return failed("checkpoints", Finding("checkpoint", str(error)))
    name = f"checkpoints {old.tree_size} and {new.tree_size}"
    try:
        path: list[bytes] = []
        if 0 < old.tree_size < new.tree_size:
            path = consistency_path(old.tree_size, new.tree_size, TileTree(new.tree_size, source_of(options).tile).subtree_root)
        check_consistency(old.tree_size, old.root, new.tree_size, new.root, path)
    except (ProofInvalid, TileTooShort, Missing) as error:
        return failed(name, Finding(name, f"are not of one log that only grew: {error}"))
    return Verdict(name, True, "are of one log that only grew")


def _verify_log(options: Any, keys: list[VerifierKey]) -> list[Verdict]:
    log = WholeLog(options, keys, with_entries=not options.hashes_only)
    has_verified = False
    try:
        seen = _remembered(options, keys)
        if seen is not None:
            log.resume(seen)
        while True:
            verdict = log.verify()
            if options.state and verdict.ok:
                Path(options.state).write_text(log.note, encoding="utf-8")
            if not options.follow or not verdict.ok:
                return [verdict]
            has_verified = True
            report(options, [verdict])
            time.sleep(FOLLOW_SECONDS)
    except KeyboardInterrupt:
        if not has_verified:
            raise
        return []  # This is how following ends.
    except FAULTS as error:
        return [fault(error)]


def _verify_archive(options: Any, keys: list[VerifierKey]) -> list[Verdict]:
    verdicts = []
    for day, findings, lacking in archive.verify_days(options, keys):
        name, count = f"day {day.day}", day.end_leaf - day.first_leaf
        said = ", ".join(
            [
                f"is as it was sealed: {count:,} entr{'y' if count == 1 else 'ies'}",
                *(
                    f"{lacking[lack]:,} of them {lack.value}"
                    for lack in (Lack.ERASED, Lack.ERASED_LATER, Lack.NO_KEYS)
                    if lacking[lack]
                ),
            ]
        )
        verdict = failed(name, *findings) if findings else Verdict(name, True, said)
        verdict.erased, verdict.erased_later = lacking[Lack.ERASED], lacking[Lack.ERASED_LATER]
        verdict.not_readable = lacking[Lack.NO_KEYS]
        verdicts.append(verdict)
    if not verdicts:
        raise CommandFailed("the archive is empty")
    return verdicts


def _remembered(options: Any, keys: list[VerifierKey]) -> Checkpoint | None:
    """Return the checkpoint up to which an earlier run has verified the log."""
    if not options.state or not Path(options.state).exists():
        return None
    try:
        return open_checkpoint(Path(options.state).read_text(encoding="utf-8", errors="replace"), keys)
    except CheckpointInvalid as error:
        raise CommandFailed(f"{options.state} holds no checkpoint of this log to go on from: {error}", USAGE) from error


def _checkpoint_text(what: str) -> str | None:
    if RECEIPT.fullmatch(what) or not Path(what).is_file():
        return None
    text = _read(what).decode(errors="replace")
    return None if text.startswith(HEADER) else text


def _proof(path: str) -> ProofFile:
    try:
        return parse_proof(_read(path).decode(errors="replace"))
    except ProofFileInvalid as error:
        raise CommandFailed(f"{path}: {error}", USAGE) from error


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CommandFailed(f"{path} is no receipt and cannot be read: {error.strerror or error}", USAGE) from error
