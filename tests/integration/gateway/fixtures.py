"""A gateway with limits that tests can live with, people who use it, and the audit database behind it."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from tests.integration.gateway.business import Business
from tests.integration.gateway.factors import Factors
from tests.integration.gateway.holder import Holder
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.payer import Payer
from tests.integration.gateway.person import Person
from tests.integration.gateway.process import ServiceProcess, access_key_of, settings_of
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault
from tests.stack import RunningStack

People = Callable[[], Person]

# Within a test's reach: whoever sends webhooks here has an address of its own.
WEBHOOK_REFUSALS_MAX = 12
RESEND_SECONDS = 1
# Every test comes from one client address, and neither a resend nor a refusal must take long.
EASED = {
    "starts_per_ip_max": 100_000,
    "answers_per_ip_max": 100_000,
    "webhook_refusals_per_ip_max": WEBHOOK_REFUSALS_MAX,
    "resend_seconds": RESEND_SECONDS,
    "veil_seconds": 0.02,
    "trusted_proxies": ["127.0.0.1"],
}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where settings files and logs of further copies go."""
    return tmp_path_factory.mktemp("copies")


@pytest.fixture(scope="session")
def gateway(stack: RunningStack, folder: Path) -> Iterator[ServiceProcess]:
    """A second gateway of the stack."""
    settings = {**settings_of(stack, "gateway"), **EASED}
    process = ServiceProcess("gateway", settings, folder, access_key_of(stack, "gateway"))
    process.start()
    yield process
    process.stop()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client without a cookie jar."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False) as session:
        yield session


@pytest.fixture
def people(stack: RunningStack, gateway: ServiceProcess, http: aiohttp.ClientSession) -> People:
    """Makes people who use the second gateway."""
    return lambda: Person(http, gateway.url, stack["mail"]["inbox_url"])


@pytest.fixture
def person(people: People) -> Person:
    """Somebody nobody knows yet."""
    return people()


@pytest.fixture
async def ledger(stack: RunningStack) -> AsyncIterator[Ledger]:
    """The audit database."""
    connection = await asyncpg.connect(stack["database_url"])
    yield Ledger(connection, stack)
    await connection.close()


@pytest.fixture
async def vault(gateway: ServiceProcess) -> AsyncIterator[Vault]:
    """The second gateway's state."""
    vault = Vault(gateway.settings)
    yield vault
    await vault.state.close()


@pytest.fixture
async def authsignal(stack: RunningStack, http: aiohttp.ClientSession) -> AsyncIterator[Authsignal]:
    """The simulator; clock, faults and outcomes are taken back afterwards."""
    urls = stack["authsignal"]
    simulator = Authsignal(http, api_url=urls["api_url"], control_url=urls["control_url"], secret_key=urls["secret_key"])
    yield simulator
    await simulator.reset()


@pytest.fixture
def factors(authsignal: Authsignal, stack: RunningStack) -> Factors:
    """Ways to sign in."""
    return Factors(authsignal, stack["gateway_url"])


@pytest.fixture
async def payer(person: Person, stack: RunningStack) -> Payer:
    """Somebody with an account, signed in, and the shop."""
    return await Payer(person, Business(person, stack)).join()


@pytest.fixture
async def holder(person: Person, authsignal: Authsignal, stack: RunningStack, factors: Factors) -> Holder:
    """Somebody with an account and a passkey."""
    return await Holder(person, authsignal, stack).join(factors)
