"""``countersign audit quarantine``: look at lines that could not become entries, and repair them."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.table import Table
from rich.text import Text

from services.audit.commands.alerts import print_lines, print_object, time_range
from services.audit.commands.client import AuditClient
from services.audit.commands.context import audit_address
from services.audit.commands.errors import USAGE, CommandFailed
from services.audit.commands.render import console
from services.audit.commands.times import ago, local


def list_lines(options: Any) -> None:
    """Print the lines in quarantine, the newest first."""
    params = [("limit", str(options.limit)), *time_range(options)]
    if options.reason is not None:
        params.append(("reason", options.reason))
    lines = msgspec.json.decode(AuditClient(*audit_address(options)).read("/v1/quarantine", params))["lines"]
    if options.json:
        print_lines(lines)
        return
    screen, now = console(), datetime.now(UTC)
    if not lines:
        screen.print("Nothing is in quarantine.")
        return
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("id", "received", "", "reason", "detail", "repaired as"):
        made.add_column(name, no_wrap=name != "detail", overflow="fold")
    for line in lines:
        at = datetime.fromisoformat(line["received_at"])
        made.add_row(
            str(line["id"]), local(at, now), ago(at, now), line["reason"], Text(line["detail"]), line["repaired_as"] or ""
        )
    screen.print(made)


def show(options: Any) -> None:
    """Print one line and all that is known of it."""
    print_object(AuditClient(*audit_address(options)).read(f"/v1/quarantine/{options.id}"))


def repair(options: Any) -> None:
    """Put a repaired line on the queue, and link it to the original."""
    try:
        text = sys.stdin.read() if options.file == "-" else Path(options.file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{options.file} cannot be read: {error}", USAGE) from error
    body = msgspec.json.encode({"entry": text.removesuffix("\n").removesuffix("\r")})
    answer = AuditClient(*audit_address(options)).tell(f"/v1/quarantine/{options.id}/repair", body)
    if options.json:
        print_object(answer)
    else:
        event_id = msgspec.json.decode(answer)["repaired_as"]
        console().print(f"Repaired: event {event_id} stands for line {options.id}. The line itself stays as it is.")
