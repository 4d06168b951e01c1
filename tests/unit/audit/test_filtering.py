"""The grammar of filter expressions, and the conditions that they become."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.filtering.attributes import ATTRIBUTES, AddressRange, Attribute, Kind, Operator
from services.audit.filtering.sql import condition, subjects_of
from services.audit.filtering.syntax import (
    COMPARISONS_MAX,
    DEPTH_MAX,
    And,
    Comparison,
    Expression,
    FilterInvalid,
    Not,
    Or,
    Present,
    comparisons,
    parse_filter,
)

OUTCOME, REASON = ATTRIBUTES["outcome"], ATTRIBUTES["reason"]
FAILED = Comparison(OUTCOME, Operator.EQ, "failure")


def compiled(text: str) -> tuple[str, list[Any]]:
    """Return the condition of an expression, and its values."""
    values: list[Any] = []

    def value(one: Any) -> str:
        values.append(one)
        return f"${len(values)}"

    return condition(parse_filter(text), value), values


READ: dict[str, Expression] = {
    'outcome eq "failure"': FAILED,
    '  OUTCOME   Eq   "failure"  ': FAILED,
    "reason pr": Present(REASON),
    "reason eq null": Comparison(REASON, Operator.EQ, None),
    'reason co "a\\"b\\u00e9"': Comparison(REASON, Operator.CO, 'a"bé'),
    "http.status ge 500": Comparison(ATTRIBUTES["http.status"], Operator.GE, Decimal(500)),
    'client.ip eq "192.0.2.7/24"': Comparison(
        ATTRIBUTES["client.ip"], Operator.EQ, AddressRange(ip_address("192.0.2.0"), ip_address("192.0.2.255"))
    ),
    'occurred_at lt "2026-01-31T13:00:00+01:00"': Comparison(
        ATTRIBUTES["occurred_at"], Operator.LT, datetime(2026, 1, 31, 12, tzinfo=UTC)
    ),
    "data.Limits.max gt -1.5e2": Comparison(
        Attribute("data.Limits.max", "data", Kind.DATA, ("Limits", "max")), Operator.GT, Decimal("-150")
    ),
    "data.fast eq TRUE": Comparison(Attribute("data.fast", "data", Kind.DATA, ("fast",)), Operator.EQ, True),
    'reason pr or reason pr and outcome eq "failure"': Or((Present(REASON), And((Present(REASON), FAILED)))),
    '(reason pr or reason pr) and outcome eq "failure"': And((Or((Present(REASON), Present(REASON))), FAILED)),
    'not (outcome eq "failure") and reason pr': And((Not(FAILED), Present(REASON))),
    'NOT(NOT(outcome eq "failure"))': Not(Not(FAILED)),
}


@pytest.mark.parametrize("text", READ)
def test_expressions_are_read_as_scim_has_them(text: str) -> None:
    """
    "and" binds closer than "or", words and names may be in any case, values are JSON's.
    """
    assert parse_filter(text) == READ[text]


REFUSED = {
    "": (1, "attribute is missing"),
    "outcome": (8, "operator is missing"),
    "outcome eq": (11, "value is missing"),
    'outcome is "failure"': (9, "operator is missing"),
    'colour eq "red"': (1, "no attribute colour"),
    'reason pr and colour eq "red"': (15, "no attribute colour"),
    "outcome eq failure": (12, "value is missing"),
    'outcome eq "failure': (12, "no closing quote"),
    "outcome eq 'failure'": (12, "no place here"),
    'outcome eq "a" outcome eq "b"': (16, '"and" or "or"'),
    '(outcome eq "a"': (16, "closing parenthesis"),
    'outcome eq "a")': (15, '"and" or "or"'),
    'not outcome eq "a"': (5, "in parentheses"),
    "outcome eq 5": (12, "text in double quotes"),
    'http.status eq "200"': (16, "number, without quotes"),
    "http.status eq 1e999999999": (16, "longer than any"),
    "http.status eq 1.2.3": (16, "no number"),
    'client.ip gt "192.0.2.1"': (11, "takes eq, ne and pr"),
    'client.ip eq "localhost"': (14, "address or a network"),
    'occurred_at gt "2026-01-31"': (16, "time with its zone"),
    'event_id eq "1"': (13, "UUID"),
    'subject.email_hash eq "ada@example.test"': (23, "hex digits"),
    "reason gt null": (11, "null goes with"),
    "data.x co 5": (11, "double quotes"),
    "data.x gt true": (11, "eq and ne"),
    "data..x pr": (1, "no attribute"),
    'reason eq "\\x"': (11, "backslashes"),
    'reason eq ""': (11, "1 to 256"),
    'reason eq "a\\u0000"': (11, "1 to 256"),
    'reason eq "\\ud800"': (11, "surrogate"),
    "reason pr; drop": (10, "no place here"),
    " and ".join(["reason pr"] * (COMPARISONS_MAX + 1)): (14 * COMPARISONS_MAX + 1, "conditions"),
    "(" * DEPTH_MAX + "reason pr" + ")" * DEPTH_MAX: (DEPTH_MAX + 1, "Nest at most"),
    " " * 2001: (2001, "2,000 characters"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_does_not_fit_is_named_with_its_place(text: str) -> None:
    """
    A text that is no expression is refused with the 1-based place of the first character that does not fit, and what would.
    """
    position, words = REFUSED[text]

    with pytest.raises(FilterInvalid) as refused:
        parse_filter(text)

    assert words in refused.value.message
    assert refused.value.position == position


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
CODES = st.sampled_from([one for one in ATTRIBUTES.values() if one.kind in (Kind.CODE, Kind.PROSE)])
LEAVES = st.one_of(
    st.builds(Present, st.sampled_from(list(ATTRIBUTES.values()))),
    st.builds(Comparison, CODES, st.sampled_from(Operator), TEXTS),
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda two: And(tuple(two)), st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda two: Or(tuple(two)), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=10,
)


def written(expression: Expression) -> str:
    """Return an expression as somebody types it who puts everything in parentheses."""
    match expression:
        case Present(attribute):
            return f"{attribute.name} pr"
        case Comparison(attribute, operator, value):
            return f"{attribute.name} {operator.value} {json.dumps(value)}"
        case Not(operand):
            return f"not ({written(operand)})"
        case And(operands):
            return " and ".join(f"({written(one)})" for one in operands)
        case Or(operands):
            return " or ".join(f"({written(one)})" for one in operands)


@given(EXPRESSIONS)
def test_what_is_written_is_what_is_read(expression: Expression) -> None:
    """
    An expression that is typed out is read back as the same; and in SQL its values are parameters, all of them, in order.
    """
    text = written(expression)
    assert parse_filter(text) == expression

    sql, values = compiled(text)

    compared = [one for one in comparisons(expression) if isinstance(one, Comparison)]
    assert len(values) == len(compared)
    assert re.findall(r"\$(\d+)", sql) == [str(place + 1) for place in range(len(values))]
    assert "'" not in sql
    assert sql.count("(") == sql.count(")")


@given(st.text(max_size=60))
def test_no_text_whatever_makes_the_reader_fall_over(text: str) -> None:
    """
    Whatever is typed is an expression, or is refused with a place inside the text or right behind it.
    """
    position = 1
    try:
        parse_filter(text)
    except FilterInvalid as refused:
        position = refused.position
    assert 1 <= position <= len(text) + 1


@given(TEXTS, st.sampled_from(["eq", "co", "sw", "ew", "gt", "ne"]))
def test_no_value_becomes_sql(text: str, operator: str) -> None:
    """
    The condition is the same whatever it compares with, except for the number of its parameter.
    """
    for name in ("reason", "data.note", "subject.sub"):
        sql, values = compiled(f"{name} {operator} {json.dumps(text)}")

        assert sql == compiled(f'{name} {operator} "x"')[0]
        assert text in values or any(text[0] in str(value) for value in values)


def test_wildcards_of_sql_are_ordinary_characters() -> None:
    """
    A percent sign, an underscore or a backslash in a text finds itself.
    """
    assert compiled('client.user_agent co "100%_\\\\"') == ("(s.user_agent ILIKE $1::text)", ["%100\\%\\_\\\\%"])
    assert compiled('event_type sw "sign_in."') == ("(s.event_type LIKE $1::text)", ["sign\\_in.%"])


def test_an_absent_attribute_differs_from_every_value() -> None:
    """
    "ne" and "not" hold for entries that have no such attribute: a search for what is not so leaves out nobody.
    """
    assert compiled('reason ne "x"')[0] == "(s.reason IS DISTINCT FROM $1::text)"
    assert compiled('not (reason eq "x")')[0] == "((s.reason = $1::text) IS NOT TRUE)"


ABOUT = {
    'subject.sub eq "ada"': {"ada"},
    'outcome eq "failure" and (subject.sub eq "ada")': {"ada"},
    'subject.sub eq "ada" or subject.sub eq "bob"': {"ada", "bob"},
    'subject.sub eq "ada" or outcome eq "failure"': None,
    'not (subject.sub eq "ada")': None,
    'subject.sub ne "ada"': None,
    "subject.sub pr": None,
}


@pytest.mark.parametrize("text", ABOUT)
def test_whom_an_expression_is_about(text: str) -> None:
    """
    The accounts to which an expression confines a search are known, and only when it does.
    """
    assert subjects_of(parse_filter(text)) == ABOUT[text]
