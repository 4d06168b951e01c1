"""
From the bytes of a queue message to rows, without I/O.

Rules:

1. A line's bytes are the entry, exactly as they came; nothing here serialises them again.
2. Identity is strict: an entry needs to be an event of the schema with a UUIDv7 as `event_id`, a UUID as producer instance and
   a time with a zone. Anything else is a flaw: the line goes to quarantine, its neighbours are not touched.
3. What is extracted for search is lenient: a value that cannot be searched (an `ip` that is none) is left out, cut or cleaned,
   and the entry is kept all the same.
4. No bytes whatever make these functions raise: they come from outside, and one bad line must not stop the queue.
"""

import hashlib
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, NamedTuple

import msgspec

from services.audit.moments import storable
from services.audit.tree.bundles import ENTRY_BYTES_MAX
from shared.events import Event, EventType, Producer, decode, leaf_hash
from shared.ids import is_uuid

# Longer values do not fit into an index row (2,704 bytes); they stay findable by their beginning.
SEARCH_CHARACTERS_MAX: Final = 256
WORDS_CHARACTERS_MAX: Final = 2_048
DETAIL_CHARACTERS_MAX: Final = 300
DATA_BYTES_MAX: Final = 4_096
# References to people in the event of one read: as many as a page has rows, and those that were asked for.
SUBJECT_REFS_MAX: Final = 1_100
SUBJECT_REF: Final = re.compile(r"[0-9a-f]{32}")
HASH: Final = re.compile(r"[0-9a-fA-F]{64}")
SUBJECT_REFS: Final = "subject_refs"
# PostgreSQL's numbers of 32 bits.
STATUS_MAX: Final = 2**31 - 1
# Ranges of numbers are kept with their end exclusive, in 64 bits.
SEQ_MAX: Final = 2**63 - 2
UUID_VERSION_AT: Final = 14  # Where the version digit stands in the text of a UUID.


class _Authored(msgspec.Struct):
    """A line of which only the producer counts."""

    producer: Producer


_READ_PRODUCER = msgspec.json.Decoder(_Authored).decode


class Flaw(Enum):
    """Why a line is in quarantine. Part of the metric's labels and of the stored rows: never renamed."""

    EMPTY_MESSAGE = "empty_message"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NOT_AN_EVENT = "not_an_event"
    BAD_IDENTITY = "bad_identity"
    CONFLICTING_ENTRY = "conflicting_entry"
    REFUSED_BY_STORE = "refused_by_store"
    TOO_LARGE = "too_large"


class Row(NamedTuple):
    """One entry and what can be searched in it, in the order of the append statement's parameters."""

    event_id: str
    entry: bytes
    leaf_hash: bytes
    occurred_at: datetime
    event_type: str
    outcome: str
    service: str
    instance: str
    seq: int
    request_id: str | None
    attempt_id: str | None
    session_ref: str | None
    subject_sub: str | None
    email_hash: bytes | None
    ip: str | None
    method: str | None
    state: str | None
    words: str
    reason: str | None
    country: str | None
    device_id: str | None
    user_agent: str | None
    action: str | None
    operation: str | None
    error: str | None
    route: str | None
    status: int | None
    actor_kind: str | None
    actor_id: str | None
    data: str | None
    subject_refs: str | None
    words_id: str


class Origin(NamedTuple):
    """Where a line came from: `line_no` is 1-based within the message."""

    message_id: str
    line_no: int


class FlawedLine(NamedTuple):
    """A line that could not become an entry, kept as evidence."""

    origin: Origin
    line: bytes
    flaw: Flaw
    detail: str

    @property
    def producer(self) -> tuple[str, int] | None:
        """Return instance and number of whoever wrote the line, when that much of it can be read."""
        try:
            producer = _READ_PRODUCER(self.line).producer
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        return (producer.instance, producer.seq) if _is_identity(producer) else None

    @property
    def sha256(self) -> bytes:
        """Return the digest of the line."""
        return hashlib.sha256(self.line).digest()


class Reading(NamedTuple):
    """What was read out of one message."""

    rows: list[tuple[Origin, Row]]
    flawed: list[FlawedLine]
    size_bytes: int


class LineFlawed(Exception):
    """A line is no entry: `flaw` says which rule it breaks, `detail` where."""

    def __init__(self, flaw: Flaw, detail: str) -> None:
        super().__init__(detail)
        self.flaw = flaw
        self.detail = clean_detail(detail)


def read_message(message_id: str, body: str) -> Reading:
    """Split a message into entries and flawed lines. Never raises on account of the body."""
    # A queue may hand over half of a surrogate pair, which is no text; its bytes are still evidence.
    data = body.encode("utf-8", "surrogatepass")
    rows: list[tuple[Origin, Row]] = []
    flawed: list[FlawedLine] = []
    for line_no, line in _lines(data):
        origin = Origin(message_id, line_no)
        try:
            rows.append((origin, read_line(line)))
        except LineFlawed as error:
            flawed.append(FlawedLine(origin, line, error.flaw, error.detail))
    if not rows and not flawed:
        flawed.append(FlawedLine(Origin(message_id, 1), data, Flaw.EMPTY_MESSAGE, "the message holds no line"))
    return Reading(rows, flawed, len(data))


def read_line(line: bytes) -> Row:
    """
    Read one line.

    Raises:
        LineFlawed: The line is no entry.
    """
    event = _decode(line)
    producer = event.producer
    if not is_uuid(event.event_id) or event.event_id[UUID_VERSION_AT] != "7":
        raise LineFlawed(Flaw.BAD_IDENTITY, "event_id is no UUIDv7 in lower case")
    if not _is_identity(producer):
        raise LineFlawed(Flaw.BAD_IDENTITY, "producer.instance is no UUID in lower case, or producer.seq is out of range")
    subject, client, authsignal = event.subject, event.client, event.authsignal
    cognito, http, actor = event.cognito, event.http, event.actor
    words = _words(event)
    agent = searchable(client.user_agent) if client else None
    return Row(
        event.event_id,
        line,
        leaf_hash(line),
        storable(_utc(event.occurred_at)),
        event.event_type.value,
        event.outcome.value,
        searchable(producer.service) or "",
        producer.instance,
        producer.seq,
        searchable(event.request_id),
        searchable(event.attempt_id),
        searchable(event.session_ref),
        searchable(subject.sub) if subject else None,
        hash_bytes(subject.email_hash) if subject else None,
        address(client.ip) if client else None,
        searchable(authsignal.method) if authsignal else None,
        searchable(authsignal.state) if authsignal else None,
        words,
        searchable(event.reason),
        searchable(client.country) if client else None,
        searchable(client.device_id) if client else None,
        agent,
        searchable(authsignal.action) if authsignal else None,
        searchable(cognito.operation) if cognito else None,
        searchable(cognito.error) if cognito else None,
        searchable(http.route) if http else None,
        _status(http.status) if http else None,
        searchable(actor.kind) if actor else None,
        searchable(actor.id) if actor else None,
        searchable_data(event.data) if event.data else None,
        subject_refs(event) if event.event_type is EventType.AUDIT_QUERY_EXECUTED else None,
        words_id(words, agent),
    )


def searchable(text: str | None) -> str | None:
    """Return the part of a text that the store can index: no NUL (PostgreSQL refuses it), not too long."""
    if text is None:
        return None
    return text[:SEARCH_CHARACTERS_MAX].replace("\0", "\ufffd")


def searchable_data(data: dict[str, Any]) -> str | None:
    """Return the members of ``data`` as JSON that the store takes, or None when they are too long, or hold what it refuses."""
    try:
        text = msgspec.json.encode({name: value for name, value in data.items() if name != SUBJECT_REFS})
    except (UnicodeEncodeError, RecursionError):
        return None
    return None if len(text) > DATA_BYTES_MAX or b"\\u0000" in text else text.decode()


def subject_refs(event: Event) -> str | None:
    """Return the keyed references of the people whom a read was about as PostgreSQL writes a bytea[]; None for nobody."""
    refs = event.data.get(SUBJECT_REFS)
    if not isinstance(refs, list):
        return None
    good = [ref for ref in refs[:SUBJECT_REFS_MAX] if isinstance(ref, str) and SUBJECT_REF.fullmatch(ref)]
    # As text: unnest would take an array of arrays apart to its last element.
    return "{" + ",".join(rf'"\\x{ref}"' for ref in good) + "}" if good else None


def words_id(words: str, user_agent: str | None) -> str:
    """
    Return the name under which a text, and the browser in it, stand in the list of texts: 128 bits of SHA-256, in hex.

    Nobody can make up a second text with the name of a first one, and so hide it from free-text search.
    """
    return hashlib.sha256(f"{words}\0{user_agent or ''}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def hash_bytes(text: str | None) -> bytes | None:
    """Return the 32 bytes of a hash in hex, or None when it is no such hash."""
    return bytes.fromhex(text) if text is not None and HASH.fullmatch(text) else None


def address(text: str | None) -> str | None:
    """Return an IP address as PostgreSQL reads it, or None when the text is none."""
    if text is None:
        return None
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):
        return None
    return text


def clean_detail(text: str) -> str:
    """Return a reason fit for a text column."""
    return text[:DETAIL_CHARACTERS_MAX].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    for line_no, line in enumerate(data.split(b"\n"), start=1):
        if line:
            yield line_no, line


def _is_identity(producer: Producer) -> bool:
    return is_uuid(producer.instance) and 0 <= producer.seq <= SEQ_MAX


def _decode(line: bytes) -> Event:
    if len(line) > ENTRY_BYTES_MAX:
        raise LineFlawed(Flaw.TOO_LARGE, f"an entry has at most {ENTRY_BYTES_MAX:,} bytes, this line has {len(line):,}")
    if b"\r" in line:
        raise LineFlawed(Flaw.NOT_AN_EVENT, "a line break inside the entry")
    try:
        line.decode()
    except UnicodeDecodeError as error:
        raise LineFlawed(Flaw.NOT_UTF8, f"{error.reason} at byte {error.start}") from error
    try:
        return decode(line)
    except msgspec.ValidationError as error:
        raise LineFlawed(Flaw.NOT_AN_EVENT, str(error)) from error
    except (msgspec.DecodeError, ValueError) as error:
        raise LineFlawed(Flaw.NOT_JSON, str(error)) from error
    except RecursionError as error:
        raise LineFlawed(Flaw.NOT_AN_EVENT, "nested too deeply") from error


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise LineFlawed(Flaw.BAD_IDENTITY, "occurred_at has no zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise LineFlawed(Flaw.BAD_IDENTITY, "occurred_at is out of range") from error


def _status(status: int | None) -> int | None:
    return status if status is None or 0 <= status <= STATUS_MAX else None


def _words(event: Event) -> str:
    # Nothing that is new with every event: few texts stand for many entries, and free-text search looks through the texts.
    texts: list[str | None] = [event.event_type.value, event.reason]
    if event.client is not None:
        texts += [event.client.user_agent, event.client.country]
    if event.authsignal is not None:
        texts += [event.authsignal.action, event.authsignal.method, event.authsignal.state]
    if event.cognito is not None:
        texts += [event.cognito.operation, event.cognito.error]
    if event.http is not None:
        texts.append(event.http.route)
    if event.actor is not None:
        texts.append(event.actor.id)
    return " ".join([text for text in texts if text]).lower()[:WORDS_CHARACTERS_MAX].replace("\0", "\ufffd")
