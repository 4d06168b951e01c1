"""
From a filter expression to a condition on ``audit.entry_search AS s``.

Column names come from the fixed list of attributes; every value travels as a parameter. A comparison with an attribute that an
entry lacks does not hold, except for ``ne``; and ``not`` turns "does not hold" into "holds", whatever the reason.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from services.audit.filtering.attributes import SUBJECT, Attribute, Kind, Operator
from services.audit.filtering.syntax import And, Comparison, Expression, Not, Or, Present

# Takes a value, returns its placeholder.
Value = Callable[[Any], str]

_ORDER: Final = {Operator.GT: ">", Operator.GE: ">=", Operator.LT: "<", Operator.LE: "<="}
_CASTS: Final = {
    Kind.CODE: "text",
    Kind.PROSE: "text",
    Kind.UUID: "uuid",
    Kind.NUMBER: "numeric",
    Kind.TIME: "timestamptz",
    Kind.HASH: "bytea",
}


def condition(expression: Expression, value: Value) -> str:
    """Return the condition of an expression, ready to stand beside others under AND."""
    match expression:
        case And(operands):
            return "(" + " AND ".join(condition(operand, value) for operand in operands) + ")"
        case Or(operands):
            return "(" + " OR ".join(condition(operand, value) for operand in operands) + ")"
        case Not(operand):
            return f"({condition(operand, value)} IS NOT TRUE)"
        case Present(attribute):
            return f"({_place(attribute, value)} IS NOT NULL)"
        case Comparison(attribute, operator, None):
            return f"({_place(attribute, value)} IS {'NULL' if operator is Operator.EQ else 'NOT NULL'})"
        case Comparison(attribute, operator, wanted):
            return _compared(attribute, operator, wanted, value)


def subjects_of(expression: Expression | None) -> frozenset[str] | None:
    """Return the accounts to which the expression confines a search; None when it is about everybody."""
    match expression:
        case Comparison(attribute, Operator.EQ, str(wanted)) if attribute.name == SUBJECT:
            return frozenset({wanted})
        case And(operands):
            return next((found for one in operands if (found := subjects_of(one)) is not None), None)
        case Or(operands):
            sides = [subjects_of(one) for one in operands]
            known = [side for side in sides if side is not None]
            return frozenset().union(*known) if len(known) == len(sides) else None
        case _:
            return None


def pattern(text: str, *, before: str = "%", after: str = "%") -> str:
    """Return the LIKE pattern of a text, in which nothing but the ends is a wildcard."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{before}{escaped}{after}"


def _compared(attribute: Attribute, operator: Operator, wanted: Any, value: Value) -> str:
    if attribute.kind is Kind.ADDRESS:
        # Stored addresses are single hosts, so a network is a range, and the B-tree serves it.
        inside = f"(s.ip BETWEEN {value(wanted.first)}::inet AND {value(wanted.last)}::inet)"
        return inside if operator is Operator.EQ else f"({inside} IS NOT TRUE)"
    if attribute.kind is Kind.DATA:
        return _data(attribute, operator, wanted, value)
    ignores_case = attribute.kind is Kind.PROSE
    return _plain(f"s.{attribute.column}", operator, wanted, value, cast=_CASTS[attribute.kind], ignores_case=ignores_case)


def _plain(place: str, operator: Operator, wanted: Any, value: Value, *, cast: str, ignores_case: bool = False) -> str:
    match operator:
        case Operator.EQ:
            return f"({place} = {value(wanted)}::{cast})"
        case Operator.NE:
            return f"({place} IS DISTINCT FROM {value(wanted)}::{cast})"
        case Operator.CO | Operator.SW | Operator.EW:
            before = "" if operator is Operator.SW else "%"
            after = "" if operator is Operator.EW else "%"
            like = "ILIKE" if ignores_case else "LIKE"
            return f"({place} {like} {value(pattern(wanted, before=before, after=after))}::text)"
        case _:
            return f"({place} {_ORDER[operator]} {value(wanted)}::{cast})"


def _data(attribute: Attribute, operator: Operator, wanted: Any, value: Value) -> str:
    path = f"{value(list(attribute.path))}::text[]"
    if isinstance(wanted, bool):
        return _plain(f"(s.data #> {path})", operator, "true" if wanted else "false", value, cast="jsonb")
    if isinstance(wanted, Decimal):
        number = f"CASE WHEN jsonb_typeof(s.data #> {path}) = 'number' THEN (s.data #>> {path})::numeric END"
        return _plain(f"({number})", operator, wanted, value, cast="numeric")
    # The columns have this collation. Left to the database's own, the answer would hang on where it runs.
    return _plain(f'((s.data #>> {path}) COLLATE "C")', operator, wanted, value, cast="text", ignores_case=True)


def _place(attribute: Attribute, value: Value) -> str:
    if attribute.kind is Kind.DATA:
        # JSON's null is no value either.
        return f"(s.data #>> {value(list(attribute.path))}::text[])"
    return f"s.{attribute.column}"
