"""A challenge service, an Authsignal simulator and a queue of their own."""

import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from deploy.local.aws_account import AccessKey
from tests.contract.mailbox import Mailbox
from tests.contract.simulator import Simulator
from tests.integration.challenge.desk import Desk
from tests.integration.gateway.process import ServiceProcess, settings_of
from tests.stack import RunningStack


@dataclass(frozen=True)
class Office:
    """Everything around the service."""

    simulator: Simulator
    stack: RunningStack
    folder: Path
    queue_url: str
    tokens: tuple[str, str]
    assertion_key: str
    pool: str

    def start(self, **changes: Any) -> ServiceProcess:
        """Start a challenge service with some settings changed."""
        settings = {
            **settings_of(self.stack, "challenge"),
            "authsignal_url": self.simulator.api_url,
            "authsignal_secret_file": str(self.simulator.key_file),
            "service_token_file": str(self.folder / "tokens"),
            "assertion_key_file": str(self.folder / "assertion_key"),
            "audit_queue_url": self.queue_url,
            "state_url": "memory://",
            "breaker_failures_max": 1000,
        }
        aws = self.stack["aws"]
        # The queue is this suite's own, so the account's root writes to it.
        key = AccessKey(aws["access_key_id"], aws["secret_access_key"])
        process = ServiceProcess("challenge", {**settings, **changes}, self.folder, key)
        process.start()
        return process


@pytest.fixture(scope="session")
def office(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A simulator, a queue, two live service tokens and two assertion keys."""
    folder = tmp_path_factory.mktemp("challenge")
    mailbox = Mailbox()
    mailbox.start()
    simulator = Simulator(folder, smtp_port=mailbox.port)
    simulator.start()
    tokens, keys = (secrets.token_hex(32), secrets.token_hex(32)), (secrets.token_hex(32), secrets.token_hex(32))
    (folder / "tokens").write_text("\n".join(tokens))
    (folder / "assertion_key").write_text("\n".join(keys))
    sqs = stack.aws("sqs")
    queue_url = sqs.create_queue(QueueName=f"challenge-{secrets.token_hex(4)}")["QueueUrl"]
    yield Office(simulator, stack, folder, queue_url, tokens, keys[0], stack["aws"]["user_pool_id"])
    sqs.delete_queue(QueueUrl=queue_url)
    simulator.stop()
    mailbox.stop()


@pytest.fixture(scope="session")
def service(office: Office) -> Iterator[ServiceProcess]:
    """The service that most tests share; its circuit never opens."""
    process = office.start()
    yield process
    process.stop()


@pytest.fixture
async def desks(office: Office) -> AsyncIterator[Callable[[ServiceProcess], Desk]]:
    """Makes clients of a challenge service."""
    office.simulator.reset()
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False) as http:
        yield lambda process: Desk(
            http,
            url=f"http://127.0.0.1:{process.port}",
            token=office.tokens[0],
            simulator=office.simulator,
            sqs=office.stack.aws("sqs"),
            queue_url=office.queue_url,
        )
    office.simulator.reset()


@pytest.fixture
def desk(desks: Callable[[ServiceProcess], Desk], service: ServiceProcess) -> Desk:
    """A client of the shared service."""
    return desks(service)
