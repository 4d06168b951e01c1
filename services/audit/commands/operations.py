"""The arguments of the commands about alerts, detections, reconciliation and quarantine."""

import argparse
from collections.abc import Callable
from typing import TypeAlias

from services.audit.commands import alerts, quarantine, reconcile

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


def _add_alerts(commands: Commands, add_service: Common, count: Count) -> None:
    actions = _area(commands, "alerts", "what the detections found")
    listing = actions.add_parser("list", help="show them, the newest first")
    listing.add_argument("--all", action="store_true", help="closed ones too")
    listing.add_argument("--rule", metavar="RULE", help="of this rule")
    listing.add_argument("--limit", type=count, default=50, metavar="N", help="alerts at most (default: 50)")
    _add_times(listing)
    listing.set_defaults(run=alerts.list_alerts)
    showing = actions.add_parser("show", help="all that is known of one")
    showing.add_argument("id", metavar="ALERT")
    showing.set_defaults(run=alerts.show)
    closing = actions.add_parser("close", help="somebody has looked")
    closing.add_argument("id", metavar="ALERT")
    closing.add_argument("--note", required=True, metavar="TEXT", help="what it was")
    closing.set_defaults(run=alerts.close)
    for parser in (listing, showing, closing):
        add_service(parser)


def _add_detections(commands: Commands, add_service: Common) -> None:
    actions = _area(commands, "detections", "the rules, and going over the past again")
    listing = actions.add_parser("list", help="show the rules and the newest runs")
    listing.set_defaults(run=alerts.rules)
    replaying = actions.add_parser("replay", help="look at a range of the log with today's rules")
    replaying.add_argument("--from-leaf", type=int, default=0, metavar="N", help="first entry (default: 0)")
    replaying.add_argument("--to-leaf", type=int, default=2**62, metavar="N", help="behind the last (default: all)")
    replaying.set_defaults(run=alerts.replay)
    for parser in (listing, replaying):
        add_service(parser)


def _add_reconcile(commands: Commands, add_service: Common) -> None:
    actions = _area(commands, "reconcile", "our log against Authsignal's and Cognito's own records")
    reporting = actions.add_parser("report", help="matched, only ours, only theirs; exit code 1 for only theirs")
    _add_times(reporting)
    reporting.set_defaults(run=reconcile.report)
    importing = actions.add_parser("import", help="put Cognito's log export into the log")
    importing.add_argument("source", metavar="FILE", help="a file, - for standard input, or s3://bucket/prefix")
    importing.add_argument("--region", help="of the bucket; default: AWS_REGION")
    importing.add_argument("--endpoint-url", metavar="URL", help="another S3 than AWS's own")
    importing.set_defaults(run=reconcile.import_log)
    for parser in (reporting, importing):
        add_service(parser)


def _add_quarantine(commands: Commands, add_service: Common, count: Count) -> None:
    actions = _area(commands, "quarantine", "lines that could not become entries")
    listing = actions.add_parser("list", help="show them, the newest first")
    listing.add_argument("--reason", metavar="REASON", help="such as not_json")
    listing.add_argument("--limit", type=count, default=50, metavar="N", help="lines at most (default: 50)")
    _add_times(listing)
    listing.set_defaults(run=quarantine.list_lines)
    showing = actions.add_parser("show", help="all that is known of one")
    showing.add_argument("id", metavar="LINE", type=count)
    showing.set_defaults(run=quarantine.show)
    repairing = actions.add_parser("repair", help="put a repaired line into the log; the original stays")
    repairing.add_argument("id", metavar="LINE", type=count)
    repairing.add_argument("file", metavar="FILE", help="the whole repaired line; - is standard input")
    repairing.set_defaults(run=quarantine.repair)
    for parser in (listing, showing, repairing):
        add_service(parser)


def _area(commands: Commands, name: str, text: str) -> Commands:
    return commands.add_parser(name, help=text).add_subparsers(title="commands", required=True, metavar="COMMAND")


def _add_times(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="since", metavar="TIME", help="since: 15m, 1h, 2d, a date, or a date and time")
    parser.add_argument("--to", dest="until", metavar="TIME", help="only before this time")
