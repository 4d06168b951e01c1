"""
Cognito's own record: the log that a user pool exports (``userAuthEvents``) to CloudWatch Logs, Firehose or S3.

One JSON object a line, or the lines of a CloudWatch export with the object inside ``message``. Times come as epoch
milliseconds, and inside the message as ``Wed Jul 17 17:25:55 UTC 2024``. What cannot be read is counted, never guessed.

Source: Amazon Cognito Developer Guide, "Exporting logs from Amazon Cognito user pools".
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec

from services.audit.reconciliation.sightings import SIGN_IN, SIGN_UP
from shared.events import TEXT_CHARACTERS_MAX

KINDS: Final = {"signin": SIGN_IN, "signup": SIGN_UP}
PASSED: Final = "pass"
DATE_FORMAT: Final = "%a %b %d %H:%M:%S UTC %Y"


class CognitoRecord(NamedTuple):
    """One sign-in or sign-up that Cognito let through."""

    record_id: str
    kind: str
    sub: str
    occurred_at: datetime
    ip: str | None
    client_id: str | None


class Imported(NamedTuple):
    """What could be read: records that count, lines about something else, and lines that are no such record (1-based)."""

    records: list[CognitoRecord]
    other_count: int
    unreadable: list[int]


def read_log(lines: Iterable[bytes]) -> Imported:
    """Read an export. Never raises on account of a line."""
    records: list[CognitoRecord] = []
    unreadable: list[int] = []
    others = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        message = _message(line)
        if message is None:
            unreadable.append(number)
            continue
        kind = KINDS.get(str(message.get("eventType", "")).replace("_", "").lower())
        if kind is None or str(message.get("eventResponse", "")).lower() != PASSED:
            others += 1
            continue
        record = _record(kind, message)
        if record is None:
            unreadable.append(number)
        else:
            records.append(record)
    return Imported(records, others, unreadable)


def _message(line: bytes) -> dict[str, Any] | None:
    """Return the innermost message, with the envelope's time when it has none of its own."""
    outer = _object(line)
    if outer is None:
        return None
    inner = outer.get("message", outer)
    if isinstance(inner, str):
        inner = _object(inner.encode())
        if inner is not None and "message" in inner:
            return _message(msgspec.json.encode(inner))
    if not isinstance(inner, dict) or "eventType" not in inner:
        return None
    return {"eventTimestamp": outer.get("eventTimestamp", outer.get("timestamp")), **inner}


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _record(kind: str, message: dict[str, Any]) -> CognitoRecord | None:
    record_id, sub = message.get("eventId"), message.get("userSub")
    at = _time(message.get("eventTimestamp")) or _time(message.get("creationDate"))
    if not isinstance(record_id, str) or not isinstance(sub, str) or not record_id or not sub or at is None:
        return None
    ip, client_id = message.get("ipAddress"), message.get("clientId")
    texts = [value if isinstance(value, str) and value else None for value in (ip, client_id)]
    # An event of this would be larger than the queue takes, and hold up all that are recorded after it.
    if any(text is not None and len(text) > TEXT_CHARACTERS_MAX for text in (record_id, sub, *texts)):
        return None
    return CognitoRecord(record_id, kind, sub, at, *texts)


def _time(value: Any) -> datetime | None:
    try:
        if isinstance(value, str) and not value.isdigit():
            if " UTC " in value:
                return datetime.strptime(value, DATE_FORMAT).replace(tzinfo=UTC)
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo is not None else None
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
