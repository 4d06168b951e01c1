"""The app at its own origin, people who use it, and the log behind."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext

from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.process import ServiceProcess, access_key_of, settings_of
from tests.stack import RunningStack
from tests.system.direct.app import App
from tests.system.direct.cognito import NodeCognito
from tests.system.direct.page import PageServer

Apps = Callable[[], Awaitable[App]]


@pytest.fixture(scope="session")
def page_server(app_origin: str) -> Iterator[PageServer]:
    """The app's own web server."""
    server = PageServer(app_origin)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def hasty(stack: RunningStack, tmp_path: Path) -> Iterator[ServiceProcess]:
    """A gateway that holds a sign-in for fresh for a second only."""
    settings = {**settings_of(stack, "gateway"), "direct_fresh_seconds": 1}
    process = ServiceProcess("gateway", settings, tmp_path, access_key_of(stack, "gateway"))
    process.start()
    yield process
    process.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def apps(
    stack: RunningStack, page_server: PageServer, browser: Browser, http: aiohttp.ClientSession
) -> AsyncIterator[Apps]:
    """Opens the app for people, each in a profile of their own."""
    contexts: list[BrowserContext] = []

    async def make() -> App:
        context = await browser.new_context()
        contexts.append(context)
        app = App(stack, context, await context.new_page(), http)
        await app.open(page_server.origin)
        return app

    yield make
    for context in contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def app(apps: Apps) -> App:
    """The app, open."""
    return await apps()


@pytest_asyncio.fixture(loop_scope="session")
async def ledger(stack: RunningStack) -> AsyncIterator[Ledger]:
    """The audit database."""
    connection = await asyncpg.connect(stack["database_url"])
    yield Ledger(connection, stack)
    await connection.close()


@pytest.fixture(scope="session")
def cognito(stack: RunningStack) -> Iterator[NodeCognito]:
    """The AWS SDK in Node."""
    cognito = NodeCognito(stack)
    yield cognito
    cognito.close()
