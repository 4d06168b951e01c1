"""Entries on a terminal: a table for people, one JSON object a line for machines."""

import sys
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.audit.commands.client import Entry
from services.audit.commands.times import ago, local

# Where output goes to a file or a pipe there is no width to fit into.
UNBOUNDED_WIDTH: Final = 240
# Below this the event id does not fit beside the rest; --json has it.
WIDE: Final = 150
# Below this an event takes two lines: what happened, and who it was, from where and all else.
NARROW: Final = 110
# Of an identifier in a table: enough to tell two of a minute apart, which begin alike.
SHORT: Final = 13
OUTCOME_STYLES: Final = {"success": "green", "failure": "red", "denied": "red", "error": "bold red", "pending": "yellow"}
COLUMNS: Final = ("time", "", "event", "outcome", "who", "ip", "detail")
TAIL_WIDTHS: Final = (12, 26, 8, 13, 15)

_ENCODE = msgspec.json.Encoder().encode


class _Screen(Console):
    """A terminal that no text commands: strings are shown as they are, in lines and in the cells of tables."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a string without markup, and with nothing that a terminal obeys."""
        # Our own lines may begin with an empty one. A break further on came from outside, to look like a line of ours.
        line = text.lstrip("\n")
        return super().render_str(text[: len(text) - len(line)] + printable(line), **options)

    def on_broken_pipe(self) -> None:
        """Leave to the command line what a closed pipe means; Rich itself would end with exit code 1."""
        raise BrokenPipeError


def console() -> Console:
    """Return where results go. What is to be coloured is a `Text`."""
    made = _Screen(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())
    if not sys.stdout.isatty():
        made.width = UNBOUNDED_WIDTH
    return made


def json_line(entry: Entry) -> str:
    """Return one entry as a line of JSON: `event` is the stored entry byte for byte, the rest is for filtering."""
    event = _event(entry)
    named = {name: event.get(name) for name in ("event_id", "event_type", "outcome", "occurred_at")}
    stored = {"leaf_hash": entry.leaf_hash, "leaf_index": entry.leaf_index, "recorded_at": entry.recorded_at}
    if entry.event_id is not None:
        stored["erased"] = entry.erased
    return _ENCODE({**named, **stored, "event": entry.event}).decode()


def table(entries: list[Entry], now: datetime, *, width: int) -> Table:
    """Return entries as a table, in the order given."""
    if width < NARROW:
        return _two_lines(entries, now)
    made = plain_table()
    for name in COLUMNS:
        made.add_column(name, no_wrap=name not in ("detail", "who"), overflow="fold")
    if width >= WIDE:
        made.add_column("event id", no_wrap=True, style="dim")
    for entry in entries:
        event = _event(entry)
        cells = _cells(event, now)
        made.add_row(*cells, event["event_id"]) if width >= WIDE else made.add_row(*cells)
    return made


def _two_lines(entries: list[Entry], now: datetime) -> Table:
    made = plain_table("time", "outcome", "event", wraps=("event",))
    for entry in entries:
        time, _, name, outcome, *rest = _cells(_event(entry), now)
        about = Text(" · ".join(cell.plain for cell in rest if cell), style="dim")
        made.add_row(time, outcome, Text("\n").join((name, about)))
    return made


def plain_table(*columns: str, wraps: Collection[str] | None = None) -> Table:
    """Return an empty table in the one look that all commands have; only the columns in `wraps` break lines, or all of them."""
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        made.add_column(name, overflow="fold", no_wrap=wraps is not None and name not in wraps)
    return made


def shown(text: str | None, style: str = "") -> Text:
    """Return a text from outside as a part of a line, or with a style: no markup, and nothing that a terminal obeys."""
    return Text(printable(text or ""), style=style)


def print_facts(screen: Console, facts: Sequence[tuple[str, str]]) -> None:
    """Print names and what they stand for, a line each."""
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        screen.print(Text(f"{name:<{width}}  {printable(value)}"), soft_wrap=True)


def print_json(*items: Any) -> None:
    """Print one JSON object a line; a `msgspec.Raw` byte for byte."""
    for item in items:
        sys.stdout.write(_ENCODE(item).decode() + "\n")
    sys.stdout.flush()


def more_of(which: str, limit: int) -> str:
    """Return what is said where a limit has cut a list off."""
    return f"These are the {which} {limit}; --limit shows more."


def tail_line(entry: Entry, now: datetime) -> Text:
    """Return one entry as a line of fixed columns."""
    event = _event(entry)
    time, _, *cells = _cells(event, now)
    line = Text(overflow="ignore", no_wrap=True)
    for cell, width in zip((time, *cells[:-1]), TAIL_WIDTHS, strict=True):
        line.append(cell.plain.ljust(width) + "  ", style=cell.style)
    return line.append_text(cells[-1])


def _event(entry: Entry) -> dict[str, Any]:
    """Return the event; of an entry that cannot be read any more, what is known of it."""
    if entry.event_id is None:
        return msgspec.json.decode(entry.event, type=dict[str, Any])
    state = "erased" if entry.erased else "damaged"
    return {"event_id": entry.event_id, "event_type": state, "outcome": "", "occurred_at": entry.recorded_at, "reason": state}


def _cells(event: dict[str, Any], now: datetime) -> list[Text]:
    occurred_at = datetime.fromisoformat(event["occurred_at"])
    outcome = event["outcome"]
    return [
        Text(local(occurred_at, now)),
        Text(ago(occurred_at, now), style="dim"),
        Text(event["event_type"], style="bold"),
        Text(outcome, style=OUTCOME_STYLES.get(outcome, "")),
        Text(_who(event)),
        Text(printable((event.get("client") or {}).get("ip") or "")),
        Text(_detail(event), style="dim"),
    ]


def _who(event: dict[str, Any]) -> str:
    subject, actor = event.get("subject") or {}, event.get("actor") or {}
    if subject.get("sub"):
        return printable(subject["sub"])[:SHORT]
    if subject.get("email_hash"):
        return "#" + printable(subject["email_hash"])[:12]
    return printable(f"{actor['kind']} {actor['id'][:SHORT]}") if actor else ""


def _detail(event: dict[str, Any]) -> str:
    authsignal, cognito = event.get("authsignal") or {}, event.get("cognito") or {}
    parts = [
        event.get("reason"),
        authsignal.get("method"),
        authsignal.get("state"),
        cognito.get("operation") and " ".join(filter(None, (cognito["operation"], cognito.get("error")))),
        event.get("attempt_id") and f"attempt {event['attempt_id'][:SHORT]}",
        event.get("producer") and f"by {event['producer']['service']}",
    ]
    return printable(" · ".join(part for part in parts if part))


def printable(text: str) -> str:
    """Return a text that a terminal shows and does not obey."""
    # What an event holds came from outside: a terminal must not take it for commands.
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
