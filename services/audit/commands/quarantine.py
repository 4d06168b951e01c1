"""``countersign audit quarantine``: look at lines that could not become entries, and repair them."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from services.audit.commands.alerts import time_range
from services.audit.commands.client import AuditClient, decoded
from services.audit.commands.context import audit_address
from services.audit.commands.errors import USAGE, CommandFailed
from services.audit.commands.render import console, more_of, plain_table, print_facts, print_json, shown
from services.audit.commands.times import ago, local, when


def list_lines(options: Any) -> None:
    """Print the lines in quarantine, the newest first."""
    params = time_range(options)
    if options.reason is not None:
        params.append(("reason", options.reason))
    lines, has_more = AuditClient(*audit_address(options)).pages("/v1/quarantine", "lines", params, limit=options.limit)
    if options.json:
        print_json(*lines)
        return
    screen, now = console(), datetime.now(UTC)
    if not lines:
        screen.print("Nothing is in quarantine.")
        return
    made = plain_table("id", "received", "", "reason", "detail", "repaired as", wraps=("detail",))
    for line in lines:
        at = datetime.fromisoformat(line["received_at"])
        made.add_row(
            str(line["id"]), local(at, now), ago(at, now), line["reason"], shown(line["detail"]), line["repaired_as"] or ""
        )
    screen.print(made)
    if has_more:
        screen.print(f"\n{more_of('last', options.limit)}", style="dim")


def show(options: Any) -> None:
    """Print one line and all that is known of it; its bytes as they are only with ``--json``."""
    line = decoded(AuditClient(*audit_address(options)).read(f"/v1/quarantine/{options.id}"), dict[str, Any])
    if options.json:
        print_json(line)
        return
    now = datetime.now(UTC)
    producer = f"{line['instance']} number {line['seq']}" if line["instance"] is not None else "cannot be read"
    facts = [
        ("line", str(line["id"])),
        ("reason", f"{line['reason']}: {line['detail']}"),
        ("received", f"{when(line['received_at'], now)}, line {line['line_no']} of message {line['message_id']}"),
        ("producer", producer),
        ("sha256", line["sha256"]),
        ("repaired", f"event {line['repaired_as']} stands for it" if line["repaired_as"] else "no"),
        ("text", line["text"]),
    ]
    print_facts(console(), facts)


def repair(options: Any) -> None:
    """Put a repaired line on the queue, and link it to the original."""
    try:
        text = sys.stdin.read() if options.file == "-" else Path(options.file).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CommandFailed(f"{options.file} is not text in UTF-8: {error.reason}", USAGE) from error
    except OSError as error:
        raise CommandFailed(f"{options.file} cannot be read: {error.strerror or error}", USAGE) from error
    content = {"entry": text.removesuffix("\n").removesuffix("\r")}
    answer = AuditClient(*audit_address(options)).send("POST", f"/v1/quarantine/{options.id}/repair", content)
    if options.json:
        print_json(decoded(answer, msgspec.Raw))
    else:
        event_id = decoded(answer)["repaired_as"]
        console().print(f"Repaired: event {event_id} stands for line {options.id}. The line itself stays as it is.")
