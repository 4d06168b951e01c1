"""``countersign audit subject``, ``session`` and ``attempt``: one person, one session, one attempt."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec
from rich.text import Text

from services.audit.commands.client import AuditClient, Page, decoded
from services.audit.commands.context import audit_address
from services.audit.commands.render import (
    NARROW,
    OUTCOME_STYLES,
    SHORT,
    console,
    more_of,
    plain_table,
    print_facts,
    print_json,
    printable,
    shown,
    table,
)
from services.audit.commands.times import ago, local, when


def subject(options: Any) -> None:
    """Print what the log knows of one person, or with ``--reads`` who looked at the person's records."""
    client = AuditClient(*audit_address(options))
    if options.reads:
        reads, has_more = client.pages(f"/v1/subjects/{quote(options.sub, safe='')}/reads", "reads", limit=options.limit)
        _print_reads(options, reads, has_more=has_more)
        return
    body = client.one("/v1/subjects", "subject", options.sub)
    if options.json:
        print_json(decoded(body, msgspec.Raw))
    else:
        _print_subject(options.sub, decoded(body))


def session(options: Any) -> None:
    """Print the story of one session."""
    _story(options, "/v1/sessions", "session", options.ref)


def attempt(options: Any) -> None:
    """Print the story of one attempt."""
    _story(options, "/v1/attempts", "attempt", options.attempt_id)


def _story(options: Any, path: str, what: str, identifier: str) -> None:
    body = AuditClient(*audit_address(options)).one(path, what, identifier)
    if options.json:
        print_json(decoded(body, msgspec.Raw))
        return
    story: dict[str, Any] = decoded(body)
    page: Page = decoded(body, Page)
    screen, now = console(), datetime.now(UTC)
    client, who = story["client"], story["subject"]
    facts = [
        ("who", who["sub"] or who["email_hash"] or "not known"),
        ("from", " · ".join(client[name] for name in ("ip", "country", "user_agent") if client[name]) or "not known"),
        ("began", when(story["first_seen"], now)),
        ("last", when(story["last_seen"], now)),
    ]
    screen.print(Text(story["outcome"], style=OUTCOME_STYLES.get(story["outcome"], "")))
    print_facts(screen, facts)
    screen.print()
    screen.print(table(page.events, now, width=screen.width))
    if page.next_cursor is not None:
        screen.print(f"\nThese are the first {len(page.events)} of {story['event_count']:,} events.", style="dim")


def _print_subject(sub: str, person: dict[str, Any]) -> None:
    screen, now = console(), datetime.now(UTC)
    outcomes = ", ".join(f"{count:,} {name}" for name, count in person["outcomes"].items())
    methods = ", ".join(f"{printable(one['method'])} {one['count']:,}" for one in person["methods"])
    facts = [
        ("events", f"{person['event_count']:,}: {outcomes}"),
        ("first", when(person["first_seen"], now)),
        ("last", when(person["last_seen"], now)),
        ("methods", methods or "none"),
        ("address", ", ".join("#" + one[:12] for one in person["email_hashes"]) or "none seen"),
    ]
    print_facts(screen, facts)
    sessions = plain_table("session", "first", "last", "ip", "country", "user agent", wraps=("user agent",))
    ref_length = SHORT if screen.width < NARROW else None
    for one in person["sessions"]:
        last = [shown(one[name]) for name in ("ip", "country", "user_agent")]
        sessions.add_row(
            Text(printable(one["session_ref"])[:ref_length]),
            _short(one["first_seen"], now),
            _short(one["last_seen"], now),
            *last,
        )
    addresses = plain_table("ip", "country", "events", "last")
    for one in person["ips"]:
        addresses.add_row(one["ip"], shown(one["country"]), f"{one['count']:,}", _short(one["last_seen"], now))
    for made in (sessions, addresses):
        if made.row_count:
            screen.print()
            screen.print(made)
    screen.print()
    for words in (
        f"What happened: countersign audit query --subject {sub}",
        f"Who looked:    countersign audit subject {sub} --reads",
    ):
        screen.print(shown(words, "dim"), soft_wrap=True)


def _print_reads(options: Any, reads: list[dict[str, Any]], *, has_more: bool) -> None:
    if options.json:
        print_json(*reads)
        return
    screen, now = console(), datetime.now(UTC)
    if not reads:
        screen.print("Nobody has looked at the records of this person.")
        return
    made = plain_table("time", "", "who", "route", "rows")
    for one in reads:
        moment = datetime.fromisoformat(one["occurred_at"])
        who = f"{one['actor']['kind']} {one['actor']['id']}"
        made.add_row(local(moment, now), ago(moment, now), shown(who), shown(one["route"]), str(one["rows"]))
    screen.print(made)
    if has_more:
        screen.print(f"\n{more_of('last', options.limit)}", style="dim")


def _short(text: str, now: datetime) -> str:
    return ago(datetime.fromisoformat(text), now)
