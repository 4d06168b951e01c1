"""From bytes to rows: strict about identity, lenient about what is searched, and never an exception."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.reading import (
    DATA_BYTES_MAX,
    SEARCH_CHARACTERS_MAX,
    Flaw,
    LineFlawed,
    address,
    hash_bytes,
    read_line,
    read_message,
    searchable,
    searchable_data,
)
from shared.events import AuthsignalRef, Client, EventType, Subject
from tests.integration.audit.lab import Author

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(st.text())
def test_any_text_is_read_without_an_exception(body: str) -> None:
    """
    Whatever a message holds, reading it gives rows and flaws, at least one of them, and loses no line.
    """
    reading = read_message("m", body)

    lines = [line for line in body.encode("utf-8", "surrogatepass").split(b"\n") if line]
    assert len(reading.rows) + len(reading.flawed) == max(1, len(lines))
    assert [line.line for line in reading.flawed] == (lines or [body.encode("utf-8", "surrogatepass")])


@given(st.dictionaries(st.sampled_from(list(json.loads(Author().entry()))), ANY_JSON))
def test_any_event_like_object_is_read_without_an_exception(changes: dict[str, Any]) -> None:
    """
    An event in which any member was replaced by anything is either a row or a flaw.
    """
    line = json.dumps({**json.loads(Author().entry()), **changes}).encode()
    reading = read_message("m", line.decode())

    assert len(reading.rows) + len(reading.flawed) == 1


@given(st.text(max_size=400))
def test_outside_text_never_reaches_the_store_as_it_cannot_take_it(text: str) -> None:
    """
    Text from outside becomes search text without NUL and short enough for an index; the entry's bytes stay as they came.
    """
    text = text.encode("utf-8", "replace").decode()
    entry = Author().entry(reason=text, request_id=text, client=Client(user_agent=text, ip=text), subject=Subject(sub=text))
    row = read_line(entry)

    assert row.entry == entry
    for value in (row.request_id, row.subject_sub, row.words):
        assert value is not None
        assert "\0" not in value
    assert len(row.request_id or "") <= SEARCH_CHARACTERS_MAX


def test_leaf_hash_is_over_the_bytes() -> None:
    """
    The leaf hash is SHA-256 over a zero byte and the line, whatever order or spacing the line has.
    """
    line = json.dumps(json.loads(Author().entry()), indent=None, separators=(" , ", " : "), sort_keys=True).encode()
    row = read_line(line)
    assert (row.entry, row.leaf_hash) == (line, hashlib.sha256(b"\x00" + line).digest())


def test_what_is_extracted() -> None:
    """
    The columns that a search uses say what the event says.
    """
    row = read_line(
        Author().entry(
            occurred_at=datetime(2026, 11, 1, tzinfo=UTC),
            subject=Subject(sub="s", email_hash="ab" * 32),
            client=Client(ip="2001:db8::1", user_agent="Firefox"),
            authsignal=AuthsignalRef(action="signIn", method="EMAIL_OTP", state="ALLOW"),
            reason="Wrong_Code",
        )
    )
    assert (row.subject_sub, row.email_hash, row.ip) == ("s", b"\xab" * 32, "2001:db8::1")
    assert (row.method, row.state) == ("EMAIL_OTP", "ALLOW")
    assert row.words == "sign_in.started wrong_code firefox signin email_otp allow"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::1", "::1"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("192.0.2.1/24", None),
        ("192.0.2", None),
        ("fe80::1%eth0", None),
        ("localhost", None),
        ("1\0", None),
        ("", None),
        (None, None),
    ],
)
def test_address(text: str | None, found: str | None) -> None:
    """
    Only a single address is searchable as one.
    """
    assert address(text) == found


@pytest.mark.parametrize("text", ["", "ab", "zz" * 32, "ab" * 33, None])
def test_what_is_no_hash_is_not_searchable(text: str | None) -> None:
    """
    An email_hash that is no SHA-256 in hex is left out of the search.
    """
    assert hash_bytes(text) is None


def test_searchable_cuts() -> None:
    """
    A long value stays findable by its beginning.
    """
    assert searchable("x" * 10_000) == "x" * SEARCH_CHARACTERS_MAX


def test_data_is_searchable_only_as_the_store_takes_it() -> None:
    """
    Members of data are kept for search as JSON; not when they are too long or hold a NUL, and references to people never twice.
    """
    assert searchable_data({"rows": 3, "subject_refs": ["ab"]}) == '{"rows":3}'
    assert searchable_data({"text": "a\0b"}) is None
    assert searchable_data({"text": "x" * DATA_BYTES_MAX}) is None


REFS: dict[str, tuple[Any, str | None]] = {
    "two": (["ab" * 16, "01" * 16], '{"\\\\x' + "ab" * 16 + '","\\\\x' + "01" * 16 + '"}'),
    "none": ([], None),
    "no list": ("ab" * 16, None),
    "other things": ([1, None, "AB" * 16, "ab", '"}', "ab" * 32], None),
}


@pytest.mark.parametrize("name", REFS)
def test_references_to_people_are_taken_from_reads_alone(name: str) -> None:
    """
    What a read says of whom it showed becomes an array of bytes; anything else in that place is left out, whatever the event.
    """
    refs, wanted = REFS[name]

    assert (
        read_line(Author().entry(event_type=EventType.AUDIT_QUERY_EXECUTED, data={"subject_refs": refs})).subject_refs == wanted
    )
    assert read_line(Author().entry(data={"subject_refs": refs})).subject_refs is None


LINES = {
    "half a surrogate pair": ('"\ud800"', Flaw.NOT_UTF8),
    "a line break of another kind": ("{}\r", Flaw.NOT_AN_EVENT),
    "nothing": ("", Flaw.EMPTY_MESSAGE),
    "line breaks only": ("\n\n", Flaw.EMPTY_MESSAGE),
    "a list": ("[]", Flaw.NOT_AN_EVENT),
    "an escaped half of a pair": ('{"event_id":"\\ud800"}', Flaw.NOT_JSON),
    "a number out of range": ('{"schema_version":1e999}', Flaw.NOT_AN_EVENT),
}


@pytest.mark.parametrize(("body", "flaw"), LINES.values(), ids=LINES.keys())
def test_flaws(body: str, flaw: Flaw) -> None:
    """
    Each way to be wrong has its reason.
    """
    assert [line.flaw for line in read_message("m", body).flawed] == [flaw]


@pytest.mark.parametrize("moment", ["2026-11-01T00:00:00", "0001-01-01T00:00:00+14:00"])
def test_times_without_a_place_in_utc(moment: str) -> None:
    """
    A time without a zone, or one that UTC cannot express, is a flaw: the event could not be put in order.
    """
    event = {**json.loads(Author().entry()), "occurred_at": moment}
    with pytest.raises(LineFlawed):
        read_line(json.dumps(event).encode())


def test_line_numbers_count_from_one_over_empty_lines() -> None:
    """
    A flawed line is found again in its message by its number, empty lines counted.
    """
    good = Author().entry().decode()
    reading = read_message("m", f"{good}\n\nbad\n{good}\n")
    assert [(line.origin.line_no, line.line) for line in reading.flawed] == [(3, b"bad")]
    assert [origin.line_no for origin, _ in reading.rows] == [1, 4]
