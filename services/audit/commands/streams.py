"""``countersign audit streams``: how far each receiver has the log."""

import sys
from datetime import UTC, datetime
from typing import Any

import msgspec
from rich.table import Table

from services.audit.commands.client import AuditClient
from services.audit.commands.context import audit_address
from services.audit.commands.render import console
from services.audit.commands.times import ago


class Stream(msgspec.Struct, frozen=True):
    """One stream as the API shows it."""

    name: str
    kind: str
    target: str
    format: str
    is_required: bool
    next_leaf: int | None
    lag_entries: int | None
    delivered_at: datetime | None
    failing_since: datetime | None
    last_error: str | None


class Streams(msgspec.Struct, frozen=True):
    """All of them."""

    streams: list[Stream]


def streams(options: Any) -> None:
    """
    Print the configured streams.

    Raises:
        CommandFailed: The service cannot be reached or refuses.
    """
    found = AuditClient(*audit_address(options)).get("/v1/streams", Streams).streams
    if options.json:
        for stream in found:
            sys.stdout.write(msgspec.json.encode(stream).decode() + "\n")
        return
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("stream", "to", "format", "next leaf", "behind", "delivered", "state"):
        made.add_column(name, no_wrap=name != "state")
    for stream in found:
        made.add_row(*_cells(stream, datetime.now(UTC)))
    console().print(made if found else "No streams are configured.")


def _cells(stream: Stream, now: datetime) -> list[str]:
    required = " (required)" if stream.is_required else ""
    leaf = "-" if stream.next_leaf is None else f"{stream.next_leaf:,}"
    lag = "-" if stream.lag_entries is None else f"{stream.lag_entries:,}"
    state = "[green]delivering[/green]"
    if stream.failing_since is not None:
        state = f"[red]failing since {ago(stream.failing_since, now)}[/red]: {stream.last_error}"
    delivered = "never" if stream.delivered_at is None else ago(stream.delivered_at, now)
    return [stream.name + required, stream.target, stream.format, leaf, lag, delivered, state]
