"""
Whether an entry fits a filter expression, found out here instead of in PostgreSQL: for entries that no database holds.

It says what the condition of `sql` says, since it looks at the same values: those of a `Row`. Texts are compared as bytes, as
the collation "C" does it; where upper and lower case are alike, they are so for A to Z alone.
"""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from ipaddress import ip_address
from operator import contains, eq, ge, gt, le, lt, ne
from typing import Any, Final
from uuid import UUID

from services.audit.filtering.attributes import AddressRange, Attribute, Kind, Operator
from services.audit.filtering.syntax import And, Comparison, Expression, Not, Or, Present
from services.audit.reading import Row

_PARTS: Final = frozenset({Operator.CO, Operator.SW, Operator.EW})
_HOLDS: Final[dict[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQ: eq,
    Operator.NE: ne,
    Operator.CO: contains,
    Operator.SW: bytes.startswith,
    Operator.EW: bytes.endswith,
    Operator.GT: gt,
    Operator.GE: ge,
    Operator.LT: lt,
    Operator.LE: le,
}
_INDEX: Final = re.compile(r"-?[0-9]+")


def fits(expression: Expression, row: Row) -> bool:
    """Return whether an entry fits an expression."""
    match expression:
        case And(operands):
            return all(fits(operand, row) for operand in operands)
        case Or(operands):
            return any(fits(operand, row) for operand in operands)
        case Not(operand):
            return not fits(operand, row)
        case Present(attribute):
            return _value(attribute, row) is not None
        case Comparison(attribute, operator, None):
            return (_value(attribute, row) is None) is (operator is Operator.EQ)
        case Comparison(attribute, operator, wanted):
            return _compares(attribute, operator, _value(attribute, row), wanted)


def is_in(address: str | None, wanted: AddressRange) -> bool:
    """Return whether an address, if there is one, lies in a range."""
    found = ip_address(address) if address is not None else None
    return found is not None and found.version == wanted.first.version and int(wanted.first) <= int(found) <= int(wanted.last)


def _compares(attribute: Attribute, operator: Operator, found: Any, wanted: Any) -> bool:
    match attribute.kind:
        case Kind.ADDRESS:
            return is_in(found, wanted) is (operator is Operator.EQ)
        case Kind.UUID:
            return _holds(operator, UUID(found), wanted)
        case Kind.DATA if not isinstance(wanted, str):
            # Another type than the wanted one is no value; bool and number must not meet, since True equals 1 here.
            return _holds(operator, found if isinstance(found, type(wanted)) else None, wanted)
        case Kind.DATA | Kind.PROSE | Kind.CODE:
            text = None if found is None else _as_text(found).encode()
            if operator in _PARTS and attribute.kind is not Kind.CODE:
                return text is not None and _holds(operator, text.lower(), wanted.encode().lower())
            return _holds(operator, text, wanted.encode())
        case _:
            return _holds(operator, found, wanted)


def _holds(operator: Operator, found: Any, wanted: Any) -> bool:
    return operator is Operator.NE if found is None else _HOLDS[operator](found, wanted)


def _value(attribute: Attribute, row: Row) -> Any:
    """Return what an entry has there, None when nothing."""
    if attribute.kind is not Kind.DATA:
        return getattr(row, attribute.column)
    found = None if row.data is None else json.loads(row.data, parse_int=Decimal, parse_float=Decimal)
    for name in attribute.path:
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and _INDEX.fullmatch(name) and -len(found) <= int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found


def _as_text(value: Any) -> str:
    """Return a text as it is, and any other JSON value as PostgreSQL writes a jsonb."""
    return value if isinstance(value, str) else _jsonb(value)


def _jsonb(value: Any) -> str:
    match value:
        case dict():
            # Shorter names first: the order in which a jsonb keeps them.
            names = sorted(value, key=lambda name: (len(name.encode()), name.encode()))
            return "{" + ", ".join(f"{_jsonb(name)}: {_jsonb(value[name])}" for name in names) + "}"
        case list():
            return "[" + ", ".join(map(_jsonb, value)) + "]"
        case Decimal():
            return format(value if value else value.copy_abs(), "f")  # PostgreSQL's zero has no sign.
        case _:
            return json.dumps(value, ensure_ascii=False)
