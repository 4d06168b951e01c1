"""``countersign``: the security team's and the operator's command line."""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from services.audit.commands import completeness, dlq, erase, proofs, query, verify
from services.audit.commands.errors import CommandFailed

EXAMPLES: Final = """examples:
  countersign audit query --email ada@example.test          her last 100 events, oldest first
  countersign audit query --type sign_in. --outcome failure --from 1h
  countersign audit query --ip 192.0.2.0/24 --from 2026-01-31 --to 2026-02-01 --json | jq .event_id
  countersign audit tail --type session.                    what happens from now on
  countersign audit verify                                  the whole log, against its public key
  countersign audit verify 019a...:6b1f...                  one receipt: the event is in the log, or it was lost
  countersign audit proof 019a...:6b1f...                   a file that proves it, without us
  countersign audit completeness                            is any event of any producer missing?
  countersign audit erase 3f2b... --reason "request 17"      destroy what identifies a person
  countersign audit hold place 3f2b... --reason "case 4"     and what nobody may erase
  countersign audit dlq list                                messages that could not be delivered

The service is found by --url and --token, then COUNTERSIGN_AUDIT_URL and COUNTERSIGN_AUDIT_TOKEN, then the local stack
(.local/stack.json, here or in a folder above); the log's public key by --key, then COUNTERSIGN_LOG_KEY, then the local stack.
exit codes: 0 done, 1 it did not work, 2 the command line is wrong"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 it did not work, 2 the command line is wrong."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except CommandFailed as error:
        sys.stderr.write(f"countersign: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        # The reader (head, less) has seen enough. Python would complain once more when it closes standard output.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="countersign", description="Countersign's command line.", epilog=EXAMPLES, formatter_class=_Formatter
    )
    parser.add_argument("--version", action="version", version=f"countersign {_version()}")
    areas = parser.add_subparsers(title="areas", required=True, metavar="AREA")
    audit = areas.add_parser("audit", help="read the audit log", epilog=EXAMPLES, formatter_class=_Formatter)
    commands = audit.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_query(commands)
    _add_tail(commands)
    _add_verify(commands)
    _add_proofs(commands)
    _add_completeness(commands)
    _add_erasure(commands)
    _add_holds(commands)
    _add_dlq(commands)
    return parser


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28)


def _add_query(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("query", help="search the log", epilog=EXAMPLES, formatter_class=_Formatter)
    _add_filters(parser)
    parser.add_argument("--to", dest="until", metavar="TIME", help="only before this time")
    parser.add_argument("--limit", type=_count, default=100, metavar="N", help="events at most (default: the last 100)")
    parser.add_argument("--order", choices=("asc", "desc"), help="asc: the first ones, by arrival; desc: newest first")
    _add_service(parser)
    parser.set_defaults(run=query.query)


def _add_tail(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "tail", help="show events as they arrive; Ctrl-C ends it", epilog=EXAMPLES, formatter_class=_Formatter
    )
    _add_filters(parser)
    _add_service(parser)
    parser.set_defaults(run=query.tail)


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
    parser.add_argument("--from", dest="since", metavar="TIME", help="since: 15m, 1h, 2d, a date, or a date and time")


def _add_service(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--url", help="the audit service")
    parser.add_argument("--token", help="a service token or an access token; rather set COUNTERSIGN_AUDIT_TOKEN")


def _add_dlq(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    area = commands.add_parser("dlq", help="the dead-letter queue", epilog=EXAMPLES, formatter_class=_Formatter)
    actions = area.add_subparsers(title="commands", required=True, metavar="COMMAND")
    looking = actions.add_parser("list", help="show its messages")
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
