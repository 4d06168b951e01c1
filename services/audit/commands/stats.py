"""``countersign audit stats`` and ``countersign audit top``."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from rich.table import Table
from rich.text import Text

from services.audit.commands.client import AuditClient, decoded
from services.audit.commands.context import audit_address
from services.audit.commands.query import filters
from services.audit.commands.render import OUTCOME_STYLES, console, plain_table, print_json, printable

# Beside the time and the sum; --json has all.
COLUMNS_MAX: Final = 6
BAR_CHARACTERS: Final = 30


def stats(options: Any) -> None:
    """Print counts over time, a row for each span."""
    client = AuditClient(*audit_address(options))
    body = client.read("/v1/stats", [*filters(options), ("by", options.by), ("group", options.group)])
    if options.json:
        print_json(decoded(body, msgspec.Raw))
        return
    report: dict[str, Any] = decoded(body)
    shown, rest = report["series"][:COLUMNS_MAX], report["series"][COLUMNS_MAX:]
    made = plain_table(report["by"])
    for one in shown:
        made.add_column(
            Text(_key(one["key"], report["group"]), style=OUTCOME_STYLES.get(one["key"] or "", "")), justify="right"
        )
    made.add_column("all", justify="right")
    for place, start in enumerate(report["starts"]):
        everything = sum(one["counts"][place] for one in report["series"])
        made.add_row(_start(start, report["by"]), *(f"{one['counts'][place]:,}" for one in shown), f"{everything:,}")
    made.add_section()
    made.add_row("in all", *(f"{one['total']:,}" for one in shown), f"{report['total']:,}", style="bold")
    screen = console()
    screen.print(made)
    more = f" {len(rest)} more columns: --json shows them." if rest else ""
    screen.print(f"\nTimes in {datetime.now(UTC).astimezone():%Z}.{more}", style="dim")


def top(options: Any) -> None:
    """Print the most frequent values of one field."""
    client = AuditClient(*audit_address(options))
    body = client.read("/v1/stats/top", [*filters(options), ("field", options.field), ("limit", str(options.limit))])
    if options.json:
        print_json(decoded(body, msgspec.Raw))
        return
    report: dict[str, Any] = decoded(body)
    values = report["values"]
    screen = console()
    if not values:
        screen.print("No events fit, or none of them has this. Widen the time range or drop a filter.")
        return
    made: Table = plain_table(report["field"])
    made.add_column("events", justify="right")
    made.add_column("share", justify="right")
    made.add_column("")
    for one in values:
        bar = "█" * round(one["count"] / values[0]["count"] * BAR_CHARACTERS)
        made.add_row(Text(printable(one["value"])), f"{one['count']:,}", f"{one['count'] / report['total']:.1%}", bar)
    screen.print(made)
    screen.print(f"\nOf {report['total']:,} events.", style="dim")


def _key(key: str | None, group: str) -> str:
    return f"no {group}" if key is None else printable(key)


def _start(text: str, by: str) -> str:
    moment = datetime.fromisoformat(text)
    # Days are counted by the UTC clock: on the reader's own a day would begin at an odd hour.
    return f"{moment:%Y-%m-%d} UTC" if by == "day" else f"{moment.astimezone():%Y-%m-%d %H:%M}"
