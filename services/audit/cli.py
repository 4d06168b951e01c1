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
    archive,
    completeness,
    dlq,
    erase,
    export,
    proofs,
    query,
    retention,
    searches,
    stats,
    stories,
    streams,
    verify,
)
from services.audit.commands.errors import FAILED, CommandFailed
from services.audit.commands.operations import add_operations

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
        sys.stderr.write(f"countersign: {error}\n")
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
    audit = areas.add_parser("audit", help="read, check and run the audit log", epilog=EXAMPLES, formatter_class=_Formatter)
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
    _add_archive(commands)
    _add_streams(commands)
    _add_retention(commands)
    _add_erasure(commands)
    _add_holds(commands)
    _add_dlq(commands)
    add_operations(commands, _add_service, _count)
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
    parser = commands.add_parser("query", help="search the log", epilog=EXAMPLES, formatter_class=_Formatter)
    _add_filters(parser)
    parser.add_argument("--to", dest="until", metavar="TIME", help="only before this time")
    parser.add_argument("--limit", type=_count, default=100, metavar="N", help="events at most (default: the last 100)")
    parser.add_argument("--saved", metavar="NAME", help="with the filters of this kept search")
    parser.add_argument("--order", choices=("asc", "desc"), help="asc: the first ones, by arrival; desc: newest first")
    parser.add_argument("--archive", action="store_true", help="look in the archive instead of the service")
    _add_reading(parser)
    _add_service(parser)
    parser.set_defaults(run=query.query)


def _add_tail(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "tail", help="show events as they arrive; Ctrl-C ends it", epilog=EXAMPLES, formatter_class=_Formatter
    )
    _add_filters(parser)
    _add_service(parser)
    parser.set_defaults(run=query.tail)


def _add_stats(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    counting = commands.add_parser("stats", help="count events over time", epilog=EXAMPLES, formatter_class=_Formatter)
    counting.add_argument("--by", choices=("minute", "hour", "day"), default="hour", help="default: hour")
    groups = ("outcome", "event_type", "method", "service", "country")
    counting.add_argument("--group", choices=groups, default="outcome", help="a column for each (default: outcome)")
    counting.set_defaults(run=stats.stats)
    ranking = commands.add_parser("top", help="list the most frequent values", epilog=EXAMPLES, formatter_class=_Formatter)
    fields = ("ip", "subject", "event_type", "country", "method", "user_agent")
    ranking.add_argument("--field", choices=fields, required=True, help="of what")
    ranking.add_argument("--limit", type=_count, default=10, metavar="N", help="values at most, up to 100 (default: 10)")
    ranking.set_defaults(run=stats.top)
    for parser in (counting, ranking):
        _add_filters(parser)
        parser.add_argument("--to", dest="until", metavar="TIME", help="only before this time")
        _add_service(parser)


def _add_stories(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    person = commands.add_parser("subject", help="show what the log knows of one person", formatter_class=_Formatter)
    person.add_argument("sub", metavar="SUB", help="the account")
    person.add_argument("--reads", action="store_true", help="show who looked at the records of this person")
    person.add_argument("--limit", type=_count, default=100, metavar="N", help="reads at most (default: 100)")
    person.set_defaults(run=stories.subject)
    session = commands.add_parser("session", help="show one session from its beginning", formatter_class=_Formatter)
    session.add_argument("ref", metavar="REF", help="its session_ref")
    session.set_defaults(run=stories.session)
    attempt = commands.add_parser("attempt", help="show one attempt from its beginning", formatter_class=_Formatter)
    attempt.add_argument("attempt_id", metavar="ID", help="its attempt_id")
    attempt.set_defaults(run=stories.attempt)
    for parser in (person, session, attempt):
        _add_service(parser)


def _add_searches(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    area = commands.add_parser("searches", help="keep searches under a name", epilog=EXAMPLES, formatter_class=_Formatter)
    actions = area.add_subparsers(title="commands", required=True, metavar="COMMAND")
    looking = actions.add_parser("list", help="show own and shared ones")
    looking.set_defaults(run=searches.list_searches)
    saving = actions.add_parser("save", help="keep one, with filters as of query")
    saving.add_argument("name", metavar="NAME")
    saving.add_argument("--shared", action="store_true", help="for everybody who may read the log")
    _add_filters(saving)
    saving.add_argument("--to", dest="until", metavar="TIME", help="only before this time")
    saving.set_defaults(run=searches.save)
    removing = actions.add_parser("remove", help="remove one of your own")
    removing.add_argument("name", metavar="NAME", help="or its id")
    removing.set_defaults(run=searches.remove)
    for parser in (looking, saving, removing):
        _add_service(parser)


def _add_export(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "export", help="write everything that fits to a file", epilog=EXAMPLES, formatter_class=_Formatter
    )
    parser.add_argument("--format", required=True, choices=("ndjson", "csv", "ocsf", "parquet"))
    parser.add_argument("--out", required=True, metavar="FILE", help="- is standard output")
    _add_filters(parser)
    parser.add_argument("--to", dest="until", metavar="TIME", help="only before this time")
    _add_service(parser)
    parser.set_defaults(run=export.export)


def _add_verify(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "verify", help="check the log, a receipt, a proof or two checkpoints", epilog=EXAMPLES, formatter_class=_Formatter
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
    parser.add_argument("--state", metavar="FILE", help="remember what is verified: go on from there, notice a rewritten log")
    parser.add_argument(
        "--deadline", type=_count, default=60, metavar="SECONDS", help="when a promised event is lost (default: 60)"
    )
    _add_key(parser)
    _add_service(parser)
    parser.set_defaults(run=verify.verify)


def _add_proofs(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("proof", help="get the proof of an event as a file", formatter_class=_Formatter)
    parser.add_argument("receipt", metavar="RECEIPT", help="the Audit-Receipt of an answer, or an event id")
    parser.add_argument("-o", "--output", metavar="FILE", help="default: EVENT_ID.tlog-proof; - is standard output")
    _add_service(parser)
    parser.set_defaults(run=proofs.proof)
    parser = commands.add_parser("checkpoint", help="print the newest signed checkpoint", formatter_class=_Formatter)
    _add_key(parser)
    _add_service(parser)
    parser.set_defaults(run=proofs.checkpoint)
    parser = commands.add_parser(
        "mirror", help="copy the log into a folder, or bring it up to date", formatter_class=_Formatter
    )
    parser.add_argument("folder", metavar="FOLDER")
    _add_key(parser)
    _add_service(parser)
    parser.set_defaults(run=proofs.mirror)


def _add_completeness(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "completeness", help="name every missing event, producer by producer", epilog=EXAMPLES, formatter_class=_Formatter
    )
    parser.add_argument("--service", metavar="NAME", help="of this service")
    parser.add_argument("--instance", metavar="ID", help="of this process")
    parser.add_argument("--from", dest="since", metavar="TIME", help="of producers heard of since: 1h, 2d, a date")
    _add_service(parser)
    parser.set_defaults(run=completeness.completeness)


def _add_archive(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    area = commands.add_parser("archive", help="sealed days under lock", epilog=EXAMPLES, formatter_class=_Formatter)
    actions = area.add_subparsers(title="commands", required=True, metavar="COMMAND")
    running = actions.add_parser("run", help="archive every closed day that is not archived yet")
    running.add_argument("--settings", metavar="FILE", help="the audit service's settings")
    running.set_defaults(run=archive.run_job)
    listing = actions.add_parser("list", help="show what is archived")
    _add_place(listing)
    listing.set_defaults(run=archive.list_days)
    for parser in (running, listing):
        parser.add_argument("--json", action="store_true", help="one JSON object a line")


def _add_streams(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("streams", help="how far each receiver has the log", formatter_class=_Formatter)
    _add_service(parser)
    parser.set_defaults(run=streams.streams)


def _add_retention(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    area = commands.add_parser("retention", help="drop old months from the database", formatter_class=_Formatter)
    actions = area.add_subparsers(title="commands", required=True, metavar="COMMAND")
    planning = actions.add_parser("plan", help="show each month and what stands against dropping it")
    planning.set_defaults(run=retention.plan)
    dropping = actions.add_parser("drop", help="drop one month; its hashes and a signed statement stay")
    dropping.add_argument("--month", required=True, metavar="MONTH", help="such as 2026-01")
    dropping.set_defaults(run=retention.drop)
    for parser in (planning, dropping):
        parser.add_argument("--settings", metavar="FILE", help="the audit service's settings")
        parser.add_argument("--json", action="store_true", help="JSON for machines")


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bucket", help="of the archive (default: the local stack's)")
    parser.add_argument("--prefix", default="", help="of the archive in its bucket")
    parser.add_argument("--region", help="default: AWS_REGION")
    parser.add_argument("--endpoint-url", metavar="URL", help="another S3 than AWS's own")
    parser.add_argument("--cache", metavar="FOLDER", help="where to keep what was fetched (default: below ~/.cache)")


def _add_reading(parser: argparse.ArgumentParser) -> None:
    _add_place(parser)
    parser.add_argument("--settings", metavar="FILE", help="the audit service's, whose keys open what is about people")


def _add_erasure(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("erase", help="erase a person, for good", epilog=EXAMPLES, formatter_class=_Formatter)
    _add_subject(parser)
    _add_yes(parser)
    _add_service(parser)
    parser.set_defaults(run=erase.erase)
    parser = commands.add_parser("erasures", help="show who was erased, and why", formatter_class=_Formatter)
    _add_service(parser)
    parser.set_defaults(run=erase.erasures)


def _add_holds(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("holds", help="show whose records nobody may erase", formatter_class=_Formatter)
    parser.add_argument("--all", action="store_true", help="released holds as well")
    _add_service(parser)
    parser.set_defaults(run=erase.holds)
    area = commands.add_parser("hold", help="place or release a legal hold", formatter_class=_Formatter)
    actions = area.add_subparsers(title="commands", required=True, metavar="COMMAND")
    placing = actions.add_parser("place", help="nobody erases this person from now on")
    _add_subject(placing)
    placing.set_defaults(run=erase.place)
    releasing = actions.add_parser("release", help="the records may be erased again")
    releasing.add_argument("hold", metavar="ID", help="see countersign audit holds")
    _add_yes(releasing)
    releasing.set_defaults(run=erase.release)
    for parser in (placing, releasing):
        _add_service(parser)


def _add_subject(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("subject", metavar="SUBJECT", help="the sub of an account, or an e-mail address")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, for those who look later; no personal data")


def _add_yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _add_key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key", metavar="KEY", help="the log's public key, or a file with one or two of them")


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--email", metavar="ADDRESS", help="of the person with this address, and of its accounts")
    parser.add_argument("--subject", metavar="SUB", help="of this account")
    parser.add_argument("--type", action="append", metavar="TYPE", help="sign_in.succeeded, or all of sign_in. (repeatable)")
    parser.add_argument("--outcome", action="append", help="success, failure, denied, error or pending (repeatable)")
    parser.add_argument("--ip", metavar="ADDRESS", help="from this address or network")
    parser.add_argument("--session", metavar="REF", help="of this session")
    parser.add_argument("--attempt", metavar="ID", help="of this attempt")
    parser.add_argument("--request", metavar="ID", help="of this request")
    parser.add_argument("--q", metavar="TEXT", help="with this text, or any identifier")
    parser.add_argument("--filter", metavar="EXPR", help='that fit this expression: outcome eq "denied" and client.ip pr')
    parser.add_argument("--from", dest="since", metavar="TIME", help="since: 15m, 1h, 2d, a date, or a date and time")


def _add_service(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--url", help="the audit service")
    parser.add_argument("--token", help="a service token or an access token; rather set COUNTERSIGN_AUDIT_TOKEN")


def _add_dlq(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    area = commands.add_parser("dlq", help="the dead-letter queue", epilog=EXAMPLES, formatter_class=_Formatter)
    actions = area.add_subparsers(title="commands", required=True, metavar="COMMAND")
    looking = actions.add_parser("list", help="show its messages")
    looking.add_argument("--bodies", action="store_true", help="and what each holds, line by line")
    looking.set_defaults(run=dlq.list_messages)
    moving = actions.add_parser("redrive", help="put its messages back on the audit queue")
    moving.set_defaults(run=dlq.redrive)
    for parser, limit in ((looking, 50), (moving, 1_000)):
        parser.add_argument("--limit", type=_count, default=limit, metavar="N", help=f"messages at most (default: {limit})")
        parser.add_argument("--dlq-url", metavar="URL", help="the dead-letter queue (default: the local stack's)")
        parser.add_argument("--queue-url", metavar="URL", help="the audit queue")
        parser.add_argument("--region", help="default: AWS_REGION")
        parser.add_argument("--endpoint-url", metavar="URL", help="another SQS than AWS's own")
        parser.add_argument("--json", action="store_true", help="JSON for machines")


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
