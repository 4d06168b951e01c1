"""Run the local stack: ``python -m deploy.local up``."""

import argparse
import re
import sys
from pathlib import Path

from deploy.local.console import Progress
from deploy.local.errors import StackError
from deploy.local.layout import DEFAULT_STATE_DIR
from deploy.local.up import NEEDS, Options, up

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code: 0 stopped as asked, 1 something is wrong."""
    progress = Progress()
    try:
        up(_options(arguments), progress)
    except StackError as exc:
        progress.fail(str(exc))
        return 1
    return 0


def _options(arguments: list[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description="Countersign on this machine.")
    command = parser.add_subparsers(required=True).add_parser("up", help="start everything; Ctrl-C stops it")
    command.add_argument("--state-dir", type=Path, default=DEFAULT_STATE_DIR, help="where state, keys and logs are kept")
    command.add_argument("--port-base", type=int, help="move every port: gateway BASE, challenge BASE+1, ...")
    command.add_argument("--origins", default="", help="further web origins to admit, separated by commas or spaces")
    command.add_argument("--only", default=",".join(NEEDS), help="start these parts and what they need")
    command.add_argument("--with-parent", action="store_true", help="also stop when the starting process ends")
    given = parser.parse_args(arguments)
    return Options(
        state_dir=given.state_dir,
        port_base=given.port_base,
        with_parent=given.with_parent,
        origins=tuple(_origin(text) for text in _words(given.origins)),
        only=tuple(_part(text) for text in _words(given.only)),
    )


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]


def _origin(text: str) -> str:
    if not _ORIGIN.fullmatch(text):
        raise StackError(f"{text!r} is not a web origin. An origin is scheme, host and port: http://localhost:4173")
    return text


def _part(text: str) -> str:
    if text not in NEEDS:
        raise StackError(f"There is no part {text!r}. The parts are: {', '.join(NEEDS)}.")
    return text


if __name__ == "__main__":
    sys.exit(main())
