"""
``countersign audit completeness --recompute``: which numbers are missing, by the sealed entries and the log's public key alone.

The service is asked twice, and nothing that it says is believed. Every number that it reports before the log is read must be
borne by an entry; every number that an entry bears must be reported afterwards. In between the log may grow.
"""

from collections import Counter
from typing import Any, Final, NamedTuple

import msgspec
from rich.text import Text

from services.audit.commands.client import AuditClient, decoded
from services.audit.commands.context import audit_address, log_keys
from services.audit.commands.errors import USAGE, CommandFailed
from services.audit.commands.render import console, plain_table, print_json, shown
from services.audit.commands.verdicts import Verdict, failed, report
from services.audit.commands.whole_log import WholeLog
from services.audit.completeness import without
from services.audit.verifying.log import FINDINGS_MAX, Finding
from services.audit.verifying.numbers import Claim, Numbers, Span, count_of, cut

# How many producers the service lists, at most.
LISTED_MAX: Final = 10_000
NAME: Final = "numbers"
KINDS: Final = {
    "missing": ("bold red", ", no entry bears it"),
    "explained": ("yellow", ", in quarantine by the service's word: the log does not seal what is there"),
    "erased": ("dim", ", of an erased or dropped entry by the service's word"),
}


class Gap(msgspec.Struct, frozen=True):
    """Missing numbers as the service reports them, both ends inclusive."""

    first_seq: int
    last_seq: int


class Producer(msgspec.Struct, frozen=True):
    """One producer as the service reports it."""

    service: str
    instance: str
    last_seq: int
    open_gaps: list[Gap]
    explained_gaps: list[Gap]


class Reported(msgspec.Struct, frozen=True):
    """What the service reports."""

    producers: list[Producer]

    @property
    def is_whole(self) -> bool:
        """Say whether no producer was left out for want of room."""
        return len(self.producers) < LISTED_MAX

    @property
    def claims(self) -> dict[str, Claim]:
        """Return which numbers it says are there."""
        return {one.instance: Claim(one.service, _there(one)) for one in self.producers}

    @property
    def explained(self) -> list[Span]:
        """Return which numbers it says are in quarantine."""
        return [
            Span(one.service, one.instance, gap.first_seq, gap.last_seq) for one in self.producers for gap in one.explained_gaps
        ]


class Outcome(NamedTuple):
    """
    The numbers that no entry bears which can be read.

    `erased` are those that the service puts down to entries that were erased or dropped, `explained` those that it says are in
    quarantine, `missing` the others. `unread_count` is how many entries were erased or dropped.
    """

    missing: list[Span]
    explained: list[Span]
    erased: list[Span]
    unread_count: int

    @property
    def absent_count(self) -> int:
        """Return how many numbers no entry bears."""
        return count_of([*self.missing, *self.explained, *self.erased])

    @property
    def proven_count(self) -> int:
        """Return how many of them are missing even if every erased or dropped entry bore one."""
        return max(0, self.absent_count - self.unread_count)


def recompute(options: Any) -> None:
    """
    Verify the log, and print which numbers its entries lack.

    Raises:
        CommandFailed: Numbers are missing, the log is not as it was sealed, or what the service reports cannot be true.
    """
    if any(given is not None for given in (options.service, options.instance, options.since)):
        raise CommandFailed("the whole log is read: leave out --service, --instance and --from", USAGE)
    before = None if options.log else _asked(options)
    log = WholeLog(options, log_keys(options), with_entries=True)
    report(options, [log.verify()])
    if before is None:
        outcome = Outcome(log.numbers.missing(), [], [], log.unread_count)
        _print(options, log.numbers, outcome)
        _insist(outcome.proven_count, "for certain")
        return
    after = _asked(options)
    outcome, findings = compare(log.numbers, log.unread_count, before, after)
    _print(options, log.numbers, outcome)
    if findings:
        report(options, [failed(NAME, *findings[:FINDINGS_MAX])])
    where = "" if after.is_whole else f" of the {LISTED_MAX:,} producers that it lists; others were not compared"
    report(options, [Verdict(NAME, True, f"are what the service reports{where}")])
    _insist(count_of(outcome.missing), "")


def compare(numbers: Numbers, unread_count: int, before: Reported, after: Reported) -> tuple[Outcome, list[Finding]]:
    """
    Compare the numbers of a log with what the service reports of them.

    Args:
        numbers: What the entries bear.
        unread_count: How many entries were erased or dropped, so that nobody can read their numbers.
        before: What the service reported before the log was read.
        after: What it reported afterwards.
    """
    claimed = numbers.claimed_only(before.claims)
    is_false = count_of(claimed) > unread_count
    absent = numbers.missing()
    erased = [] if is_false else cut(absent, cut(absent, claimed))
    rest = cut(absent, erased)
    missing = cut(rest, [*before.explained, *after.explained])
    findings = [Finding(str(span), _false(count_of(claimed), unread_count)) for span in claimed] if is_false else []
    findings += [
        Finding(str(span), "an entry of the log bears it, and the service does not report it")
        for span in numbers.unclaimed(after.claims, is_whole=after.is_whole)
    ]
    return Outcome(missing, cut(rest, missing), erased, unread_count), findings


def _false(count: int, unread_count: int) -> str:
    said = "the service reports it as there, and no entry of the log bears it"
    if not unread_count:
        return said
    return f"{said}; of {count:,} such numbers at most {unread_count:,} can be those of erased or dropped entries"


def _asked(options: Any) -> Reported:
    answer: Reported = decoded(AuditClient(*audit_address(options)).read("/v1/completeness"), Reported)
    return answer


def _there(producer: Producer) -> list[tuple[int, int]]:
    gaps = sorted((gap.first_seq, gap.last_seq + 1) for gap in [*producer.open_gaps, *producer.explained_gaps])
    return without([(0, producer.last_seq + 1)], gaps)


def _print(options: Any, numbers: Numbers, outcome: Outcome) -> None:
    if options.json:
        print_json(
            {
                "entries": numbers.entry_count,
                "not_readable": outcome.unread_count,
                "missing": count_of(outcome.missing),
                "missing_for_certain": outcome.proven_count,
                **{f"{name}_numbers": [span._asdict() for span in getattr(outcome, name)] for name in KINDS},
            }
        )
        return
    screen = console()
    if numbers.producers:
        made = plain_table("service", "instance", "entries", "numbers", "not in an entry", wraps=())
        absent = Counter[str]()
        for span in [*outcome.missing, *outcome.explained, *outcome.erased]:
            absent[span.instance] += span.number_count
        for instance, borne in numbers.producers.items():
            counts = f"{borne.entry_count:,}", f"0 to {borne.last_seq:,}", f"{absent[instance]:,}"
            made.add_row(shown(borne.service), shown(instance), *counts)
        screen.print(made)
    for name, (style, said) in KINDS.items():
        for span in getattr(outcome, name):
            screen.print(Text(f"{name:<9}", style=style) + shown(f" {span}{said}"), soft_wrap=True)
    screen.print()
    for line in _summary(outcome):
        screen.print(line, soft_wrap=True)


def _summary(outcome: Outcome) -> list[str]:
    count, unread, proven = outcome.absent_count, outcome.unread_count, outcome.proven_count
    if not count:
        return ["No number is missing: every one is in a sealed entry."]
    lines = [f"{count:,} number{'s are' if count != 1 else ' is'} in no entry that can be read."]
    if unread:
        gone = f"{unread:,} entr{'ies were' if unread != 1 else 'y was'} erased or dropped"
        lines.append(f"{gone}, with their numbers: up to {min(unread, count):,} of these may be theirs.")
        lines.append(f"For certain {proven:,} {'are' if proven != 1 else 'is'} in no entry at all.")
    return lines


def _insist(count: int, how: str) -> None:
    if count:
        raise CommandFailed(f"{count:,} event{'s are' if count != 1 else ' is'} missing{how and ' '}{how}")
