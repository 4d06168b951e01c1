"""Filter expressions that are decided in this process, beside PostgreSQL, which decides the same."""

from typing import Any

from services.audit.filtering.fits import fits
from services.audit.filtering.sql import condition
from services.audit.filtering.syntax import parse_filter
from services.audit.reading import read_line
from services.audit.storage.search import Statement
from shared.events import Client
from tests.integration.audit.lab import Author, Database
from tests.integration.audit.stories import DEVICE, FILTERS, story

ODD: tuple[dict[str, Any], ...] = (
    {
        "client": Client(ip="2001:db8::7", user_agent="Über/1.0"),
        "data": {"many": ["ÄÖ", 'a "b"', -0.0, 1.5, 1e3, None], "nested": {"deep": True, "b": -1}, "note": "kit"},
    },
    {"data": {"many": {"0": "äö"}, "note": "Ä", "try": True}, "reason": "ÄRGER"},
    {"data": {"nested": [], "note": 7, "many": "1.50"}},
)
# Beside what is asked of the whole service: where PostgreSQL and Python are not of one mind by themselves.
SUBTLE = (
    "data.try eq true",
    "data.try ne 1",
    "data.fast ne false",
    "data.fast eq null",
    'data.fast eq "true"',
    'data.try eq "1"',
    'data.note ne "late"',
    'data.note gt "Kite" and data.note lt "kite"',
    'data.many co "\\"\\""',
    'data.many ew "1.5, 1000.0, null]"',
    'data.many.0 eq "ÄÖ"',
    'data.many.0 co "äö"',
    "data.many.-3 eq 1.5",
    "data.many.-2 ge 1e3",
    "data.many.5 pr or data.many.x pr or data.note.0 pr",
    'data.nested eq "{\\"deep\\": null}"',
    'data.nested sw "{\\"b\\": -"',
    "data.nested.deep eq null",
    'not (client.ip eq "2001:db8::/32")',
    'client.ip eq "::/0"',
    'client.ip ne "0.0.0.0/0"',
    'client.user_agent co "Ü"',
    'client.user_agent co "firefox"',
    'client.user_agent eq "CURL/8.14.1 (100%_\\\\)"',
    'client.user_agent gt "curl"',
    'outcome co "FAIL"',
    'reason co "ärger" or data.note co "ä"',
    'data.note gt "kit"',
    "data.note eq 7.0 and data.nested pr",
    'data.many eq "1.50" or data.many gt 1',
    'reason ge "wrong_code" and reason le "wrong_code"',
    "http.status eq 202.0",
    "http.status ne 202",
    f'producer.instance ne "{DEVICE}"',
    'occurred_at lt "2026-11-01T00:00:13.000001Z"',
    "not (not (actor.kind pr))",
)


async def test_expressions_hold_here_as_they_do_in_the_database(database: Database) -> None:
    """
    What fits an expression fits it in PostgreSQL and in this process alike, whatever the types, absent members and languages.
    """
    author = Author()
    entries = [*story(author).values(), *(author.entry(**members) for members in ODD)]
    await database.append(entries)
    rows = [read_line(entry) for entry in entries]
    for text in (*FILTERS, *SUBTLE):
        expression, made = parse_filter(text), Statement()
        sql = f"SELECT event_id::text FROM audit.entry_search AS s WHERE {condition(expression, made.value)}"
        found = {row["event_id"] for row in await database.fetch(sql, *made.values)}
        assert {row.event_id for row in rows if fits(expression, row)} == found, text
