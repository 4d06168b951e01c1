"""Fixtures of the tests that use the product as people do."""

from tests.system.fixtures import (
    browser,
    fresh_limits,
    http,
    newcomer,
    people,
    person,
    simulator,
    vault,
)

__all__ = [
    "browser",
    "fresh_limits",
    "http",
    "newcomer",
    "people",
    "person",
    "simulator",
    "vault",
]
