"""A gateway whose way to AWS leads through a meddler."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.faults.meddler import Meddler
from tests.integration.gateway.fixtures import EASED, authsignal, folder, http, ledger, people, person, vault
from tests.integration.gateway.process import ServiceProcess, access_key_of, settings_of
from tests.stack import RunningStack

__all__ = ["authsignal", "folder", "http", "ledger", "people", "person", "vault"]


@pytest.fixture(scope="session")
def shared_meddler(stack: RunningStack) -> Iterator[Meddler]:
    """The proxy."""
    meddler = Meddler(stack["aws"]["endpoint_url"])
    meddler.start()
    yield meddler
    meddler.stop()


@pytest.fixture(scope="session")
def gateway(stack: RunningStack, shared_meddler: Meddler, folder: Path) -> Iterator[ServiceProcess]:
    """A gateway that reaches SQS and Cognito through the proxy alone."""
    settings = {**settings_of(stack, "gateway"), **EASED}
    upstream = stack["aws"]["endpoint_url"]
    settings |= {
        "aws_endpoint_url": shared_meddler.url,
        "cognito_endpoint_url": shared_meddler.url,
        "audit_queue_url": settings["audit_queue_url"].replace(upstream, shared_meddler.url),
    }
    process = ServiceProcess("gateway", settings, folder, access_key_of(stack, "gateway"))
    process.start()
    yield process
    process.stop()


@pytest.fixture
async def meddler(shared_meddler: Meddler, http: aiohttp.ClientSession) -> AsyncIterator[Meddler]:
    """The proxy, which lets everything through unless told otherwise."""
    del http
    shared_meddler.meddle()
    yield shared_meddler
    shared_meddler.meddle()
