"""``countersign audit alerts`` and ``countersign audit detections``."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from rich.text import Text

from services.audit.commands.client import AuditClient, NotThere, decoded
from services.audit.commands.context import audit_address
from services.audit.commands.errors import USAGE, CommandFailed
from services.audit.commands.progress import terminal_progress
from services.audit.commands.render import console, more_of, plain_table, print_facts, print_json, shown
from services.audit.commands.times import ago, local, parse_time, to_api, when
from services.audit.tree.checkpoints import CheckpointInvalid, parse_checkpoint

STYLES: Final = {"critical": "bold red", "high": "red", "medium": "yellow", "low": ""}
# What one request of the API looks at, at most.
REPLAY_LEAVES_MAX: Final = 100_000
REPLAY_SECONDS_MAX: Final = 300.0


def list_alerts(options: Any) -> None:
    """Print alerts, the newest first."""
    params = time_range(options)
    if options.rule is not None:
        params.append(("rule", options.rule))
    if not options.all:
        params.append(("state", "open"))
    alerts, has_more = AuditClient(*audit_address(options)).pages("/v1/alerts", "alerts", params, limit=options.limit)
    if options.json:
        print_json(*alerts)
        return
    if not alerts:
        console().print("No open alerts." if not options.all else "No alerts.")
        return
    _print(alerts)
    if has_more:
        console().print(f"\n{more_of('last', options.limit)}", style="dim")


def show(options: Any) -> None:
    """Print all that is known of one alert."""
    alert = decoded(AuditClient(*audit_address(options)).one("/v1/alerts", "alert", options.id), dict[str, Any])
    if options.json:
        print_json(alert)
        return
    now = datetime.now(UTC)
    facts = [
        ("alert", alert["id"]),
        ("what", alert["title"]),
        ("rule", f"{alert['rule']}/{alert['rule_version']}, {alert['severity']}{', by a replay' * alert['is_replayed']}"),
        ("about", alert["key"] or "somebody who was erased"),
        ("person", alert["subject"] or "nobody named"),
        ("from", ", ".join(alert["ips"]) or "no address"),
        ("began", when(alert["first_seen"], now)),
        ("last", when(alert["last_seen"], now)),
        ("events", f"{alert['event_count']:,}, leaf {alert['first_leaf']} to {alert['last_leaf']}"),
        ("newest", ", ".join(alert["event_ids"])),
        *((name, _plain(value)) for name, value in alert["data"].items()),
        ("state", alert["state"]),
    ]
    if alert["closed_at"] is not None:
        facts += [("closed", f"{when(alert['closed_at'], now)} by {alert['closed_by']}"), ("note", alert["note"] or "")]
    print_facts(console(), facts)


def close(options: Any) -> None:
    """Close an alert, with a note that says what it was."""
    answer = AuditClient(*audit_address(options)).send("POST", f"/v1/alerts/{options.id}/close", {"note": options.note})
    if options.json:
        print_json(decoded(answer, msgspec.Raw))
    else:
        console().print("Closed.", style="green")


def rules(options: Any) -> None:
    """Print the rules and the newest runs."""
    body = AuditClient(*audit_address(options)).read("/v1/detections")
    if options.json:
        print_json(decoded(body, msgspec.Raw))
        return
    answer, screen, now = decoded(body), console(), datetime.now(UTC)
    made = plain_table("rule", "severity", "what", "parameters")
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
    show = terminal_progress("looked at", is_quiet=options.json)
    alerts: dict[str, Any] = {}
    new, start = 0, options.from_leaf
    # Without a --to-leaf the log ends the replay, so only the log itself says how much there is.
    total = min(options.to_leaf, _tree_size(client))
    while start < options.to_leaf:
        end = min(start + REPLAY_LEAVES_MAX, options.to_leaf)
        body = {"from_leaf": start, "to_leaf": end}
        answer = decoded(client.send("POST", "/v1/detections/replay", body, seconds_max=REPLAY_SECONDS_MAX))
        alerts |= {alert["id"]: alert for alert in answer["alerts"]}
        new += answer["new_alerts"]
        show(answer["to_leaf"] - options.from_leaf, total - options.from_leaf)
        if answer["to_leaf"] < end:  # The log ends here.
            break
        start = end
    if options.json:
        print_json(*alerts.values())
        return
    if alerts:
        _print(list(alerts.values()))
        console().print()
    console().print(f"{len(alerts)} alerts, {new} of them new.", style="dim")


def _tree_size(client: AuditClient) -> int:
    """Return how long the log says it is, for a progress line: the signature is not checked."""
    try:
        text, _, _ = client.read("/log/checkpoint").decode(errors="replace").partition("\n\n")
        return parse_checkpoint(f"{text}\n").tree_size
    except NotThere:  # Nothing is sealed yet.
        return 0
    except CheckpointInvalid as error:
        raise CommandFailed(f"the answer is not the audit service's: {error}") from error


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


def _plain(value: Any) -> str:
    """Return a JSON value as people write it."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(inner)}" for name, inner in value.items())
    return ", ".join(map(_plain, value)) if isinstance(value, list) else str(value)


def _print(alerts: list[dict[str, Any]]) -> None:
    now = datetime.now(UTC)
    made = plain_table("last seen", "", "severity", "rule", "what", "state", "alert id", wraps=("what",))
    for alert in alerts:
        seen = datetime.fromisoformat(alert["last_seen"])
        severity = Text(alert["severity"], style=STYLES[alert["severity"]])
        what = Text.assemble(shown(alert["title"]), " ", shown(alert["key"], "dim"))
        cells = (local(seen, now), ago(seen, now), severity, alert["rule"], what, alert["state"])
        made.add_row(*cells, alert["id"])
    console().print(made)
