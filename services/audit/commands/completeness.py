"""``countersign audit completeness``: name every missing event."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from rich.table import Table
from rich.text import Text

from services.audit.commands import recompute
from services.audit.commands.client import AuditClient, decoded
from services.audit.commands.context import audit_address
from services.audit.commands.errors import USAGE, CommandFailed
from services.audit.commands.render import NARROW, SHORT, console, plain_table, print_json, shown
from services.audit.commands.times import ago, local, parse_time, to_api

STATUS_STYLES = {"running": "green", "stopped": "", "unfinished": "yellow"}


def completeness(options: Any) -> None:
    """
    Print the report; exit code 1 when an event is missing.

    Raises:
        CommandFailed: Events are missing, what the service says cannot be true, or it cannot be asked.
    """
    if options.recompute or options.log:
        recompute.recompute(options)
        return
    params = [(name, value) for name in ("service", "instance") if (value := getattr(options, name)) is not None]
    now = datetime.now(UTC)
    if options.since is not None:
        try:
            params.append(("from", to_api(parse_time(options.since, now))))
        except ValueError as error:
            raise CommandFailed(f"--from: {error}", USAGE) from error
    body = AuditClient(*audit_address(options)).read("/v1/completeness", params)
    report: dict[str, Any] = decoded(body)
    if options.json:
        print_json(decoded(body, msgspec.Raw))
    else:
        _print(report, now)
    if not report["complete"]:
        count = report["missing"]
        raise CommandFailed(f"{count} event{'s are' if count != 1 else ' is'} missing")


def _print(report: dict[str, Any], now: datetime) -> None:
    screen = console()
    producers = report["producers"]
    if not producers:
        screen.print("No producer was heard of. Widen the time range or drop a filter.")
        return
    screen.print(_table(producers, now, is_narrow=screen.width < NARROW))
    for producer in producers:
        for gap in producer["open_gaps"]:
            said = shown(f"    {_place(producer, gap)}, {_since(gap, now)}")
            screen.print(Text("missing", style="bold red") + said, soft_wrap=True)
        for gap in producer["explained_gaps"]:
            said = shown(f"  {_place(producer, gap)}, in quarantine as {gap['quarantine_id']}: {gap['reason']}")
            screen.print(Text("explained", style="yellow") + said, soft_wrap=True)
    if report["complete"]:
        screen.print("\nNo event is missing.", style="green")


def _table(producers: list[dict[str, Any]], now: datetime, *, is_narrow: bool) -> Table:
    """Return a line for each producer; what does not fit on a narrow screen is left out: --json has it."""
    names = ("service", "instance", "state", "last heard", "entries", "numbers", "missing", "explained", "repeated")
    left_out = {"last heard", "numbers", "explained", "repeated"} if is_narrow else set()
    made = plain_table(*(name for name in names if name not in left_out), wraps=())
    for producer in producers:
        last = datetime.fromisoformat(producer["last_recorded_at"])
        missing = producer["missing"]
        cells = (
            shown(producer["service"]),
            producer["instance"][:SHORT] if is_narrow else producer["instance"],
            Text(producer["status"], style=STATUS_STYLES.get(producer["status"], "")),
            ago(last, now),
            f"{producer['entries']:,}",
            f"0 to {producer['last_seq']:,}",
            Text(f"{missing:,}", style="bold red" if missing else ""),
            str(sum(gap["count"] for gap in producer["explained_gaps"])),
            str(producer["repeated"]),
        )
        made.add_row(*(cell for name, cell in zip(names, cells, strict=True) if name not in left_out))
    return made


def _place(producer: dict[str, Any], gap: dict[str, Any]) -> str:
    ends = str(gap["first_seq"]) if gap["count"] == 1 else f"{gap['first_seq']} to {gap['last_seq']}"
    return f"{producer['service']} {producer['instance']} number {ends}"


def _since(gap: dict[str, Any], now: datetime) -> str:
    noticed = datetime.fromisoformat(gap["noticed_at"])
    return f"noticed {local(noticed, now)} ({ago(noticed, now)}), before event {gap['next_event_id']}"
