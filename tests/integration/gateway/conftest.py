"""What the tests of the gateway start from."""

from tests.integration.gateway.fixtures import (
    authsignal,
    factors,
    folder,
    gateway,
    holder,
    http,
    ledger,
    payer,
    people,
    person,
    vault,
)

__all__ = ["authsignal", "factors", "folder", "gateway", "holder", "http", "ledger", "payer", "people", "person", "vault"]
