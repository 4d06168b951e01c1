"""Both app clients of the deployed pool."""

import pytest

from tests.integration.aws.people import People
from tests.stack import RunningStack


@pytest.fixture
def gateway(aws_account: RunningStack) -> People:
    """The gateway's confidential client."""
    return People.through_gateway(aws_account)


@pytest.fixture
def direct(aws_account: RunningStack) -> People:
    """The public client."""
    return People.direct(aws_account)
