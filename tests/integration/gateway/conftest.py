"""What the tests of the gateway start from."""

from tests.integration.gateway.fixtures import authsignal, folder, gateway, http, ledger, people, person, vault

__all__ = ["authsignal", "folder", "gateway", "http", "ledger", "people", "person", "vault"]
