"""The arguments of the commands about what is kept and for how long: archive, streams, retention, erasure, dead letters."""

import argparse

from services.audit.commands import archive, dlq, erase, retention, streams
from services.audit.commands.operations import Commands, Common, Count, add_area
from services.audit.commands.settings import SETTINGS_HELP


def add_keeping(commands: Commands, add_service: Common, add_place: Common, count: Count) -> None:
    """
    Add the commands.

    Args:
        commands: Where to.
        add_service: Adds the arguments that name the service.
        add_place: Adds the arguments that name the archive.
        count: Reads a whole number from 1.
    """
    _add_archive(commands, add_place)
    _add_streams(commands, add_service)
    _add_retention(commands)
    _add_erasure(commands, add_service)
    _add_holds(commands, add_service)
    _add_dlq(commands, count)


def _add_archive(commands: Commands, add_place: Common) -> None:
    actions = add_area(
        commands,
        "archive",
        "sealed days under lock",
        "Sealed days in the archive: a bucket in which nobody deletes them before their time. query --archive and"
        " verify --archive read it.",
    )
    running = actions.add_parser(
        "run",
        help="archive every closed day that is not archived yet",
        description="Archive every closed day, by the UTC clock, that is not archived yet. The service does it by itself; this"
        " does it now.",
    )
    running.add_argument("--settings", metavar="FILE", help=SETTINGS_HELP)
    running.set_defaults(run=archive.run_job)
    listing = actions.add_parser(
        "list", help="show what is archived", description="Show which days are archived, with entries, bytes and lock."
    )
    add_place(listing)
    listing.set_defaults(run=archive.list_days)
    for parser in (running, listing):
        parser.add_argument("--json", action="store_true", help="one JSON object a line (default: text for people)")


def _add_streams(commands: Commands, add_service: Common) -> None:
    parser = commands.add_parser(
        "streams",
        help="how far each receiver has the log",
        description="Show how far each receiver of a stream has the log, and what its last failure was.",
    )
    add_service(parser)
    parser.set_defaults(run=streams.streams)


def _add_retention(commands: Commands) -> None:
    actions = add_area(
        commands,
        "retention",
        "drop old months from the database",
        "Drop old months from the database: only what is sealed, archived and not on hold.",
    )
    planning = actions.add_parser(
        "plan",
        help="show each month and what stands against dropping it",
        description="Show each month and what stands against dropping it. Nothing is changed.",
    )
    planning.set_defaults(run=retention.plan)
    dropping = actions.add_parser(
        "drop",
        help="drop one month; its hashes and a signed statement stay",
        description="Drop one month from the database. Its hashes stay, and a signed statement of what was dropped; its entries"
        " are in the archive alone.",
    )
    dropping.add_argument("--month", required=True, metavar="MONTH", help="the month, by the UTC clock: 2026-01")
    dropping.set_defaults(run=retention.drop)
    for parser in (planning, dropping):
        parser.add_argument("--settings", metavar="FILE", help=SETTINGS_HELP)
        parser.add_argument("--json", action="store_true", help="JSON for machines (default: text for people)")


def _add_erasure(commands: Commands, add_service: Common) -> None:
    parser = commands.add_parser(
        "erase",
        help="erase a person, for good",
        description="Erase a person: destroy the keys of everything in the log that is about them. Every proof still verifies."
        " It cannot be taken back, and asks first.",
    )
    _add_subject(parser)
    _add_yes(parser)
    add_service(parser)
    parser.set_defaults(run=erase.erase)
    parser = commands.add_parser(
        "erasures",
        help="show who was erased, and why",
        description="Show the erasures that were carried out: when, by whom, why, and whether the database's files are clean.",
    )
    add_service(parser)
    parser.set_defaults(run=erase.erasures)


def _add_holds(commands: Commands, add_service: Common) -> None:
    parser = commands.add_parser(
        "holds",
        help="show whose records nobody may erase",
        description="Show the legal holds: whose records nobody may erase, since when and why.",
    )
    parser.add_argument("--all", action="store_true", help="released holds as well (default: those that stand)")
    add_service(parser)
    parser.set_defaults(run=erase.holds)
    actions = add_area(
        commands,
        "hold",
        "place or release a legal hold",
        "Place or release a legal hold: while it stands, nobody erases the person, and retention drops"
        " no month that has entries about them.",
    )
    placing = actions.add_parser(
        "place",
        help="nobody erases this person from now on",
        description="Place a hold: nobody erases this person from now on.",
    )
    _add_subject(placing)
    placing.set_defaults(run=erase.place)
    releasing = actions.add_parser(
        "release",
        help="the records may be erased again",
        description="Release a hold, after asking: the records may be erased again.",
    )
    releasing.add_argument("hold", metavar="ID", help="the hold's id: countersign audit holds shows it")
    _add_yes(releasing)
    releasing.set_defaults(run=erase.release)
    for parser in (placing, releasing):
        add_service(parser)


def _add_dlq(commands: Commands, count: Count) -> None:
    actions = add_area(
        commands,
        "dlq",
        "the dead-letter queue",
        "The dead-letter queue: messages that could not be stored, each tried several times.",
    )
    looking = actions.add_parser("list", help="show its messages", description="Show its messages, and leave them there.")
    looking.add_argument("--bodies", action="store_true", help="and what each holds, line by line")
    looking.set_defaults(run=dlq.list_messages)
    moving = actions.add_parser(
        "redrive",
        help="put its messages back on the audit queue",
        description="Put its messages back on the audit queue, to be stored. What is stored already is not stored twice.",
    )
    moving.set_defaults(run=dlq.redrive)
    for parser, limit in ((looking, 50), (moving, 1_000)):
        parser.add_argument("--limit", type=count, default=limit, metavar="N", help=f"messages at most (default: {limit})")
        parser.add_argument("--dlq-url", metavar="URL", help="the dead-letter queue (default: the local stack's)")
        parser.add_argument("--queue-url", metavar="URL", help="the audit queue (default: the local stack's)")
        parser.add_argument("--region", help="the queues' (default: AWS_REGION)")
        parser.add_argument("--endpoint-url", metavar="URL", help="another SQS than AWS's own")
        parser.add_argument("--json", action="store_true", help="JSON for machines (default: text for people)")


def _add_subject(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("subject", metavar="SUBJECT", help="the sub of an account, or an e-mail address")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, for those who look later; no personal data")


def _add_yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask first")
