"""
The grammar of a filter expression, as SCIM has it.

::

    expression = term *( "or" term )
    term       = factor *( "and" factor )
    factor     = "(" expression ")"  /  "not" "(" expression ")"  /  attribute "pr"  /  attribute operator value
    operator   = "eq" / "ne" / "co" / "sw" / "ew" / "gt" / "ge" / "lt" / "le"
    value      = a JSON text, number, true, false or null

Words are read in any case. Left out: value paths (``emails[...]``), since no attribute here holds several values.

Source: RFC 7644 section 3.4.2.2.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

from services.audit.filtering.attributes import Attribute, Operator, ValueRefused, check_operator, find_attribute, read_value

EXPRESSION_CHARACTERS_MAX: Final = 2_000
# More than a person types, less than would keep the planner busy.
COMPARISONS_MAX: Final = 50
DEPTH_MAX: Final = 20
NUMBER_CHARACTERS_MAX: Final = 30

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<mark>[()])|(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?\d[\d.eE+-]*)|(?P<word>[A-Za-z][\w.:$-]*)|(?P<end>$))""",
    re.ASCII | re.DOTALL,
)
_CONSTANTS: Final = {"true": True, "false": False, "null": None}


class FilterInvalid(ValueError):
    """The text is no filter expression: `position` is the 1-based place of the first character that does not fit."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


class Comparison(NamedTuple):
    """An attribute beside a value, in the type that the store wants; None is null."""

    attribute: Attribute
    operator: Operator
    value: Any


class Present(NamedTuple):
    """An attribute that has a value."""

    attribute: Attribute


class Not(NamedTuple):
    """Whatever does not fit the operand, entries without the attribute included."""

    operand: "Expression"


class And(NamedTuple):
    """All of the operands hold."""

    operands: "tuple[Expression, ...]"


class Or(NamedTuple):
    """One of the operands holds."""

    operands: "tuple[Expression, ...]"


Expression = Comparison | Present | Not | And | Or


class _Token(NamedTuple):
    kind: str
    text: str
    position: int


def parse_filter(text: str) -> Expression:
    """
    Read a filter expression.

    Raises:
        FilterInvalid: It is none; or it is longer, deeper or names more than anybody needs.
    """
    if len(text) > EXPRESSION_CHARACTERS_MAX:
        raise FilterInvalid(f"Give at most {EXPRESSION_CHARACTERS_MAX:,} characters.", EXPRESSION_CHARACTERS_MAX + 1)
    return _Parser(text).parse()


def comparisons(expression: Expression) -> Iterator[Comparison | Present]:
    """Yield what the expression says about single attributes."""
    match expression:
        case Not(operand):
            yield from comparisons(operand)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from comparisons(operand)
        case _:
            yield expression


class _Parser:
    """Recursive descent; each method reads what it is named for and stands behind it."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._here = next(self._tokens)
        self._comparisons = 0
        self._depth = 0

    def parse(self) -> Expression:
        expression = self._expression()
        if self._here.kind != "end":
            raise self._refused('Join conditions with "and" or "or".')
        return expression

    def _expression(self) -> Expression:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self._refused(f"Nest at most {DEPTH_MAX} pairs of parentheses.")
        operands = [self._term()]
        while self._takes_word("or"):
            operands.append(self._term())
        self._depth -= 1
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def _term(self) -> Expression:
        operands = [self._factor()]
        while self._takes_word("and"):
            operands.append(self._factor())
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def _factor(self) -> Expression:
        if self._here.text == "(":
            return self._group()
        if self._takes_word("not"):
            if self._here.text != "(":
                raise self._refused('Put what "not" is about in parentheses.')
            return Not(self._group())
        return self._comparison()

    def _group(self) -> Expression:
        self._advance()
        inner = self._expression()
        if self._here.text != ")":
            raise self._refused("Here a closing parenthesis is missing.")
        self._advance()
        return inner

    def _comparison(self) -> Comparison | Present:
        if self._here.kind != "word":
            raise self._refused("Here an attribute is missing, such as event_type.")
        attribute = find_attribute(self._here.text)
        if attribute is None:
            raise self._refused(f"There is no attribute {self._here.text[:64]}.")
        self._comparisons += 1
        if self._comparisons > COMPARISONS_MAX:
            raise self._refused(f"Give at most {COMPARISONS_MAX} conditions.")
        self._advance()
        if self._takes_word("pr"):
            return Present(attribute)
        return self._compared(attribute)

    def _compared(self, attribute: Attribute) -> Comparison:
        try:
            operator = Operator(self._here.text.lower())
            check_operator(attribute, operator)
        except ValueRefused as refusal:
            raise self._refused(str(refusal)) from refusal
        except ValueError as error:
            raise self._refused("Here an operator is missing: eq, ne, co, sw, ew, gt, ge, lt, le or pr.") from error
        self._advance()
        try:
            value = read_value(attribute, operator, self._literal())
        except ValueRefused as refusal:
            raise self._refused(str(refusal)) from refusal
        self._advance()
        return Comparison(attribute, operator, value)

    def _literal(self) -> Any:
        kind, text, _ = self._here
        if kind == "text":
            try:
                return json.loads(text)
            except ValueError as error:
                raise self._refused("This text is not written as JSON has it: check its backslashes.") from error
        if kind == "number":
            return self._number(text)
        if kind == "word" and text.lower() in _CONSTANTS:
            return _CONSTANTS[text.lower()]
        raise self._refused("Here a value is missing: text in double quotes, a number, true, false or null.")

    def _number(self, text: str) -> Decimal:
        try:
            number = Decimal(text)
        except InvalidOperation as error:
            raise self._refused("This is no number.") from error
        # What a shorter text stands for may still have a million digits.
        if len(text) > NUMBER_CHARACTERS_MAX or abs(number.adjusted()) > NUMBER_CHARACTERS_MAX:
            raise self._refused("This number is longer than any in the log.")
        return number

    def _takes_word(self, word: str) -> bool:
        if self._here.kind != "word" or self._here.text.lower() != word:
            return False
        self._advance()
        return True

    def _advance(self) -> None:
        self._here = next(self._tokens)

    def _refused(self, message: str) -> FilterInvalid:
        return FilterInvalid(message, self._here.position)


def _tokens(text: str) -> Iterator[_Token]:
    place = 0
    while True:
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            blank = len(text) - len(text[place:].lstrip())
            unclosed = text[blank : blank + 1] == '"'
            raise FilterInvalid(
                "This text has no closing quote." if unclosed else "This character has no place here.", blank + 1
            )
        yield _Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup) + 1)
        place = match.end()
