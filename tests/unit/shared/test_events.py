"""The bytes of an event."""

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events import (
    Actor,
    AuthsignalRef,
    Client,
    CognitoRef,
    Draft,
    Event,
    EventType,
    HttpRef,
    Outcome,
    Producer,
    Subject,
    clean_text,
    decode,
    email_hash,
    encode,
    leaf_hash,
)

# Every code point, lone surrogates and non-characters included.
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
OPTIONAL = st.none() | ANY_TEXT
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)
# What a message on the queue may contain. Source: Amazon SQS API Reference, SendMessage.
ALLOWED = re.compile("[\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")

EVENTS = st.builds(
    Event,
    event_id=st.uuids().map(str),
    schema_version=st.just(1),
    event_type=st.sampled_from(EventType),
    outcome=st.sampled_from(Outcome),
    occurred_at=st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - the zone is added
    producer=st.builds(Producer, service=ANY_TEXT, instance=ANY_TEXT, seq=st.integers(0, 2**53)),
    salt=st.binary(min_size=16, max_size=16).map(bytes.hex),
    reason=OPTIONAL,
    request_id=OPTIONAL,
    attempt_id=OPTIONAL,
    session_ref=OPTIONAL,
    subject=st.none() | st.builds(Subject, sub=OPTIONAL, email_hash=OPTIONAL),
    actor=st.none() | st.builds(Actor, kind=ANY_TEXT, id=ANY_TEXT),
    client=st.none() | st.builds(Client, ip=OPTIONAL, user_agent=OPTIONAL, device_id=OPTIONAL, country=OPTIONAL),
    authsignal=st.none() | st.builds(AuthsignalRef, action=ANY_TEXT, state=OPTIONAL, method=OPTIONAL),
    cognito=st.none() | st.builds(CognitoRef, operation=ANY_TEXT, error=OPTIONAL),
    http=st.none() | st.builds(HttpRef, method=ANY_TEXT, route=ANY_TEXT, status=st.none() | st.integers(100, 599)),
    data=st.dictionaries(ANY_TEXT, ANY_JSON, max_size=3),
)


def plain_event(**changes: Any) -> Event:
    """Return an event without a surprise in it."""
    fields: dict[str, Any] = {
        "event_id": "0198e7a0-0000-7000-8000-000000000000",
        "schema_version": 1,
        "event_type": EventType.SIGN_IN_SUCCEEDED,
        "outcome": Outcome.SUCCESS,
        "occurred_at": datetime(2026, 1, 2, 3, 4, 5, 678901, UTC),
        "producer": Producer(service="gateway", instance="i", seq=7),
        "salt": "00" * 16,
    }
    return Event(**{**fields, **changes})


@given(EVENTS)
def test_an_entry_is_one_line_that_the_queue_takes(event: Event) -> None:
    """Whatever text is in an event, its bytes are one line of UTF-8 with no character that SQS refuses."""
    text = encode(event).decode("utf-8")

    assert "\n" not in text
    assert "\r" not in text
    assert ALLOWED.fullmatch(text)


@given(EVENTS)
def test_an_entry_reads_back(event: Event) -> None:
    """An entry decodes to the event it was made of, but for characters that a queue cannot carry."""
    again = decode(encode(event))

    assert encode(again) == encode(event)
    assert (again.event_id, again.event_type, again.producer.seq) == (event.event_id, event.event_type, event.producer.seq)


@given(EVENTS)
def test_clean_text_survives_unchanged(event: Event) -> None:
    """An event whose texts are clean is encoded exactly as it is."""
    cleaned = decode(encode(event))

    assert decode(encode(cleaned)) == cleaned


@given(st.binary(max_size=200))
def test_a_leaf_hash_is_rfc_6962s(entry: bytes) -> None:
    """The leaf hash is SHA-256 over a zero byte and the entry."""
    digest = hashlib.new("sha256")
    digest.update(bytes([0]))
    digest.update(entry)

    assert leaf_hash(entry) == digest.digest()


def test_the_empty_leaf_has_the_published_hash() -> None:
    """The hash of the empty leaf is the one of RFC 6962's test vectors."""
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


@pytest.mark.parametrize("path", [(), ("producer",), ("subject",), ("client",), ("authsignal",), ("cognito",), ("http",)])
def test_unknown_fields_are_refused(path: tuple[str, ...]) -> None:
    """An entry with a field that the schema does not have, at any level, is no event."""
    event = plain_event(
        subject=Subject(sub="s"),
        client=Client(ip="192.0.2.1"),
        authsignal=AuthsignalRef(action="a"),
        cognito=CognitoRef(operation="o"),
        http=HttpRef(method="GET", route="/"),
    )
    document = json.loads(encode(event))
    place = document
    for name in path:
        place = place[name]
    place["surprise"] = 1

    with pytest.raises(msgspec.ValidationError, match="surprise"):
        decode(json.dumps(document).encode())


@pytest.mark.parametrize("entry", [b"", b"{", b"[]", b"null", b"\xff", b'{"event_id": "x"}'])
def test_rubbish_is_no_event(entry: bytes) -> None:
    """Bytes that are not an event raise one of the two errors that readers know."""
    with pytest.raises((msgspec.DecodeError, msgspec.ValidationError)):
        decode(entry)


def test_a_draft_has_every_field_of_an_event() -> None:
    """Whatever an author may state has its place in the event; the rest is what the trail adds."""
    drafted = {field.name for field in msgspec.structs.fields(Draft)}
    kept = {field.name for field in msgspec.structs.fields(Event)}

    assert drafted < kept
    assert kept - drafted == {"event_id", "schema_version", "occurred_at", "producer", "salt"}


def test_times_have_microseconds_and_utc() -> None:
    """The time of an event is RFC 3339 in UTC with microseconds."""
    assert json.loads(encode(plain_event()))["occurred_at"] == "2026-01-02T03:04:05.678901Z"


def test_event_types_are_nouns_and_past_verbs() -> None:
    """Every name of an event type is lower-case words joined by dots, and none is used twice."""
    names = [event_type.value for event_type in EventType]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", name) for name in names)


@given(st.emails(), st.binary(min_size=1, max_size=64))
def test_an_address_is_hashed_under_the_key_in_one_spelling(address: str, key: bytes) -> None:
    """The hash is HMAC-SHA256 of the stripped, lower-cased address, whatever spelling came."""
    expected = hmac.new(key, address.strip().lower().encode(), hashlib.sha256).hexdigest()

    assert email_hash(address, key) == email_hash(f"\t {address} \n", key) == expected


@given(ANY_TEXT, st.integers(0, 50))
def test_clean_text_is_short_and_encodable(text: str, characters_max: int) -> None:
    """Cleaned text is no longer than asked, encodes, and keeps every allowed character in its place."""
    cleaned = clean_text(text, characters_max)

    assert len(cleaned) == min(len(text), characters_max)
    assert "\ufffe" not in cleaned
    assert "\uffff" not in cleaned
    cleaned.encode()
    assert all(new in (old, "\ufffd") for old, new in zip(text, cleaned, strict=False))
