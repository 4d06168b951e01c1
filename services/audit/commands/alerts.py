"""``countersign audit alerts`` and ``countersign audit detections``."""

import sys
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from rich.table import Table
from rich.text import Text

from services.audit.commands.client import AuditClient
from services.audit.commands.context import audit_address
from services.audit.commands.errors import USAGE, CommandFailed
from services.audit.commands.render import console
from services.audit.commands.times import ago, local, parse_time, to_api

STYLES: Final = {"critical": "bold red", "high": "red", "medium": "yellow", "low": ""}
# What one request of the API looks at, at most.
REPLAY_LEAVES_MAX: Final = 100_000


def list_alerts(options: Any) -> None:
    """Print alerts, the newest first."""
    params = [("limit", str(options.limit)), *time_range(options)]
    if options.rule is not None:
        params.append(("rule", options.rule))
    if not options.all:
        params.append(("state", "open"))
    body = AuditClient(*audit_address(options)).read("/v1/alerts", params)
    alerts = msgspec.json.decode(body)["alerts"]
    if options.json:
        print_lines(alerts)
        return
    if not alerts:
        console().print("No open alerts." if not options.all else "No alerts.")
        return
    _print(alerts)


def show(options: Any) -> None:
    """Print one alert."""
    print_object(AuditClient(*audit_address(options)).read(f"/v1/alerts/{options.id}"))


def close(options: Any) -> None:
    """Close an alert, with a note that says what it was."""
    body = msgspec.json.encode({"note": options.note})
    answer = AuditClient(*audit_address(options)).tell(f"/v1/alerts/{options.id}/close", body)
    if options.json:
        print_object(answer)
    else:
        console().print("Closed.", style="green")


def rules(options: Any) -> None:
    """Print the rules and the newest runs."""
    body = AuditClient(*audit_address(options)).read("/v1/detections")
    if options.json:
        print_object(body)
        return
    answer, screen, now = msgspec.json.decode(body), console(), datetime.now(UTC)
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("rule", "severity", "what", "parameters"):
        made.add_column(name, overflow="fold")
    for rule in answer["rules"]:
        parameters = ", ".join(f"{name} {value}" for name, value in rule["parameters"].items())
        severity = Text(rule["severity"], style=STYLES[rule["severity"]])
        made.add_row(f"{rule['id']}/{rule['version']}", severity, rule["title"], Text(parameters, style="dim"))
    screen.print(made)
    for run in answer["runs"][:10]:
        finished = datetime.fromisoformat(run["finished_at"])
        counts = f"{run['alerts']} alerts, {run['new_alerts']} new"
        screen.print(f"{run['kind']}  {ago(finished, now)}  leaf {run['from_leaf']} to {run['to_leaf']}  {counts}", style="dim")


def replay(options: Any) -> None:
    """Look at a range of the log again, piece by piece."""
    if options.to_leaf <= options.from_leaf:
        raise CommandFailed("--to-leaf must be larger than --from-leaf", USAGE)
    client = AuditClient(*audit_address(options))
    alerts: dict[str, Any] = {}
    new, start = 0, options.from_leaf
    while start < options.to_leaf:
        end = min(start + REPLAY_LEAVES_MAX, options.to_leaf)
        answer = msgspec.json.decode(
            client.tell("/v1/detections/replay", msgspec.json.encode({"from_leaf": start, "to_leaf": end}))
        )
        alerts |= {alert["id"]: alert for alert in answer["alerts"]}
        new += answer["new_alerts"]
        if answer["to_leaf"] < end:  # The log ends here.
            break
        start = end
    if options.json:
        print_lines(list(alerts.values()))
        return
    if alerts:
        _print(list(alerts.values()))
    console().print(f"\n{len(alerts)} alerts, {new} of them new.", style="dim")


def time_range(options: Any) -> list[tuple[str, str]]:
    """
    Return the times of a command line as the API takes them.

    Raises:
        CommandFailed: One of them cannot be read.
    """
    now = datetime.now(UTC)
    try:
        given = [(name, text) for name, text in (("from", options.since), ("to", options.until)) if text is not None]
        return [(name, to_api(parse_time(text, now))) for name, text in given]
    except ValueError as error:
        raise CommandFailed(str(error), USAGE) from error


def print_lines(items: list[Any]) -> None:
    """Print one JSON object a line."""
    for item in items:
        sys.stdout.write(msgspec.json.encode(item).decode() + "\n")


def print_object(body: bytes) -> None:
    """Print one JSON object, readably."""
    sys.stdout.write(msgspec.json.format(body, indent=2).decode() + "\n")


def _print(alerts: list[dict[str, Any]]) -> None:
    now = datetime.now(UTC)
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("last seen", "", "severity", "rule", "what", "state", "alert id"):
        made.add_column(name, no_wrap=name != "what", overflow="fold")
    for alert in alerts:
        seen = datetime.fromisoformat(alert["last_seen"])
        severity = Text(alert["severity"], style=STYLES[alert["severity"]])
        what = Text.assemble(alert["title"], " ", (alert["key"] or "", "dim"))
        cells = (local(seen, now), ago(seen, now), severity, alert["rule"], what, alert["state"])
        made.add_row(*cells, alert["id"])
    console().print(made)
