"""
Fixtures over the real parts.

The servers are taken over by the root's conftest, so that all folders share one of each; the others by each folder's own.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.integration.audit.lab import (
    TEMPLATE,
    Author,
    AwsServer,
    Database,
    PostgresServer,
    QueuePair,
    queue_pair,
    running_aws,
)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A PostgreSQL cluster for the whole run."""
    server = PostgresServer.make(tmp_path_factory.mktemp("postgres"))
    try:
        asyncio.run(server.make_template())
        yield server
    finally:
        server.discard()


@pytest.fixture(scope="session")
def aws_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsServer]:
    """An SQS endpoint for the whole run."""
    with running_aws(tmp_path_factory.mktemp("aws")) as server:
        yield server


@pytest.fixture
async def database(postgres_server: PostgresServer) -> Database:
    """A migrated database of this test's own."""
    return await postgres_server.create_database(template=TEMPLATE)


@pytest.fixture
async def queue(aws_server: AwsServer) -> AsyncIterator[QueuePair]:
    """Two queues of this test's own."""
    async with queue_pair(aws_server) as pair:
        yield pair


@pytest.fixture
def author() -> Author:
    """A producer."""
    return Author()
