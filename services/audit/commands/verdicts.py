"""How a verification went, for people and for machines."""

import sys
from typing import Any

import msgspec
from rich.text import Text

from services.audit.commands.errors import CommandFailed
from services.audit.commands.render import console, shown
from services.audit.verifying.log import Finding


class Verdict(msgspec.Struct, omit_defaults=True):
    """
    How a verification went, for machines; `findings` is empty when all is well.

    `erased` is how many of the entries that were read had been erased. Of an archive, `erased_later` is how many the database
    says were erased so late that no event in it can tell, and `not_readable` how many are about people and were checked by
    their hash alone, for want of the keys. `numbers_missing` is how many numbers of producers are missing for certain, where
    the log was read from its first entry on.
    """

    what: str
    ok: bool
    said: str
    findings: list[dict[str, str]] = []
    erased: int = 0
    erased_later: int = 0
    not_readable: int = 0
    numbers_missing: int | None = None


def failed(what: str, *findings: Finding) -> Verdict:
    """Return the verdict on what is not as it was sealed."""
    return Verdict(what, False, "is NOT as it was sealed", [finding._asdict() for finding in findings])


def report(options: Any, verdicts: list[Verdict]) -> None:
    """
    Print verdicts.

    Raises:
        CommandFailed: Something was found.
    """
    screen = console()
    for verdict in verdicts:
        if options.json:
            sys.stdout.write(msgspec.json.encode(verdict).decode() + "\n")
            continue
        if verdict.ok:
            screen.print(Text("verified", style="green") + shown(f"  {verdict.what} {verdict.said}"))
        for finding in verdict.findings:
            said = shown(f"    {finding['place']}: {finding['detail']}")
            screen.print(Text("FAILED", style="bold red") + said, soft_wrap=True)
    sys.stdout.flush()
    bad = [verdict for verdict in verdicts if not verdict.ok]
    if bad:
        count = sum(len(verdict.findings) for verdict in bad)
        raise CommandFailed(f"{count} finding{'s' if count != 1 else ''}: do not trust this log before you know why")
