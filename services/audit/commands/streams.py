"""``countersign audit streams``: how far each receiver has the log."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from rich.text import Text

from services.audit.commands.client import AuditClient, decoded
from services.audit.commands.context import audit_address
from services.audit.commands.render import console, plain_table, print_json, shown
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
    answer: Streams = decoded(AuditClient(*audit_address(options)).read("/v1/streams"), Streams)
    found = answer.streams
    if options.json:
        print_json(*found)
        return
    made = plain_table("stream", "to", "format", "next leaf", "behind", "delivered", "state", wraps=("state",))
    for stream in found:
        made.add_row(*_cells(stream, datetime.now(UTC)))
    console().print(made if found else "No streams are configured.")


def _cells(stream: Stream, now: datetime) -> list[str | Text]:
    required = " (required)" if stream.is_required else ""
    leaf = "-" if stream.next_leaf is None else f"{stream.next_leaf:,}"
    lag = "-" if stream.lag_entries is None else f"{stream.lag_entries:,}"
    state = Text("delivering", style="green")
    if stream.failing_since is not None:
        state = Text(f"failing since {ago(stream.failing_since, now)}", style="red") + shown(f": {stream.last_error}")
    delivered = "never" if stream.delivered_at is None else ago(stream.delivered_at, now)
    return [shown(stream.name + required), shown(stream.target), stream.format, leaf, lag, delivered, state]
