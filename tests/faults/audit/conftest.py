"""Fixtures of the audit service's fault tests."""

from tests.integration.audit.fixtures import author, aws_server, database, postgres_server, queue

__all__ = ["author", "aws_server", "database", "postgres_server", "queue"]
