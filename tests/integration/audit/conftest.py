"""Fixtures of the audit service's integration tests."""

from tests.integration.audit.fixtures import author, database, queue

__all__ = ["author", "database", "queue"]
