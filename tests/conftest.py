"""Fixtures that more than one folder of tests uses."""

from tests.contract.table import pytest_terminal_summary
from tests.integration.audit.fixtures import aws_server, postgres_server
from tests.stack import app_origin, aws_account, stack

__all__ = ["app_origin", "aws_account", "aws_server", "postgres_server", "pytest_terminal_summary", "stack"]
