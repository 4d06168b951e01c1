"""One simulator, one mail server, one Node process and one browser for all contract checks."""

import base64
import secrets
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from authsignal.client import AuthsignalClient
from playwright.async_api import Browser, async_playwright

from tests.chromium import chromium_arguments, chromium_path
from tests.contract.mailbox import Mailbox
from tests.contract.node import NodeSdk
from tests.contract.page import BrowserSdk, PageServer
from tests.contract.receiver import Receiver
from tests.contract.simulator import Simulator


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Mailbox]:
    """A mail server."""
    mailbox = Mailbox()
    mailbox.start()
    yield mailbox
    mailbox.stop()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody who takes webhooks."""
    receiver = Receiver()
    receiver.start()
    yield receiver
    receiver.stop()


@pytest.fixture(scope="session")
def page_server() -> Iterator[PageServer]:
    """A page of an origin that the simulator allows."""
    server = PageServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def shared_simulator(
    tmp_path_factory: pytest.TempPathFactory, mailbox: Mailbox, page_server: PageServer
) -> Iterator[Simulator]:
    """The simulator that all checks share; each of them uses users of its own."""
    folder: Path = tmp_path_factory.mktemp("simulator")
    simulator = Simulator(folder, smtp_port=mailbox.port, allow_origins=[page_server.origin])
    simulator.start()
    yield simulator
    simulator.stop()


@pytest.fixture
def simulator(shared_simulator: Simulator) -> Simulator:
    """The shared simulator with its knobs as at start."""
    shared_simulator.reset()
    return shared_simulator


@pytest.fixture(scope="session")
def shared_node(shared_simulator: Simulator) -> Iterator[NodeSdk]:
    """The Node SDK, in one process for all checks."""
    node = NodeSdk(shared_simulator)
    yield node
    node.close()


@pytest.fixture
def node(shared_node: NodeSdk, simulator: Simulator) -> NodeSdk:
    """The Node SDK against the simulator with its knobs as at start."""
    del simulator
    return shared_node


@pytest.fixture
def python(simulator: Simulator) -> Iterator[AuthsignalClient]:
    """The Python SDK, as its users construct it."""
    client = AuthsignalClient(api_secret_key=simulator.secret_key, api_url=simulator.api_url)
    client.session.trust_env = False
    yield client
    client.session.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=chromium_arguments())
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def sdk(browser: Browser, simulator: Simulator, page_server: PageServer) -> AsyncIterator[BrowserSdk]:
    """The browser SDK in a fresh profile."""
    context = await browser.new_context()
    sdk = BrowserSdk(await context.new_page(), simulator, page_server.origin)
    await sdk.open()
    yield sdk
    await context.close()


@pytest.fixture
def tenant_headers(simulator: Simulator) -> dict[str, str]:
    """How a browser without a token names the tenant: Basic, without a colon."""
    return {"Authorization": f"Basic {base64.b64encode(simulator.tenant_id.encode()).decode()}"}


@pytest.fixture
def user_id() -> str:
    """A user that nobody mentioned before."""
    return str(uuid.uuid4())


@pytest.fixture
def email(user_id: str) -> str:
    """An address that nobody used before."""
    return f"user-{user_id}@example.test"


@pytest.fixture
def number() -> str:
    """A phone number that nobody used before."""
    return f"+6421{secrets.randbelow(10**9):09d}"
