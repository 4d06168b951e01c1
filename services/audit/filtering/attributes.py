"""
What a filter expression may speak of, and what may be said about it.

Rules:

1. Only the attributes listed here exist; each is a column of ``audit.entry_search``, or below ``data.`` a path into one.
2. Codes and identifiers are compared letter by letter. Of texts that people write (`Kind.PROSE`), parts are found in upper and
   lower case alike.
3. A value of the wrong type is refused, never converted in silence.

Source: RFC 7644 section 3.4.2.2; "caseExact" is of RFC 7643 section 2.2.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.audit.reading import SEARCH_CHARACTERS_MAX, hash_bytes

DATA_PREFIX: Final = "data."
DATA_DEPTH_MAX: Final = 5
SUBJECT: Final = "subject.sub"


class Operator(Enum):
    """How an attribute is compared."""

    EQ = "eq"
    NE = "ne"
    CO = "co"
    SW = "sw"
    EW = "ew"
    GT = "gt"
    GE = "ge"
    LT = "lt"
    LE = "le"


EQUALITY: Final = frozenset({Operator.EQ, Operator.NE})
ORDERED: Final = EQUALITY | {Operator.GT, Operator.GE, Operator.LT, Operator.LE}
EVERY: Final = frozenset(Operator)


class Kind(Enum):
    """What an attribute's values are."""

    CODE = "text"
    PROSE = "text in any case"
    UUID = "UUID"
    NUMBER = "number"
    TIME = "time"
    ADDRESS = "address"
    HASH = "hash"
    DATA = "anything"


class AddressRange(NamedTuple):
    """The first and the last address of a network; both the same for one address."""

    first: IPv4Address | IPv6Address
    last: IPv4Address | IPv6Address


class Attribute(NamedTuple):
    """One attribute: `path` leads into the column of `Kind.DATA`."""

    name: str
    column: str
    kind: Kind
    path: tuple[str, ...] = ()


class ValueRefused(ValueError):
    """The value or the operator does not fit the attribute; the text says what would."""


_COLUMNS: Final = (
    ("event_id", "event_id", Kind.UUID),
    ("event_type", "event_type", Kind.CODE),
    ("outcome", "outcome", Kind.CODE),
    ("reason", "reason", Kind.PROSE),
    ("occurred_at", "occurred_at", Kind.TIME),
    ("producer.service", "service", Kind.CODE),
    ("producer.instance", "instance", Kind.UUID),
    ("producer.seq", "seq", Kind.NUMBER),
    ("request_id", "request_id", Kind.CODE),
    ("attempt_id", "attempt_id", Kind.CODE),
    ("session_ref", "session_ref", Kind.CODE),
    (SUBJECT, "subject_sub", Kind.CODE),
    ("subject.email_hash", "email_hash", Kind.HASH),
    ("actor.kind", "actor_kind", Kind.CODE),
    ("actor.id", "actor_id", Kind.CODE),
    ("client.ip", "ip", Kind.ADDRESS),
    ("client.country", "country", Kind.CODE),
    ("client.device_id", "device_id", Kind.CODE),
    ("client.user_agent", "user_agent", Kind.PROSE),
    ("authsignal.action", "action", Kind.CODE),
    ("authsignal.method", "method", Kind.CODE),
    ("authsignal.state", "state", Kind.CODE),
    ("cognito.operation", "operation", Kind.CODE),
    ("cognito.error", "error", Kind.CODE),
    ("http.route", "route", Kind.CODE),
    ("http.status", "status", Kind.NUMBER),
)
ATTRIBUTES: Final = {name: Attribute(name, column, kind) for name, column, kind in _COLUMNS}

_OPERATORS: Final = {
    Kind.CODE: EVERY,
    Kind.PROSE: EVERY,
    Kind.UUID: EQUALITY,
    Kind.NUMBER: ORDERED,
    Kind.TIME: ORDERED,
    Kind.ADDRESS: EQUALITY,
    Kind.HASH: EQUALITY,
    Kind.DATA: EVERY,
}


def find_attribute(name: str) -> Attribute | None:
    """Return the attribute of a name, in any case as SCIM has it (below ``data.`` case counts); None when there is none."""
    if name.lower().startswith(DATA_PREFIX):
        path = tuple(name[len(DATA_PREFIX) :].split("."))
        if not all(path) or len(path) > DATA_DEPTH_MAX:
            return None
        return Attribute(DATA_PREFIX + ".".join(path), "data", Kind.DATA, path)
    return ATTRIBUTES.get(name.lower())


def check_operator(attribute: Attribute, operator: Operator) -> None:
    """
    Check that an attribute can be compared so.

    Raises:
        ValueRefused: It cannot.
    """
    fitting = _OPERATORS[attribute.kind]
    if operator not in fitting:
        words = ", ".join(one.value for one in Operator if one in fitting)
        raise ValueRefused(f"{attribute.name} takes {words} and pr, not {operator.value}.")


def read_value(attribute: Attribute, operator: Operator, literal: Any) -> Any:
    """
    Return what an attribute is compared with, in the type that the store wants.

    Args:
        attribute: Whose value it is.
        operator: One that fits the attribute.
        literal: The JSON value as typed: text, `Decimal`, bool, or None.

    Raises:
        ValueRefused: The value is of another type.
    """
    if literal is None:
        if operator not in EQUALITY:
            raise ValueRefused("null goes with eq and ne only.")
        return None
    if attribute.kind is Kind.DATA:
        return _data(operator, literal)
    return _READERS[attribute.kind](literal)


def _text(literal: Any) -> str:
    if not isinstance(literal, str):
        raise ValueRefused('Give text in double quotes, such as "success".')
    if not literal or len(literal) > SEARCH_CHARACTERS_MAX or "\0" in literal:
        raise ValueRefused(f"Give 1 to {SEARCH_CHARACTERS_MAX} characters.")
    if any(0xD800 <= ord(char) <= 0xDFFF for char in literal):
        raise ValueRefused("Half of a surrogate pair is no character.")
    return literal


def _uuid(literal: Any) -> UUID:
    try:
        return UUID(_text(literal))
    except ValueError as error:
        raise ValueRefused("Give a UUID in double quotes.") from error


def _number(literal: Any) -> Decimal:
    if not isinstance(literal, Decimal):
        raise ValueRefused("Give a number, without quotes.")
    return literal


def _time(literal: Any) -> datetime:
    message = 'Give a time with its zone in double quotes, such as "2026-01-31T12:00:00Z".'
    try:
        moment = datetime.fromisoformat(_text(literal))
        if moment.tzinfo is None:
            raise ValueRefused(message)
        return moment.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise ValueRefused(message) from error


def _network(literal: Any) -> AddressRange:
    try:
        network = ip_network(_text(literal).strip(), strict=False)
    except ValueError as error:
        raise ValueRefused('Give an address or a network in double quotes, such as "192.0.2.0/24".') from error
    return AddressRange(network[0], network[-1])


def _hash(literal: Any) -> bytes:
    read = hash_bytes(_text(literal))
    if read is None:
        raise ValueRefused("Give 64 hex digits in double quotes.")
    return read


def _data(operator: Operator, literal: Any) -> Any:
    if isinstance(literal, bool):
        if operator not in EQUALITY:
            raise ValueRefused("true and false go with eq and ne only.")
        return literal
    if isinstance(literal, Decimal):
        if operator not in ORDERED:
            raise ValueRefused("Give text in double quotes for co, sw and ew.")
        return literal
    return _text(literal)


_READERS: Final[dict[Kind, Callable[[Any], Any]]] = {
    Kind.CODE: _text,
    Kind.PROSE: _text,
    Kind.UUID: _uuid,
    Kind.NUMBER: _number,
    Kind.TIME: _time,
    Kind.ADDRESS: _network,
    Kind.HASH: _hash,
}
