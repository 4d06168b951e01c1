"""
Conditions of rules, in the form of JSON Logic. Pure.

A condition is `{"operator": [operands]}`; an operand is a literal, a list, or another condition; `{"var": "a.b"}` looks a
name up. What is missing is null, and null compares as unequal to everything else and as neither smaller nor larger.
"""

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

_DEPTH_MAX = 20


class BadCondition(ValueError):
    """A condition that cannot mean anything: an unknown operator, a wrong number of operands, or too deep."""


def holds(condition: Any, facts: Mapping[str, Any]) -> bool:
    """Whether a checked condition is true of these facts (a nested mapping)."""
    return bool(_value(condition, facts))


def check(condition: Any, *, depth: int = 0) -> None:
    """
    Refuse a condition that `holds` could not evaluate.

    Raises:
        BadCondition: It says which part is wrong.
    """
    if depth > _DEPTH_MAX:
        raise BadCondition("a condition may be nested 20 times at most")
    if isinstance(condition, list):
        for item in condition:
            check(item, depth=depth + 1)
    if not isinstance(condition, dict):
        return
    operator, operands = _parts(condition)
    if operator == "var":
        if len(operands) != 1 or not isinstance(operands[0], str):
            raise BadCondition("var needs one name")
        return
    if operator not in _OPERATORS and operator not in ("and", "or"):
        known = ", ".join(sorted([*_OPERATORS, "and", "or", "var"]))
        raise BadCondition(f"no such operator: {operator}; there are {known}")
    if operator in _OPERATORS and len(operands) != _OPERATORS[operator][0]:
        raise BadCondition(f"{operator} needs {_OPERATORS[operator][0]} operands, not {len(operands)}")
    for operand in operands:
        check(operand, depth=depth + 1)


def _parts(condition: dict[str, Any]) -> tuple[str, list[Any]]:
    if len(condition) != 1:
        raise BadCondition("a condition is an object with one member, the operator")
    ((operator, operands),) = condition.items()
    return operator, operands if isinstance(operands, list) else [operands]


def _value(condition: Any, facts: Mapping[str, Any]) -> Any:
    if isinstance(condition, list):
        return [_value(item, facts) for item in condition]
    if not isinstance(condition, dict):
        return condition
    operator, operands = _parts(condition)
    if operator == "var":
        return _look_up(str(operands[0]), facts)
    if operator == "and":
        return all(_value(operand, facts) for operand in operands)
    if operator == "or":
        return any(_value(operand, facts) for operand in operands)
    return _OPERATORS[operator][1](*(_value(operand, facts) for operand in operands))


def _look_up(path: str, facts: Mapping[str, Any]) -> Any:
    value: Any = facts
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return value


def _compare(test: Callable[[float, float], bool]) -> Callable[[Any, Any], bool]:
    def compare(left: Any, right: Any) -> bool:
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            return False
        return test(left, right)

    return compare


def _in(needle: Any, haystack: Any) -> bool:
    if isinstance(haystack, str):
        return isinstance(needle, str) and needle in haystack
    return isinstance(haystack, list) and needle in haystack


def _in_network(address: Any, networks: Any) -> bool:
    """One address against networks in CIDR form; what is no address or network does not match."""
    try:
        parsed = ipaddress.ip_address(str(address))
        wanted = networks if isinstance(networks, list) else [networks]
        return any(parsed in ipaddress.ip_network(str(network), strict=False) for network in wanted)
    except ValueError:
        return False


_OPERATORS: dict[str, tuple[int, Callable[..., Any]]] = {
    "==": (2, lambda left, right: left == right),
    "!=": (2, lambda left, right: left != right),
    "<": (2, _compare(lambda left, right: left < right)),
    "<=": (2, _compare(lambda left, right: left <= right)),
    ">": (2, _compare(lambda left, right: left > right)),
    ">=": (2, _compare(lambda left, right: left >= right)),
    "!": (1, lambda value: not value),
    "in": (2, _in),
    "inNetwork": (2, _in_network),
}
