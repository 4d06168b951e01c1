"""``countersign audit erase``, ``erasures``, ``holds`` and ``hold``: records that must go, and records that must stay."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from services.audit.commands.client import AuditClient, decoded
from services.audit.commands.context import audit_address
from services.audit.commands.errors import USAGE, CommandFailed
from services.audit.commands.render import console, plain_table, print_json, shown
from services.audit.commands.times import local

# An erasure waits until the log has sealed that it begins.
ERASE_SECONDS_MAX: Final = 60.0


def erase(options: Any) -> None:
    """
    Erase a person, after asking.

    Raises:
        CommandFailed: It was refused, or nobody said yes.
    """
    client = AuditClient(*audit_address(options))
    _confirm(options, f"This destroys the records about {options.subject}, for good.")
    answer = decoded(client.send("POST", "/v1/erasures", _about(options), seconds_max=ERASE_SECONDS_MAX))
    if _as_json(options, answer):
        return
    entries, keys = answer["erased_entries"], answer["erased_keys"]
    screen = console()
    screen.print(f"{entries:,} entr{'y' if entries == 1 else 'ies'} and {keys} key{'' if keys == 1 else 's'} erased.")
    screen.print(f"erasure {answer['id']}, subject {answer['subject_ref']}", style="dim", soft_wrap=True)
    screen.print("The database's files still hold what was removed until python -m services.audit compact.", style="dim")


def erasures(options: Any) -> None:
    """Print the erasures that were carried out."""
    found, _ = AuditClient(*audit_address(options)).pages("/v1/erasures", "erasures")
    rows = [
        (one["id"], one["created_at"], f"{one['erased_entries']:,}", one["by"], one["reason"], _files(one)) for one in found
    ]
    _print(options, found, ("erasure", "when", "entries", "by", "reason", "files"), rows, "Nobody was erased.")


def holds(options: Any) -> None:
    """Print the legal holds; released ones with --all."""
    found, _ = AuditClient(*audit_address(options)).pages("/v1/holds", "holds")
    shown = [one for one in found if options.all or one["released_at"] is None]
    rows = [
        (one["id"], one["created_at"], one["subject"] or "erased", one["created_by"], one["reason"], _standing(one))
        for one in shown
    ]
    _print(options, shown, ("hold", "since", "subject", "by", "reason", "state"), rows, "Nobody is on hold.")


def place(options: Any) -> None:
    """
    Place a legal hold.

    Raises:
        CommandFailed: It was refused.
    """
    answer = decoded(AuditClient(*audit_address(options)).send("POST", "/v1/holds", _about(options)))
    if not _as_json(options, answer):
        console().print(f"On hold. To release it: countersign audit hold release {answer['id']}", soft_wrap=True)


def release(options: Any) -> None:
    """
    Release a legal hold, after asking.

    Raises:
        CommandFailed: There is no such hold, or nobody said yes.
    """
    client = AuditClient(*audit_address(options))
    _confirm(options, f"This releases hold {options.hold}: the records may be erased then.")
    answer = decoded(client.send("DELETE", f"/v1/holds/{quote(options.hold, safe='')}"))
    if not _as_json(options, answer):
        console().print("Released.")


def _about(options: Any) -> dict[str, str]:
    return {"subject": options.subject, "reason": options.reason}


def _confirm(options: Any, warning: str) -> None:
    if options.yes:
        return
    if not sys.stdin.isatty():
        raise CommandFailed("nobody is here to be asked: add --yes", USAGE)
    sys.stderr.write(f"{warning} Type yes to go on: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != "yes":
        raise CommandFailed("nothing was changed")


def _as_json(options: Any, answer: dict[str, Any]) -> bool:
    if options.json:
        print_json(answer)
    return bool(options.json)


def _files(erasure: dict[str, Any]) -> str:
    return "clean" if erasure["compacted_at"] else "to be compacted"


def _standing(hold: dict[str, Any]) -> str:
    return "released" if hold["released_at"] else "on hold"


def _print(
    options: Any, found: list[dict[str, Any]], names: tuple[str, ...], rows: Sequence[tuple[str, ...]], nothing: str
) -> None:
    if options.json:
        print_json(*found)
        return
    screen, now = console(), datetime.now(UTC)
    if not rows:
        screen.print(nothing)
        return
    made = plain_table(*names)
    for identifier, when, *cells in rows:
        made.add_row(identifier, local(datetime.fromisoformat(when), now), *map(shown, cells))
    screen.print(made)
