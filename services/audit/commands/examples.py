"""The examples that a command's own help ends with."""

import argparse
import textwrap
from collections.abc import Iterator
from typing import Final

# The formatter keeps lines as they are, so that they must fit every terminal.
COLUMNS: Final = 78
# Beside those that the overview shows: what only somebody needs who already knows which command it is.
MORE: Final = """
  countersign audit query --saved "at night" --from 1d      the filters of a kept search, and one of today
  countersign audit tail --type session. --outcome denied
  countersign audit stats --by day --group method --from 30d
  countersign audit top --field ip --outcome failure        who failed most often in the last 24 hours
  countersign audit subject 3f2b0c9a-... --reads            who looked at this person's records
  countersign audit session b27e91d0...                     as the session_ref of an event says it
  countersign audit attempt 019a4c7e-...                    as the attempt_id of an event says it
  countersign audit searches save "at night" --outcome failure --q curl
  countersign audit searches remove "at night"
  countersign audit export --format csv --out - --type session. --from 1d | head
  countersign audit verify proof.tlog-proof --entry entry.json
  countersign audit verify old.checkpoint new.checkpoint    the newer log contains the older one, unchanged
  countersign audit verify --log copy --key log.pub         a copy, without a network
  countersign audit verify --follow --state verified        for ever, and after a restart from where it was
  countersign audit checkpoint > today.checkpoint           to hold the log to it later
  countersign audit mirror copy                             again into the same folder: only what is new
  countersign audit archive list --bucket my-archive --region eu-west-1
  countersign audit retention plan --settings audit.toml
  countersign audit retention drop --month 2026-01 --settings audit.toml
  countersign audit hold release 019a4c7e-...
  countersign audit dlq list --bodies
  countersign audit dlq redrive --limit 10                  a few first, to see whether they are stored now
  countersign audit alerts list --all --rule mfa_fatigue --from 1w
  countersign audit alerts show 7c1e52b4-...
  countersign audit alerts close 7c1e52b4-... --note "our own load test"
  countersign audit detections replay --from-leaf 50000 --to-leaf 60000
  countersign audit reconcile import export.jsonl.gz
  countersign audit reconcile import s3://my-bucket/cognito/2026/ --region eu-west-1
  countersign audit quarantine show 12
  countersign audit quarantine repair 12 repaired.json      one line: the event as it should have been
"""


def end_with_examples(parser: argparse.ArgumentParser, overview: str, formatter: type[argparse.HelpFormatter]) -> None:
    """
    End the help of every command below a parser with the examples of that command.

    Args:
        parser: Whose commands.
        overview: The examples that everybody is shown; the commands take theirs from it too.
        formatter: Draws them: one that keeps lines as they are.
    """
    lines = f"{overview}\n{MORE}".splitlines()
    for command in _commands(parser):
        own = [line for line in lines if f"{line} ".startswith(f"  {command.prog} ")]
        command.formatter_class = formatter
        command.description = textwrap.fill(command.description or "", COLUMNS)
        command.epilog = "\n".join(["examples:", *own]) if own else None
        end_with_examples(command, overview, formatter)


def _commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    # argparse has no public way from a parser to its commands.
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.values()
