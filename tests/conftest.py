"""Fixtures that more than one folder of tests uses, and how property tests run."""

from hypothesis import HealthCheck, settings

from tests.contract.table import pytest_terminal_summary
from tests.integration.audit.fixtures import aws_server, postgres_server
from tests.stack import app_origin, aws_account, stack

__all__ = ["app_origin", "aws_account", "aws_server", "postgres_server", "pytest_terminal_summary", "stack"]

# A busy machine may stand still in any example: how long one takes says nothing of the property.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
