"""Fixtures of the console's tests: auditors, who all are the one auditor of the stack."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.stack import RunningStack
from tests.system.fixtures import Profile
from tests.system.inbox import Inbox
from tests.system.person import Person

DESK = {"width": 1280, "height": 860}
Auditors = Callable[..., Awaitable[Person]]


@pytest.fixture(scope="session")
def auditor_mail() -> Counter[tuple[str, str]]:
    """What was read of the auditor's mail in this run."""
    return Counter()


@pytest_asyncio.fixture(loop_scope="session")
async def auditors(people: Profile, stack: RunningStack, auditor_mail: Counter[tuple[str, str]]) -> Auditors:
    """Makes browsers of the auditor, nobody signed in."""

    async def make(**options: Any) -> Person:
        auditor = await people(**{"viewport": DESK, **options})
        auditor.email = stack["auditor_email"]
        auditor.inbox = Inbox(stack["mail"]["inbox_url"], auditor.context, auditor_mail)
        return auditor

    return make


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def signed_in(
    browser: Browser, stack: RunningStack, auditor_mail: Counter[tuple[str, str]]
) -> AsyncIterator[dict[str, Any]]:
    """The cookies of a browser in which the auditor has signed in: once for the run."""
    context = await browser.new_context(reduced_motion="reduce")
    inbox = Inbox(stack["mail"]["inbox_url"], context, auditor_mail)
    auditor = Person(stack["gateway_url"], context, await context.new_page(), inbox)
    auditor.email = stack["auditor_email"]
    await auditor.signs_in()
    yield {"cookies": (await context.storage_state())["cookies"], "origins": []}
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def auditor(auditors: Auditors, signed_in: dict[str, Any]) -> Person:
    """The auditor, on the overview of the console."""
    auditor = await auditors(storage_state=signed_in)
    await auditor.open("/audit/")
    await auditor.sees("Overview")
    return auditor
