"""``countersign audit subject``, ``session`` and ``attempt``: one person, one session, one attempt."""

import sys
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec
from rich.text import Text

from services.audit.commands.client import AuditClient, Page
from services.audit.commands.context import audit_address
from services.audit.commands.render import OUTCOME_STYLES, console, plain_table, printable, table
from services.audit.commands.times import ago, local


def subject(options: Any) -> None:
    """Print what the log knows of one person, or with ``--reads`` who looked at the person's records."""
    client = AuditClient(*audit_address(options))
    path = f"/v1/subjects/{quote(options.sub, safe='')}"
    body = client.read(f"{path}/reads" if options.reads else path, ())
    if options.json:
        sys.stdout.write(body.decode() + "\n")
    elif options.reads:
        _print_reads(msgspec.json.decode(body)["reads"])
    else:
        _print_subject(msgspec.json.decode(body))


def session(options: Any) -> None:
    """Print the story of one session."""
    _story(options, f"/v1/sessions/{quote(options.ref, safe='')}")


def attempt(options: Any) -> None:
    """Print the story of one attempt."""
    _story(options, f"/v1/attempts/{quote(options.attempt_id, safe='')}")


def _story(options: Any, path: str) -> None:
    body = AuditClient(*audit_address(options)).read(path, ())
    if options.json:
        sys.stdout.write(body.decode() + "\n")
        return
    story: dict[str, Any] = msgspec.json.decode(body)
    page = msgspec.json.decode(body, type=Page)
    screen, now = console(), datetime.now(UTC)
    client, who = story["client"], story["subject"]
    facts = [
        ("who", who["sub"] or who["email_hash"] or "not known"),
        ("from", " · ".join(client[name] for name in ("ip", "country", "user_agent") if client[name]) or "not known"),
        ("began", _when(story["first_seen"], now)),
        ("last", _when(story["last_seen"], now)),
    ]
    screen.print(Text(story["outcome"], style=OUTCOME_STYLES.get(story["outcome"], "")))
    for name, value in facts:
        screen.print(f"{name:<6}  {printable(value)}", markup=False, soft_wrap=True)
    screen.print()
    screen.print(table(page.events, now, width=screen.width))
    if page.next_cursor is not None:
        screen.print(f"\nThese are the first {len(page.events)} of {story['event_count']:,} events.", style="dim")


def _print_subject(person: dict[str, Any]) -> None:
    screen, now = console(), datetime.now(UTC)
    outcomes = ", ".join(f"{count:,} {name}" for name, count in person["outcomes"].items())
    methods = ", ".join(f"{printable(one['method'])} {one['count']:,}" for one in person["methods"])
    facts = [
        ("events", f"{person['event_count']:,}: {outcomes}"),
        ("first", _when(person["first_seen"], now)),
        ("last", _when(person["last_seen"], now)),
        ("methods", methods or "none"),
        ("address", ", ".join("#" + one[:12] for one in person["email_hashes"]) or "none seen"),
    ]
    for name, value in facts:
        screen.print(f"{name:<8}  {value}", markup=False, soft_wrap=True)
    sessions = plain_table("session", "first", "last", "ip", "country", "user agent")
    for one in person["sessions"]:
        last = [Text(printable(one[name] or "")) for name in ("ip", "country", "user_agent")]
        sessions.add_row(
            Text(printable(one["session_ref"])[:13]), _short(one["first_seen"], now), _short(one["last_seen"], now), *last
        )
    addresses = plain_table("ip", "country", "events", "last")
    for one in person["ips"]:
        addresses.add_row(one["ip"], printable(one["country"] or ""), f"{one['count']:,}", _short(one["last_seen"], now))
    for made in (sessions, addresses):
        if made.row_count:
            screen.print()
            screen.print(made)
    screen.print("\nWhat happened: countersign audit query --subject; who looked: --reads.", style="dim")


def _print_reads(reads: list[dict[str, Any]]) -> None:
    screen, now = console(), datetime.now(UTC)
    if not reads:
        screen.print("Nobody has looked at the records of this person.")
        return
    made = plain_table("time", "", "who", "route", "rows")
    for one in reads:
        moment = datetime.fromisoformat(one["occurred_at"])
        who = f"{one['actor']['kind']} {one['actor']['id']}"
        made.add_row(local(moment, now), ago(moment, now), Text(printable(who)), Text(one["route"] or ""), str(one["rows"]))
    screen.print(made)


def _when(text: str, now: datetime) -> str:
    moment = datetime.fromisoformat(text)
    return f"{local(moment, now)} ({ago(moment, now)})"


def _short(text: str, now: datetime) -> str:
    return ago(datetime.fromisoformat(text), now)
