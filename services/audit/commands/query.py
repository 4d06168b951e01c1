"""``countersign audit query`` and ``countersign audit tail``."""

import contextlib
import sys
import time
from datetime import UTC, datetime
from typing import Any, Final

from services.audit.archiving.lack import Lack
from services.audit.commands import archive
from services.audit.commands.client import PAGE_MAX, AuditClient, Entry, Params, TailEnded
from services.audit.commands.context import audit_address
from services.audit.commands.errors import USAGE, CommandFailed
from services.audit.commands.kept import params_of
from services.audit.commands.render import console, json_line, more_of, table, tail_line
from services.audit.commands.times import parse_time, to_api

PAUSE_SECONDS_MIN: Final = 0.5
PAUSE_SECONDS_MAX: Final = 10.0
# Option to parameter of the API.
FILTERS: Final = {
    "email": "email",
    "subject": "subject",
    "type": "type",
    "outcome": "outcome",
    "ip": "ip",
    "session": "session",
    "attempt": "attempt",
    "request": "request",
    "q": "q",
    "filter": "filter",
}
LACKING: Final = {
    Lack.ERASED: "erased: they cannot be read any more, and are not shown.",
    Lack.NO_KEYS: "not readable here: they are about people. Give the audit service's --settings, whose keys open them.",
    Lack.DAMAGED: "damaged: they do not open with their keys. Run countersign audit verify --archive.",
}


def query(options: Any) -> None:
    """Print the entries that fit: the newest `limit` of them, read from old to new unless an order is asked for."""
    order = options.order or "desc"
    lacking = archive.Lacking()
    params = filters(options)
    if options.saved:
        given = {name for name, _ in params}
        kept = params_of(AuditClient(*audit_address(options)), options.saved)
        params += [(name, value) for name, value in kept if name not in given]
    if options.archive:
        entries, lacking = archive.search(options, params)
    else:
        entries = _search(AuditClient(*audit_address(options)), [*params, ("order", order)], options.limit)
    if options.order is None:
        entries.reverse()  # The newest were wanted; a story reads from its beginning.
    # Beside the answer, so that a pipe gets entries alone and a person still sees that some are not among them.
    for lack, count in lacking.items():
        sys.stderr.write(f"{count:,} entr{'y' if count == 1 else 'ies'} {LACKING[lack]}\n")
    if options.json:
        for entry in entries:
            sys.stdout.write(json_line(entry) + "\n")
        return
    screen, now = console(), datetime.now(UTC)
    if not entries:
        screen.print("No events fit. Widen the time range or drop a filter.")
        return
    screen.print(table(entries, now, width=screen.width))
    more = more_of("first" if order == "asc" else "last", options.limit)
    counted = f"{len(entries)} event{'s' if len(entries) != 1 else ''}, times in {now.astimezone():%Z}."
    screen.print(f"\n{counted}{f' {more}' if len(entries) == options.limit else ''}", style="dim")


def tail(options: Any) -> None:
    """Print entries as they arrive; go on after the last one when the connection breaks. Ctrl-C is how it ends."""
    with contextlib.suppress(KeyboardInterrupt):
        _follow(options)


def _follow(options: Any) -> None:
    client = AuditClient(*audit_address(options))
    params, screen = filters(options), console()
    last_id: str | None = None
    pause = PAUSE_SECONDS_MIN
    has_begun = False
    while True:
        try:
            for entry_id, entry in client.tail(params, last_id):
                last_id, has_begun, pause = entry_id, True, PAUSE_SECONDS_MIN
                if options.json:
                    sys.stdout.write(json_line(entry) + "\n")
                    sys.stdout.flush()
                else:
                    screen.print(tail_line(entry, datetime.now(UTC)), soft_wrap=True)
        except TailEnded:
            has_begun = True
        except CommandFailed as error:
            # Before the first answer it is a mistake to report; later the service may be restarting.
            if not has_begun or error.exit_code == USAGE:
                raise
        time.sleep(pause)
        pause = min(pause * 2, PAUSE_SECONDS_MAX)


def filters(options: Any) -> list[tuple[str, str]]:
    """
    Return the filters of a command line as the API takes them.

    Raises:
        CommandFailed: A time cannot be read.
    """
    params: list[tuple[str, str]] = []
    now = datetime.now(UTC)
    for name, text in (("from", options.since), ("to", getattr(options, "until", None))):
        if text is not None:
            try:
                params.append((name, to_api(parse_time(text, now))))
            except ValueError as error:
                raise CommandFailed(f"--{name}: {error}", USAGE) from error
    for option, parameter in FILTERS.items():
        given = getattr(options, option)
        if isinstance(given, list):
            params.extend((parameter, value) for value in given)
        elif given is not None:
            params.append((parameter, given))
    return params


def _search(client: AuditClient, params: Params, limit: int) -> list[Entry]:
    entries: list[Entry] = []
    cursor: list[tuple[str, str]] = []
    while len(entries) < limit:
        size = min(PAGE_MAX, limit - len(entries))
        page = client.search([*params, ("limit", str(size)), *cursor])
        entries.extend(page.events)
        if page.next_cursor is None:
            break
        cursor = [("cursor", page.next_cursor)]
    return entries
