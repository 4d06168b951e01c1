"""``countersign audit proof``, ``checkpoint`` and ``mirror``: take evidence home."""

import base64
import sys
from pathlib import Path
from typing import Any

from services.audit.commands.client import AuditClient
from services.audit.commands.context import audit_address, log_keys, public_address
from services.audit.commands.dropped import keep_statements, statements
from services.audit.commands.errors import USAGE, CommandFailed
from services.audit.commands.progress import terminal_progress
from services.audit.commands.render import print_json
from services.audit.commands.source import HttpSource, newest_checkpoint
from services.audit.commands.verify import parse_receipt
from services.audit.tree.checkpoints import CheckpointInvalid, open_checkpoint
from services.audit.tree.proof_file import SUFFIX
from services.audit.verifying.folder import copy_log
from services.audit.verifying.log import Missing
from shared.ids import is_uuid


def proof(options: Any) -> None:
    """
    Write the proof of one event to a file, or to standard output.

    Raises:
        CommandFailed: The log does not hold the event, or cannot be asked.
    """
    receipt = parse_receipt(options.receipt)
    event_id = receipt.event_id if receipt else options.receipt
    if not is_uuid(event_id):
        raise CommandFailed(f"{options.receipt} is no receipt and no event id", USAGE)
    text = AuditClient(*audit_address(options)).proof(event_id)
    if options.output == "-":
        sys.stdout.write(text)
        return
    path = Path(options.output or f"{event_id}{SUFFIX}")
    _write(path, text)
    if options.json:
        print_json({"file": str(path)})
    else:
        sys.stdout.write(f"{path}\n")


def checkpoint(options: Any) -> None:
    """
    Print the newest checkpoint after checking its signature; keep it, and nobody can change what is under it unseen.

    Raises:
        CommandFailed: No key that is trusted has signed it, or the log cannot be asked.
    """
    keys = log_keys(options)
    note = newest_checkpoint(HttpSource(*public_address(options)))
    signed = _open(note, keys)
    if options.json:
        root = base64.b64encode(signed.root).decode()
        print_json({"origin": signed.origin, "tree_size": signed.tree_size, "root": root, "note": note})
    else:
        sys.stdout.write(note)


def mirror(options: Any) -> None:
    """
    Copy the whole log, entries and hashes, into a folder; only what is new when it is there already. Of what was dropped it
    gets the hashes, and the signed statements that say so.

    Raises:
        CommandFailed: The log cannot be asked, or lacks parts of itself.
    """
    keys = log_keys(options)
    source = HttpSource(*audit_address(options))
    note = newest_checkpoint(source)
    signed = _open(note, keys)
    show = terminal_progress("copied", is_quiet=options.json)
    try:
        copy_log(source, note, signed, Path(options.folder), show)
        # Once more for what was sealed meanwhile: there is the event that names what was erased while it was copied.
        note = newest_checkpoint(source)
        signed = _open(note, keys)
        copy_log(source, note, signed, Path(options.folder), lambda done, total: None)
        keep_statements(statements(AuditClient(*audit_address(options))), Path(options.folder))
    except Missing as error:
        raise CommandFailed(f"the log lacks {error.place}: run countersign audit verify") from error
    except OSError as error:
        raise CommandFailed(f"{options.folder}: {error.strerror or error}") from error
    if options.json:
        print_json({"folder": options.folder, "tree_size": signed.tree_size})
    else:
        sys.stdout.write(f"{signed.tree_size} entries in {options.folder}\n")


def _open(note: str, keys: Any) -> Any:
    try:
        return open_checkpoint(note, keys)
    except CheckpointInvalid as error:
        raise CommandFailed(f"do not trust this checkpoint: {error}") from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror or error}") from error
