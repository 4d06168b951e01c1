"""Fixtures that more than one folder of tests uses."""

from tests.stack import aws_account, stack

__all__ = ["aws_account", "stack"]
