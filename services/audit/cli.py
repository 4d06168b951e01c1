"""``countersign``: the security team's and the operator's command line."""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from io import TextIOWrapper
from typing import Any, Final

from services.audit.commands import (
    completeness,
    export,
    proofs,
    query,
    searches,
    stats,
    stories,
    verify,
)
from services.audit.commands.errors import FAILED, CommandFailed
from services.audit.commands.examples import end_with_examples
from services.audit.commands.keeping import add_keeping
from services.audit.commands.operations import add_area, add_operations
from services.audit.commands.render import printable
from services.audit.commands.settings import SETTINGS_HELP
from services.audit.commands.times import TIME_HELP

EXAMPLES: Final = """examples:
  countersign audit query --email ada@example.test          her last 100 events, oldest first
  countersign audit query --type sign_in. --outcome failure --from 1h
  countersign audit query --ip 192.0.2.0/24 --from 2026-01-31 --to 2026-02-01 --json | jq .event_id
  countersign audit query --filter 'client.country ne "DE" and not (client.user_agent co "firefox")' --from 1d
  countersign audit stats --by hour --group outcome         how many, when; top --field ip: who most often
  countersign audit subject 3f2b0c9a-...                    one person; session and attempt: one story
  countersign audit tail --type session.                    what happens from now on
  countersign audit export --format ocsf --out day.ndjson --from 1d
  countersign audit verify                                  the whole log, against its public key
  countersign audit verify 019a...:6b1f...                  one receipt: the event is in the log, or it was lost
  countersign audit proof 019a...:6b1f...                   a file that proves it, without us
  countersign audit completeness                            is any event of any producer missing?
  countersign audit completeness --recompute                the same from the sealed entries, whatever the service says
  countersign audit query --archive --subject 3f2b... --from 2026-01-01
  countersign audit verify --archive                        every archived day, against the log's public key
  countersign audit archive run --settings audit.toml       write closed days into the locked bucket
  countersign audit erase 3f2b... --reason "request 17"      destroy what identifies a person
  countersign audit hold place 3f2b... --reason "case 4"     and what nobody may erase
  countersign audit dlq list                                messages that could not be delivered
  countersign audit alerts list                             what somebody should look at
  countersign audit reconcile report --from 1d              does a provider know of a sign-in that we do not?
  countersign audit quarantine list                         lines that could not become entries

The service is found by --url and --token, then COUNTERSIGN_AUDIT_URL and COUNTERSIGN_AUDIT_TOKEN, then the local stack
(.local/stack.json, here or in a folder above); the log's public key by --key, then COUNTERSIGN_LOG_KEY, then the local stack.
exit codes: 0 done, 1 it did not work, 2 the command line is wrong, 130 interrupted by Ctrl-C"""
# What a shell says of a program that SIGINT has ended.
INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 it did not work, 2 the command line is wrong, 130 interrupted."""
    _speak_utf_8()
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except CommandFailed as error:
        # What is quoted there may have come from outside.
        sys.stderr.write(f"countersign: {printable(' '.join(str(error).splitlines()))}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _silence()  # The reader (head, less) has seen enough.
    except OSError as error:
        # What no command answers for itself: most of all a result that could not be printed.
        _silence()
        what = "the output cannot be written" if error.filename is None else error.filename
        sys.stderr.write(f"countersign: {what}: {error.strerror or error}\n")
        return FAILED
    return 0


def _speak_utf_8() -> None:
    """Whatever the locale: JSON and files are UTF-8, and a terminal that lacks a character shows another one in its place."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8")


def _silence() -> None:
    """Keep Python from complaining once more about standard output when it closes it."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = _Parser(
        prog="countersign", description="Countersign's command line.", epilog=EXAMPLES, formatter_class=_Formatter
    )
    parser.add_argument("--version", action="version", version=f"countersign {_version()}")
    areas = parser.add_subparsers(title="areas", required=True, metavar="AREA")
    audit = areas.add_parser(
        "audit",
        help="read, check and run the audit log",
        description="Read, check and run the audit log. Each command has a --help of its own.",
        epilog=EXAMPLES,
        formatter_class=_Formatter,
    )
    commands = audit.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_query(commands)
    _add_tail(commands)
    _add_stats(commands)
    _add_stories(commands)
    _add_searches(commands)
    _add_export(commands)
    _add_verify(commands)
    _add_proofs(commands)
    _add_completeness(commands)
    add_keeping(commands, _add_service, _add_place, _count)
    add_operations(commands, _add_service, _count)
    end_with_examples(audit, EXAMPLES, _Formatter)
    return parser


class _Parser(argparse.ArgumentParser):
    """Of each command too: the one that an unknown option was given to shows its own usage, and what may have been meant."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            near = get_close_matches(unknown[0].partition("=")[0], self._option_string_actions, n=1)
            self.error(f"unknown argument {unknown[0]}{f': did you mean {near[0]}?' if near else ''}")
        return found, unknown


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28)


def _add_query(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "query",
        help="search the log",
        description="Search the log: print the newest events that fit, the oldest of them first.",
    )
    _add_filters(parser)
    parser.add_argument("--limit", type=_count, default=100, metavar="N", help="events at most (default: 100)")
    parser.add_argument(
        "--saved", metavar="NAME", help="with the filters of this kept search; what is given here counts instead"
    )
    parser.add_argument(
        "--order",
        choices=("asc", "desc"),
        help="asc: the first that fit, by arrival; desc: the newest, newest first (default: the newest, oldest first)",
    )
    parser.add_argument("--archive", action="store_true", help="look in the archive instead of the service")
    _add_reading(parser)
    _add_service(parser)
    parser.set_defaults(run=query.query)


def _add_tail(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "tail",
        help="show events as they arrive; Ctrl-C ends it",
        description="Show events as they arrive, from now on or since a time. Ctrl-C ends it.",
    )
    _add_filters(parser, has_end=False)
    _add_service(parser)
    parser.set_defaults(run=query.tail)


def _add_stats(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    counting = commands.add_parser(
        "stats",
        help="count events over time",
        description="Count events over time: a row for each minute, hour or day. Without --from the last 24 hours are counted;"
        " by minute the last hour, by day the last 30 days.",
    )
    counting.add_argument("--by", choices=("minute", "hour", "day"), default="hour", help="a row for each (default: hour)")
    groups = ("outcome", "event_type", "method", "service", "country")
    counting.add_argument("--group", choices=groups, default="outcome", help="a column for each (default: outcome)")
    counting.set_defaults(run=stats.stats)
    ranking = commands.add_parser(
        "top",
        help="list the most frequent values",
        description="List the most frequent values of a field. Without --from the last 24 hours are counted.",
    )
    fields = ("ip", "subject", "event_type", "country", "method", "user_agent")
    ranking.add_argument("--field", choices=fields, required=True, help="the field")
    ranking.add_argument("--limit", type=_count, default=10, metavar="N", help="values at most, up to 100 (default: 10)")
    ranking.set_defaults(run=stats.top)
    for parser in (counting, ranking):
        _add_filters(parser)
        _add_service(parser)


def _add_stories(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    person = commands.add_parser(
        "subject",
        help="show what the log knows of one person",
        description="Show what the log knows of one person: first and last seen, sessions, addresses, methods and outcomes.",
    )
    person.add_argument("sub", metavar="SUB", help="the sub of the account")
    person.add_argument("--reads", action="store_true", help="show who looked at the records of this person")
    person.add_argument("--limit", type=_count, default=100, metavar="N", help="with --reads: looks at most (default: 100)")
    person.set_defaults(run=stories.subject)
    session = commands.add_parser(
        "session",
        help="show one session from its beginning",
        description="Show one session: whose it was, from where, how it ended, and its events, the oldest first.",
    )
    session.add_argument("ref", metavar="REF", help="its session_ref, as events have it")
    session.set_defaults(run=stories.session)
    attempt = commands.add_parser(
        "attempt",
        help="show one attempt from its beginning",
        description="Show one attempt to sign in or to confirm something: who, from where, how it ended, and its events, the"
        " oldest first.",
    )
    attempt.add_argument("attempt_id", metavar="ID", help="its attempt_id, as events have it")
    attempt.set_defaults(run=stories.attempt)
    for parser in (person, session, attempt):
        _add_service(parser)


def _add_searches(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    actions = add_area(
        commands,
        "searches",
        "keep searches under a name",
        "Keep searches under a name. countersign audit query --saved NAME runs one.",
    )
    looking = actions.add_parser(
        "list", help="show own and shared ones", description="Show your own searches and those that others share, by name."
    )
    looking.set_defaults(run=searches.list_searches)
    saving = actions.add_parser(
        "save",
        help="keep one, with filters as of query",
        description="Keep a search with at least one filter. A time such as 1d is kept as the moment that it means now.",
    )
    saving.add_argument("name", metavar="NAME", help="up to 100 characters; you have no other search of this name")
    saving.add_argument("--shared", action="store_true", help="everybody who may read the log sees it (default: you alone)")
    _add_filters(saving)
    saving.set_defaults(run=searches.save)
    removing = actions.add_parser("remove", help="remove one of your own", description="Remove one of your own searches.")
    removing.add_argument("name", metavar="NAME", help="its name, or its id")
    removing.set_defaults(run=searches.remove)
    for parser in (looking, saving, removing):
        _add_service(parser)


def _add_export(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "export",
        help="write everything that fits to a file",
        description="Write every sealed event that fits to a file. It appears under its name once it is whole.",
    )
    parser.add_argument(
        "--format",
        required=True,
        choices=("ndjson", "csv", "ocsf", "parquet"),
        help="ndjson: an event a line, as it was sealed; ocsf: OCSF 1.8, one JSON object a line",
    )
    parser.add_argument("--out", required=True, metavar="FILE", help="where to; - is standard output")
    _add_filters(parser)
    _add_service(parser)
    parser.set_defaults(run=export.export)


def _add_verify(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "verify",
        help="check the log, a receipt, a proof or two checkpoints",
        description="Check the log, a receipt, a proof or two checkpoints against the log's public key, believing the service"
        " nothing. Exit code 1 means that something is not as it was sealed; each finding names it.",
    )
    parser.add_argument(
        "what", nargs="*", metavar="WHAT", help="receipts, proof files, or two checkpoint files; without any, the whole log"
    )
    parser.add_argument("--log", metavar="FOLDER", help="in this copy of the log, without a network (see mirror)")
    parser.add_argument("--proof", metavar="FILE", help="the proof of the receipt, without a network")
    parser.add_argument("--entry", metavar="FILE", help="the entry itself, byte for byte, to compare")
    parser.add_argument("--archive", action="store_true", help="every day of the archive, or a receipt in it")
    _add_reading(parser)
    parser.add_argument("--hashes-only", action="store_true", help="tiles and checkpoint only; needs no token")
    parser.add_argument("--follow", action="store_true", help="go on as the log grows; Ctrl-C ends it")
    parser.add_argument(
        "--state",
        metavar="FILE",
        help="for the whole log: keep the checkpoint up to which it is verified in FILE; when it is there, check that the log"
        " still contains that checkpoint, and read only what came since",
    )
    parser.add_argument(
        "--deadline",
        type=_count,
        default=60,
        metavar="SECONDS",
        help="how long after a receipt its event is lost (default: 60 s)",
    )
    _add_key(parser)
    _add_service(parser)
    parser.set_defaults(run=verify.verify)


def _add_proofs(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "proof",
        help="get the proof of an event as a file",
        description="Get the proof that an event is in the log as a file, which verify and other tools check without us.",
    )
    parser.add_argument("receipt", metavar="RECEIPT", help="the Audit-Receipt of an answer, or an event id")
    parser.add_argument("-o", "--output", metavar="FILE", help="default: EVENT_ID.tlog-proof; - is standard output")
    _add_service(parser)
    parser.set_defaults(run=proofs.proof)
    parser = commands.add_parser(
        "checkpoint",
        help="print the newest signed checkpoint",
        description="Print the newest signed checkpoint, once its signature was checked. Needs no token.",
    )
    _add_key(parser)
    _add_service(parser)
    parser.set_defaults(run=proofs.checkpoint)
    parser = commands.add_parser(
        "mirror",
        help="copy the log into a folder, or bring it up to date",
        description="Copy the whole log into a folder, or bring a copy up to date. verify --log checks it without a network.",
    )
    parser.add_argument("folder", metavar="FOLDER", help="made where there is none")
    _add_key(parser)
    _add_service(parser)
    parser.set_defaults(run=proofs.mirror)


def _add_completeness(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "completeness",
        help="name every missing event, producer by producer",
        description="Name every missing event, producer by producer. Exit code 1 means that there is one.",
    )
    parser.add_argument("--service", metavar="NAME", help="of this service")
    parser.add_argument("--instance", metavar="ID", help="of this process")
    parser.add_argument("--from", dest="since", metavar="TIME", help="of producers heard of since: 1h, 2d, a date")
    parser.add_argument(
        "--recompute",
        action="store_true",
        help="verify the log, read every number in it, and compare with what the service says",
    )
    parser.add_argument("--log", metavar="FOLDER", help="recompute from this copy of the log, without a network (see mirror)")
    _add_key(parser)
    _add_service(parser)
    parser.set_defaults(run=completeness.completeness)


def _add_place(parser: argparse.ArgumentParser) -> None:
    place = parser.add_argument_group("archive", "Where the archive is.")
    place.add_argument("--bucket", help="its bucket (default: the local stack's)")
    place.add_argument("--prefix", default="", help="what its objects' names begin with (default: nothing)")
    place.add_argument("--region", help="the bucket's (default: AWS_REGION)")
    place.add_argument("--endpoint-url", metavar="URL", help="another S3 than AWS's own")
    place.add_argument(
        "--cache", metavar="FOLDER", help="keeps what was fetched (default: ~/.cache/countersign/archive/BUCKET)"
    )


def _add_reading(parser: argparse.ArgumentParser) -> None:
    _add_place(parser)
    parser.add_argument("--settings", metavar="FILE", help=f"{SETTINGS_HELP}, whose keys open what is about people")


def _add_key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--key",
        metavar="KEY",
        help="the log's public key, or a file with one or two of them (default: COUNTERSIGN_LOG_KEY, or the local stack's)",
    )


def _add_filters(parser: argparse.ArgumentParser, *, has_end: bool = True) -> None:
    filters = parser.add_argument_group(
        "filters", "Only events to which all that is given applies; any value of a repeated one."
    )
    filters.add_argument("--email", metavar="ADDRESS", help="of the person with this address, and of its accounts")
    filters.add_argument("--subject", metavar="SUB", help="of the account with this sub")
    filters.add_argument("--type", action="append", metavar="TYPE", help="sign_in.succeeded, or all of sign_in. (repeatable)")
    filters.add_argument("--outcome", action="append", help="success, failure, denied, error or pending (repeatable)")
    filters.add_argument("--ip", metavar="ADDRESS", help="from this address or network: 192.0.2.7, 192.0.2.0/24")
    filters.add_argument("--session", metavar="REF", help="of the session with this session_ref")
    filters.add_argument("--attempt", metavar="ID", help="of the attempt with this attempt_id")
    filters.add_argument("--request", metavar="ID", help="of the request with this X-Request-Id")
    filters.add_argument("--q", metavar="TEXT", help="with this text, in any case, or with this whole identifier")
    filters.add_argument("--filter", metavar="EXPR", help='that fit this expression: outcome eq "denied" and client.ip pr')
    filters.add_argument("--from", dest="since", metavar="TIME", help=f"since then: {TIME_HELP}")
    if has_end:
        filters.add_argument("--to", dest="until", metavar="TIME", help="before then; written like --from")


def _add_service(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object a line (default: text for people)")
    service = parser.add_argument_group("service", "Whom to ask.")
    service.add_argument("--url", help="the audit service (default: COUNTERSIGN_AUDIT_URL, or the local stack's)")
    service.add_argument(
        "--token",
        help="a service token or an access token (default: COUNTERSIGN_AUDIT_TOKEN, or the local stack's); other people on this"
        " machine see what is given here, and not what is in the variable",
    )


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError("give a whole number from 1")
    return int(text)


def _version() -> str:
    try:
        return version("countersign")
    except PackageNotFoundError:
        return "from source"


if __name__ == "__main__":
    sys.exit(main())
