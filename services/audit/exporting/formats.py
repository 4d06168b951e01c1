"""
The formats of an export.

- NDJSON: the entry byte for byte under `event`, beside its place and its hash.
- CSV: one flat row an entry. A cell that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, "CSV
  Injection"), since user agents and reasons come from outside.
- OCSF: one OCSF 1.8.0 event a line.
- Parquet: the flat row and the entry's bytes, zstd.

An entry that was erased is shown in every format by its id, place, hash and times alone; so is one that is damaged and cannot
be read, which NDJSON and OCSF tell apart.
"""

import csv
import io
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, NamedTuple

import msgspec

from services.audit.exporting.ocsf import BASE, OTHER, PRODUCT, VERSION, to_ocsf
from services.audit.parquet import Column, microseconds
from shared.events import Event, decode

_ENCODE: Final = msgspec.json.Encoder().encode
FORMULA_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r")


class Record(NamedTuple):
    """One sealed entry on its way out: `entry` is None when it was erased, or else is damaged and cannot be read."""

    event_id: str
    leaf_index: int
    leaf_hash: bytes
    recorded_at: datetime
    occurred_at: datetime
    entry: bytes | None
    is_erased: bool = False


class Format(Enum):
    """What a file may be written as."""

    NDJSON = "ndjson"
    CSV = "csv"
    OCSF = "ocsf"
    PARQUET = "parquet"


class Shape(NamedTuple):
    """How a file of a format is called and announced."""

    media_type: str
    suffix: str


SHAPES: Final = {
    Format.NDJSON: Shape("application/x-ndjson", "ndjson"),
    Format.CSV: Shape("text/csv; charset=utf-8", "csv"),
    Format.OCSF: Shape("application/x-ndjson", "ocsf.ndjson"),
    Format.PARQUET: Shape("application/vnd.apache.parquet", "parquet"),
}

COLUMNS: Final = (
    Column("event_id", "VARCHAR"),
    Column("leaf_index", "BIGINT"),
    Column("leaf_hash", "VARCHAR"),
    Column("recorded_at", "TIMESTAMP"),
    Column("occurred_at", "TIMESTAMP"),
    Column("event_type", "VARCHAR"),
    Column("outcome", "VARCHAR"),
    Column("reason", "VARCHAR"),
    Column("service", "VARCHAR"),
    Column("instance", "VARCHAR"),
    Column("seq", "BIGINT"),
    Column("request_id", "VARCHAR"),
    Column("trace_id", "VARCHAR"),
    Column("attempt_id", "VARCHAR"),
    Column("session_ref", "VARCHAR"),
    Column("subject_sub", "VARCHAR"),
    Column("email_hash", "VARCHAR"),
    Column("actor_kind", "VARCHAR"),
    Column("actor_id", "VARCHAR"),
    Column("ip", "VARCHAR"),
    Column("country", "VARCHAR"),
    Column("user_agent", "VARCHAR"),
    Column("method", "VARCHAR"),
    Column("state", "VARCHAR"),
    Column("http_method", "VARCHAR"),
    Column("http_route", "VARCHAR"),
    Column("http_status", "BIGINT"),
    Column("data", "VARCHAR"),
)
ENTRY: Final = Column("entry", "BLOB")


def ndjson(record: Record) -> bytes:
    """Return a record as a line of NDJSON."""
    made: dict[str, Any] = {
        "event_id": record.event_id,
        "leaf_index": record.leaf_index,
        "leaf_hash": record.leaf_hash.hex(),
        "recorded_at": record.recorded_at,
    }
    if record.entry is None:
        return _ENCODE({**made, "event": None, "erased": record.is_erased}) + b"\n"
    return _ENCODE({**made, "event": msgspec.Raw(record.entry)}) + b"\n"


def ocsf(record: Record) -> bytes:
    """Return a record as a line with an OCSF event."""
    if record.entry is None:
        return _ENCODE(_without_entry(record)) + b"\n"
    event = decode(record.entry)
    made = to_ocsf(event, leaf_hash=record.leaf_hash, leaf_index=record.leaf_index, recorded_at=record.recorded_at)
    return _ENCODE(made) + b"\n"


def csv_header() -> bytes:
    """Return the first line of a CSV file."""
    return _csv([column.name for column in COLUMNS])


def csv_row(record: Record) -> bytes:
    """Return a record as a row of CSV."""
    return _csv(_cell(value) for value in flat(record))


def parquet_row(record: Record) -> list[Any]:
    """Return a record as a row for the columns `COLUMNS` and `ENTRY`."""
    return [*(microseconds(value) if isinstance(value, datetime) else value for value in flat(record)), record.entry]


def flat(record: Record) -> list[Any]:
    """Return a record's values in the order of `COLUMNS`; those of an erased entry end with its times."""
    known: list[Any] = [
        record.event_id,
        record.leaf_index,
        record.leaf_hash.hex(),
        record.recorded_at,
        record.occurred_at,
    ]
    if record.entry is None:
        return known + [None] * (len(COLUMNS) - len(known))
    return known + _flat(decode(record.entry))


LINES: Final[dict[Format, tuple[Callable[[], bytes], Callable[[Record], bytes]]]] = {
    Format.NDJSON: (bytes, ndjson),
    Format.CSV: (csv_header, csv_row),
    Format.OCSF: (bytes, ocsf),
}


def _flat(event: Event) -> list[Any]:
    subject, actor, client, http = event.subject, event.actor, event.client, event.http
    authsignal = event.authsignal
    return [
        event.event_type.value,
        event.outcome.value,
        event.reason,
        event.producer.service,
        event.producer.instance,
        event.producer.seq,
        event.request_id,
        event.trace_id,
        event.attempt_id,
        event.session_ref,
        subject.sub if subject else None,
        subject.email_hash if subject else None,
        actor.kind if actor else None,
        actor.id if actor else None,
        client.ip if client else None,
        client.country if client else None,
        client.user_agent if client else None,
        authsignal.method if authsignal else None,
        authsignal.state if authsignal else None,
        http.method if http else None,
        http.route if http else None,
        http.status if http else None,
        _ENCODE(event.data).decode() if event.data else None,
    ]


def _without_entry(record: Record) -> dict[str, Any]:
    said = "was erased" if record.is_erased else "is damaged and cannot be read"
    return {
        "activity_id": OTHER,
        "activity_name": "Erased" if record.is_erased else "Damaged",
        "category_uid": BASE,
        "class_uid": BASE,
        "type_uid": OTHER,
        "severity_id": 1,
        "time": microseconds(record.occurred_at) // 1000,
        "message": f"This entry {said}. Its place and hash remain.",
        "metadata": {"version": VERSION, "product": PRODUCT, "uid": record.event_id},
        "raw_data_hash": {"algorithm_id": 3, "algorithm": "SHA-256", "value": record.leaf_hash.hex()},
        "unmapped": {"leaf_index": record.leaf_index, "erased": record.is_erased},
    }


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, str) and value.startswith(FORMULA_BEGINS):
        return "'" + value
    return value


def _csv(cells: Iterable[Any]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()
