"""A browser, people with profiles of their own, and what stands behind the page."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright
from redis.asyncio import Redis

from tests.chromium import WAIT_MS, chromium_arguments, chromium_path
from tests.integration.gateway.process import settings_of
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault
from tests.stack import RunningStack
from tests.system.inbox import Inbox
from tests.system.person import Person

Profile = Callable[..., Awaitable[Person]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=chromium_arguments())
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def people(browser: Browser, stack: RunningStack) -> AsyncIterator[Profile]:
    """
    Makes people, each with a browser profile of their own; options are Playwright's for a context.

    When the test is over, nobody's page may have complained in the console: not of the policy, not of anything.
    """
    made: list[Person] = []
    contexts: list[BrowserContext] = []

    async def make(**options: Any) -> Person:
        context = await browser.new_context(**{"reduced_motion": "reduce", **options})
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        inbox = Inbox(stack["mail"]["inbox_url"], context)
        made.append(Person(stack["gateway_url"], context, await context.new_page(), inbox))
        return made[-1]

    yield make
    complaints = [complaint for person in made for complaint in person.complaints]
    for context in contexts:
        await context.close()
    assert complaints == [], complaints


@pytest_asyncio.fixture(loop_scope="session")
async def newcomer(people: Profile) -> Person:
    """Somebody without an account."""
    return await people()


@pytest_asyncio.fixture(loop_scope="session")
async def person(newcomer: Person) -> Person:
    """Somebody with an account, signed in, on the account page."""
    await newcomer.signs_up()
    return newcomer


@pytest_asyncio.fixture(loop_scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client."""
    async with aiohttp.ClientSession(trust_env=False) as session:
        yield session


@pytest_asyncio.fixture(loop_scope="session")
async def simulator(stack: RunningStack, http: aiohttp.ClientSession) -> AsyncIterator[Authsignal]:
    """The simulator; clock, faults, rules and limits are taken back afterwards."""
    urls = stack["authsignal"]
    simulator = Authsignal(http, api_url=urls["api_url"], control_url=urls["control_url"], secret_key=urls["secret_key"])
    yield simulator
    await simulator.reset()


@pytest_asyncio.fixture(loop_scope="session")
async def vault(stack: RunningStack) -> AsyncIterator[Vault]:
    """The gateway's state."""
    vault = Vault(settings_of(stack, "gateway"))
    yield vault
    await vault.state.close()


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def fresh_limits(stack: RunningStack) -> None:
    """Forget what other tests of this run did from this machine's address."""
    state = Redis.from_url(settings_of(stack, "gateway")["state_url"].replace("valkey://", "redis://"))
    async with contextlib.aclosing(state):
        async for key in state.scan_iter("*limit:*"):
            await state.delete(key)
