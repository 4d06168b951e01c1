"""The arguments of the commands about alerts, detections, reconciliation and quarantine."""

import argparse
from collections.abc import Callable
from typing import TypeAlias

from services.audit.commands import alerts, quarantine, reconcile
from services.audit.commands.times import TIME_HELP

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Common = Callable[[argparse.ArgumentParser], None]
Count = Callable[[str], int]


def add_operations(commands: Commands, add_service: Common, count: Count) -> None:
    """
    Add the commands.

    Args:
        commands: Where to.
        add_service: Adds the arguments that name the service.
        count: Reads a whole number from 1.
    """
    _add_alerts(commands, add_service, count)
    _add_detections(commands, add_service)
    _add_reconcile(commands, add_service)
    _add_quarantine(commands, add_service, count)


def add_area(commands: Commands, name: str, text: str, description: str) -> Commands:
    """Add a command that has commands of its own, and return where these go."""
    area = commands.add_parser(name, help=text, description=description)
    return area.add_subparsers(title="commands", required=True, metavar="COMMAND")


def _add_alerts(commands: Commands, add_service: Common, count: Count) -> None:
    actions = add_area(commands, "alerts", "what the detections found", "What the detections found, until somebody closes it.")
    listing = actions.add_parser(
        "list", help="show them, the newest first", description="Show the open alerts, the newest first."
    )
    listing.add_argument("--all", action="store_true", help="closed ones too (default: open ones)")
    listing.add_argument("--rule", metavar="RULE", help="of this rule: countersign audit detections list names them")
    listing.add_argument("--limit", type=count, default=50, metavar="N", help="alerts at most (default: 50)")
    _add_times(listing)
    listing.set_defaults(run=alerts.list_alerts)
    showing = actions.add_parser(
        "show", help="all that is known of one", description="Show all that is known of one alert, with the events behind it."
    )
    showing.add_argument("id", metavar="ALERT", help="its id, as list shows it")
    showing.set_defaults(run=alerts.show)
    closing = actions.add_parser(
        "close", help="somebody has looked", description="Close an alert: somebody has looked, and says what it was."
    )
    closing.add_argument("id", metavar="ALERT", help="its id, as list shows it")
    closing.add_argument("--note", required=True, metavar="TEXT", help="what it was, in up to 1,000 characters")
    closing.set_defaults(run=alerts.close)
    for parser in (listing, showing, closing):
        add_service(parser)


def _add_detections(commands: Commands, add_service: Common) -> None:
    actions = add_area(
        commands,
        "detections",
        "the rules, and going over the past again",
        "The rules that look for attacks in the log, and going over the past again.",
    )
    listing = actions.add_parser(
        "list",
        help="show the rules and the newest runs",
        description="Show the rules, with what they count, and which stretches of the log they looked at last.",
    )
    listing.set_defaults(run=alerts.rules)
    replaying = actions.add_parser(
        "replay",
        help="look at a range of the log with today's rules",
        description="Look at a range of the log again, with today's rules. What was found before is not found twice, and nobody"
        " is told of what is new: it is listed among the alerts.",
    )
    replaying.add_argument("--from-leaf", type=int, default=0, metavar="N", help="the first entry, by its place (default: 0)")
    replaying.add_argument(
        "--to-leaf", type=int, default=2**62, metavar="N", help="the place behind the last entry (default: the log's end)"
    )
    replaying.set_defaults(run=alerts.replay)
    for parser in (listing, replaying):
        add_service(parser)


def _add_reconcile(commands: Commands, add_service: Common) -> None:
    actions = add_area(
        commands,
        "reconcile",
        "our log against Authsignal's and Cognito's own records",
        "Compare our log with Authsignal's and Cognito's own records: does a provider know of a sign-in that we do not?",
    )
    reporting = actions.add_parser(
        "report",
        help="matched, only ours, only theirs; exit code 1 for only theirs",
        description="Show what matches, what only our log has, and what only a provider has: over the last 24 hours, or from"
        " --from to --to, seven days at most. Exit code 1 means that a provider has something that we do not.",
    )
    _add_times(reporting)
    reporting.set_defaults(run=reconcile.report)
    importing = actions.add_parser(
        "import",
        help="put Cognito's log export into the log",
        description="Put Cognito's own records into the log: its export of user activity, JSON lines, packed with gzip or not."
        " A record that comes twice changes no report.",
    )
    importing.add_argument("source", metavar="FILE", help="a file, - for standard input, or s3://bucket/prefix")
    importing.add_argument("--region", help="the bucket's (default: AWS_REGION)")
    importing.add_argument("--endpoint-url", metavar="URL", help="another S3 than AWS's own")
    importing.set_defaults(run=reconcile.import_log)
    for parser in (reporting, importing):
        add_service(parser)


def _add_quarantine(commands: Commands, add_service: Common, count: Count) -> None:
    actions = add_area(
        commands,
        "quarantine",
        "lines that could not become entries",
        "Lines that could not become entries: kept as they came, until somebody repairs them and after that.",
    )
    listing = actions.add_parser("list", help="show them, the newest first", description="Show the lines, the newest first.")
    listing.add_argument("--reason", metavar="REASON", help="kept for this reason, such as not_json")
    listing.add_argument("--limit", type=count, default=50, metavar="N", help="lines at most (default: 50)")
    _add_times(listing)
    listing.set_defaults(run=quarantine.list_lines)
    showing = actions.add_parser(
        "show", help="all that is known of one", description="Show all that is known of one line, and the line itself."
    )
    showing.add_argument("id", metavar="LINE", type=count, help="its number, as list shows it")
    showing.set_defaults(run=quarantine.show)
    repairing = actions.add_parser(
        "repair",
        help="put a repaired line into the log; the original stays",
        description="Put a repaired line into the log, as an entry that stands for the line. The line itself stays as it is.",
    )
    repairing.add_argument("id", metavar="LINE", type=count, help="its number, as list shows it")
    repairing.add_argument("file", metavar="FILE", help="the whole repaired line; - is standard input")
    repairing.set_defaults(run=quarantine.repair)
    for parser in (listing, showing, repairing):
        add_service(parser)


def _add_times(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="since", metavar="TIME", help=f"since then: {TIME_HELP}")
    parser.add_argument("--to", dest="until", metavar="TIME", help="before then; written like --from")
